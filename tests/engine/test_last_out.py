"""A Namespace that KubeMin made goes with the last that is in it, whoever made it; never with anything of others.

Where it has to stay, it is named: by whoever was to remove it, and among the orphans once nobody else will.
"""

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.entry.orphans import Orphan, Orphans
from kubemin.engine.entry.sources import Posted
from kubemin.engine.errors import NotHeld, TaskEnded
from kubemin.spec.application import parse_application
from kubemin.spec.labels import FENCE
from kubemin.spec.limits import Limits
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubemin.store import tasks
from kubemin.store.tasks import Task
from kubesim.faults import Fault
from tests.engine.child import Point, run_child
from tests.engine.instance import QUICK, Instance, conf, web
from tests.engine.test_points import KILLED, World, expire_leases

SPACE = ObjectRef("Namespace", "", "team")
THEIRS: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}, "data": {}}
MAKES = ExecOptions(create_namespace=True)


async def deployed(instance: Instance, name: str, **more: Any) -> str:
    app_id = await instance.save([conf(f"{name}-conf", a="1"), web(f"{name}-web")], name=name, namespace="team", **more)
    task = await instance.settled(await instance.exec(app_id, MAKES))
    assert task.status is TaskStatus.COMPLETED, task.reason
    return app_id


async def remove(instance: Instance, *app_ids: str) -> list[Task]:
    removals = [await instance.service.delete_application(app_id, "ada") for app_id in app_ids]
    ended = [await instance.settled(task.id) for task in removals]
    assert [(task.status, task.cleanup_why) for task in ended] == [(TaskStatus.COMPLETED, "")] * len(ended)
    return ended


def there(instance: Instance) -> bool:
    return instance.sim.registry.peek("namespaces", "", "team") is not None


async def orphans(instance: Instance, *, delete: bool = False) -> list[Orphan]:
    known = Orphans(instance.db, instance.cluster, Limits())
    return await (known.delete() if delete else known.find())


@pytest.mark.parametrize("order", ["maker first", "maker last", "both at once"])
async def test_the_last_application_in_it_removes_it(instance: Instance, order: str) -> None:
    async with instance.worker():
        maker, other = await deployed(instance, "maker"), await deployed(instance, "other")
        if order == "both at once":
            await remove(instance, maker, other)
        else:
            first, last = (maker, other) if order == "maker first" else (other, maker)
            (kept,) = await remove(instance, first)
            assert there(instance)
            assert [row.state for row in await instance.journal(kept.id) if row.ref == SPACE] == (
                [ResourceState.KEPT] if first == maker else []
            )
            assert await orphans(instance) == []  # it goes with the other one
            await remove(instance, last)
    assert not there(instance)
    assert await orphans(instance) == []


async def test_a_run_that_takes_the_last_object_out_of_it_removes_it(instance: Instance) -> None:
    async with instance.worker():
        maker = await deployed(instance, "maker")
        parts = [conf("here", a="1"), {**conf("there", a="1"), "namespace": "team"}]
        other = await instance.save(parts, name="other", namespace="default")
        assert (await instance.settled(await instance.exec(other))).status is TaskStatus.COMPLETED
        await remove(instance, maker)
        assert there(instance)
        await instance.save(parts[:1], app_id=other, name="other", namespace="default")
        task = await instance.settled(await instance.exec(other))
    assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE), task.cleanup_why
    assert not there(instance)


async def test_one_that_a_rollback_had_to_leave_goes_with_the_last_too(instance: Instance) -> None:
    async with instance.worker():
        maker = await instance.save([web("late", "late:never")], name="maker", namespace="team")
        task_id = await instance.exec(maker, MAKES)

        async def waits() -> bool:
            return any(job.info for job in await instance.jobs(task_id))

        await instance.until(waits)
        other = await deployed(instance, "other")
        await instance.service.cancel(maker, task_id, "ada", "no")
        await instance.settled(task_id)
        assert there(instance)
        await remove(instance, other)
    assert not there(instance)


async def test_what_was_there_before_stays(instance: Instance) -> None:
    instance.sim.registry.create("namespaces", "", {"metadata": {"name": "team"}}, manager="kubectl")
    async with instance.worker():
        await remove(instance, await deployed(instance, "maker"), await deployed(instance, "other"))
    assert there(instance)
    assert await orphans(instance) == []


async def test_somebody_s_object_keeps_it_and_then_it_is_named(instance: Instance) -> None:
    registry = instance.sim.registry
    async with instance.worker():
        maker, other = await deployed(instance, "maker"), await deployed(instance, "other")
        registry.create("configmaps", "team", THEIRS, manager="kubectl")
        (first,) = await remove(instance, maker)
        (row,) = [row for row in await instance.journal(first.id) if row.ref == SPACE]
        assert "ConfigMap/theirs" in row.why
        await remove(instance, other)
    assert registry.peek("configmaps", "team", "theirs") is not None
    assert [(one.ref, one.why) for one in await orphans(instance)] == [(SPACE, "no application that is known is in it")]
    assert [one.error for one in await orphans(instance, delete=True)] == ["it holds ConfigMap/theirs"]
    assert there(instance)
    registry.delete("configmaps", "team", "theirs")
    assert [one.error for one in await orphans(instance, delete=True)] == [""]
    await instance.sim.controllers.settled()
    assert not there(instance)


async def test_a_run_at_work_in_it_keeps_it(instance: Instance) -> None:
    """What it is to bring is not there yet: nothing in the cluster would tell."""
    async with instance.worker():
        maker = await deployed(instance, "maker")
        steps = [{"name": "wait", "type": "pause"}, {"name": "go", "components": ["late"]}]
        other = await instance.save([conf("late", a="1")], name="other", namespace="team", workflow=steps)
        task_id = await instance.exec(other)

        async def holds() -> bool:
            return (await instance.task(task_id)).status is TaskStatus.RUNNING

        await instance.until(holds)
        (kept,) = await remove(instance, maker)
        (row,) = [row for row in await instance.journal(kept.id) if row.ref == SPACE]
        assert (row.state, task_id in row.why) == (ResourceState.KEPT, True)
        await instance.service.cancel(other, task_id, "ada", "no")
        await instance.settled(task_id)
        await remove(instance, other)
    assert not there(instance)


async def test_a_deletion_that_lands_late_takes_nothing_of_others_along(instance: Instance) -> None:
    """It was sent while the Namespace was empty; by the time that it lands somebody is in it."""
    quick = QUICK.model_copy(update={"cleanup_seconds": 1})
    async with instance.worker(quick):
        maker, other = await deployed(instance, "maker"), await deployed(instance, "other")
        await remove(instance, maker)
        late = instance.sim.faults.add(Fault("late", verb="delete", resource="namespaces", times=None))
        removal = await instance.service.delete_application(other, "ada")
        task = await instance.settled(removal.id)
        assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.INCOMPLETE)
        instance.sim.registry.create("configmaps", "team", THEIRS, manager="kubectl")
        await instance.service.retry_cleanup(removal.id)

        async def done() -> bool:
            return (await instance.task(removal.id)).cleanup is Cleanup.DONE

        await instance.until(done)
    await late.release()
    await instance.sim.controllers.settled()
    live = instance.sim.registry.get("namespaces", "", "team")
    assert "deletionTimestamp" not in live["metadata"]
    assert FENCE not in live["metadata"].get("annotations", {})
    assert [one.error for one in await orphans(instance, delete=True)] == ["it holds ConfigMap/theirs"]


BEFORE_IT_GOES = Point("call:delete:Namespace/*:before")
KILLS = [
    Point("commit:finish:before"),
    Point("commit:finish:after"),
    Point("commit:*intent*:before", 3),
    Point("call:delete:Namespace/*:after"),
    Point("commit:cleanup-done:before"),
]
CASES = [
    pytest.param(BEFORE_IT_GOES, True, id=f"{BEFORE_IT_GOES} furnished"),
    *(
        pytest.param(point, furnished, id=f"{point}{' furnished' * furnished}", marks=pytest.mark.proof)
        for point in KILLS
        for furnished in (False, True)
    ),
]


@pytest.mark.parametrize(("point", "furnished"), CASES)
async def test_killed_while_the_last_one_leaves(tmp_path: Path, migrated: Path, point: Point, furnished: bool) -> None:
    """Whatever somebody puts into it after a worker has died stays, unless the Namespace is going by then."""
    shutil.copy(migrated, tmp_path / "kubemin.db")
    async with World(tmp_path, [conf("beside", a="1")]) as stage:
        instance = stage.instance
        async with instance.worker():
            maker, other = await deployed(instance, "maker"), await deployed(instance, "other")
            await instance.settled(stage.task_id)
            await remove(instance, maker)
        removal = await instance.service.delete_application(other, "ada")
        script = replace(stage.script, app_id=other, task_id=removal.id)
        assert await run_child(replace(script, kill_at=point)) == KILLED
        live = instance.sim.registry.peek("namespaces", "", "team")
        stays = furnished and live is not None and "deletionTimestamp" not in live["metadata"]
        if stays:
            instance.sim.registry.create("configmaps", "team", THEIRS, manager="kubectl")
        expire_leases(stage)
        assert await run_child(script) == 0
        task = await instance.task(removal.id)
        assert (task.status, task.cleanup_why) == (TaskStatus.COMPLETED, "")
        assert there(instance) is stays
        if stays:
            live = instance.sim.registry.get("namespaces", "", "team")
            assert "deletionTimestamp" not in live["metadata"]
            assert instance.sim.registry.peek("configmaps", "team", "theirs") is not None
        assert [one.ref for one in await orphans(instance)] == ([SPACE] if stays else [])


async def test_a_cleanup_that_is_opened_again_takes_none_from_a_later_run(instance: Instance) -> None:
    """It has no slot of its own: a later run of its application may be at work, and have nothing in there yet."""
    registry = instance.sim.registry
    here, over = conf("here", a="1"), {**conf("over", a="1"), "namespace": "team"}
    async with instance.worker():
        maker = await deployed(instance, "maker")
        other = await instance.save([here, over], name="other", namespace="default")
        await instance.settled(await instance.exec(other))
        registry.create("configmaps", "team", THEIRS, manager="kubectl")
        await instance.save([here], app_id=other, name="other", namespace="default")
        drops = await instance.exec(other)
        assert (await instance.settled(drops)).cleanup is Cleanup.DONE
        await remove(instance, maker)
        registry.delete("configmaps", "team", "theirs")
        steps = [{"name": "wait", "type": "pause"}, {"name": "go", "components": ["over"]}]
        pauses = parse_application({"name": "other", "component": [here, over], "workflow": steps})
        later = (await instance.service.run(Posted(pauses), ExecOptions(), "ada")).id

        async def holds() -> bool:
            return (await instance.task(later)).status is TaskStatus.RUNNING

        await instance.until(holds)
        async with instance.db.begin("reopen") as tx:
            assert await tasks.reopen_cleanup(tx, drops)
        assert (await instance.settled(drops)).cleanup is Cleanup.INCOMPLETE
        assert there(instance)

        async def goes_on() -> bool:
            with contextlib.suppress(NotHeld, TaskEnded):
                await instance.service.promote(later, "ada")
            return (await instance.task(later)).status.ended

        await instance.until(goes_on)
        assert (await instance.task(later)).status is TaskStatus.COMPLETED
    assert there(instance)
