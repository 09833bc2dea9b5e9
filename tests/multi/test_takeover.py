"""Workers that die, or are told to stop: their tasks go on elsewhere, and nothing is done twice (design §6)."""

import signal
from typing import Any

import pytest

from kubemin.spec.states import Cleanup, TaskStatus
from tests.engine.instance import conf, store, web
from tests.engine.test_points import differences
from tests.multi.fleet import LEASE, Fleet, gated, seconds_between


async def test_a_killed_workers_tasks_are_taken_over_and_not_begun_anew(fleet: Fleet) -> None:
    first = fleet.worker(lease_seconds=LEASE)
    tasks = [
        (await fleet.deploy(conf(f"settings-{n}", a="1"), gated(f"api-{n}"), name=f"shop-{n}"))[1] for n in range(3)
    ]
    for n, task_id in enumerate(tasks):
        await fleet.waits_for(task_id, f"api-{n}")
    await first.kill()
    dead = {task_id: await fleet.task(task_id) for task_id in tasks}
    done = {task_id: [j for j in await fleet.instance.jobs(task_id) if j.status.ended] for task_id in tasks}
    writes = len(fleet.writes)
    fleet.worker()
    for task_id in tasks:
        taken = await fleet.owned(task_id, 2)
        expiry = dead[task_id].lease_expires_at
        assert expiry is not None
        assert seconds_between(expiry, taken.claimed_at) >= 0
        assert taken.attempt == 2
    fleet.open()
    for n, task_id in enumerate(tasks):
        assert (await fleet.settled(task_id)).status is TaskStatus.COMPLETED
        assert len(fleet.made("ConfigMap", f"settings-{n}")) == 1
        jobs = {job.seq: job for job in await fleet.instance.jobs(task_id)}
        assert done[task_id]
        assert all(jobs[job.seq] == job for job in done[task_id])
    assert fleet.writes[writes:] == []


async def test_a_rollback_whose_worker_is_killed_is_ended_by_another(fleet: Fleet) -> None:
    before = await fleet.snapshot()
    first = fleet.worker(lease_seconds=LEASE, die_at="call:delete:ConfigMap/settings:after")
    app_id, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
    await fleet.waits_for(task_id, "api")
    fleet.worker()
    await fleet.instance.service.cancel(app_id, task_id, "ada", "wrong version")
    assert await first.ended() == -signal.SIGKILL
    task = await fleet.settled(task_id)
    assert (task.status, task.cleanup, task.reason) == (TaskStatus.CANCELLED, Cleanup.DONE, "wrong version")
    assert task.lease_epoch == 2
    assert await fleet.snapshot() == before


async def deployed(fleet: Fleet, app_id: str) -> None:
    """Run the application to completion, by a worker that leaves afterwards."""
    worker = fleet.worker()
    task_id = await fleet.exec(app_id)
    assert (await fleet.settled(task_id)).status is TaskStatus.COMPLETED
    assert await worker.terminate() == 0


@pytest.mark.parametrize(
    ("parts", "lands", "tidies"),
    [
        ([web("api", "api:never")], "apply:Deployment", "ReplicaSet"),
        ([web("api", "api:1"), store("db")], "create:StatefulSet", "PersistentVolumeClaim"),
    ],
    ids=["change", "create"],
)
async def test_what_controllers_made_is_undone_although_two_workers_die_of_it(
    fleet: Fleet, parts: list[dict[str, Any]], lands: str, tidies: str
) -> None:
    """The first dies when its request has landed and it has not heard so, the second when only that is left."""
    app_id = await fleet.app(web("api", "api:1"))
    await deployed(fleet, app_id)
    before = await fleet.snapshot()
    await fleet.instance.save(parts, app_id=app_id)
    task_id = await fleet.exec(app_id)
    first = fleet.worker(die_at=f"call:{lands}/*:after")
    assert await first.ended() == -signal.SIGKILL
    await fleet.lapse()
    await fleet.appeared(tidies, before)
    await fleet.instance.service.cancel(app_id, task_id, "ada", "no")
    second = fleet.worker(die_at=f"call:delete:{tidies}/*:before")
    assert await second.ended() == -signal.SIGKILL
    await fleet.lapse()
    fleet.worker()
    task = await fleet.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE)
    assert differences(before, await fleet.snapshot()) == []


async def test_a_task_that_kills_its_workers_fails_and_is_rolled_back(fleet: Fleet) -> None:
    before = await fleet.snapshot()
    _, task_id = await fleet.deploy(conf("settings", a="1"))
    for attempt in range(1, 4):
        worker = fleet.worker(die_at="commit:finish:before")
        assert await worker.ended() == -signal.SIGKILL
        assert (await fleet.task(task_id)).attempt == attempt
        await fleet.lapse()
    fleet.worker()
    task = await fleet.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE)
    assert "3 attempts" in task.reason
    assert await fleet.snapshot() == before


async def test_a_stopped_worker_hands_its_tasks_over(fleet: Fleet) -> None:
    """However often: only a worker that dies counts as an attempt."""
    _, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
    for epoch in range(1, 4):
        worker = fleet.worker(lease_seconds=60, max_attempts=1)
        await fleet.owned(task_id, epoch)
        await fleet.waits_for(task_id, "api")
        assert await worker.terminate() == 0
        left = await fleet.task(task_id)
        assert (left.status, left.lease_owner) == (TaskStatus.RUNNING, None)
    writes = len(fleet.writes)
    fleet.worker(max_attempts=1)
    fleet.open()
    task = await fleet.settled(task_id)
    assert (task.status, task.reason, task.attempt) == (TaskStatus.COMPLETED, "", 1)
    assert fleet.writes[writes:] == []


async def test_a_stopped_worker_hands_a_rollback_over(fleet: Fleet) -> None:
    before = await fleet.snapshot()
    app_id, task_id = await fleet.deploy(conf("settings", a="1"), gated("api"))
    worker = fleet.worker(lease_seconds=60)
    await fleet.waits_for(task_id, "api")
    stuck = fleet.stick("configmaps", "settings")
    await fleet.instance.service.cancel(app_id, task_id, "ada", "no")
    await stuck.struck()
    assert await worker.terminate() == 0
    left = await fleet.task(task_id)
    assert (left.cleanup, left.lease_owner) == (Cleanup.RUNNING, None)
    await stuck.release()
    fleet.worker()
    assert (await fleet.settled(task_id)).cleanup is Cleanup.DONE
    assert await fleet.snapshot() == before


async def test_a_stopped_worker_lets_its_tasks_end_in_the_time_it_is_given(fleet: Fleet) -> None:
    worker = fleet.worker(drain_seconds=50)
    _, task_id = await fleet.deploy(gated("api"))
    await fleet.waits_for(task_id, "api")
    worker.signal(signal.SIGTERM)
    _, later = await fleet.deploy(conf("settings", a="1"), name="other")
    fleet.open()
    assert await worker.ended() == 0
    task = await fleet.task(task_id)
    assert (task.status, task.lease_epoch) == (TaskStatus.COMPLETED, 1)
    assert (await fleet.task(later)).status is TaskStatus.WAITING


async def test_a_second_sigterm_ends_a_worker_at_once(fleet: Fleet) -> None:
    worker = fleet.worker(drain_seconds=3600, lease_seconds=60)
    _, task_id = await fleet.deploy(gated("api"))
    held = await fleet.waits_for(task_id, "api")
    worker.signal(signal.SIGTERM)
    await worker.said("stopping")
    assert await worker.terminate() == -signal.SIGTERM
    left = await fleet.task(task_id)
    assert (left.status, left.lease_owner) == (TaskStatus.RUNNING, held.lease_owner)
