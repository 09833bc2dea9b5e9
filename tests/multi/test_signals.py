"""Cancels from a process that runs no task; a Redis that loses its data, is meddled with, or is away (design §5)."""

import pytest

from kubemin.engine.errors import SignalFailed
from kubemin.signals.script import key_of
from kubemin.spec.states import Cleanup, TaskStatus
from tests.engine.instance import conf
from tests.multi.fleet import Fleet, gated
from tests.servers.proxy import Proxy
from tests.servers.valkey import Valkey
from tests.waiting import until_true


async def claimed(valkey: Valkey, task_id: str, epoch: int = 1) -> str:
    """Wait until a worker's token is in the task's key; the token."""

    def token() -> str:
        return str(valkey.run("GET", key_of(task_id)))

    await until_true(lambda: token().startswith(f"{epoch}:"))
    return token()


async def test_a_cancel_from_a_process_that_runs_no_task(fleet: Fleet, valkey: Valkey) -> None:
    before = await fleet.snapshot()
    app_id, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
    fleet.worker()
    await fleet.waits_for(task_id, "api")
    answer = await fleet.instance.service.cancel(app_id, task_id, "ada", "wrong version")
    assert (answer.status, answer.cleanup) == (TaskStatus.CANCELLED, Cleanup.PENDING)
    task = await fleet.settled(task_id)
    assert (task.reason, task.cancelled_by, task.cleanup) == ("wrong version", "ada", Cleanup.DONE)
    assert await fleet.snapshot() == before
    assert valkey.run("GET", key_of(task_id)) == "cancelled:wrong version"


async def test_a_cancel_without_redis_is_found_in_the_database(plain: Fleet) -> None:
    before = await plain.snapshot()
    app_id, task_id = await plain.deploy(conf("settings", a="1"), gated("api"))
    plain.worker()
    await plain.waits_for(task_id, "api")
    await plain.instance.service.cancel(app_id, task_id, "ada", "wrong version")
    task = await plain.settled(task_id)
    assert (task.reason, task.cancelled_by, task.cleanup) == ("wrong version", "ada", Cleanup.DONE)
    assert await plain.snapshot() == before


async def test_a_redis_restarted_empty_cancels_nothing(fleet: Fleet, valkey: Valkey) -> None:
    _, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
    fleet.worker()
    await fleet.waits_for(task_id, "api")
    token = await claimed(valkey, task_id)
    valkey.restart_empty()
    assert await claimed(valkey, task_id) == token
    valkey.run("FLUSHALL")
    assert await claimed(valkey, task_id) == token
    fleet.open()
    task = await fleet.settled(task_id)
    assert (task.status, task.lease_epoch) == (TaskStatus.COMPLETED, 1)


async def test_a_key_deleted_by_hand_cancels_that_task_and_no_other(fleet: Fleet, valkey: Valkey) -> None:
    _, task_id = await fleet.deploy(gated("api"))
    _, other = await fleet.deploy(gated("web"), name="other")
    fleet.worker()
    await fleet.waits_for(other, "web")
    await fleet.waits_for(task_id, "api")
    await claimed(valkey, task_id)
    valkey.run("DEL", key_of(task_id))
    task = await fleet.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE)
    assert task.reason == "the signal key was deleted"
    assert (await fleet.task(other)).status is TaskStatus.RUNNING
    fleet.open()
    assert (await fleet.settled(other)).status is TaskStatus.COMPLETED
    deployments = {ref.name.split("-")[1] for ref in await fleet.snapshot() if ref.kind == "Deployment"}
    assert deployments == {"web"}


async def test_a_value_overwritten_by_hand_cancels_with_that_reason(fleet: Fleet, valkey: Valkey) -> None:
    before = await fleet.snapshot()
    _, task_id = await fleet.deploy(gated("api"))
    fleet.worker()
    await fleet.waits_for(task_id, "api")
    await claimed(valkey, task_id)
    valkey.run("SET", key_of(task_id), "stop it")
    task = await fleet.settled(task_id)
    assert (task.status, task.cleanup, task.reason) == (TaskStatus.CANCELLED, Cleanup.DONE, "stop it")
    assert await fleet.snapshot() == before


async def test_a_task_whose_key_is_marked_before_its_claim_never_starts(fleet: Fleet, valkey: Valkey) -> None:
    _, task_id = await fleet.deploy(conf("settings", a="1"))
    valkey.run("SET", key_of(task_id), "cancelled:not today")
    fleet.worker()
    task = await fleet.settled(task_id)
    assert (task.status, task.reason, task.started_at) == (TaskStatus.CANCELLED, "not today", None)
    assert task.cleanup is Cleanup.NONE
    assert fleet.writes == []


async def test_a_token_forged_by_hand_is_no_takeover(fleet: Fleet, valkey: Valkey) -> None:
    """Redis may be wrong about who holds a task, the database is not: the task goes on, and can be cancelled."""
    app_id, task_id = await fleet.deploy(gated("api"))
    worker = fleet.worker()
    await fleet.waits_for(task_id, "api")
    await claimed(valkey, task_id)
    valkey.run("SET", key_of(task_id), "99:abcdef")
    await worker.said("later claim than the database knows")
    assert (await fleet.task(task_id)).lease_epoch == 1
    valkey.stop()
    with pytest.raises(SignalFailed):
        await fleet.instance.service.cancel(app_id, task_id, "ada", "no")
    task = await fleet.settled(task_id)
    assert (task.cleanup, task.lease_epoch) == (Cleanup.DONE, 1)


async def test_a_redis_that_is_down_at_the_cancel_delays_it_and_says_so(fleet: Fleet, valkey: Valkey) -> None:
    before = await fleet.snapshot()
    app_id, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
    worker = fleet.worker()
    await fleet.waits_for(task_id, "api")
    await claimed(valkey, task_id)
    valkey.stop()
    with pytest.raises(SignalFailed, match=r"is recorded, but the signal failed .* from the database within seconds"):
        await fleet.instance.service.cancel(app_id, task_id, "ada", "wrong version")
    task = await fleet.settled(task_id)
    assert (task.status, task.reason, task.cleanup) == (TaskStatus.CANCELLED, "wrong version", Cleanup.DONE)
    assert await fleet.snapshot() == before
    await worker.said("connection lost")
    valkey.start()
    _, again = await fleet.deploy(gated("web"), name="other")
    await claimed(valkey, again)


async def test_a_worker_cut_off_from_redis_goes_on_and_hears_of_cancels_from_the_database(
    fleet: Fleet, valkey: Valkey
) -> None:
    async with Proxy(valkey.port) as proxy:
        app_id, task_id = await fleet.deploy(gated("api"))
        _, other = await fleet.deploy(gated("web"), name="other")
        worker = fleet.worker(redis_url=f"redis://127.0.0.1:{proxy.port}")
        await fleet.waits_for(task_id, "api")
        await fleet.waits_for(other, "web")
        await claimed(valkey, task_id)
        proxy.stall()
        await worker.said("connection lost")
        await fleet.instance.service.cancel(app_id, task_id, "ada", "no")  # reaches Redis, not the worker
        assert (await fleet.settled(task_id)).cleanup is Cleanup.DONE
        fleet.open()
        assert (await fleet.settled(other)).status is TaskStatus.COMPLETED
        _, later = await fleet.deploy(gated("late", "late"), name="third")
        await fleet.waits_for(later, "late")
        proxy.heal()
        await worker.said("connection is back")
        await claimed(valkey, later)
