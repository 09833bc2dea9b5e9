"""`kubemin logs` and `kubemin events`."""

import json
import signal
from pathlib import Path

from tests.cli.kubemin import InProcess, Kubemin

_WEB = {"name": "web", "type": "webservice", "image": "web:hush-hush", "properties": {"ports": [{"port": 80}]}}
_JOB = {"name": "keys", "type": "secret", "properties": {"secret": {"token": "hush-hush"}}}


def _deploy(client: InProcess, folder: Path, name: str) -> str:
    (folder / "app.json").write_text(json.dumps({"name": name, "component": [_WEB, _JOB]}))
    done = client("apply", "app.json", "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    return str(json.loads(done.stdout)["taskId"])


def test_what_containers_write_is_shown_without_the_secrets_of_the_application(
    client: InProcess, outside: Kubemin, tmp_path: Path
) -> None:
    """The simulated container writes the name of its image."""
    _deploy(client, tmp_path, "talking")
    first, ready = client("logs", "talking").stdout.splitlines()
    assert first.startswith("[web/talking-web-")
    assert first.endswith("/web] web: starting web:******")
    assert ready.endswith("/web] web: ready")
    place = first[1:].partition("]")[0]
    assert client("logs", "default/talking", "-o", "name").stdout == f"{place}\n"
    assert client("logs", "talking", "-q", "--tail", "1").stdout == "web: ready\n"
    assert client("logs", "talking", "--component", "other").stdout.startswith("no container has written anything")
    assert client("logs", "talking", "--container", "other", "-o", "json").stdout == '{\n  "lines": []\n}\n'
    (line,) = json.loads(client("logs", "talking", "--previous", "-o", "json").stdout)["lines"]
    assert line["text"].startswith("(no log: ")

    following = outside.start("logs", "talking", "-f")
    following.wait_for(r"web: starting web:\*{6}\n.*web: ready\n")
    following.signal(signal.SIGINT)
    assert following.end() == 128 + signal.SIGINT
    assert following.errors == "kubemin: left; nothing is stopped by that\n"
    assert "hush-hush" not in following.output


def test_the_logs_of_what_is_not_there(client: InProcess) -> None:
    answer = client("logs", "nobody-knows")
    assert answer.returncode == 1
    assert answer.stderr.startswith("kubemin: Task 'nobody-knows' does not exist")


def test_the_events_of_a_task_are_told_to_its_end(client: InProcess, tmp_path: Path) -> None:
    task = _deploy(client, tmp_path, "eventful")
    answer = client("events", task)
    assert answer.returncode == 0
    lines = answer.stdout.splitlines()
    assert "job       web/Deployment/eventful-web  completed" in "\n".join(lines)
    assert lines[-1].endswith("end       none")
    read = [json.loads(line) for line in client("events", "eventful", "-o", "json").stdout.splitlines()]
    assert len(read) == len(lines)
    assert [one["id"] for one in read] == sorted(one["id"] for one in read)
    assert read[-1]["type"] == "end"
    assert client("events", task, "-o", "name").stdout.split() == [str(one["id"]) for one in read]


def test_whoever_watches_the_events_of_a_task_cancels_nothing(
    client: InProcess, outside: Kubemin, tmp_path: Path
) -> None:
    (tmp_path / "app.json").write_text(json.dumps({"name": "watched", "component": [{**_WEB, "image": "never"}]}))
    task = json.loads(client("apply", "app.json", "--detach", "-o", "json").stdout)["taskId"]
    watching = outside.start("events", task)
    watching.wait_for("running")
    watching.signal(signal.SIGTERM)
    assert watching.end() == 128 + signal.SIGTERM
    assert watching.errors == f"kubemin: left; task {task} goes on: `kubemin status {task} --follow` comes back to it\n"
    assert client("status", task, "-q").stdout == "running\n"
    client("cancel", task)
