"""Lost and late answers (design R1, R2, R4, §6): the write happened and nobody was told, or it happens after all.

A request is lost before or after it took effect, or takes effect when the task is long rolled back. Whatever becomes of
it, the cluster ends complete or as it was.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from kubemin.cluster import Cluster
from kubemin.engine import ExecOptions
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubesim.faults import Fault
from tests.engine.instance import EVERYTHING, Instance, conf, secret, store, web
from tests.engine.test_points import differences

LOST: list[dict[str, Any]] = [
    {"action": "drop", "when": "before"},
    {"action": "drop", "when": "after"},
    {"action": "status", "code": 500, "when": "after"},
    {"action": "status", "code": 503, "when": "before"},
    {"action": "status", "code": 429, "retry_after": 1, "when": "before"},
    {"action": "status", "code": 504, "when": "after"},
]
FAULT_IDS = ["-".join(map(str, fault.values())) for fault in LOST]
RESOURCES = ["configmaps", "secrets", "services", "deployments", "statefulsets"]


def with_each_fault(names: Sequence[str]) -> list[ParameterSet]:
    """Every name with every fault: each name and each fault at least once in `make test`, all in `make proof`."""
    return [
        pytest.param(name, fault, id=f"{name}-{of}", marks=[] if at % len(names) == number else [pytest.mark.proof])
        for number, name in enumerate(names)
        for at, (of, fault) in enumerate(zip(FAULT_IDS, LOST, strict=True))
    ]


def existing(instance: Instance) -> None:
    """A ConfigMap that is there before, and that the deploy changes."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "0", "z": "9"}}
    instance.adopts = True
    instance.sim.registry.create("configmaps", "default", config, manager="kubectl")


async def as_it_was(instance: Instance, before: dict[ObjectRef, Manifest]) -> None:
    found = differences(before, await instance.snapshot())
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("resource", "fault"), with_each_fault(RESOURCES))
async def test_a_lost_answer_to_a_create_does_not_matter(
    instance: Instance, resource: str, fault: dict[str, Any]
) -> None:
    armed = instance.sim.faults.add(Fault(verb="create", resource=resource, **fault))
    before = await instance.snapshot()
    app_id = await instance.save(EVERYTHING)
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
        assert task.status is TaskStatus.COMPLETED, task.reason
        removal = await instance.service.delete_application(app_id, "ada", delete_volumes=True)
        await instance.settled(removal.id)
    await armed.struck()
    await as_it_was(instance, before)


@pytest.mark.parametrize("fault", LOST, ids=FAULT_IDS)
async def test_a_lost_answer_to_a_change_does_not_matter(instance: Instance, fault: dict[str, Any]) -> None:
    existing(instance)
    before = await instance.snapshot()
    instance.sim.faults.add(Fault(verb="apply", **fault))
    app_id = await instance.save([conf("settings", a="1", b="2"), web("late", "late:never")])
    async with instance.worker():
        task_id = await instance.exec(app_id)
        await instance.until(lambda: _waits_for(instance, task_id, "late"))
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
    changed = [row for row in await instance.journal(task_id) if row.ref.kind == "ConfigMap"]
    assert [row.state for row in changed] == [ResourceState.RESTORED]
    await as_it_was(instance, before)


@pytest.mark.parametrize(("verb", "fault"), with_each_fault(["delete", "update", "patch"]))
async def test_a_lost_answer_in_the_rollback_does_not_matter(
    instance: Instance, verb: str, fault: dict[str, Any]
) -> None:
    existing(instance)
    before = await instance.snapshot()
    app_id = await instance.save([*EVERYTHING[1:], conf("settings", a="1", b="2"), web("late", "late:never")])
    async with instance.worker():
        task_id = await instance.exec(app_id)
        await instance.until(lambda: _waits_for(instance, task_id, "late"))
        instance.sim.faults.add(Fault(verb=verb, times=3, **fault))
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
        while task.cleanup is Cleanup.INCOMPLETE:
            await instance.service.retry_cleanup(task_id)
            task = await instance.settled(task_id)
    await as_it_was(instance, before)


async def _waits_for(instance: Instance, task_id: str, component: str) -> bool:
    return any(job.component == component and job.info for job in await instance.jobs(task_id))


@asynccontextmanager
async def late(instance: Instance, **fault: Any) -> AsyncIterator[None]:
    """A request whose connection breaks at once, and which takes effect when the context ends."""
    armed = instance.sim.faults.add(Fault("late", **fault))
    yield
    await armed.struck()
    await armed.release()


@pytest.mark.parametrize("resource", RESOURCES)
async def test_a_create_that_lands_after_the_rollback_is_undone(instance: Instance, resource: str) -> None:
    """No time bounds a late request: the reaper finds what it made, and the task's cleanup is opened again."""
    before = await instance.snapshot()
    app_id = await instance.save([conf("settings", a="1"), secret("keys", k="v"), store("db"), web("api", "a:never")])
    async with instance.worker():
        # The first POST of the kind is lost, so are the repeats: the object never was there while the task ran.
        repeats = instance.sim.faults.add(Fault("drop", verb="create", resource=resource, skip=1, times=None))
        async with late(instance, verb="create", resource=resource):
            task_id = await instance.exec(app_id, ExecOptions(timeout_seconds=2))
            task = await instance.settled(task_id)
            assert task.cleanup is Cleanup.DONE, task.cleanup_why
            await as_it_was(instance, before)
        instance.sim.faults.remove(repeats)

        async def undone() -> bool:
            rows = await instance.journal(task_id)
            task = await instance.task(task_id)
            there = differences(before, await instance.snapshot())
            return task.cleanup is Cleanup.DONE and task.lease_epoch > 1 and not there and bool(rows)

        await instance.until(undone)
    await as_it_was(instance, before)


async def test_a_change_that_lands_after_the_rollback_does_nothing(instance: Instance) -> None:
    existing(instance)
    before = await instance.snapshot()
    app_id = await instance.save([conf("settings", a="1", b="2")])
    async with instance.worker():
        repeats = instance.sim.faults.add(Fault("drop", verb="apply", skip=1, times=None))
        async with late(instance, verb="apply"):
            task = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=1.5)))
            assert task.cleanup is Cleanup.DONE, task.cleanup_why
        instance.sim.faults.remove(repeats)
    await as_it_was(instance, before)


@pytest.mark.parametrize("verb", ["delete", "update"])
async def test_a_write_of_the_rollback_that_lands_late_does_nothing(instance: Instance, verb: str) -> None:
    existing(instance)
    before = await instance.snapshot()
    app_id = await instance.save([conf("settings", a="1"), secret("keys", k="v"), web("late", "late:never")])
    async with instance.worker():
        task_id = await instance.exec(app_id)
        await instance.until(lambda: _waits_for(instance, task_id, "late"))
        async with late(instance, verb=verb):
            await instance.service.cancel(app_id, task_id, "ada", "no")
            task = await instance.settled(task_id)
            assert task.cleanup is Cleanup.DONE, task.cleanup_why
            # The next task has begun when the old request lands.
            await instance.save([conf("settings", a="1"), secret("keys", k="v")], app_id=app_id)
            next_task = await instance.settled(await instance.exec(app_id))
            assert next_task.status is TaskStatus.COMPLETED
            deployed = await instance.snapshot()
        assert differences(deployed, await instance.snapshot()) == []
    assert before.keys() < deployed.keys()


async def test_an_unreachable_cluster_fails_the_task_with_that_reason(instance: Instance) -> None:
    nowhere = await Cluster.connect(kubeconfig=None, context=None, url="http://127.0.0.1:9", timeout=2)
    app_id = await instance.save(EVERYTHING)
    async with instance.worker(cluster=nowhere):
        task = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=2)))
    await nowhere.aclose()
    assert task.status in (TaskStatus.FAILED, TaskStatus.TIMEOUT)
    assert "127.0.0.1:9" in task.reason
    assert task.cleanup in (Cleanup.NONE, Cleanup.DONE)
