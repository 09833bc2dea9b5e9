"""In what forms the commands print, and with which codes they end."""

import json
import re
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from kubemin.cli.exits import Exit
from kubemin.cli.interrupts import Interrupted, Interrupts, Patience
from kubemin.cli.output import Form, Output
from kubemin.cli.progress import Progress
from kubemin.cli.views import Table
from kubemin.spec.text import parse
from tests.cli.kubemin import InProcess, Kubemin, Running
from tests.cli.terminal import Terminal

_STYLE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def _write(folder: Path, name: str, *parts: dict[str, Any], **more: Any) -> str:
    conf = {"name": "conf", "type": "config", "properties": {"conf": {"level": "info"}}}
    (folder / f"{name}.json").write_text(json.dumps({"name": name, "component": list(parts) or [conf], **more}))
    return f"{name}.json"


def test_every_command_that_prints_data_prints_it_in_every_form(client: InProcess, tmp_path: Path) -> None:
    file = _write(tmp_path, "formed")
    assert client("apply", file).returncode == 0
    for command, names in (
        (["apps", "--search", "formed"], ["default/formed"]),
        (["tasks", "--app", "formed"], None),
        (["status", "formed"], None),
        (["resources", "formed"], ["ConfigMap/default/formed-conf"]),
        (["history", "formed"], ["1"]),
        (["get", "formed"], ["conf"]),
        (["diff", "formed"], []),
        (["plan", file], ["ConfigMap/default/formed-conf"]),
        (["plan", "--server", file], ["ConfigMap/default/formed-conf"]),
        (["try", file], ["default/formed"]),
        (["delete", "formed", "--dry-run"], ["ConfigMap/default/formed-conf"]),
        (["logs", "formed"], []),
        (["orphans"], None),  # other tests leave some on their server
        (["version"], None),
    ):
        as_json = json.loads(client(*command, "-o", "json").stdout)
        (as_yaml,) = parse(client(*command, "-o", "yaml").stdout)
        assert as_yaml == (as_json["application"] if command[0] == "get" else as_json), command
        named = client(*command, "-o", "name").stdout.splitlines()
        assert names is None or named == names, command
        assert client(*command, "--output=wide").returncode in (Exit.OK, Exit.DIFFERS)
        assert len(client(*command, "-q").stdout.splitlines()) <= len(client(*command).stdout.splitlines())


def test_quiet_says_nothing_of_what_went_well(client: InProcess, tmp_path: Path) -> None:
    file = _write(tmp_path, "hushed")
    first, second = client("apply", "-q", file), client("apply", "-q", "--detach", file)
    assert (first.returncode, first.stdout, second.stdout) == (0, "", "")
    assert client("status", "hushed", "--follow", "-q").stdout == ""
    assert client("diff", "hushed", "-q").stdout == ""
    shown = client("tasks", "--app", "hushed", "-q").stdout.splitlines()
    assert len(shown) == 2
    assert shown[0].endswith("  hushed")
    web = {"name": "web", "type": "webservice", "image": "never"}
    failed = client("apply", "-q", _write(tmp_path, "loud", web), "--timeout", "1")
    assert failed.returncode == Exit.TIMEOUT
    said = [line for line in failed.stdout.splitlines() if not line.startswith("warning: ")]
    assert " timeout: " in said[0]


def test_an_error_is_an_object_for_whoever_asked_for_json(client: InProcess) -> None:
    for arguments, exit_code, more in (
        (["get", "nobody", "-o", "json"], 1, {"code": 10005}),
        (["status", "nosuchtask", "-ojson"], 1, {"code": 20006}),
        (["apps", "--server", "http://127.0.0.1:9", "--output=json"], 6, {}),
        (["tasks", "--status", "odd", "-o", "json"], 2, {}),
        (["apply", "-o", "json"], 2, {}),
    ):
        answer = client(*arguments)
        assert (answer.returncode, answer.stdout) == (exit_code, "")
        error = json.loads(answer.stderr)["error"]
        assert error.pop("message")
        assert error == {"exit": exit_code, **more}


def test_an_error_of_fields_names_them(client: InProcess, tmp_path: Path) -> None:
    answer = client("apply", _write(tmp_path, "Bad Name"), "-o", "json")
    assert json.loads(answer.stderr)["error"]["errors"][0]["field"] == "name"


def test_tasks_of_an_application_by_its_name(client: InProcess, tmp_path: Path) -> None:
    client("apply", _write(tmp_path, "named"))
    client("apply", _write(tmp_path, "another"))
    assert len(client("tasks", "--app", "named", "-o", "name").stdout.splitlines()) == 1
    assert client("tasks", "--app", "nobody").returncode == 1


def test_on_a_terminal_ids_are_whole(server: Running, client: InProcess, tmp_path: Path) -> None:
    name = "an-application-whose-name-is-long-enough-to-be-folded"
    done = client("apply", _write(tmp_path, name), "-o", "json")
    terminal = Terminal(tmp_path, "tasks", "--app", name, env={"KUBEMIN_SERVER": server.url}, columns=80)
    assert terminal.end() == 0, terminal.shown + done.stderr
    assert re.search(rf"(?m)^{json.loads(done.stdout)['taskId']} +completed +none +\S+ ", terminal.shown)


def test_a_missing_namespace_is_one_short_sentence(client: InProcess, tmp_path: Path) -> None:
    web = {"name": "web", "type": "webservice", "image": "nginx", "properties": {"ports": [{"port": 80}]}}
    answer = client("apply", _write(tmp_path, "placed", web, namespace="nowhere"))
    assert answer.returncode == 1
    sentence = "the namespace nowhere is not there: make it, or run with createNamespace (--create-namespace)"
    line = next(line for line in answer.stdout.splitlines() if line.startswith("task ") and " failed: " in line)
    assert line.endswith(f" failed: refused before anything was written: {sentence}")
    assert client("apply", "placed.json", "--create-namespace").returncode == 0


def test_a_deploy_ends_with_the_address_where_there_is_one(client: InProcess, tmp_path: Path) -> None:
    route = {"path": "/", "backend": {"serviceName": "door-web", "servicePort": 80}}
    web = {
        "name": "web",
        "type": "webservice",
        "image": "nginx",
        "properties": {"ports": [{"port": 80}]},
        "traits": {"ingress": [{"hosts": ["shop.example.com"], "routes": [route]}]},
    }
    file = _write(tmp_path, "door", web)
    answer = client("apply", file)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.endswith("\naddress  web  http://shop.example.com\n")
    made = json.loads(client("apply", file, "-o", "json").stdout)
    assert made["addresses"] == [{"component": "web", "type": "Ingress", "address": "http://shop.example.com"}]


def test_status_says_what_a_task_waits_for(client: InProcess, outside: Kubemin, tmp_path: Path) -> None:
    web = {"name": "web", "type": "webservice", "image": "never"}
    task = json.loads(client("apply", "--detach", _write(tmp_path, "waits", web), "-o", "json").stdout)["taskId"]
    behind = json.loads(client("apply", "--detach", "waits.json", "-o", "json").stdout)["taskId"]
    assert f"behind    task {task}, which is before it in the queue" in client("status", behind).stdout
    watching = outside.start("events", task)
    watching.wait_for("updated replicas")
    watching.stop()
    assert "\nwaiting: web/Deployment/waits-web: " in client("status", task).stdout
    client("cancel", behind)
    client("cancel", task)


def test_a_signal_cancels_each_of_several(outside: Kubemin, tmp_path: Path) -> None:
    web = {"name": "web", "type": "webservice", "image": "never"}
    running = outside.start("apply", _write(tmp_path, "one-of", web), _write(tmp_path, "two-of", web))
    running.wait_for("one-of  running")
    running.wait_for("two-of  running")
    running.signal(signal.SIGTERM)
    assert running.end() == Exit.CANCELLED
    assert running.output.count("interrupted at the command line\n") >= 2


class _Leaves(BaseHTTPRequestHandler):
    """Answers as a server with a task that runs, which is gone as soon as somebody follows the task."""

    def do_GET(self) -> None:
        if self.path.endswith("/events"):
            self.server.shutdown()
            self.server.server_close()
            return
        status = {"taskId": "t" * 24, "status": "running", "reason": "", "cleanup": {"state": "none"}, "components": []}
        body = json.dumps({"code": 0, "message": "", "data": {**status, "stages": []}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.mark.parametrize("command", [["status", "--follow"], ["events"]], ids=" ".join)
def test_a_lost_server_is_told_at_once_and_has_an_exit_code(
    here: InProcess, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr(Patience, "seconds", 0.0)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Leaves) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        answer = here(*command, "t" * 24, "--server", f"http://127.0.0.1:{server.server_port}")
        serving.join()
    assert answer.returncode == Exit.LOST
    told, end = answer.stderr.splitlines()
    assert told.startswith("kubemin: the server does not answer; it is waited for for 0 s (no server answers at ")
    assert end.startswith("kubemin: lost the server: ")
    assert end.endswith("`kubemin status tttttttttttttttttttttttt --follow` comes back to it")


def test_a_signal_is_kept_until_the_command_waits() -> None:
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted) as caught, interrupts.waiting():
            pytest.fail("it did not wait")
        assert caught.value.number == signal.SIGTERM
        signal.raise_signal(signal.SIGHUP)
        interrupts.forget()
        interrupts.sleep(0)
        with pytest.raises(Interrupted), interrupts.waiting():
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGINT)  # who presses it twice does not want to wait


class _Screen(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("lines", [40, 8])
def test_the_live_view_keeps_names_and_states_and_shows_reasons_whole(
    monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    """At 50 columns; where there is no room for all components, for those that went wrong."""
    reason = "back-off 5m0s restarting failed container=web pod=shop-web-5d4f_default(0e6a): CrashLoopBackOff again"
    names = ["web", "a-component-with-a-long-name", "cache", "queue", "worker", "front", "back", "db"]
    progress = Progress("t" * 24)
    components = [
        {"name": name, "type": "webservice", "status": "failed" if name == "web" else "completed", "error": ""}
        for name in names
    ]
    components[0]["error"] = reason
    cleanup = {"state": "none"}
    status: Any = {"status": "running", "reason": "", "cleanup": cleanup, "components": components}
    progress.load(status)
    screen = _Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    for name, value in (("TERM", "xterm"), ("COLUMNS", "50"), ("LINES", str(lines))):
        monkeypatch.setenv(name, value)
    with Table(progress):
        pass
    shown = _STYLE.sub("", screen.getvalue())
    assert max(map(len, re.split(r"[\r\n]", shown))) <= 50
    assert re.search(r"(?m)^web +failed", shown)
    assert " ".join(reason.split()) in " ".join(shown.split())
    if lines == 40:
        for name in names[1:]:
            assert re.search(rf"(?m)^{name} +completed", shown)
    else:
        assert re.search(r"(?m)^and \d more", shown)


def test_columns_are_more_where_somebody_asks(capsys: pytest.CaptureFixture[str]) -> None:
    for form, shown in ((None, "A\n1\n"), (Form.WIDE, "A  B\n1  2\n")):
        Output(form).table(("a", "b"), [(1, 2)], "none", wide=("b",))
        assert capsys.readouterr().out == shown
