"""Holds: a run waits for a person; and steps that may fail without it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.errors import NotHeld, TaskEnded, TaskNotFound
from kubemin.engine.objects.ownership import token_of
from kubemin.spec.states import PAUSE_KIND, Cleanup, JobStatus, ResourceState, TaskStatus
from kubemin.store import jobs, workflows
from kubemin.store.jobs import JobRow
from kubesim.faults import Fault
from tests.engine.instance import QUICK, Instance, conf, web

PARTS = [conf("first", a="1"), conf("second", a="2"), conf("third", a="3")]
TWO_PAUSES = [
    {"name": "first"},
    {"name": "approve", "type": "pause"},
    {"name": "second"},
    {"name": "again", "workflowType": "Pause", "timeoutSeconds": 600},
    {"name": "third"},
]
BROKEN = web("broken", "broken:pull", properties={"ports": [{"port": 80}], "hopelessAfter": 1})


async def held_in(instance: Instance, task_id: str, name: str) -> JobRow:
    """Wait until the task is in the hold."""

    async def check() -> JobRow | None:
        found = [job for job in await instance.jobs(task_id) if job.kind == PAUSE_KIND and job.object_name == name]
        return found[0] if found[0].status is JobStatus.RUNNING else None

    return await instance.until(check)


async def names(instance: Instance) -> set[str]:
    """Which ConfigMaps are there."""
    found = await instance.cluster.list("ConfigMap")
    return {one["metadata"]["name"] for one in found.items} - {"kube-root-ca.crt"}


async def refused(instance: Instance, task_id: str) -> str:
    with pytest.raises((NotHeld, TaskEnded)) as caught:
        await instance.service.promote(task_id, "ada")
    return str(caught.value)


async def test_each_promote_lets_the_pause_pass_that_the_task_is_in_and_no_later_one(instance: Instance) -> None:
    app_id = await instance.save(PARTS, workflow=TWO_PAUSES)
    task_id = await instance.exec(app_id)
    assert "has not begun" in await refused(instance, task_id)
    async with instance.worker():
        job = await held_in(instance, task_id, "approve")
        assert job.info == "waits for promote"
        assert await names(instance) == {"first"}
        # Sent twice: the second is not taken for the next pause.
        twice = (instance.service.promote(task_id, "ada") for _ in range(2))
        one, other = sorted(await asyncio.gather(*twice, return_exceptions=True), key=str)
        assert one == "approve"
        assert "'approve' is promoted already" in str(other)
        job = await held_in(instance, task_id, "again")
        assert job.info == "waits for promote, 600 s at most"
        assert await names(instance) == {"first", "second"}
        assert await instance.service.promote(task_id, "bob") == "again"
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED
    assert await names(instance) == {"first", "second", "third"}
    infos = {job.object_name: job.info for job in await instance.jobs(task_id) if job.kind == PAUSE_KIND}
    assert infos == {"approve": "promoted by ada", "again": "promoted by bob"}
    assert "already ended as completed" in await refused(instance, task_id)
    with pytest.raises(TaskNotFound):
        await instance.service.promote("x" * 24, "ada")


async def test_a_task_without_a_pause_cannot_be_promoted(instance: Instance) -> None:
    app_id = await instance.save([web("late", "late:never")])
    async with instance.worker():
        task_id = await instance.exec(app_id)

        async def runs() -> bool:
            return (await instance.task(task_id)).status is TaskStatus.RUNNING

        await instance.until(runs)
        assert "no pause is to come" in await refused(instance, task_id)


async def test_a_pause_for_some_seconds_ends_by_itself_or_by_promote(instance: Instance) -> None:
    pause: dict[str, Any] = {"name": "a moment", "type": "pause", "seconds": 0.05}
    steps = [{"name": "first"}, pause, {"name": "second"}]
    app_id = await instance.save(PARTS[:2], workflow=steps)
    async with instance.worker():
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        pause["seconds"] = 600
        await replaced(instance, app_id, PARTS[:2], steps)
        task_id = await instance.exec(app_id)
        await held_in(instance, task_id, "a moment")
        await instance.service.promote(task_id, "ada")
        assert (await instance.settled(task_id)).status is TaskStatus.COMPLETED


@pytest.mark.parametrize(
    ("pause", "options", "status"),
    [
        ({"timeoutSeconds": 0.05}, ExecOptions(), TaskStatus.TIMEOUT),
        ({}, ExecOptions(timeout_seconds=1), TaskStatus.TIMEOUT),
        ({}, ExecOptions(), TaskStatus.CANCELLED),
    ],
    ids=["its own timeout", "that of the run", "cancelled"],
)
async def test_a_run_that_ends_in_a_pause_is_put_back(
    instance: Instance, pause: dict[str, Any], options: ExecOptions, status: TaskStatus
) -> None:
    before = await instance.snapshot()
    steps = [{"name": "first"}, {"name": "approve", "type": "pause", **pause}, {"name": "second"}]
    app_id = await instance.save(PARTS[:2], workflow=steps)
    async with instance.worker():
        task_id = await instance.exec(app_id, options)
        if status is TaskStatus.CANCELLED:
            await held_in(instance, task_id, "approve")
            await instance.service.cancel(app_id, task_id, "ada", "enough")
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (status, Cleanup.DONE)
    assert status is TaskStatus.CANCELLED or "promote" in task.reason
    assert await instance.snapshot() == before
    (held,) = [job for job in await instance.jobs(task_id) if job.kind == PAUSE_KIND]
    assert held.status.value == status.value


async def test_a_pause_is_no_want_of_activity_and_another_worker_goes_on_waiting(instance: Instance) -> None:
    app_id = await instance.save(PARTS, workflow=TWO_PAUSES)
    async with instance.worker(name="one"):
        task_id = await instance.exec(app_id, ExecOptions(no_activity_seconds=0.5))
        await held_in(instance, task_id, "approve")
        await instance.service.promote(task_id, "ada")
        first = await held_in(instance, task_id, "again")
    async with instance.worker(name="two"):

        async def taken_over() -> bool:
            return (await instance.task(task_id)).lease_owner == "two"

        await instance.until(taken_over)
        second = await held_in(instance, task_id, "again")
        assert second.started_at == first.started_at  # its time counts from its first beginning
        await instance.service.promote(task_id, "ada")
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason


async def states(instance: Instance, task_id: str) -> dict[str, JobStatus]:
    """The worst status of each component's jobs."""
    found: dict[str, JobStatus] = {}
    for job in await instance.jobs(task_id):
        if found.get(job.component) not in (JobStatus.FAILED, JobStatus.TIMEOUT):
            found[job.component] = job.status
    return found


def step(name: str, components: Sequence[str], **more: Any) -> dict[str, Any]:
    return {"name": name, "components": list(components), **more}


@pytest.mark.parametrize("late", [False, True], ids=["failed", "out of its own time"])
async def test_a_step_that_may_fail_leaves_nothing_and_the_next_ones_run(instance: Instance, late: bool) -> None:
    """Also what its components changed that were ready is put back: a step is undone in one piece."""
    broken = web("broken", "broken:never") if late else BROKEN
    app_id = await instance.save([conf("first", a="0"), PARTS[2]])
    async with instance.worker():
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        before = await instance.snapshot()
        limit = {"timeoutSeconds": 1.5} if late else {}
        steps = [step("extras", ["first", "broken"], onFailure="continue", **limit), step("rest", ["second", "third"])]
        await replaced(instance, app_id, [*PARTS, broken], steps)
        task_id = await instance.exec(app_id)
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    after = await instance.snapshot()
    assert {ref.name for ref in after} - {ref.name for ref in before} == {"second"}
    former = {ref: obj for ref, obj in after.items() if ref.name == "first"}
    assert former == {ref: obj for ref, obj in before.items() if ref.name == "first"}
    assert await states(instance, task_id) == {
        "first": JobStatus.CANCELLED,
        "broken": JobStatus.TIMEOUT if late else JobStatus.FAILED,
        "second": JobStatus.COMPLETED,
        "third": JobStatus.COMPLETED,
    }
    async with instance.db.read() as tx:
        assert await jobs.undone_components(tx, task_id) == ["broken", "first"]
    undone = {row.ref.name: row.state for row in await instance.journal(task_id) if "broken" in row.ref.name}
    assert set(undone.values()) == {ResourceState.DELETED}


async def replaced(instance: Instance, app_id: str, parts: Sequence[dict[str, Any]], steps: Sequence[Any]) -> None:
    """The application with other components and another workflow."""
    await instance.save(parts, app_id=app_id)
    async with instance.db.begin("workflow") as tx:
        (flow,) = await workflows.of_application(tx, app_id)
        fields = {name: getattr(flow, name) for name in workflows.NewWorkflow.__dataclass_fields__}
        await workflows.update(tx, replace(workflows.NewWorkflow(**fields), steps=list(steps)))


async def test_what_a_continued_step_cannot_put_back_fails_the_run(instance: Instance) -> None:
    """Nothing of a failed step may stay behind unseen."""
    app_id = await instance.save(
        [PARTS[0], PARTS[1], BROKEN],
        workflow=[step("extras", ["first", "broken"], onFailure="continue"), step("rest", ["second"])],
    )
    async with instance.worker(QUICK.model_copy(update={"cleanup_seconds": 1})):
        stuck = instance.sim.faults.add(Fault("stick", resource="configmaps", name="first", times=None))
        task_id = await instance.exec(app_id)
        task = await instance.settled(task_id)
        assert task.status is TaskStatus.FAILED
        assert "is not put back completely: ConfigMap/default/first" in task.reason
        assert (await states(instance, task_id))["second"] is not JobStatus.COMPLETED
        await stuck.release()

        async def undone() -> bool:
            await instance.service.retry_cleanup(task_id)
            return (await instance.task(task_id)).cleanup is Cleanup.DONE

        await instance.until(undone)
    assert await names(instance) == set()


async def test_a_run_that_fails_later_puts_everything_back(instance: Instance) -> None:
    before = await instance.snapshot()
    worse = web("worse", "worse:pull", properties={"ports": [{"port": 80}], "hopelessAfter": 1})
    app_id = await instance.save(
        [PARTS[0], BROKEN, worse],
        workflow=[step("extras", ["broken"], onFailure="continue"), step("rest", ["first", "worse"])],
    )
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE)
    assert await instance.snapshot() == before
    assert all(token_of(one) is None for one in (await instance.cluster.list("ConfigMap")).items)


async def test_a_pause_that_nobody_promotes_may_be_passed_over(instance: Instance) -> None:
    steps = [
        {"name": "first"},
        {"name": "approve", "type": "pause", "timeoutSeconds": 0.05, "onFailure": "continue"},
        {"name": "second"},
    ]
    app_id = await instance.save(PARTS[:2], workflow=steps)
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
    assert task.status is TaskStatus.COMPLETED
    assert await names(instance) == {"first", "second"}


async def test_what_a_continued_step_may_not_write_does_not_stop_the_run_before_it(instance: Instance) -> None:
    """The pre-flight refuses it; its step fails when its turn comes."""
    instance.sim.registry.create(
        "configmaps",
        "default",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "first"}, "data": {"a": "theirs"}},
        manager="kubectl",
    )
    before = await instance.snapshot()
    app_id = await instance.save(
        PARTS[:2], workflow=[{"name": "first", "onFailure": "continue"}, {"name": "second", "onFailure": "stop"}]
    )
    async with instance.worker():
        task_id = await instance.exec(app_id)
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    after = await instance.snapshot()
    assert {ref.name for ref in after} - {ref.name for ref in before} == {"second"}
    assert all(after[ref] == obj for ref, obj in before.items())
