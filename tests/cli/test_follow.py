"""Against a real server: apply, follow, cancel, look; exit codes; Ctrl-C."""

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.kubemin import PROGRAM, InProcess, Kubemin, Running, environment
from tests.cli.terminal import Terminal
from tests.client.proxy import Proxy
from tests.waiting import PATIENCE, until_true


def _write(folder: Path, name: str, image: str, **more: Any) -> str:
    web = {"name": "web", "type": "webservice", "image": image, "properties": {"ports": [{"port": 80}]}}
    conf = {"name": "conf", "type": "config", "properties": {"conf": {"level": "info"}}}
    file = f"{name}.json"
    (folder / file).write_text(json.dumps({"name": name, "component": [web, conf], **more}))
    return file


_ASKED = r"\[c\]ancel it and undo what it did, \[d\]etach and let it go on, or \[g\]o on\?"


def _detached(client: InProcess, folder: Path, name: str) -> str:
    made = client("apply", "--detach", _write(folder, name, "never"), "-o", "json")
    return str(json.loads(made.stdout)["taskId"])


def _task(output: str) -> str:
    return output.partition("task ")[2].split()[0]


def test_a_complete_run(client: InProcess, tmp_path: Path) -> None:
    answer = client("apply", _write(tmp_path, "whole", "nginx"))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "application default/whole, revision 1 (" in answer.stdout
    task = _task(answer.stdout)
    assert f"\ntask {task} completed\n" in answer.stdout
    for job in ("ConfigMap/whole-conf", "Service/whole-web", "Deployment/whole-web"):  # those that are over at once too
        lines = [line for line in answer.stdout.splitlines() if f"  {job}" in line]
        assert "  running" in lines[0]
        assert lines[-1].endswith("  completed")

    status = json.loads(client("status", task, "-o", "json").stdout)
    assert (status["taskId"], status["status"]) == (task, "completed")
    assert {one["status"] for one in status["components"]} == {"completed"}
    shown = client("status", task).stdout
    assert f"task      {task}" in shown
    assert "web" in shown
    assert client("status", task, "--follow").returncode == 0
    assert task in client("tasks").stdout
    listed = json.loads(client("tasks", "--status", "completed", "-o", "json").stdout)["tasks"]
    assert task in [one["taskId"] for one in listed]
    assert "whole" in client("apps").stdout
    found = json.loads(client("apps", "--search", "whole", "-o", "json").stdout)["applications"]
    assert found[0]["overview"]["health"] in client("apps", "--search", "whole").stdout.splitlines()[1].split()
    assert [one["name"] for one in found] == ["whole"]
    assert client("tasks", "--app", found[0]["id"]).stdout.count(found[0]["name"]) == 1
    touched = json.loads(client("resources", task, "-o", "json").stdout)["resources"]
    assert {one["kind"] for one in touched} == {"ConfigMap", "Service", "Deployment"}
    assert "whole-conf" in client("resources", task).stdout
    assert json.loads(client("cleanup", task, "-o", "json").stdout)["cleanup"] == "none"
    assert client("cancel", task).returncode == 1
    assert "whole-" not in client("orphans").stdout

    again = client("apply", "whole.json", "-o", "json")
    assert again.returncode == 0
    result = json.loads(again.stdout)
    assert result["appId"] == found[0]["id"]
    assert result["task"]["status"] == "completed"
    assert result["taskId"] != task


def test_a_failing_run_is_exit_1_and_a_late_one_3(client: InProcess, tmp_path: Path) -> None:
    late = client("apply", _write(tmp_path, "tardy", "never"), "--timeout", "2")
    assert late.returncode == 3, late.stdout + late.stderr
    assert f"task {_task(late.stdout)} timeout: " in late.stdout
    assert "the cluster is as it was: 3 deleted\n" in late.stdout
    assert "rollback  Deployment/default/tardy-web  " in late.stdout


def test_a_failure_is_shown_with_its_code_its_advice_and_its_evidence(client: InProcess, tmp_path: Path) -> None:
    file = _write(tmp_path, "broken", "web:pull")
    failed = client("apply", file, "--timeout", "4")
    task = _task(failed.stdout)
    assert "\nTIMEOUT: " in failed.stdout
    assert f"what the Pods of web said: kubemin logs {task}" in failed.stdout
    shown = client("logs", task).stdout
    assert "waiting ImagePullBackOff" in shown
    assert "event  Failed: " in shown
    assert f"evidence  web: kubemin logs {task}" in client("status", task).stdout
    found = json.loads(client("logs", task, "-o", "json").stdout)["components"]
    assert [one["name"] for one in found] == ["web"]


def test_apply_without_wait_comes_back_at_once(client: InProcess, tmp_path: Path) -> None:
    answer = client("apply", "--detach", _write(tmp_path, "slow", "never"), "-o", "json")
    assert answer.returncode == 0
    task = json.loads(answer.stdout)["taskId"]
    refused = client("apply", "--detach", "slow.json", "--on-active", "reject")
    assert refused.returncode == 1
    assert refused.stderr.startswith("kubemin: ")
    assert task in refused.stderr

    cancelled = client("cancel", task, "--reason", "not today", "--wait")
    assert cancelled.returncode == 0, cancelled.stdout + cancelled.stderr
    assert f"task {task} cancelled: not today" in cancelled.stdout
    assert cancelled.stdout.splitlines()[0].endswith("  task cancelled: not today")  # what was before is passed over
    assert "the cluster is as it was" in cancelled.stdout
    assert client("status", task, "--follow").returncode == 4
    again = client("cancel", task, "--reason", "and again", "-o", "json")
    assert json.loads(again.stdout) == {"taskId": task, "status": "cancelled", "cleanup": "done"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_a_script_cancels_and_shows_the_rollback(
    outside: Kubemin, tmp_path: Path, number: signal.Signals
) -> None:
    name = number.name.lower()
    running = outside.start("apply", _write(tmp_path, name, "never"))
    running.wait_for(r"web  Deployment/\S+  running")
    running.signal(number)
    assert running.end() == 4
    assert "cancelled: interrupted at the command line" in running.output
    for what in (f"Deployment/default/{name}-web", f"Service/default/{name}-web", f"ConfigMap/default/{name}-conf"):
        assert f"rollback  {what}" in running.output
    assert "cleanup done" in running.output
    assert running.errors == ""


@pytest.mark.parametrize("command", ["rollback", "restart"])
def test_a_signal_cancels_whatever_the_command_has_begun(
    outside: Kubemin, client: InProcess, tmp_path: Path, command: str
) -> None:
    for tag in ("slow-1", "slow-2"):
        assert client("apply", _write(tmp_path, f"begun-{command}", f"web:{tag}")).returncode == 0
    running = outside.start(command, f"begun-{command}")
    running.wait_for(r"web  Deployment/\S+  running")
    running.signal(signal.SIGTERM)
    assert running.end() == 4, running.output + running.errors
    assert "the cluster is as it was" in running.output


def test_a_signal_cancels_a_deletion(outside: Kubemin, client: InProcess, server: Running, tmp_path: Path) -> None:
    """What is deleted by then stays so; the command waits for the task all the same."""
    assert client("apply", _write(tmp_path, "going", "nginx")).returncode == 0
    cluster = server.wait_for(r"simulated cluster at (\S+)")[1]
    config = f"{cluster}/api/v1/namespaces/default/configmaps/going-conf"
    merge = {"Content-Type": "application/merge-patch+json"}
    held = {"metadata": {"finalizers": ["example.com/hold"]}}
    httpx.patch(config, content=json.dumps(held), headers=merge).raise_for_status()
    running = outside.start("delete", "going", "--yes")
    running.wait_for("task running")
    asyncio.run(until_true(lambda: "deletionTimestamp" in httpx.get(config).json()["metadata"]))
    running.signal(signal.SIGTERM)
    running.wait_for("task cancelled")
    httpx.patch(config, content=json.dumps({"metadata": {"finalizers": None}}), headers=merge).raise_for_status()
    assert running.end() == 4, running.output + running.errors
    assert "it was deleted, which cannot be taken back" in running.output


def test_a_signal_may_leave_the_task_alone(outside: Kubemin, client: InProcess, tmp_path: Path) -> None:
    file = _write(tmp_path, "alone", "never")
    running = outside.start("apply", "--on-signal", "detach", file)
    running.wait_for(r"web  Deployment/\S+  running")
    running.signal(signal.SIGTERM)
    assert running.end() == 128 + signal.SIGTERM
    task = _task(running.output)
    assert running.errors == f"kubemin: left; task {task} goes on: `kubemin status {task} --follow` comes back to it\n"
    assert json.loads(client("status", task, "-o", "json").stdout)["status"] == "running"
    client("cancel", task)


@pytest.mark.parametrize("watching", [["status", "--follow"]], ids=" ".join)
def test_who_only_watches_cancels_nothing(
    outside: Kubemin, client: InProcess, tmp_path: Path, watching: list[str]
) -> None:
    task = _detached(client, tmp_path, f"watched-{watching[0]}")
    running = outside.start(*watching, task)
    running.wait_for("running")
    running.signal(signal.SIGINT)
    assert running.end() == 128 + signal.SIGINT
    assert f"task {task} goes on" in running.errors
    assert client("status", task, "-q").stdout == "running\n"
    client("cancel", task)


def _unread(folder: Path, server: Running, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command whose output nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            [PROGRAM, *arguments],
            cwd=folder,
            env=environment({"KUBEMIN_SERVER": server.url}),
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(writer)


def test_a_deploy_whose_output_nobody_reads_goes_on_to_its_end(
    server: Running, client: InProcess, tmp_path: Path
) -> None:
    answer = _unread(tmp_path, server, "apply", _write(tmp_path, "unread", "nginx"))
    assert (answer.returncode, answer.stderr) == (0, "")
    assert client("status", "unread", "-q").stdout == "completed\n"


@pytest.mark.parametrize("arguments", [["tasks"], ["apps", "-o", "json"]], ids=" ".join)
def test_a_list_that_nobody_reads_ends_silently(server: Running, tmp_path: Path, arguments: list[str]) -> None:
    answer = _unread(tmp_path, server, *arguments)
    assert (answer.returncode, answer.stderr) == (128 + signal.SIGPIPE, "")


def test_interrupted_on_a_terminal_it_asks(server: Running, tmp_path: Path) -> None:
    """To go on, to cancel; at 50 columns, on which names and states are whole, and so are the reasons below."""
    file = _write(tmp_path, "asked", "never")
    terminal = Terminal(tmp_path, "apply", file, env={"KUBEMIN_SERVER": server.url}, columns=50)
    terminal.wait_for(r"COMPONENT +STATE +READY +AGE")
    terminal.wait_for(r"web +\S*running")
    terminal.wait_for(r"web: 0 of 1 updated replicas are available\s")
    terminal.type("\x03")
    terminal.wait_for(_ASKED)
    terminal.type("g\n")
    terminal.wait_for(rf"(?s){_ASKED}.*web +\S*running")
    terminal.type("\x03")
    terminal.wait_for(rf"(?s){_ASKED}.*{_ASKED}")
    terminal.type("c\n")
    assert terminal.end() == 4
    assert "rollback  Deployment/default/asked-web  " in terminal.shown
    assert "the cluster is as it was" in terminal.shown
    assert "Traceback" not in terminal.shown


def test_a_terminal_that_can_draw_nothing_anew_gets_lines(server: Running, tmp_path: Path) -> None:
    """As those of editors and of some pipelines."""
    file = _write(tmp_path, "dumb", "nginx")
    terminal = Terminal(tmp_path, "apply", file, env={"KUBEMIN_SERVER": server.url, "TERM": "dumb"})
    assert terminal.end() == 0
    assert "  ConfigMap/dumb-conf  completed" in terminal.shown
    assert "COMPONENT" not in terminal.shown


@pytest.mark.parametrize("answer", ["d\n", "\x03"], ids=["detach", "Ctrl-C"])
def test_on_a_terminal_one_may_leave_and_is_told_how_to_come_back(
    server: Running, client: InProcess, tmp_path: Path, answer: str
) -> None:
    file = _write(tmp_path, "leaving" if answer == "d\n" else "leaving-twice", "never")
    terminal = Terminal(tmp_path, "apply", file, env={"KUBEMIN_SERVER": server.url})
    terminal.wait_for(r"web +\S*running")
    terminal.type("\x03")
    terminal.wait_for(_ASKED)
    terminal.type(answer)
    assert terminal.end() == 128 + signal.SIGINT
    task = _task(terminal.shown)
    assert f"task {task} goes on: `kubemin status {task} --follow` comes back to it" in terminal.shown
    assert client("status", task, "-q").stdout == "running\n"
    client("cancel", task)


def test_a_refused_application_is_a_sentence(client: InProcess, tmp_path: Path) -> None:
    answer = client("apply", "--detach", _write(tmp_path, "Bad Name", "nginx"))
    assert answer.returncode == 1
    assert answer.stderr.startswith('kubemin: Bad Name.json:1:2: INVALID_NAME_FORMAT  "bad name" cannot name')
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["status"], ["resources"], ["cancel"], ["cleanup"], ["status", "--follow"]])
def test_an_unknown_task_is_a_sentence(client: InProcess, arguments: list[str]) -> None:
    answer = client(*arguments, "nosuchtask")
    assert answer.returncode == 1
    assert answer.stderr.startswith("kubemin: Task 'nosuchtask' does not exist")  # and what was near, if anything was
    assert answer.stderr.endswith(". `kubemin tasks` lists them.\n")


@pytest.mark.parametrize(
    ("command", "odd"), [("status", "../applications"), ("resources", "%2e%2e"), ("cancel", ""), ("cleanup", "é")]
)
def test_what_is_no_id_never_becomes_an_address(client: InProcess, command: str, odd: str) -> None:
    answer = client(command, odd)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "names no task; `kubemin tasks` lists them" in " ".join(answer.stderr.split())


def test_a_task_that_has_ended_is_a_sentence(client: InProcess, tmp_path: Path) -> None:
    task = json.loads(client("apply", _write(tmp_path, "ended", "nginx"), "-o", "json").stdout)["taskId"]
    sentence = f"Task {task} has already ended as completed: there is nothing left to cancel."
    answer = client("cancel", task, "--wait")
    assert (answer.returncode, answer.stdout, answer.stderr) == (1, "", f"kubemin: {sentence}\n")
    answer = client("cancel", task, "-o", "json")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert json.loads(answer.stderr) == {"error": {"message": sentence, "exit": 1}}
    answer = client("cleanup", task)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == f"task {task} completed, cleanup none: there is nothing to clean up\n"


def test_a_second_interrupt_leaves_and_says_how_to_come_back(
    client: InProcess, outside: Kubemin, server: Running, tmp_path: Path
) -> None:
    cluster = server.wait_for(r"simulated cluster at (\S+)")[1]
    config = f"{cluster}/api/v1/namespaces/default/configmaps/left-conf"
    merge = {"Content-Type": "application/merge-patch+json"}
    running = outside.start("apply", _write(tmp_path, "left", "never"))
    running.wait_for(r"web  Deployment/\S+  running")
    held = {"metadata": {"finalizers": ["example.com/hold"]}}
    httpx.patch(config, content=json.dumps(held), headers=merge).raise_for_status()
    running.signal(signal.SIGINT)
    running.wait_for("cleanup running")
    running.signal(signal.SIGINT)
    task = _task(running.output)
    assert running.end() == 130
    assert running.errors == f"kubemin: left; task {task} goes on: `kubemin status {task} --follow` comes back to it\n"
    httpx.patch(config, content=json.dumps({"metadata": {"finalizers": None}}), headers=merge).raise_for_status()
    assert client("status", task, "--follow").returncode == 4


def test_what_is_no_kubemin_is_said_so(tmp_path: Path, server: Running) -> None:
    answer = Kubemin(tmp_path, f"{server.url}/docs#")("apps")
    assert answer.returncode == 1
    assert "is not KubeMin" in answer.stderr or "nothing at this address" in answer.stderr


def test_yaml_that_json_cannot_carry_is_refused(client: InProcess, tmp_path: Path) -> None:
    (tmp_path / "numbers.yaml").write_text("name: numbers\nversion: .nan\n")
    answer = client("apply", "--detach", "numbers.yaml")
    assert answer.returncode == 2
    assert "numbers.yaml is neither YAML nor JSON" in answer.stderr
    assert "JSON can carry at line 2, column 10" in answer.stderr


def test_an_apply_is_seen_through_whatever_answer_is_lost(server: Running, client: InProcess, tmp_path: Path) -> None:
    """The first one of each address: the task's, its stages', its events, and the addresses at the end."""
    with Proxy(server.url) as proxy:
        proxy.loses_first = True
        answer = client("apply", _write(tmp_path, "seen-through", "nginx"), "--server", proxy.url)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"\ntask {_task(answer.stdout)} completed\n" in answer.stdout
    told = answer.stderr.splitlines()
    assert told.count("kubemin: the server answers again") == len(told) // 2 > 2, told


@pytest.mark.parametrize("command", ["rollback", "restart", "delete"])
def test_what_begins_a_task_begins_one(server: Running, client: InProcess, tmp_path: Path, command: str) -> None:
    """Its answer is lost: it is asked for again with its key, and followed to its end."""
    name = f"once-{command}"
    for image in ("nginx:1", "nginx:2"):
        assert client("apply", _write(tmp_path, name, image)).returncode == 0
    app_id = json.loads(client("apps", "--search", name, "-o", "json").stdout)["applications"][0]["id"]
    path = f"/api/v1/applications/{name}/{command}"
    if command == "delete":
        path = f"/api/v1/applications/{app_id}?keepResources=false&deleteVolumes=false"
    with Proxy(server.url) as proxy:
        proxy.loses = [path]
        answer = client(command, name, "--server", proxy.url)
        assert proxy.loses == []
    assert answer.returncode == 0, answer.stdout + answer.stderr
    task = _task(answer.stdout)
    assert f"\ntask {task} completed" in answer.stdout
    assert answer.stderr.splitlines()[-1] == "kubemin: the server answers again"
    listed = json.loads(client("tasks", "-o", "json").stdout)["tasks"]
    mine = [one["taskId"] for one in listed if one["appId"] == app_id]
    assert (len(mine), mine[0]) == (3, task)


def test_a_task_survives_a_restart_of_its_server(tmp_path: Path) -> None:
    alone = Kubemin(tmp_path)
    sim = alone.start("sim", "--kubeconfig-out", "cluster.yaml")
    try:
        sim.wait_for("simulated cluster at")
        with alone.dev("--kubeconfig", "cluster.yaml") as first:
            workflow = [{"name": "hold", "type": "pause"}, {"name": "all", "components": ["web", "conf"]}]
            file = _write(tmp_path, "lasting", "nginx", workflow=workflow)
            answer = Kubemin(tmp_path, first.url)("apply", "--detach", file, "-o", "json")
            task = json.loads(answer.stdout)["taskId"]
            following = Kubemin(tmp_path, first.url).start("status", task, "--follow")
            following.wait_for("task running")
            assert first.stop() == 0
        second = alone.start(
            "dev", "--in-process", "--kubeconfig", "cluster.yaml", "--port", str(httpx.URL(first.url).port)
        )
        try:
            second.wait_for("ready at")
            assert Kubemin(tmp_path, first.url)("promote", task).returncode == 0
            assert following.end() == 0, following.output + following.errors
            assert following.output.count("task completed") == 1
            gone, back = following.errors.splitlines()
            assert gone.startswith("kubemin: the server does not answer; it is waited for for 60 s (")
            assert back == "kubemin: the server answers again"
        finally:
            assert second.stop() == 0
    finally:
        assert sim.stop() == 0
