"""The workers of a server, as processes: started, killed, stuck, told, counted, ended."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from kubemin.cli.link import Link
from kubemin.cli.supervised import _listen
from kubemin.cli.workers import Start, Workers
from kubemin.dispatch import LocalDoorbell
from kubemin.signals import Cancelled, LocalSignals
from tests.cli.kubemin import PROGRAM, Kubemin, Running, environment
from tests.cli.test_follow import _write
from tests.signals.helpers import Inbox
from tests.waiting import PATIENCE, until_true

LATE = "never"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with two workers, whose leases are short."""
    kubemin = Kubemin(tmp_path_factory.mktemp("pair"))
    with kubemin.server("dev", "--workers", "2", env={"KUBEMIN_LEASE_SECONDS": "2"}) as running:
        yield running
    assert "it is killed" not in running.errors


def get(server: Running, path: str) -> Any:
    return httpx.get(f"{server.url}{path}", timeout=PATIENCE).json()["data"]


def task(server: Running, task_id: str) -> Any:
    return get(server, f"/api/v1/workflow/tasks/{task_id}/status")


def deploy(folder: Path, server: Running, name: str, image: str) -> str:
    """A task that runs; its id."""
    application = json.loads((folder / _write(folder, name, image)).read_text())
    answer = httpx.post(f"{server.url}/api/v1/apply", json={"application": application}, timeout=PATIENCE)
    return str(answer.json()["data"]["taskId"])


async def worker_of(server: Running, task_id: str) -> int:
    """The process that runs the task, once one does."""
    await until_true(lambda: task(server, task_id)["status"] == "running")
    return int(task(server, task_id)["worker"].split("-")[-2])


def children(server: Running) -> set[int]:
    """The processes that it has started and that live."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,stat"], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()[1:]]
    return {int(pid) for pid, parent, state in rows if int(parent) == server.process.pid and state[0] != "Z"}


def is_gone(pid: int) -> bool:
    """Whether it has ended; who inherited it may not have noticed."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def database_of(server: Running) -> Path:
    """Its SQLite file."""
    return Path(f"/proc/{server.process.pid}/cwd").resolve() / "kubemin.db"


def stop_outside_a_write(pid: int, database: Path) -> None:
    """SIGSTOP. SQLite has one writer: one that stood still in its turn would keep all others from writing."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=PATIENCE)) as ours:
        ours.execute("BEGIN IMMEDIATE")
        os.kill(pid, signal.SIGSTOP)


def samples(server: Running, name: str) -> dict[str, float]:
    """By worker: a metric of the server's workers; no metric comes twice."""
    families = list(text_string_to_metric_families(httpx.get(f"{server.url}/metrics").text))
    assert len({family.name for family in families}) == len(families)
    found = (sample for family in families for sample in family.samples if sample.name == name)
    return {sample.labels.get("worker", ""): sample.value for sample in found}


async def test_a_worker_that_is_killed_is_started_again_and_its_task_goes_on(pair: Running, tmp_path: Path) -> None:
    await until_true(lambda: get(pair, "/readyz")["status"] == "ready")
    task_id = deploy(tmp_path, pair, "killed", "nginx:slow-3")
    victim = await worker_of(pair, task_id)
    os.kill(victim, signal.SIGKILL)
    await until_true(lambda: task(pair, task_id)["status"] == "completed")
    assert task(pair, task_id)["attempt"] >= 2  # on a busy machine a short lease is lost once more
    await until_true(lambda: len(children(pair)) == 2)
    await until_true(lambda: get(pair, "/readyz")["status"] == "ready")
    assert victim not in children(pair)
    assert '"how": "killed by SIGKILL"' in pair.errors


async def test_a_worker_that_stands_still_holds_up_neither_the_api_nor_its_task(pair: Running, tmp_path: Path) -> None:
    await until_true(lambda: get(pair, "/readyz")["status"] == "ready")
    task_id = deploy(tmp_path, pair, "stuck", LATE)
    stuck = await worker_of(pair, task_id)
    stop_outside_a_write(stuck, database_of(pair))
    try:
        assert get(pair, "/readyz")["status"] == "degraded"
        assert sorted(samples(pair, "kubemin_worker_up").values()) == [0, 1]
        assert Kubemin(tmp_path, pair.url)("cancel", task_id).returncode == 0
        await until_true(lambda: task(pair, task_id)["cleanup"]["state"] == "done")
        for one in children(pair):
            stop_outside_a_write(one, database_of(pair))
        assert task(pair, deploy(tmp_path, pair, "none", LATE))["status"] == "waiting"
    finally:
        for one in children(pair):
            os.kill(one, signal.SIGCONT)


async def test_what_the_workers_count_is_in_the_metrics_of_the_server(pair: Running, tmp_path: Path) -> None:
    await until_true(lambda: get(pair, "/readyz")["status"] == "ready")
    before = sum(samples(pair, "kubemin_worker_tasks_claimed_total").values())
    counted = deploy(tmp_path, pair, "counted", "nginx")
    await until_true(lambda: task(pair, counted)["status"] == "completed")
    claimed = samples(pair, "kubemin_worker_tasks_claimed_total")
    assert claimed.keys() == {"1", "2"}
    assert sum(claimed.values()) > before
    assert samples(pair, "process_resident_memory_bytes").keys() == {"", "1", "2"}


@pytest.mark.parametrize("told", ["Ctrl-C", pytest.param("SIGTERM", marks=pytest.mark.proof)])
async def test_a_server_that_stops_lets_its_workers_end_their_tasks(tmp_path: Path, told: str) -> None:
    """A terminal sends Ctrl-C to every process of the command."""
    kubemin = Kubemin(tmp_path)
    with kubemin.server("dev", env={"KUBEMIN_DRAIN_SECONDS": "600"}, group=True) as server:
        [worker] = children(server)
        assert os.getpriority(os.PRIO_PROCESS, worker) > os.getpriority(os.PRIO_PROCESS, server.process.pid)
        task_id = deploy(tmp_path, server, "drained", "nginx:slow-2")
        await worker_of(server, task_id)
        if told == "SIGTERM":
            server.signal(signal.SIGTERM)
        else:
            os.killpg(server.process.pid, signal.SIGINT)
        assert await asyncio.to_thread(server.end) == 0
    assert rows(tmp_path, "SELECT status, attempt, lease_owner FROM tasks") == [("completed", 1, None)]
    assert is_gone(worker)
    assert "Traceback" not in server.errors
    assert '"worker": "1"' in server.errors


async def test_a_server_that_is_killed_takes_its_workers_with_it(tmp_path: Path) -> None:
    """They hand their tasks over. Until then a ring has woken them, which would not look for an hour."""
    with Kubemin(tmp_path).server("dev", env={"KUBEMIN_POLL_SECONDS": "3600"}) as server:
        task_id = deploy(tmp_path, server, "orphaned", LATE)
        worker = await worker_of(server, task_id)
        server.signal(signal.SIGKILL)
        await until_true(lambda: is_gone(worker))
    assert rows(tmp_path, "SELECT status, lease_owner FROM tasks") == [("running", None)]


def rows(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "kubemin.db")) as database:
        return database.execute(query).fetchall()


async def test_a_cancel_reaches_a_worker_over_the_link() -> None:
    """Without Redis; the worker would find it in the database otherwise, later."""
    ours, theirs = socket.socketpair()
    server, worker = await Link.over(ours), await Link.over(theirs)
    api = LocalSignals(tell=lambda task_id, reason: server.send("cancel", task_id, reason))
    bell = LocalDoorbell(lambda: server.send("ring"))
    parts = SimpleNamespace(signals=LocalSignals(), doorbell=LocalDoorbell())
    listening = asyncio.create_task(_listen(worker, cast(Any, parts), asyncio.Event()))
    inbox = Inbox()
    await parts.signals.watch("t1", 1, inbox)
    await api.cancel("t1", "wrong image: v2 ≠ v3")
    assert await inbox.next() == Cancelled("wrong image: v2 ≠ v3")
    await bell.ring()
    async with asyncio.timeout(PATIENCE):
        await parts.doorbell.wait(3600)
    server.close()
    async with asyncio.timeout(PATIENCE):
        await listening
    worker.close()


async def test_a_worker_that_reads_nothing_costs_the_server_neither_time_nor_memory() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        link = await Link.over(ours)
        for _ in range(100_000):
            link.send("cancel", "t1", "a reason of some length")
        assert link.waiting < 2**20
        link.close()


@pytest.mark.proof
async def test_a_worker_that_is_stuck_for_long_is_killed_and_started_again(tmp_path: Path) -> None:
    settings = {"database_url": f"sqlite:///{tmp_path / 'kubemin.db'}"}
    start = Start(settings, {"default": "http://127.0.0.1:9"}, stop_seconds=PATIENCE, stuck_seconds=2)
    stopping = asyncio.Event()
    with Workers(1) as workers:
        running = asyncio.create_task(workers.run(start, stopping))
        [worker] = workers._all
        await until_true(lambda: worker.ready)
        stuck = worker._process.pid
        os.kill(stuck, signal.SIGSTOP)
        await until_true(lambda: worker._process.pid != stuck and worker.ready)
        assert is_gone(stuck)
        stopping.set()
        await running


def test_a_server_that_cannot_begin_leaves_no_worker(tmp_path: Path) -> None:
    command = [PROGRAM, "dev", "--port", "0", "--kubeconfig", "missing.yaml"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(None), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
