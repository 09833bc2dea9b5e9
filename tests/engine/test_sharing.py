"""What applications share (trait ``share``): made once, relied on only when it stays, and kept while it is used."""

from typing import Any

import pytest

from kubemin.spec.objects import Manifest
from kubemin.spec.states import Cleanup, JobStatus, Purpose, ResourceState, TaskStatus
from kubesim.faults import Fault
from tests.engine.instance import Instance, conf, web


def shared(component: dict[str, Any], strategy: str = "default") -> dict[str, Any]:
    return {**component, "traits": {**component.get("traits", {}), "share": {"strategy": strategy}}}


async def app(instance: Instance, name: str, *components: dict[str, Any]) -> str:
    return await instance.save(components, name=name)


async def outcome(instance: Instance, task_id: str) -> tuple[TaskStatus, set[JobStatus]]:
    task = await instance.settled(task_id)
    return task.status, {job.status for job in await instance.jobs(task_id)}


async def deployments(instance: Instance) -> list[Manifest]:
    return (await instance.cluster.list("Deployment")).items


async def test_of_applications_deployed_at_once_one_makes_it(instance: Instance) -> None:
    parts = [shared(web("cache")), shared(conf("settings", a="1"))]
    apps = [await app(instance, f"shop-{number}", *parts) for number in range(4)]
    task_ids = [await instance.exec(one) for one in apps]
    async with instance.worker():
        ends = [await outcome(instance, task_id) for task_id in task_ids]
        again = [await outcome(instance, await instance.exec(one)) for one in apps]
    for found in (ends, again):
        assert {status for status, _ in found} == {TaskStatus.COMPLETED}
        made = [jobs for _, jobs in found if jobs == {JobStatus.COMPLETED}]
        assert (len(made), len([jobs for _, jobs in found if jobs == {JobStatus.SKIPPED}])) == (1, 3)
    assert len(await deployments(instance)) == 1


async def test_what_its_maker_rolls_back_nobody_relies_on(instance: Instance) -> None:
    first = await app(instance, "first", shared(web("cache", "web:never")))
    second = await app(instance, "second", shared(web("cache")))
    async with instance.worker():
        making = await instance.exec(first)

        async def made() -> bool:
            return bool(await deployments(instance))

        await instance.until(made)
        waiting = await instance.exec(second)

        async def waits() -> bool:
            return any(making in job.info for job in await instance.jobs(waiting))

        await instance.until(waits)
        await instance.service.cancel(first, making, "ada", "no")
        assert await outcome(instance, waiting) == (TaskStatus.COMPLETED, {JobStatus.COMPLETED})
    assert (await instance.task(making)).cleanup is Cleanup.DONE
    [left] = await deployments(instance)
    assert left["metadata"]["labels"]["kubemin.io/app-id"] == second


@pytest.mark.parametrize("how", ["delete", "drop"])
async def test_what_another_application_uses_stays(instance: Instance, how: str) -> None:
    first = await app(instance, "first", shared(conf("common", a="1")), conf("own", a="1"))
    second = await app(instance, "second", shared(conf("common", a="1")))
    async with instance.worker():
        assert (await instance.settled(await instance.exec(first))).status is TaskStatus.COMPLETED
        using = await instance.exec(second)
        assert await outcome(instance, using) == (TaskStatus.COMPLETED, {JobStatus.SKIPPED})
        [use] = await instance.journal(using)
        assert (use.purpose, use.state) == (Purpose.USE, ResourceState.OBSERVED)
        if how == "drop":
            await instance.save([conf("own", a="1")], app_id=first, name="first")
            removal = await instance.exec(first)
        else:
            task = await instance.service.delete_application(first, keep_resources=False, caller="ada")
            assert task is not None
            removal = task.id
        task = await instance.settled(removal)
        assert (task.status, task.cleanup in (Cleanup.NONE, Cleanup.DONE)) == (TaskStatus.COMPLETED, True)
        [kept] = [row for row in await instance.journal(removal) if row.state is ResourceState.KEPT]
        assert (kept.ref.name, kept.why) == ("common", "second uses it")
        names = {obj["metadata"]["name"] for obj in (await instance.cluster.list("ConfigMap", "default")).items}
        assert "common" in names
        assert ("own" in names) is (how == "drop")


async def test_who_comes_while_it_is_being_deleted_makes_it_anew(instance: Instance) -> None:
    first = await app(instance, "first", shared(conf("common", a="1")))
    second = await app(instance, "second", shared(conf("common", a="1")))
    async with instance.worker():
        assert (await instance.settled(await instance.exec(first))).status is TaskStatus.COMPLETED
        [former] = (await instance.cluster.list("ConfigMap", "default", labels="kubemin-share-name=default")).items
        held = instance.sim.faults.add(Fault("hold", verb="delete", resource="configmaps", when="before"))
        removal = await instance.service.delete_application(first, keep_resources=False, caller="ada")
        assert removal is not None
        await held.struck()
        coming = await instance.exec(second)

        async def waits() -> bool:
            return any(removal.id in job.info for job in await instance.jobs(coming))

        await instance.until(waits)
        await held.release()
        assert await outcome(instance, coming) == (TaskStatus.COMPLETED, {JobStatus.COMPLETED})
        assert (await instance.settled(removal.id)).status is TaskStatus.COMPLETED
    [now] = (await instance.cluster.list("ConfigMap", "default", labels="kubemin-share-name=default")).items
    assert now["metadata"]["uid"] != former["metadata"]["uid"]
    assert now["metadata"]["labels"]["kubemin.io/app-id"] == second


async def test_nothing_is_made_of_what_is_left_to_others(instance: Instance) -> None:
    task_id = await instance.exec(await app(instance, "shop", shared(conf("common", a="1"), "ignore")))
    async with instance.worker():
        assert await outcome(instance, task_id) == (TaskStatus.COMPLETED, {JobStatus.SKIPPED})
    assert await instance.journal(task_id) == []
