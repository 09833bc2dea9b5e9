"""No control character of a server, a cluster or a file reaches the terminal."""

import io
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from kubemin.cli import history, logs, main, offline, reports, stopping
from kubemin.cli.apply import apply, plan
from kubemin.cli.apply_options import Wanted
from kubemin.cli.connection import Connection
from kubemin.cli.delete import delete
from kubemin.cli.exits import CliError
from kubemin.cli.interrupts import OnSignal
from kubemin.cli.output import Form, Output
from kubemin.settings.telemetry import TelemetrySettings
from kubemin.spec.characters import has_unseen, visible
from kubemin.spec.states import CleanupPolicy
from kubemin.spec.text import parse

Json = dict[str, Any]

EVIL = "x\x1b]0;owned\x07\x9b31m\u202egpj\u2028\u2066\x7f\u061c\r\ty"
FORGED = f"{EVIL}\n12:00:00  task completed"
STYLE = re.compile(r"\r?\x1b\[[0-9;?]*[a-zA-Z]|\r(?=\n)")
"""What rich itself sends to a terminal."""

_CLEANUP = {"created": 1, "deleted": 1, "restored": 1, "kept": 1, "released": 1, "attempts": 2, "state": "incomplete"}
_LEFT = {"kind": EVIL, "namespace": EVIL, "name": EVIL, "why": EVIL}
_APP = {
    "id": "a",
    "cluster": EVIL,
    "namespace": EVIL,
    "name": EVIL,
    "version": EVIL,
    "updateTime": 1,
    "workflowId": EVIL,
}
_JOB = {"id": 1, "name": f"{EVIL}/{EVIL}/{EVIL}", "type": "apply", "status": "failed"}
_COMPONENT = {"name": EVIL, "type": EVIL, "status": "failed", "error": EVIL, "warnings": [EVIL]}
_STATUS = {
    "taskId": EVIL,
    "appId": "a",
    "type": EVIL,
    "attempt": 1,
    "status": "failed",
    "reason": EVIL,
    "cancelledBy": EVIL,
    "createTime": 1,
    "cleanup": {**_CLEANUP, "remaining": [_LEFT], "volumes": [_LEFT], "exceptions": [_LEFT], "abandoned": EVIL},
    "components": [_COMPONENT],
}
_PLANNED = {**_LEFT, "component": EVIL, "action": "change", "changes": [FORGED], "warnings": [EVIL]}
_STAGE = {"step": EVIL, "mode": EVIL, "priority": 1, "jobs": [_PLANNED]}
_ORPHAN = {**_LEFT, "taskId": EVIL, "error": EVIL, "uid": "u"}
_EVENTS: tuple[tuple[str, Json], ...] = (
    ("job", {"job": 1, "status": "failed", "error": FORGED, "info": EVIL}),
    ("task", {"status": "failed", "reason": FORGED}),
    ("resource", {"seq": 1, "state": "kept", **_LEFT, "why": FORGED}),
    ("cleanup", {"state": "incomplete", "why": FORGED}),
    ("end", {}),
)
_GOING = {"appId": "a", "taskId": "t", "removes": [EVIL], "releases": [EVIL], "passes": [EVIL], "keeps": [EVIL]}
_REVISION = {
    "revision": 1,
    "state": EVIL,
    "user": EVIL,
    "note": EVIL,
    "taskId": EVIL,
    "createTime": 1,
    "changes": {"added": [EVIL], "changed": [EVIL], "removed": [EVIL]},
}
_PART = {"name": EVIL, "type": EVIL, "image": EVIL}
_ANSWERS: tuple[tuple[str, Any], ...] = (
    (
        r"/apply",
        {
            "appId": EVIL,
            "revision": 1,
            "taskId": "t",
            "warnings": [{"field": EVIL, "code": EVIL, "message": EVIL}],
            "creates": [_LEFT],
            "stages": [_STAGE],
            "removes": [_LEFT],
            "releases": [_LEFT],
            "passes": [_LEFT],
            "keeps": [_LEFT],
        },
    ),
    (r"/revisions/", {**_REVISION, "application": {"name": EVIL, "component": [_PART]}}),
    (r"/revisions", {"revisions": [_REVISION]}),
    (r"/diff", {"changes": [{"ref": EVIL, "action": "change", "fields": [{"path": EVIL, "from": EVIL, "to": EVIL}]}]}),
    (
        r"/components",
        {
            "components": [{**_PART, "state": EVIL, "status": EVIL, "deployed": {"revision": 1}, "lastAbnormal": EVIL}],
            "dropped": [],
        },
    ),
    (r"/rollback|/restart", {"revision": 1, "taskId": "t", "more": EVIL}),
    (r"/applications/.*/cancel", {"taskId": EVIL, "status": "cancelled", "cleanup": EVIL}),
    (r"/tasks/.*/status", _STATUS),
    (r"/tasks/.*/stages", {"stages": [_JOB]}),
    (r"/tasks/.*/resources", {"resources": [{**_LEFT, "seq": EVIL, "state": EVIL}]}),
    (r"/tasks/.*/cleanup", {"taskId": EVIL, "status": EVIL, "cleanup": "incomplete"}),
    (r"/tasks", {"tasks": [{**_STATUS, "cluster": EVIL, "name": EVIL, "cleanup": EVIL}]}),
    (r"/orphans", {"orphans": [_ORPHAN]}),
    (r"/applications/", _APP),
)


class Hostile(BaseHTTPRequestHandler):
    """Answers as KubeMin does, with the worst texts."""

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path.endswith("/events"):
            frames = [f"event: {kind}\ndata: {json.dumps(data)}\nid: {n}\n\n" for n, (kind, data) in enumerate(_EVENTS)]
            self._send("text/event-stream", "".join(frames))
            return
        known = [data for pattern, data in _ANSWERS if re.search(pattern, path)]
        going = self.command == "DELETE" and "/applications/" in path
        data = _GOING if going else known[0] if known else {"applications": [_APP]}
        self._send("application/json", json.dumps({"code": 0, "message": FORGED, "data": data}))

    def _send(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815  (names of the base)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as http:
        serving = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        serving.join()


class _Screen(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@contextmanager
def _screen(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> Iterator[_Screen]:
    screen = _Screen(terminal=terminal)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", screen)
        patched.setenv("TERM", "xterm")
        yield screen


def _file(folder: Path) -> str:
    name = str(folder / "app.json")
    web = {"name": EVIL, "type": "webservice", "image": EVIL, "properties": {"env": {EVIL: EVIL}}}
    Path(name).write_text(json.dumps({"name": EVIL, "namespace": EVIL, "component": [web]}))
    return name


def _apply(files: list[str], to: Connection, *, dry_run: bool = False) -> int:
    return apply(Wanted(files), to, wait=OnSignal.CANCEL, dry_run=dry_run, all_or_nothing=False)


def _other(file: str) -> str:
    """A further application."""
    data = json.loads(Path(file).read_text())
    other = f"{file}.other"
    Path(other).write_text(json.dumps({**data, "name": f"other{EVIL}"}))
    return other


Command = Callable[[Connection, str], object]

COMMANDS: dict[str, Command] = {
    "apps": lambda to, _: reports.apps(to),
    "tasks": lambda to, _: reports.tasks(to, 5),
    "status": lambda to, _: reports.status("t", to, follow=False),
    "follow": lambda to, _: reports.status("t", to, follow=True),
    "resources": lambda to, _: reports.resources("t", to),
    "cancel": lambda to, _: stopping.cancel("t", None, None, to, yes=False, wait=False),
    "cancel --wait": lambda to, _: stopping.cancel("t", None, CleanupPolicy.NONE, to, yes=True, wait=True),
    "cleanup": lambda to, _: stopping.cleanup("t", None, to, yes=False),
    "cleanup --abandon": lambda to, _: stopping.abandon("t", None, to, yes=True),
    "orphans": lambda to, _: reports.orphans(to, delete=True, volumes=False, yes=True),
    "delete": lambda to, _: delete(
        "a", to, keep_resources=False, delete_volumes=False, dry_run=False, yes=True, wait=OnSignal.CANCEL
    ),
    "apply": lambda to, file: _apply([file], to),
    "apply of several": lambda to, file: _apply([file, _other(file)], to),
    "apply --dry-run": lambda to, file: _apply([file], to, dry_run=True),
    "plan --server": lambda to, file: plan(Wanted([file]), to),
    "try": lambda to, file: offline.check(Wanted([file]), to.output),
    "get": lambda to, _: history.get("a", None, to),
    "history": lambda to, _: history.history("a", to),
    "diff": lambda to, _: history.diff("a", None, None, to, live=False),
    "rollback": lambda to, _: history.rollback("a", None, {}, to, wait=OnSignal.CANCEL),
    "restart": lambda to, _: history.restart("a", [], to, wait=OnSignal.CANCEL),
}


_FORMS = {"json": Form.JSON, "yaml": Form.YAML}


@pytest.mark.parametrize("how", ["piped", "terminal", "json", "yaml"])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_prints_a_control_character(
    command: str, how: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _screen(monkeypatch, terminal=how == "terminal") as screen:
        COMMANDS[command](Connection(server, None, Output(_FORMS.get(how))), _file(tmp_path))
    text = screen.getvalue()
    assert re.search(r"x\\(u001b|e)]0;owned", text.replace("\n", "")) or how == "terminal"
    if how == "json":
        json.loads(text)
    if how == "yaml":
        parse(text)
    left = STYLE.sub("", text) if how == "terminal" else text
    assert not has_unseen(left.replace("\n", ""))
    assert not [line for line in left.splitlines() if line.startswith("12:00:00  task completed")]


@given(st.text(st.characters()))
def test_what_is_visible_hides_nothing_and_stays_valid_json(text: str) -> None:
    assert not has_unseen(visible(text))
    quoted = visible(json.dumps(text, ensure_ascii=False))
    assert json.loads(quoted) == text


def test_an_error_is_printed_visibly_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(**_: object) -> None:
        raise CliError(EVIL)

    monkeypatch.setattr("kubemin.cli.app.run", fail)
    with pytest.raises(SystemExit):
        main()
    error = capsys.readouterr().err
    assert "\\u202e" in error
    assert not has_unseen(error.replace("\n", ""))


def test_the_log_of_a_server_on_a_terminal_is_printed_visibly_too(monkeypatch: pytest.MonkeyPatch) -> None:
    written = _Screen(terminal=True)
    monkeypatch.setattr(sys, "stderr", written)
    logs.configure(TelemetrySettings())
    try:
        structlog.get_logger().warning(EVIL, reason="\x1b]0;owned\x07", number=1)
        structlog.get_logger().warning("again", exc_info=ValueError(EVIL))
    finally:
        structlog.reset_defaults()
    shown = STYLE.sub("", written.getvalue())
    assert "again" in shown
    assert not has_unseen(shown.replace("\n", ""))
