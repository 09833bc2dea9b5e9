"""Workers that sleep beyond their leases, and requests that land when nobody waits for them any more (design §6)."""

import signal

import pytest

from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from kubesim.faults import Fault
from tests.engine.instance import conf
from tests.multi.fleet import LEASE, Fleet, gated


async def test_a_worker_that_slept_beyond_its_lease_touches_nothing_more(fleet: Fleet) -> None:
    sleeper = fleet.worker(lease_seconds=LEASE)
    _, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
    await fleet.waits_for(task_id, "api")
    await sleeper.pause()
    fleet.worker()
    await fleet.owned(task_id, 2)
    writes = len(fleet.writes)
    sleeper.resume()
    await sleeper.said("left to another worker")
    fleet.open()
    task = await fleet.settled(task_id)
    assert (task.status, task.attempt, task.lease_epoch) == (TaskStatus.COMPLETED, 2, 2)
    assert await sleeper.terminate() == 0
    assert fleet.writes[writes:] == []


async def test_a_worker_that_slept_in_a_rollback_touches_nothing_more(fleet: Fleet) -> None:
    before = await fleet.snapshot()
    sleeper = fleet.worker(lease_seconds=LEASE, pause_at="commit:*settle*:before")
    app_id, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
    await fleet.waits_for(task_id, "api")
    await fleet.instance.service.cancel(app_id, task_id, "ada", "no")
    await sleeper.paused()
    fleet.worker()
    assert (await fleet.settled(task_id)).cleanup is Cleanup.DONE
    assert await fleet.snapshot() == before
    again = await fleet.exec(app_id)
    await fleet.waits_for(again, "api")
    there = await fleet.snapshot()
    sleeper.resume()
    await sleeper.said("left to another worker")
    assert await sleeper.terminate() == 0
    assert await fleet.snapshot() == there


@pytest.mark.parametrize("there", [False, True], ids=["create", "change"])
async def test_a_write_that_a_sleeper_sends_late_is_undone_or_refused(fleet: Fleet, there: bool) -> None:
    """The worker sleeps between its last look at the lease and its request."""
    if there:
        config = {"metadata": {"name": "settings"}, "data": {"a": "0", "old": "x"}}
        fleet.instance.adopts = True
        fleet.instance.sim.registry.create("configmaps", "default", config, manager="kubectl")
    before = await fleet.snapshot()
    verb = "apply" if there else "create"
    sleeper = fleet.worker(lease_seconds=LEASE, pause_at=f"call:{verb}:ConfigMap/settings:before")
    app_id, task_id = await fleet.deploy(conf("settings", a="1"))
    await sleeper.paused()
    await fleet.instance.service.cancel(app_id, task_id, "ada", "no")
    fleet.worker()
    assert (await fleet.settled(task_id)).cleanup is Cleanup.DONE
    assert await fleet.snapshot() == before
    written = len(fleet.writes)
    sleeper.resume()
    await sleeper.said("left to another worker")
    assert f"{verb} configmaps/settings" in fleet.writes[written:]
    assert bool(fleet.made("ConfigMap", "settings")) is not there
    await fleet.until_as(before)
    task = await fleet.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE)


async def test_a_request_of_a_dead_worker_that_lands_late_is_undone(fleet: Fleet) -> None:
    """It was on its way when its worker was killed, and arrives when the cleanup is long done."""
    before = await fleet.snapshot()
    late = fleet.instance.sim.faults.add(Fault("late", verb="create", resource="configmaps", name="settings"))
    worker = fleet.worker(lease_seconds=LEASE, die_at="call:create:ConfigMap/settings:after")
    app_id, task_id = await fleet.deploy(conf("settings", a="1"))
    await late.struck()
    assert await worker.ended() == -signal.SIGKILL
    await fleet.instance.service.cancel(app_id, task_id, "ada", "no")
    fleet.worker()
    done = await fleet.settled(task_id)
    assert done.cleanup is Cleanup.DONE
    again = await fleet.deploy(conf("other", a="1"), name="other")
    assert (await fleet.settled(again[1])).status is TaskStatus.COMPLETED
    assert await late.release() == [201]
    await fleet.reopened(done)
    assert (await fleet.settled(task_id)).cleanup is Cleanup.DONE
    assert ObjectRef("ConfigMap", "default", "settings") not in await fleet.snapshot()
    assert len((await fleet.snapshot()).keys() - before.keys()) == 1


async def test_a_late_request_of_a_task_that_completed_elsewhere_changes_nothing(fleet: Fleet) -> None:
    sleeper = fleet.worker(lease_seconds=LEASE, pause_at="call:create:ConfigMap/settings:before")
    _, task_id = await fleet.deploy(conf("settings", a="1"))
    await sleeper.paused()
    fleet.worker()
    assert (await fleet.settled(task_id)).status is TaskStatus.COMPLETED
    after = await fleet.snapshot()
    sleeper.resume()
    await sleeper.said("left to another worker")
    assert await fleet.snapshot() == after
    assert len(fleet.made("ConfigMap", "settings")) == 1
