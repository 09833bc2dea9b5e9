"""Traces, as a receiver gets them from real processes: one a task, across requests, workers and takeovers."""

import json
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.kubemin import Kubemin, Running
from tests.telemetry.receiver import Received, receiving
from tests.waiting import PATIENCE, until_found

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OF_CI = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CANARY = "s3cr3t-canary"
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "100"}


def application(name: str, image: str, **env: str) -> dict[str, Any]:
    keys = {"name": "keys", "type": "secret", "properties": {"secret": {"token": CANARY}}}
    web = {"name": "web", "type": "webservice", "image": image, "properties": {"ports": [{"port": 80}], "env": env}}
    return {"name": name, "component": [keys, web]}


def applied(
    url: str, body: dict[str, Any], options: dict[str, Any] | None = None, **headers: str
) -> tuple[str, httpx.Response]:
    answer = httpx.post(
        f"{url}/api/v1/apply", json={"application": body, **(options or {})}, headers=headers, timeout=PATIENCE
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["taskId"], answer


def status(url: str, task_id: str) -> dict[str, Any]:
    data: dict[str, Any] = httpx.get(f"{url}/api/v1/workflow/tasks/{task_id}/status", timeout=PATIENCE).json()["data"]
    return data


def settled(url: str, task_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = status(url, task_id)
        over = found["status"] in ("completed", "failed", "timeout", "cancelled")
        return found if over and found["cleanup"]["state"] in ("none", "done", "incomplete") else None

    found: dict[str, Any] = until_found(look)
    return found


def above(spans: list[Received], span: Received) -> list[str]:
    """The names of the spans above it, the nearest first."""
    known = {one.span_id: one for one in spans}
    names = []
    while (span := known.get(span.parent_id)) is not None:  # type: ignore[assignment]
        names.append(span.name)
    return names


def test_one_trace_from_the_callers_request_to_the_rollbacks_objects(tmp_path: Path) -> None:
    kubemin = Kubemin(tmp_path)
    with receiving() as receiver:
        env = {"KUBEMIN_OTLP_ENDPOINT": receiver.url, "KUBEMIN_LOG_LEVEL": "info", **SOON}
        with kubemin.dev(env=env) as server:
            (tmp_path / "app.yaml").write_text(json.dumps(application("by-command", "web:1")))
            of_ci = {"TRACEPARENT": OF_CI}
            assert Kubemin(tmp_path, server.url)("apply", "app.yaml", "-q", env=of_ci).returncode == 0
            good, reply = applied(server.url, application("good", "web:1", PASSWORD=CANARY), traceparent=CALLER)
            assert settled(server.url, good)["status"] == "completed"
            late, _ = applied(server.url, application("late", "web:never"), {"timeoutSeconds": 1})
            ended = settled(server.url, late)
            assert (ended["status"], ended["cleanup"]["state"]) == ("timeout", "done")
            until_found(lambda: receiver.named("rollback"))
        errors = server.errors
    _, trace_id, parent_id, _ = CALLER.split("-")
    spans = [one for one in receiver.spans if one.trace_id == trace_id]
    (request,) = [one for one in spans if one.name == "POST apply_application"]
    assert request.parent_id == parent_id
    assert reply.headers["traceparent"] == f"00-{trace_id}-{request.span_id}-01"
    (task,) = [one for one in spans if one.name == "task"]
    assert (task.parent_id, task.attributes["kubemin.task"]) == (request.span_id, good)
    assert task.attributes["kubemin.task.status"] == "completed"
    assert task.attributes["kubemin.cluster"] == "default"
    jobs = [one for one in spans if one.name == "job"]
    assert {one.attributes["kubemin.component"] for one in jobs} == {"keys", "web"}
    assert all(above(spans, one)[:3] == ["stage", "task", "POST apply_application"] for one in jobs)
    creates = [one for one in spans if one.name == "kubernetes create"]
    assert all(above(spans, one)[0] == "job" for one in creates)

    # A command hands the trace of its pipeline on, with each of its requests.
    spans = [one for one in receiver.spans if one.trace_id == OF_CI.split("-")[1]]
    requests = [one for one in spans if one.name.startswith(("GET ", "POST "))]
    assert len(requests) > 1
    assert {one.parent_id for one in requests} == {OF_CI.split("-")[2]}
    (task,) = [one for one in spans if one.name == "task"]
    assert above(spans, task) == ["POST apply_application"]

    # A trace of its own where the caller has none; failed, with its rollback and each of its objects.
    (task,) = [one for one in receiver.named("task") if one.attributes["kubemin.task"] == late]
    assert task.attributes["kubemin.reason_code"] != ""
    spans = [one for one in receiver.spans if one.trace_id == task.trace_id]
    assert task.trace_id != trace_id
    assert any(one.failed for one in spans if one.name == "job")
    objects = {one.attributes["kubemin.object"]: one for one in spans if one.name == "object"}
    assert "Deployment/default/late-web" in objects
    assert all(above(spans, one)[:2] == ["rollback", "task"] for one in objects.values())
    # Log lines lead to it.
    lines = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    (failed,) = [one for one in lines if one["event"] == "task failed"]
    assert (failed["task"], failed["trace_id"]) == (late, task.trace_id)
    assert failed["span_id"] in {one.span_id for one in spans}
    # Nothing that is secret.
    assert not any(CANARY.encode() in body for body in receiver.bodies)


def test_a_takeover_goes_on_with_the_trace(tmp_path: Path) -> None:
    kubemin = Kubemin(tmp_path)
    with receiving() as receiver:
        env = {"KUBEMIN_OTLP_ENDPOINT": receiver.url, "KUBEMIN_LEASE_SECONDS": "2", **SOON}
        sim = kubemin.start("sim", "--kubeconfig-out", "cluster.yaml")
        sim.wait_for("simulated cluster at")
        workers: list[Running] = []
        try:
            config = ("--kubeconfig", "cluster.yaml")
            with kubemin.server("serve", "--workers", "0", *config, env=env) as server:
                workers.append(kubemin.start("worker", *config, env=env))
                task_id, _ = applied(server.url, application("shop", "web:never"), traceparent=CALLER)
                trace_id = CALLER.split("-")[1]
                # The first has ended the job of the Secret, and waits for the Deployment.
                until_found(lambda: receiver.named("job", trace_id))
                workers[0].process.send_signal(signal.SIGKILL)
                workers.append(kubemin.start("worker", *config, env={**env, "KUBEMIN_LEASE_SECONDS": "15"}))
                until_found(lambda: len(receiver.named("claim", trace_id)) == 2)
                app_id = status(server.url, task_id)["appId"]
                cancelled = httpx.post(
                    f"{server.url}/api/v1/applications/{app_id}/workflow/cancel",
                    json={"taskId": task_id, "user": "ada", "reason": "enough"},
                    timeout=PATIENCE,
                )
                assert cancelled.status_code == 200, cancelled.text
                assert settled(server.url, task_id)["cleanup"]["state"] == "done"
                until_found(lambda: receiver.named("task", trace_id))
        finally:
            for one in (*workers[1:], sim):
                one.stop()
            workers[0].process.wait()
    first, second = receiver.named("claim", trace_id)
    assert first.instance != second.instance
    assert (first.attributes["kubemin.lease.epoch"], second.attributes["kubemin.lease.epoch"]) == (1, 2)
    by_process = {
        one.instance: {span.name for span in receiver.spans if span.instance == one.instance} for one in (first, second)
    }
    assert "job" in by_process[first.instance]
    assert {"task", "rollback", "object"} <= by_process[second.instance]
    # Nothing of the task is in another trace.
    names = {"claim", "task", "stage", "job", "rollback", "object", "kubernetes create", "kubernetes delete"}
    assert {one.trace_id for one in receiver.spans if one.name in names} == {trace_id}


@pytest.mark.parametrize("how", ["hangs", "is away"])
def test_a_receiver_that_does_not_answer_delays_nothing(tmp_path: Path, how: str) -> None:
    """A task runs to its end, and the server ends when it is told to, while the receiver never answers."""
    kubemin = Kubemin(tmp_path)
    with receiving() as receiver, socket.socket() as nobody:
        receiver.hangs.clear()
        nobody.bind(("127.0.0.1", 0))
        url = receiver.url if how == "hangs" else f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with kubemin.dev(env={"KUBEMIN_OTLP_ENDPOINT": url, **SOON}) as server:
            for number in range(3):
                task_id, _ = applied(server.url, application(f"shop-{number}", "web:1"))
                assert settled(server.url, task_id)["status"] == "completed"
            assert receiver.spans == []
            server.process.terminate()
            assert server.end() == 0
        receiver.hangs.set()


def test_without_the_setting_nothing_of_it_is_imported(kubemin_modules: set[str]) -> None:
    """FastAPI imports OpenTelemetry's small interface by itself; SDK, exporter and what they need are not there."""
    dear = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto", "google.protobuf", "requests")
    assert not {name for name in kubemin_modules if name.startswith(dear)}
    assert "kubemin.telemetry.otel" not in kubemin_modules


@pytest.fixture
def kubemin_modules(tmp_path: Path) -> set[str]:
    """What a server with a worker has in ``sys.modules`` after a task, as it says at its end."""
    kubemin = Kubemin(tmp_path)
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, sys\natexit.register(lambda: open('modules', 'w').write('\\n'.join(sys.modules)))\n"
    )
    with kubemin.dev(env={"PYTHONPATH": str(tmp_path)}) as server:
        task_id, reply = applied(server.url, application("shop", "web:1"), traceparent=CALLER)
        assert settled(server.url, task_id)["status"] == "completed"
        assert "traceparent" not in reply.headers
    names = set((tmp_path / "modules").read_text().split())
    assert "kubemin.engine.supervise.run" in names
    return names


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    answer = Kubemin(tmp_path)("serve", "--simulate", env={"KUBEMIN_OTLP_ENDPOINT": "collector:4318"})
    assert answer.returncode == 2
    assert "KUBEMIN_OTLP_ENDPOINT" in answer.stderr
    assert "http://collector:4318" in answer.stderr


def test_without_the_package_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['opentelemetry.sdk'] = None\n")
    env = {"KUBEMIN_OTLP_ENDPOINT": "http://127.0.0.1:4318", "PYTHONPATH": str(tmp_path)}
    answer = Kubemin(tmp_path)("serve", "--simulate", "--port", "0", env=env)
    assert answer.returncode == 2
    assert "pip install 'kubemin[otel]'" in answer.stderr
