"""Late requests that the explicit-state model found ways for (docs/model.md): each left something behind once."""

from kubemin.engine import ExecOptions
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubesim.faults import Fault
from tests.engine.instance import Instance, conf, store, web
from tests.engine.test_answers import late
from tests.engine.test_points import differences

REF = ObjectRef("ConfigMap", "default", "settings")


async def gone(instance: Instance) -> bool:
    return REF not in await instance.snapshot()


async def test_a_late_create_of_a_completed_task_goes_when_its_application_is_gone(instance: Instance) -> None:
    """The retry made the object, the task completed, all was removed: then the first request lands."""
    app_id = await instance.save([conf("settings", a="1")])
    async with instance.worker():
        async with late(instance, verb="create", resource="configmaps"):
            task_id = await instance.exec(app_id)
            assert (await instance.settled(task_id)).status is TaskStatus.COMPLETED
            removal = await instance.service.delete_application(app_id, "ada")
            await instance.settled(removal.id)
            assert await gone(instance)

        await instance.until(lambda: gone(instance))
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE)


async def test_what_a_late_stateful_set_of_a_completed_task_made_goes_with_it(instance: Instance) -> None:
    """Its claims have no owner: nobody else would find them."""
    before = await instance.snapshot()
    app_id = await instance.save([store("db", replicas=2)])
    async with instance.worker():
        async with late(instance, verb="create", resource="statefulsets"):
            assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
            removal = await instance.service.delete_application(app_id, "ada", delete_volumes=True)
            await instance.settled(removal.id)
            assert differences(before, await instance.snapshot()) == []

        async def claimed() -> bool:
            return any(True for _ in instance.sim.registry.scan("persistentvolumeclaims"))

        await instance.until(claimed)

        async def as_before() -> bool:
            return differences(before, await instance.snapshot()) == []

        await instance.until(as_before)


async def test_a_late_create_goes_where_somebody_else_s_object_was_kept(instance: Instance) -> None:
    app_id = await instance.save([conf("settings", a="1")])
    async with late(instance, verb="create", resource="configmaps"):
        repeats = instance.sim.faults.add(Fault("drop", verb="create", resource="configmaps", skip=1, times=None))
        async with instance.worker():
            task_id = await instance.exec(app_id)
            await repeats.struck()
        await instance.service.cancel(app_id, task_id, "ada", "no")
        instance.sim.faults.remove(repeats)
        theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"x": "theirs"}}
        instance.adopts = True
        instance.sim.registry.create("configmaps", "default", theirs, manager="kubectl")
        async with instance.worker():
            task = await instance.settled(task_id)
        assert task.cleanup is Cleanup.DONE
        assert [row.state for row in await instance.journal(task_id)] == [ResourceState.KEPT]
        instance.sim.registry.delete("configmaps", "default", "settings")
    async with instance.worker():
        await instance.until(lambda: gone(instance))


async def test_the_next_task_takes_a_leftover_over_as_its_own(instance: Instance) -> None:
    """What a cleanup could not remove yet is nothing that was there before: it goes with the application."""
    app_id = await instance.save([conf("settings", a="1"), web("api", "api:never")])
    refused = instance.sim.faults.add(Fault("status", code=403, verb="delete", resource="configmaps", times=None))
    async with instance.worker():
        first = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=2)))
        assert first.cleanup is Cleanup.INCOMPLETE
        await instance.save([conf("settings", a="2")], app_id=app_id)
        second = await instance.exec(app_id)
        assert (await instance.settled(second)).status is TaskStatus.COMPLETED
        rows = await instance.journal(second)
        assert [(row.state, row.before) for row in rows if row.ref == REF] == [(ResourceState.CREATED, None)]
        instance.sim.faults.remove(refused)
        await instance.service.retry_cleanup(first.id)

        async def done() -> bool:
            return (await instance.task(first.id)).cleanup is Cleanup.DONE

        await instance.until(done)
        assert not await gone(instance)
        removal = await instance.service.delete_application(app_id, "ada")
        await instance.settled(removal.id)
        assert await gone(instance)


async def test_a_leftover_taken_over_by_a_task_that_fails_goes_too(instance: Instance) -> None:
    app_id = await instance.save([conf("settings", a="1"), web("api", "api:never")])
    refused = instance.sim.faults.add(Fault("status", code=403, verb="delete", resource="configmaps", times=None))
    async with instance.worker():
        first = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=2)))
        assert first.cleanup is Cleanup.INCOMPLETE
        instance.sim.faults.remove(refused)
        second = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=2)))
        assert (second.status, second.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE)
        await instance.until(lambda: gone(instance))
