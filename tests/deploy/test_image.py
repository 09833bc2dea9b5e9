"""The image: what must be so in its definition, and a server that runs in what it makes."""

import fnmatch
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kubemin import __version__
from tests.cli.kubemin import Kubemin
from tests.deploy.dockerfile import FILE, ROOT, copied, exec_form, script, stages
from tests.waiting import PATIENCE
from tests.wheels import SERVER_EXTRAS

_PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)((?:.*\\\n.*)*)", re.MULTILINE)


def test_the_image_holds_the_least_and_runs_as_nobody() -> None:
    *_, final = stages()
    (user,) = final.all("USER")
    assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", user), "a kubelet can see that a number is not root"
    assert all(rest.startswith("--from=") for rest in final.all("COPY"))
    assert not re.search(r"\b(pip|apt|apk|curl|wget)\b", " ".join(final.all("RUN")))
    assert final.all("STOPSIGNAL") == ["SIGTERM"]
    assert exec_form(final.all("ENTRYPOINT")[0]) == ["kubemin"]
    assert exec_form(final.all("CMD")[0]) == ["serve"]
    assert f'version="{__version__}"' in final.all("LABEL")[0]


def test_nothing_of_it_comes_from_elsewhere_unchecked() -> None:
    for stage in stages():
        assert re.fullmatch(r"[a-z]+:[0-9.]+-slim", stage.base), "a version, and no registry's name"
        assert not {"ADD", "HEALTHCHECK", "ONBUILD", "MAINTAINER"} & {one.name for one in stage.instructions}
        for line in stage.all("RUN"):
            for command in line.split("&&"):
                if " install " in command:
                    assert "--require-hashes" in command or "--no-index" in command


def test_what_is_copied_is_not_left_out() -> None:
    """By the list beside it; what that does not name stays out, such as a database, or keys that lie about."""
    *allowed, left_out = Path(f"{FILE}.dockerignore").read_text().split()[1:]
    sources = {source for stage in stages() for names, _ in copied(stage) for source in names}
    assert {f"!{source}" for source in sources} == set(allowed)
    assert all((ROOT / source).exists() for source in sources)
    assert fnmatch.fnmatch("src/__pycache__", left_out)


def needed(name: str, extras: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a distribution asks for on Linux, by name and extras."""
    for text in requires(name) or ():
        one = Requirement(text)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            yield canonicalize_name(one.name), tuple(one.extras)


def test_the_image_s_packages_are_those_that_are_tested() -> None:
    """In the versions and with the hashes of constraints.txt, and no others than kubemin and its extras need."""
    tested = {
        name: (version, hashes) for name, version, hashes in _PINNED.findall((ROOT / "constraints.txt").read_text())
    }
    texts = (FILE.with_name("requirements.txt")).read_text()
    image = {name: (version, hashes) for name, version, hashes in _PINNED.findall(texts)}
    assert {name: tested.get(name) for name in image} == image, "make constraints UPGRADE="
    assert set(SERVER_EXTRAS) == set(_extras()) - {"sim"}
    found, to_do = set[str](), [*needed("kubemin", SERVER_EXTRAS)]
    while to_do:
        name, extras = to_do.pop()
        if name not in found:
            found.add(name)
            to_do += needed(name, extras)
    assert sorted(found - image.keys()) == []
    assert not {"kubesim", "pip", "hatchling", "pytest"} & image.keys()


def _extras() -> list[str]:
    from importlib.metadata import metadata

    return metadata("kubemin").get_all("Provides-Extra") or []


@pytest.mark.proof
@pytest.mark.skipif(
    os.environ.get("KUBEMIN_TEST_IMAGE") != "1" or os.geteuid() != 0 or not shutil.which("setpriv"),
    reason="installs the image's packages, and lays file systems over others, as root: where KUBEMIN_TEST_IMAGE=1 asks",
)
@pytest.mark.timeout(600)
def test_a_server_runs_as_nobody_on_a_root_that_cannot_be_written(tmp_path: Path) -> None:
    """It is PID 1, deploys, and ends at SIGTERM with its workers. Made by the instructions of the file themselves."""
    outside = Kubemin(tmp_path)
    cluster = outside.start("sim", "--port", "0", "--kubeconfig-out", "cluster.yaml")
    cluster.wait_for("http://")
    (tmp_path / "place").mkdir()
    command = ["unshare", "--mount", "--pid", "--fork", "--propagation", "private", "bash", "-c", script(), "-"]
    given = {"KUBEMIN_KUBECONFIG": "/tmp/kubeconfig", "KUBEMIN_DATABASE_URL": "sqlite:////tmp/kubemin.db"}
    options = ["serve", "--port", "0", "--metrics-port", "0"]
    with subprocess.Popen(
        [*command, str(tmp_path / "place"), *options],
        cwd=tmp_path,
        env={**os.environ, **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert running.stdout is not None
        said = list[str]()
        try:
            for line in running.stdout:
                said.append(line)
                if "ready at" in line:
                    break
            text = "".join(said)
            found = dict(re.findall(r"(ready|metrics) at (http://\S+)", text))
            assert found.keys() == {"ready", "metrics"}, text
            assert httpx.get(f"{found['metrics']}/readyz").json()["data"]["status"] == "ready"
            applied = Kubemin(tmp_path, found["ready"])("apply", str(ROOT / "examples" / "hello.yaml"))
            assert applied.returncode == 0, applied.stderr
            children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
            status = Path(f"/proc/{children[0]}/status").read_text()
            assert re.search(r"^Uid:\s+65532\s+65532", status, re.MULTILINE)
            assert re.search(r"^NSpid:.*\s1$", status, re.MULTILINE), "the first process of its namespace"
            os.kill(int(children[0]), signal.SIGTERM)
            assert running.wait(PATIENCE) == 0
        finally:
            running.kill()
            cluster.stop()
