"""The command, as a process."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubesim import __version__
from kubesim.command import main

PROGRAM = str(Path(sys.executable).with_name("kubesim"))
_SECONDS = 120
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def kubesim(*arguments: str, program: tuple[str, ...] = (PROGRAM,)) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*program, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False)


@contextmanager
def serving(*arguments: str) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """A process that serves, and its address."""
    with subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            found = re.fullmatch(r"simulated cluster at (http://127\.0\.0\.1:\d+)\n", said)
            assert found, said
            yield process, found[1]
        finally:
            process.kill()


def ask(url: str, path: str, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with _DIRECT.open(urllib.request.Request(url + path, headers=headers), timeout=_SECONDS) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_what_its_kubeconfig_says_until_it_is_told_to_stop(number: signal.Signals) -> None:
    with serving() as (process, url):
        assert ask(url, "/version")["gitVersion"].endswith("+kubesim")
        process.send_signal(number)
        out, err = process.communicate(timeout=_SECONDS)
        assert (process.returncode, err) == (0, "")
        assert yaml.safe_load(out)["clusters"][0]["cluster"]["server"] == url


def test_the_kubeconfig_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config"
    with serving("--kubeconfig-out", str(path), "--authorize") as (_, url):
        config = yaml.safe_load(path.read_text())
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        token = config["users"][0]["user"]["token"]
        assert ask(url, "/api/v1/nodes", token)["items"]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            ask(url, "/api/v1/nodes")


def test_what_is_injected_is_in_every_namespace() -> None:
    with serving("--speed", "1000", "--inject", "ca/root.pem=a=b", "--inject", "ca/other=", "--inject", "mesh/x=y") as (
        _,
        url,
    ):
        path = "/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=60"
        seen: dict[str, dict[str, str]] = {}
        with _DIRECT.open(url + path, timeout=_SECONDS) as events:
            for line in events:
                obj = json.loads(line)["object"]
                seen[obj["metadata"]["name"]] = obj.get("data", {})
                if {"ca", "mesh"} <= seen.keys():
                    break
        assert (seen["ca"], seen["mesh"]) == ({"root.pem": "a=b", "other": ""}, {"x": "y"})


@pytest.mark.parametrize(
    "wrong",
    [
        ["--port", "65536"],
        ["--port", "-1"],
        ["--speed", "0"],
        ["--speed", "nan"],
        ["--collector-delay", "-1"],
        ["--collector-delay", "inf"],
        ["--inject", "name"],
        ["--inject", "name/=value"],
        ["--nothing"],
        ["nothing"],
    ],
)
def test_a_wrong_command_line_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong)
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (2, "")
    assert printed.err.splitlines()[-1].startswith("kubesim: error: ")
    assert wrong[-1] in printed.err.splitlines()[-1]


def test_what_cannot_be_served_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for arguments, why in (
            (["--port", str(taken.getsockname()[1])], "address already in use"),
            (["--kubeconfig-out", str(tmp_path / "file" / "config")], str(tmp_path / "file")),
        ):
            answer = kubesim(*arguments)
            assert (answer.returncode, answer.stdout) == (1, "")
            assert re.fullmatch(r"kubesim: cannot serve: .*\n", answer.stderr)
            assert why in answer.stderr


@pytest.mark.parametrize("program", [(PROGRAM,), (sys.executable, "-m", "kubesim")], ids=["command", "module"])
def test_it_tells_its_version_and_its_options(program: tuple[str, ...]) -> None:
    answer = kubesim("--version", program=program)
    assert (answer.returncode, answer.stdout) == (0, f"kubesim {__version__}\n")
    answer = kubesim("--help", program=program)
    assert answer.returncode == 0
    assert answer.stdout.startswith("usage: kubesim ")
