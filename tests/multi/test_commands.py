"""The commands themselves, as an operator starts them: `serve --workers 0`, `worker`, `signals purge`."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kubemin.cli import purge
from kubemin.cli.exits import CliError
from kubemin.cli.output import Output
from kubemin.cli.settings import settings_of
from kubemin.dispatch import redis
from kubemin.signals.script import key_of
from kubemin.spec.states import TaskStatus
from tests.cli.kubemin import Kubemin
from tests.engine.instance import conf
from tests.multi.fleet import Fleet, gated
from tests.servers.postgresql import Postgresql
from tests.servers.valkey import Valkey
from tests.waiting import PATIENCE, until_true


@pytest.fixture
def kubemin(fleet: Fleet, tmp_path: Path) -> Kubemin:
    (tmp_path / "cluster.yaml").write_text(fleet.instance.sim.kubeconfig())
    return Kubemin(tmp_path)


def options(fleet: Fleet) -> list[str]:
    assert fleet.redis_url is not None
    return ["--database", fleet.database_url, "--redis", fleet.redis_url, "--kubeconfig", "cluster.yaml"]


@pytest.fixture
async def http(fleet: Fleet, kubemin: Kubemin) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `kubemin serve --workers 0`."""
    serving = kubemin.start("serve", "--workers", "0", "--port", "0", *options(fleet))
    try:
        url = (await asyncio.to_thread(serving.wait_for, r"ready at (http://\S+)"))[1]
        async with httpx.AsyncClient(base_url=url) as client:
            yield client
    finally:
        assert await asyncio.to_thread(serving.stop) == 0, serving.errors


async def cancel(http: httpx.AsyncClient, app_id: str, task_id: str) -> tuple[int, dict[str, Any]]:
    body = {"taskId": task_id, "user": "ada", "reason": "wrong version"}
    answer = await http.post(f"/api/v1/applications/{app_id}/workflow/cancel", json=body)
    return answer.status_code, answer.json()


async def redis_is(http: httpx.AsyncClient, state: str) -> None:
    """Wait until the server has noticed how Redis is."""
    async with asyncio.timeout(PATIENCE):
        while True:
            ready = (await http.get("/readyz")).json()["data"]
            [check] = [check for check in ready["checks"] if check["name"] == "redis"]
            assert ready["status"] == ("ready" if check["status"] == "ok" else "degraded")
            if check["status"] == state:
                return
            await asyncio.sleep(0.05)


async def test_a_server_without_a_worker_and_workers_without_a_server(
    fleet: Fleet, valkey: Valkey, kubemin: Kubemin, http: httpx.AsyncClient
) -> None:
    before = await fleet.snapshot()
    workers = [kubemin.start("worker", *options(fleet)) for _ in range(2)]
    try:
        app_id, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
        await fleet.waits_for(task_id, "api")
        await redis_is(http, "ok")
        status, answer = await cancel(http, app_id, task_id)
        assert (status, answer["data"]["status"]) == (200, "cancelled")
        await fleet.cleaned(task_id)
        assert await fleet.snapshot() == before

        again = await fleet.exec(app_id)
        await fleet.waits_for(again, "api")
        valkey.stop()
        status, answer = await cancel(http, app_id, again)
        assert (status, answer["code"]) == (502, 20012)
        assert "reads it from the database within seconds" in answer["message"]
        await fleet.cleaned(again)
        assert (await fleet.task(again)).reason == "wrong version"
        assert await fleet.snapshot() == before
        await redis_is(http, "down")
        valkey.start()
        await redis_is(http, "ok")

        last = await fleet.exec(app_id)
        await fleet.waits_for(last, "api")
        owner = (await fleet.task(last)).lease_owner or ""
        [mine] = [worker for worker in workers if f"-{worker.process.pid}-" in owner]
        assert await asyncio.to_thread(mine.stop) == 0
        await fleet.owned(last, 2)
        fleet.open()
        assert (await fleet.settled(last)).status is TaskStatus.COMPLETED
    finally:
        codes = [await asyncio.to_thread(worker.stop) for worker in workers]
    assert codes == [0, 0], [worker.errors for worker in workers]


async def test_a_worker_is_told_when_to_go_and_how_much_to_do(fleet: Fleet, kubemin: Kubemin) -> None:
    worker = kubemin.start("worker", "--max-concurrent-tasks", "1", "--drain-seconds", "600", *options(fleet))
    _, first = await fleet.deploy(gated("api"))
    await fleet.waits_for(first, "api")
    _, second = await fleet.deploy(gated("web"), name="other")
    assert (await fleet.task(second)).status is TaskStatus.WAITING
    fleet.open()
    assert (await fleet.settled(first)).status is TaskStatus.COMPLETED
    assert (await fleet.settled(second)).status is TaskStatus.COMPLETED
    ended, started = (await fleet.task(first)).ended_at, (await fleet.task(second)).started_at
    assert ended is not None
    assert started is not None
    assert started >= ended

    _, last = await fleet.deploy(gated("late", "late"), name="third")
    await fleet.waits_for(last, "late")
    worker.signal(signal.SIGTERM)
    await asyncio.to_thread(worker.wait_for, "stopping")
    worker.signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.end) == -signal.SIGTERM
    assert (await fleet.task(last)).lease_owner is not None


async def test_leftover_signal_keys_are_purged(
    fleet: Fleet, valkey: Valkey, kubemin: Kubemin, capsys: pytest.CaptureFixture[str]
) -> None:
    app_id, ended = await fleet.deploy(conf("settings", a="1"))
    await fleet.instance.service.cancel(app_id, ended, "ada", "no")
    waiting = await fleet.exec(app_id)
    valkey.run("SET", key_of(waiting), "1:abcdef")
    valkey.run("SET", key_of("of-an-older-version"), "1")
    valkey.run("SET", "kubemin:something:else", "1")

    def keys() -> set[str]:
        return set(valkey.run("KEYS", "*"))

    others = {key_of(waiting), "kubemin:something:else"}
    assert keys() == others | {key_of(ended), key_of("of-an-older-version")}
    answer = await asyncio.to_thread(kubemin, "signals", "purge", "-o", "json", *options(fleet)[:4])
    assert json.loads(answer.stdout) == {"purged": [ended], "unknown": ["of-an-older-version"]}, answer.stderr
    assert keys() == others | {key_of("of-an-older-version")}
    settings = settings_of(database_url=fleet.database_url, redis_url=fleet.redis_url)
    await asyncio.to_thread(purge.run, settings, Output(), unknown=False)
    assert capsys.readouterr().out == (
        "deleted the signal keys of 0 tasks\n"
        "left those of 1 task that this database does not know: --unknown deletes them too\n"
    )
    await asyncio.to_thread(purge.run, settings, Output(), unknown=True)
    assert capsys.readouterr().out == "deleted the signal keys of 1 task\n"
    assert keys() == others


def test_a_purge_needs_a_redis() -> None:
    with pytest.raises(CliError, match="KUBEMIN_REDIS_URL"):
        purge.run(settings_of(), Output(), unknown=False)


async def test_redis_rings_a_worker_that_would_not_look_for_an_hour(fleet: Fleet, valkey: Valkey) -> None:
    fleet.worker(poll_seconds=3600)
    await until_true(lambda: valkey.run("PUBSUB", "NUMSUB", redis.CHANNEL)[1] == 1)
    _, task_id = await fleet.deploy(conf("settings", a="1"))
    assert (await fleet.settled(task_id)).status is TaskStatus.COMPLETED


async def test_postgresql_rings_a_worker_that_would_not_look_for_an_hour(
    plain: Fleet, postgres: Postgresql, database_name: str
) -> None:
    plain.worker(poll_seconds=3600)
    listening = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database_name}' AND query LIKE 'LISTEN%'"
    await until_true(lambda: postgres.sql(listening) == "1")
    _, task_id = await plain.deploy(conf("settings", a="1"))
    assert (await plain.settled(task_id)).status is TaskStatus.COMPLETED
