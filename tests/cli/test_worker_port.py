"""`--metrics-port`: health and metrics of a worker, and of a server, from real processes."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.kubemin import Kubemin, Running
from tests.cli.test_follow import _write

LATE = "never"


@contextmanager
def worker(kubemin: Kubemin, *options: str) -> Iterator[Running]:
    """A worker whose port answers; ``url`` is that of its port."""
    running = kubemin.start("worker", "--metrics-port", "0", *options)
    try:
        running.url = running.wait_for(r"health and metrics at (http://\S+)")[1]
        running.wait_for("worker ready")
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubemin]:
    """A cluster and a server without a worker; commands run in their folder, against that server."""
    kubemin = Kubemin(tmp_path_factory.mktemp("beside"))
    sim = kubemin.start("sim", "--kubeconfig-out", "cluster.yaml")
    try:
        sim.wait_for("simulated cluster at")
        with kubemin.server("serve", "--workers", "0", "--kubeconfig", "cluster.yaml") as server:
            yield Kubemin(kubemin.folder, server.url)
    finally:
        sim.stop()


def value(running: Running, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", httpx.get(f"{running.url}/metrics").text, re.MULTILINE)
    assert found, name
    return float(found[1])


def test_it_counts_what_it_does(beside: Kubemin) -> None:
    with worker(beside, "--kubeconfig", "cluster.yaml") as running:
        assert httpx.get(f"{running.url}/healthz").json()["data"]["status"] == "ok"
        ready = httpx.get(f"{running.url}/readyz")
        assert (ready.status_code, ready.json()["data"]["status"]) == (200, "ready")
        assert [check["name"] for check in ready.json()["data"]["checks"]] == ["database", "cluster"]
        assert httpx.head(f"{running.url}/readyz").status_code == 200
        assert value(running, "kubemin_worker_tasks_claimed_total") == 0
        assert value(running, "kubemin_worker_signals_healthy") == 1
        assert value(running, "process_resident_memory_bytes") > 0

        assert beside("apply", _write(beside.folder, "good", "nginx")).returncode == 0
        assert beside("apply", _write(beside.folder, "late", LATE), "--timeout", "1").returncode == 3
        assert value(running, "kubemin_worker_tasks_claimed_total") == 2
        passes = 'kubemin_worker_cleanup_duration_seconds_count{state="%s",type="rollback"}'
        assert value(running, passes % "done") == 1
        assert value(running, passes % "incomplete") == 0
        assert value(running, 'kubemin_worker_signal_mode{mode="database"}') == 1  # without Redis nobody tells it
        assert value(running, 'kubemin_kubernetes_requests_total{code="201",verb="create"}') > 0
        ended = 'kubemin_worker_task_duration_seconds_count{status="%s",type="deploy"}'
        assert (value(running, ended % "completed"), value(running, ended % "timeout")) == (1, 1)
        assert value(running, 'kubemin_worker_job_duration_seconds_count{kind="Deployment",status="completed"}') == 1
        assert value(running, "kubemin_worker_leases_lost_total") == 0


def test_a_server_may_have_such_a_port_beside_its_own(kubemin: Kubemin) -> None:
    with kubemin.server("serve", "--simulate", "--workers", "0", "--metrics-port", "0") as server:
        port = server.wait_for(r"health and metrics at (http://\S+)")[1]
        assert port != server.url
        for path in ("healthz", "readyz", "metrics"):
            assert httpx.get(f"{port}/{path}", headers={"Host": "10.1.2.3"}).status_code == 200
        assert httpx.get(f"{server.url}/healthz", headers={"Host": "10.1.2.3"}).status_code == 421
        assert httpx.get(f"{port}/api/v1/applications").status_code == 404
        assert server.stop() == 0


def test_it_answers_until_its_last_task_is_over(beside: Kubemin) -> None:
    with worker(beside, "--kubeconfig", "cluster.yaml", "--drain-seconds", "100") as running:
        applied = beside("apply", "--detach", _write(beside.folder, "slow", LATE), "-o", "json")
        task = json.loads(applied.stdout)["taskId"]
        while value(running, "kubemin_worker_tasks") == 0:
            pass
        running.process.terminate()
        while (ready := httpx.get(f"{running.url}/readyz")).status_code == 200:
            pass
        assert (ready.status_code, ready.json()["errors"][0]["code"]) == (503, "STOPPING")
        assert httpx.get(f"{running.url}/healthz").status_code == 200
        assert value(running, "kubemin_worker_tasks") == 1
        assert beside("cancel", task).returncode == 0
        assert running.end() == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{running.url}/healthz")


def test_it_names_what_does_not_answer(kubemin: Kubemin, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{nobody.getsockname()[1]}"}}],
            "users": [{"name": "u", "user": {}}],
        }
        (tmp_path / "config.json").write_text(json.dumps(config))
        with worker(kubemin, "--kubeconfig", "config.json") as running:
            ready = httpx.get(f"{running.url}/readyz")
            assert ready.status_code == 503
            assert [error["field"] for error in ready.json()["errors"]] == ["cluster"]
            assert httpx.get(f"{running.url}/healthz").status_code == 200


def test_a_port_that_is_taken_is_a_sentence(kubemin: Kubemin) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = kubemin("worker", "--simulate", "--metrics-port", port)
    assert answer.returncode == 1
    assert answer.stderr == f"kubemin: cannot listen on 127.0.0.1:{port}: address already in use\n"


def test_without_the_option_there_is_no_port(kubemin: Kubemin) -> None:
    running = kubemin.start("worker", "--simulate")
    running.wait_for("worker ready")
    running.stop()
    assert "health and metrics" not in running.errors
