"""Against a real server: apply, follow, cancel, look; exit codes; Ctrl-C."""

import json
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.kubemin import InProcess, Kubemin, Running
from tests.cli.terminal import Terminal


def _write(folder: Path, name: str, image: str, **more: Any) -> str:
    web = {"name": "web", "type": "webservice", "image": image, "properties": {"ports": [{"port": 80}]}}
    conf = {"name": "conf", "type": "config", "properties": {"conf": {"level": "info"}}}
    file = f"{name}.json"
    (folder / file).write_text(json.dumps({"name": name, "component": [web, conf], **more}))
    return file


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

    status = json.loads(client("status", task, "--json").stdout)
    assert (status["taskId"], status["status"]) == (task, "completed")
    assert {one["status"] for one in status["components"]} == {"completed"}
    shown = client("status", task).stdout
    assert f"task      {task}" in shown
    assert "web" in shown
    assert client("status", task, "--follow").returncode == 0
    assert task in client("tasks").stdout
    listed = json.loads(client("tasks", "--status", "completed", "--json").stdout)["tasks"]
    assert task in [one["taskId"] for one in listed]
    assert "whole" in client("apps").stdout
    found = json.loads(client("apps", "--search", "whole", "--json").stdout)["applications"]
    assert [one["name"] for one in found] == ["whole"]
    assert client("tasks", "--app", found[0]["id"]).stdout.count(found[0]["name"]) == 1
    touched = json.loads(client("resources", task, "--json").stdout)["resources"]
    assert {one["kind"] for one in touched} == {"ConfigMap", "Service", "Deployment"}
    assert "whole-conf" in client("resources", task).stdout
    assert json.loads(client("cleanup", task, "--json").stdout)["cleanup"] == "none"
    assert client("cancel", task).returncode == 1
    assert "whole-" not in client("orphans").stdout

    again = client("apply", "whole.json", "--json")
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
    found = json.loads(client("logs", task, "--json").stdout)["components"]
    assert [one["name"] for one in found] == ["web"]


def test_apply_without_wait_comes_back_at_once(client: InProcess, tmp_path: Path) -> None:
    answer = client("apply", "--detach", _write(tmp_path, "slow", "never"), "--json")
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
    again = client("cancel", task, "--reason", "and again", "--json")
    assert json.loads(again.stdout) == {"taskId": task, "status": "cancelled", "cleanup": "done"}


def test_interrupted_in_a_script_it_cancels_and_shows_the_rollback(outside: Kubemin, tmp_path: Path) -> None:
    running = outside.start("apply", _write(tmp_path, "stopped", "never"))
    running.wait_for(r"web  Deployment/\S+  running")
    running.signal(signal.SIGINT)
    assert running.end() == 4
    assert "cancelled: interrupted at the command line" in running.output
    for what in ("Deployment/default/stopped-web", "Service/default/stopped-web", "ConfigMap/default/stopped-conf"):
        assert f"rollback  {what}" in running.output
    assert "cleanup done" in running.output
    assert running.errors == ""


def test_interrupted_on_a_terminal_it_asks_once(server: Running, tmp_path: Path) -> None:
    file = _write(tmp_path, "asked", "never")
    terminal = Terminal(tmp_path, "apply", file, env={"KUBEMIN_SERVER": server.url})
    terminal.wait_for(r"COMPONENT +STATE +READY +AGE")
    terminal.wait_for(r"web +\S*running")
    terminal.type("\x03")
    terminal.wait_for(r"Cancel task \S+, and undo what it did\? \[y/N\]")
    terminal.type("n\n")
    terminal.wait_for(r"(?s)\[y/N\].*web +\S*running")
    terminal.type("\x03")
    terminal.wait_for(r"(?s)\[y/N\].*\[y/N\]")
    terminal.type("y\n")
    assert terminal.end() == 4
    assert "rollback  Deployment/default/asked-web  " in terminal.shown
    assert "the cluster is as it was" in terminal.shown
    assert "Traceback" not in terminal.shown


def test_a_refused_application_is_a_sentence(client: InProcess, tmp_path: Path) -> None:
    answer = client("apply", "--detach", _write(tmp_path, "Bad Name", "nginx"))
    assert answer.returncode == 1
    assert answer.stderr.startswith('kubemin: "bad name"')
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
    task = json.loads(client("apply", _write(tmp_path, "ended", "nginx"), "--json").stdout)["taskId"]
    for arguments in (["cancel", task, "--wait"], ["cancel", task, "--json"]):
        answer = client(*arguments)
        assert (answer.returncode, answer.stdout) == (1, "")
        assert answer.stderr == (
            f"kubemin: Task {task} has already ended as completed: there is nothing left to cancel.\n"
        )
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
    assert running.errors == f"kubemin: left; `kubemin status {task} --follow` comes back to it\n"
    httpx.patch(config, content=json.dumps({"metadata": {"finalizers": None}}), headers=merge).raise_for_status()
    assert client("status", task, "--follow").returncode == 4


def test_an_interrupted_question_is_answered_no(server: Running, tmp_path: Path) -> None:
    file = _write(tmp_path, "unsure", "never")
    terminal = Terminal(tmp_path, "apply", file, env={"KUBEMIN_SERVER": server.url})
    terminal.wait_for(r"web +\S*running")
    terminal.type("\x03")
    terminal.wait_for(r"\[y/N\]")
    terminal.type("\x03")  # means no
    terminal.wait_for(r"(?s)\[y/N\].*web +\S*running")
    terminal.type("\x03")
    terminal.wait_for(r"(?s)\[y/N\].*\[y/N\]")
    terminal.type("y\n")
    assert terminal.end() == 4


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


def test_a_task_survives_a_restart_of_its_server(tmp_path: Path) -> None:
    alone = Kubemin(tmp_path)
    sim = alone.start("sim", "--kubeconfig-out", "cluster.yaml")
    try:
        sim.wait_for("simulated cluster at")
        with alone.dev("--kubeconfig", "cluster.yaml") as first:
            answer = Kubemin(tmp_path, first.url)("apply", "--detach", _write(tmp_path, "lasting", "slow-4"), "--json")
            task = json.loads(answer.stdout)["taskId"]
            following = Kubemin(tmp_path, first.url).start("status", task, "--follow")
            following.wait_for("task running")
            assert first.stop() == 0
        second = alone.start(
            "dev", "--in-process", "--kubeconfig", "cluster.yaml", "--port", str(httpx.URL(first.url).port)
        )
        try:
            assert following.end() == 0, following.output + following.errors
            assert following.output.count("task completed") == 1
            assert following.errors == ""
        finally:
            assert second.stop() == 0
    finally:
        assert sim.stop() == 0
