"""docs/how-to/backup.md, done with SQLite: what is true once an older database is restored, with a task in flight."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.kubemin import Kubemin
from tests.docs.markdown import ROOT, Page
from tests.docs.steps import runs

_APPLICATION = """
name: {name}
component:
  - {{name: settings, type: config, properties: {{conf: {{GREETING: "{greeting}"}}}}}}
  - name: {name}
    type: webservice
    image: "{image}"
    traits: {{envFrom: [{{type: config, sourceName: settings}}]}}
"""
COMMANDS = [
    run.command
    for block in Page(ROOT / "docs" / "how-to" / "backup.md").fenced()
    if block.language == "console"
    for run in runs(block)
]


def _as_on_the_page(folder: Path, *begins: str) -> None:
    """Give the page's commands that begin so."""
    given = [command for command in COMMANDS if command.startswith(begins)]
    assert len(given) == len(begins)
    subprocess.run(["bash", "-ec", "\n".join(given)], cwd=folder, env=os.environ, check=True)


@contextmanager
def _serving(folder: Path, *options: str) -> Iterator[Kubemin]:
    with Kubemin(folder).server("serve", "--kubeconfig", "cluster.yaml", *options) as running:
        yield Kubemin(folder, running.url)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with the kubeconfig of a cluster that outlives the servers."""
    cluster = Kubemin(tmp_path).start("sim", "--port", "0", "--kubeconfig-out", "cluster.yaml")
    cluster.wait_for("http://")
    yield tmp_path
    cluster.stop()


def _deployed(kubemin: Kubemin, name: str, greeting: str, image: str, *options: str) -> str:
    (kubemin.folder / f"{name}.yaml").write_text(_APPLICATION.format(name=name, greeting=greeting, image=image))
    done = kubemin("apply", f"{name}.yaml", "-o", "name", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.proof
def test_what_is_true_after_a_restore(folder: Path) -> None:
    with _serving(folder, "--in-process") as kubemin:
        _deployed(kubemin, "shop", "one", "nginx:1")
        in_flight = _deployed(kubemin, "shop", "one", "nginx:slow-600", "--detach")
        while json.loads(kubemin("status", in_flight, "-o", "json").stdout)["status"] != "running":
            pass
        _as_on_the_page(folder, "umask", "python3")
        kubemin("cancel", in_flight, "--wait")
        _deployed(kubemin, "shop", "two", "nginx:2")
        _deployed(kubemin, "later", "two", "nginx:2")
    _as_on_the_page(folder, "rm ", "cp ")

    with _serving(folder, "--workers", "0") as kubemin:
        (cancel,) = (command for command in COMMANDS if command.startswith("kubemin cancel"))
        assert in_flight in kubemin("tasks", "-o", "name").stdout
        _, _, _, *options = shlex.split(cancel)
        assert kubemin("cancel", in_flight, *options).returncode == 0

    with _serving(folder, "--in-process") as kubemin:
        drift = kubemin("diff", "shop", "--live").stdout
        assert '"one" → "two"' in drift
        assert '"nginx:1" → "nginx:2"' in drift
        assert "Deployment/default/later" in kubemin("orphans", "-o", "name").stdout.replace(" ", "/")
        _deployed(kubemin, "shop", "two", "nginx:2")
        _deployed(kubemin, "later", "two", "nginx:2")
        assert kubemin("diff", "shop", "--live").stdout == "no difference\n"
        assert kubemin("orphans").stdout == "no orphans\n"
        task = json.loads(kubemin("status", in_flight, "-o", "json").stdout)
        assert (task["status"], task["cleanup"]["state"]) == ("cancelled", "none")


@pytest.mark.proof
def test_a_worker_goes_on_with_what_the_backup_takes_for_running(folder: Path) -> None:
    with _serving(folder, "--in-process") as kubemin:
        _deployed(kubemin, "shop", "one", "nginx:1")
        in_flight = _deployed(kubemin, "shop", "one", "nginx:slow-600", "--detach")
        while "waiting:" not in kubemin("status", in_flight).stdout:
            pass
        _as_on_the_page(folder, "umask", "python3")
        kubemin("cancel", in_flight, "--wait")
        _deployed(kubemin, "shop", "two", "nginx:2")
    _as_on_the_page(folder, "rm ", "cp ")
    with _serving(folder, "--in-process") as kubemin:
        while "slow-600" not in kubemin("diff", "shop", "--live").stdout:
            pass
        assert kubemin("cancel", in_flight, "--wait").returncode == 0
        assert '"nginx:1" → "nginx:2"' in kubemin("diff", "shop", "--live").stdout
