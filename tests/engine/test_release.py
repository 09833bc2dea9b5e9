"""Letting go (design R11): what an application made is deleted, what it took over is released, data is kept."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kubemin.dispatch import LocalDoorbell
from kubemin.engine import ExecOptions, TaskService
from kubemin.engine.entry.sources import Draft
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.application import dump_steps
from kubemin.spec.ids import new_id
from kubemin.spec.labels import APP_ID, LABELS
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, Purpose, ResourceState, TaskStatus
from kubemin.store import Database, applications, workflows
from kubesim.faults import Fault
from tests.engine.instance import EVERYTHING, LIMITS, Instance, conf, store, web

SETTINGS = ObjectRef("ConfigMap", "default", "settings")
THEIRS = {"app.kubernetes.io/name": "theirs", "team": "a"}


def marks(obj: Manifest) -> list[str]:
    """What on an object says that it is KubeMin's."""
    meta = obj["metadata"]
    found = [f"label {name}" for name in meta.get("labels") or {} if name in LABELS - THEIRS.keys()]
    found += [f"annotation {name}" for name in meta.get("annotations") or {} if name.startswith("kubemin.io/")]
    managers = [entry["manager"] for entry in meta.get("managedFields") or []]
    return found + [f"manager {name}" for name in managers if name == "kubemin"]


def content(obj: Manifest) -> Manifest:
    """What an object holds, without what says whose it is."""
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}


async def adopted(instance: Instance, *more: dict[str, Any]) -> str:
    """An application that took a ConfigMap over, made another one, and has ``more``; deployed by a worker."""
    theirs = {"metadata": {"name": "settings", "labels": THEIRS}, "data": {"theirs": "1", "a": "0"}}
    instance.sim.registry.create("configmaps", "default", theirs, manager="kubectl")
    app_id = await instance.save([conf("settings", a="1") | {"adopt": True}, conf("own", a="1"), *more])
    await complete(instance, await instance.exec(app_id))
    return app_id


async def complete(instance: Instance, task_id: str) -> None:
    task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert task.cleanup in (Cleanup.NONE, Cleanup.DONE), task.cleanup_why


async def delete(instance: Instance, app_id: str, **how: bool) -> str:
    return (await instance.service.delete_application(app_id, "ada", **how)).id  # type: ignore[arg-type]  # only flags are given


async def live(instance: Instance, ref: ObjectRef) -> Manifest | None:
    found = (await instance.cluster.list(ref.kind, ref.namespace or None)).items
    return next((item for item in found if item["metadata"]["name"] == ref.name), None)


async def fates(instance: Instance, task_id: str) -> dict[str, tuple[ResourceState, str]]:
    rows = await instance.journal(task_id)
    return {row.ref.name: (row.state, row.why) for row in rows if row.purpose.lets_go}


@pytest.mark.parametrize("how", ["delete", "drop"])
async def test_what_was_taken_over_is_released_with_its_content(instance: Instance, how: str) -> None:
    async with instance.worker():
        app_id = await adopted(instance)
        before = await live(instance, SETTINGS)
        assert before is not None
        if how == "drop":
            await instance.save([conf("own", a="1")], app_id=app_id)
            task_id = await instance.exec(app_id)
        else:
            task_id = await delete(instance, app_id)
        await complete(instance, task_id)
    after = await live(instance, SETTINGS)
    assert after is not None
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert content(after) == content(before)
    assert marks(after) == []
    assert after["metadata"]["labels"] == THEIRS  # as before it was taken over
    assert (await fates(instance, task_id))["settings"] == (ResourceState.RELEASED, "")
    assert (await live(instance, ObjectRef("ConfigMap", "default", "own")) is None) is (how == "delete")


async def test_what_others_own_by_now_stays_as_they_want_it(instance: Instance) -> None:
    async with instance.worker():
        app_id = await adopted(instance)
        mine = {"metadata": {"labels": {"app.kubernetes.io/part-of": "us"}, "annotations": {"note": "keep"}}}
        merge = "application/merge-patch+json"
        instance.sim.registry.patch("configmaps", "default", "settings", merge, mine, manager="kubectl")
        await complete(instance, await delete(instance, app_id))
    after = await live(instance, SETTINGS)
    assert after is not None
    assert after["metadata"]["labels"] == {**THEIRS, "app.kubernetes.io/part-of": "us"}
    assert after["metadata"]["annotations"] == {"note": "keep"}


async def test_keep_resources_releases_all_and_no_pod_starts_again(instance: Instance) -> None:
    async with instance.worker():
        app_id = await instance.save(EVERYTHING)
        await complete(instance, await instance.exec(app_id))
        there = [await live(instance, ref) for ref in await instance.objects(app_id)]
        pods = await pod_uids(instance)
        task_id = await delete(instance, app_id, keep_resources=True)
        await complete(instance, task_id)
        await instance.sim.controllers.settled()
    for obj in there:
        assert obj is not None
        after = await live(instance, ObjectRef.of(obj))
        assert after is not None, f"{ObjectRef.of(obj)} is gone"
        assert content(after) == content(obj)
        assert marks(after) == []
    assert await pod_uids(instance) == pods
    assert {state for state, _ in (await fates(instance, task_id)).values()} == {ResourceState.RELEASED}


async def test_nothing_of_what_was_kept_bars_the_next_application_of_the_same_file(instance: Instance) -> None:
    async with instance.worker():
        first = await instance.save([conf("settings", a="1")])
        await complete(instance, await instance.exec(first))
        await complete(instance, await delete(instance, first, keep_resources=True))
        second = await instance.save([conf("settings", a="2")])
        await complete(instance, await instance.exec(second, ExecOptions(adopt=True)))
        now = await live(instance, SETTINGS)
        assert now is not None
        assert (now["data"], now["metadata"]["labels"][APP_ID]) == ({"a": "2"}, second)
        task_id = await delete(instance, second)
        await complete(instance, task_id)
    assert (await fates(instance, task_id))["settings"] == (ResourceState.RELEASED, "")  # a stranger's by then


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_to_a_release_does_not_matter(instance: Instance, when: Any) -> None:
    async with instance.worker():
        app_id = await adopted(instance)
        lost = instance.sim.faults.add(Fault("drop", verb="update", resource="configmaps", when=when, times=2))
        task_id = await delete(instance, app_id)
        await complete(instance, task_id)
        await lost.struck()
    after = await live(instance, SETTINGS)
    assert after is not None
    assert marks(after) == []


async def test_a_refused_release_is_incomplete_and_named_and_goes_on(instance: Instance) -> None:
    async with instance.worker():
        app_id = await adopted(instance)
        refusal = Fault("status", code=403, verb="update", resource="configmaps", times=None)
        refused = instance.sim.faults.add(refusal)
        await instance.save([conf("own", a="1")], app_id=app_id)
        task_id = await instance.exec(app_id)
        task = await instance.settled(task_id)
        assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.INCOMPLETE)
        assert "ConfigMap/default/settings: the API server refuses to let go of it" in task.cleanup_why
        instance.sim.faults.remove(refused)
        await instance.service.retry_cleanup(task_id)

        async def done() -> bool:
            return (await instance.task(task_id)).cleanup is Cleanup.DONE

        await instance.until(done)
    after = await live(instance, SETTINGS)
    assert after is not None
    assert marks(after) == []


async def test_twice_and_at_once_is_as_once(instance: Instance) -> None:
    """Two deletions of one application: the second supersedes the first, and finds what that has done."""
    async with instance.worker():
        app_id = await adopted(instance)
        held = instance.sim.faults.add(Fault("hold", verb="update", resource="configmaps", when="after"))
        first = await delete(instance, app_id, keep_resources=True)
        await held.struck()
        second = await delete(instance, app_id, keep_resources=True)
        await held.release()
        ends = await asyncio.gather(instance.settled(first), instance.settled(second))
    assert [task.status for task in ends] == [TaskStatus.CANCELLED, TaskStatus.COMPLETED]
    for name in ("settings", "own"):
        after = await live(instance, ObjectRef("ConfigMap", "default", name))
        assert after is not None
        assert marks(after) == []


@pytest.mark.parametrize("other", ["gone", "another"])
async def test_what_is_gone_or_another_by_then_is_said_to_be_lost(instance: Instance, other: str) -> None:
    async with instance.worker():
        app_id = await adopted(instance)
        instance.sim.registry.delete("configmaps", "default", "settings")
        if other == "another":
            theirs = {"metadata": {"name": "settings"}, "data": {}}
            instance.sim.registry.create("configmaps", "default", theirs, manager="kubectl")
        before = await live(instance, SETTINGS)
        task_id = await delete(instance, app_id)
        await complete(instance, task_id)
    assert (await fates(instance, task_id))["settings"][0] is ResourceState.LOST
    assert await live(instance, SETTINGS) == before


@asynccontextmanager
async def owed(instance: Instance, *, completed: bool) -> AsyncIterator[tuple[str, str, Manifest]]:
    """An application, a task of it whose restore is refused, and the object as it was before that task.

    It was a stranger's then, or a task had ``completed`` with it. At the end of the block the refusal ends.
    """
    theirs = {"metadata": {"name": "settings", "labels": THEIRS}, "data": {"theirs": "1", "a": "0"}}
    instance.sim.registry.create("configmaps", "default", theirs, manager="kubectl")
    app_id = await instance.save([conf("settings", a="1") | {"adopt": True}])
    if completed:
        await complete(instance, await instance.exec(app_id))
    before = await live(instance, SETTINGS)
    assert before is not None
    await instance.save([conf("settings", a="2") | {"adopt": True}, web("late", "late:never")], app_id=app_id)
    refused = instance.sim.faults.add(Fault("status", code=403, verb="update", resource="configmaps", times=None))
    task = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=1)))
    assert (task.status, task.cleanup) == (TaskStatus.TIMEOUT, Cleanup.INCOMPLETE)
    yield app_id, task.id, before
    instance.sim.faults.remove(refused)


@pytest.mark.parametrize("keep", [False, True], ids=["delete", "keep-resources"])
@pytest.mark.parametrize("completed", [False, True], ids=["stranger's", "ours"])
async def test_what_a_cleanup_is_still_to_put_back_is_put_back_before_it_is_released(
    instance: Instance, keep: bool, completed: bool
) -> None:
    """A release takes the token off by which the rollback knows its change: the removal has the cleanup tried again."""
    async with instance.worker():
        async with owed(instance, completed=completed) as (app_id, task_id, before):
            pass
        await complete(instance, await delete(instance, app_id, keep_resources=keep))
        assert (await instance.task(task_id)).cleanup is Cleanup.DONE
    after = await live(instance, SETTINGS)
    assert after is not None
    assert (content(after), marks(after), after["metadata"]["labels"]) == (content(before), [], THEIRS)


async def test_a_release_waits_for_a_cleanup_that_stays_incomplete_and_names_it(instance: Instance) -> None:
    """Until somebody abandons it: then the object is released as it is."""
    async with instance.worker():
        async with owed(instance, completed=False) as (app_id, task_id, before):
            removal = await instance.settled(await delete(instance, app_id))
            assert removal.status is TaskStatus.TIMEOUT
            assert f"put back first, by the cleanup of task {task_id}, which is incomplete" in removal.reason
            assert (await live(instance, SETTINGS) or {})["metadata"]["labels"][APP_ID] == app_id
            await instance.service.abandon_cleanup(task_id, "ada")
        await complete(instance, await delete(instance, app_id))
    after = await live(instance, SETTINGS)
    assert after is not None
    assert (after["data"], marks(after)) == ({**before["data"], "a": "2"}, [])


@pytest.mark.parametrize("how", ["delete", "drop", "keep-resources"])
async def test_what_a_task_adopted_and_left_changed_is_released(instance: Instance, how: str) -> None:
    """The task failed, and was not to restore: no other task has completed with the object."""
    theirs = {"metadata": {"name": "settings", "labels": THEIRS}, "data": {"theirs": "1", "a": "0"}}
    instance.sim.registry.create("configmaps", "default", theirs, manager="kubectl")
    app_id = await instance.save([conf("settings", a="1") | {"adopt": True}, web("late", "late:never")])
    async with instance.worker():
        failed = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=1, restore=False)))
        assert (failed.status, failed.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE)
        before = await live(instance, SETTINGS)
        if how == "drop":
            await instance.save([conf("own", a="1")], app_id=app_id)
            task_id = await instance.exec(app_id)
        else:
            task_id = await delete(instance, app_id, keep_resources=how == "keep-resources")
        await complete(instance, task_id)
    after = await live(instance, SETTINGS)
    assert before is not None
    assert after is not None
    assert content(after) == content(before)
    assert (marks(after), after["metadata"]["labels"]) == ([], THEIRS)
    assert (await fates(instance, task_id))["settings"] == (ResourceState.RELEASED, "")


@pytest.mark.parametrize("keep", [False, True], ids=["delete", "keep-resources"])
async def test_what_another_application_has_by_now_is_not_released(instance: Instance, keep: bool) -> None:
    """Somebody took the marks off, and another application adopted the very object: all of it is that one's."""
    async with instance.worker():
        app_id = await adopted(instance)
        now = await live(instance, SETTINGS)
        assert now is not None
        bare = {name: now["metadata"][name] for name in ("name", "namespace", "uid", "resourceVersion")}
        await instance.cluster.replace({**now, "metadata": bare})
        second = await instance.save([conf("settings", a="2") | {"adopt": True}], name="other")
        await complete(instance, await instance.exec(second))
        before = await live(instance, SETTINGS)
        task_id = await delete(instance, app_id, keep_resources=keep)
        await complete(instance, task_id)
        assert await live(instance, SETTINGS) == before
        assert (await fates(instance, task_id))["settings"] == (
            ResourceState.RELEASED,
            "other uses it, and has it from now on",
        )
        await complete(instance, await delete(instance, second))
    after = await live(instance, SETTINGS)
    assert after is not None
    assert marks(after) == []


async def test_a_rollback_of_the_task_that_takes_over_puts_back_and_releases_nothing(instance: Instance) -> None:
    theirs = {"metadata": {"name": "settings", "labels": THEIRS}, "data": {"theirs": "1"}}
    instance.sim.registry.create("configmaps", "default", theirs, manager="kubectl")
    before = await instance.snapshot()
    app_id = await instance.save([conf("settings", a="1") | {"adopt": True}, web("late", "late:never")])
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=1)))
        assert task.cleanup is Cleanup.DONE, task.cleanup_why
        task_id = await delete(instance, app_id)
        await complete(instance, task_id)
    assert await instance.snapshot() == before
    assert await fates(instance, task_id) == {}


async def claims(instance: Instance) -> set[str]:
    found = (await instance.cluster.list("PersistentVolumeClaim", "default")).items
    return {item["metadata"]["name"] for item in found}


async def pod_uids(instance: Instance) -> set[str]:
    return {pod["metadata"]["uid"] for pod in (await instance.cluster.list("Pod", "default")).items}


def uploads(name: str = "api") -> dict[str, Any]:
    """A webservice with a volume of its own."""
    volume = {"name": "up", "type": "persistent", "tmpCreate": True, "mountPath": "/up", "size": "1Gi"}
    return web(name, traits={"storage": [volume]})


Change = Callable[[Instance, str], Any]


async def drop(instance: Instance, app_id: str, delete_volumes: bool = False) -> str:
    await instance.save([conf("own", a="1")], app_id=app_id)
    return await instance.exec(app_id, ExecOptions(delete_volumes=delete_volumes))


async def rename(instance: Instance, app_id: str, delete_volumes: bool = False) -> str:
    await instance.save([store("db2"), web("api")], app_id=app_id)
    return await instance.exec(app_id, ExecOptions(delete_volumes=delete_volumes))


@pytest.mark.parametrize("change", [drop, rename, delete])
@pytest.mark.parametrize("asked", [False, True], ids=["kept", "deleted"])
async def test_data_goes_only_where_that_is_asked_for(instance: Instance, change: Change, asked: bool) -> None:
    async with instance.worker():
        app_id = await instance.save([store("db", replicas=2), uploads()])
        await complete(instance, await instance.exec(app_id))
        old = await claims(instance)
        assert len(old) == 3
        task_id = await change(instance, app_id, **({"delete_volumes": True} if asked else {}))
        await complete(instance, task_id)
        left = await claims(instance) & old
    said = {name: fate for name, fate in (await fates(instance, task_id)).items() if name in old}
    if asked:
        assert left == set()
        assert said == dict.fromkeys(old, (ResourceState.DELETED, ""))
    else:
        assert left == old
        assert said == dict.fromkeys(old, (ResourceState.KEPT, "holds data: kept"))


@pytest.mark.parametrize("asked", [False, True], ids=["kept", "deleted"])
async def test_a_store_that_is_scaled_down_keeps_its_data(instance: Instance, asked: bool) -> None:
    async with instance.worker():
        app_id = await instance.save([store("db", replicas=3)])
        await complete(instance, await instance.exec(app_id))
        old = await claims(instance)
        await instance.save([store("db", replicas=1)], app_id=app_id)
        task_id = await instance.exec(app_id, ExecOptions(delete_volumes=asked))
        await complete(instance, task_id)
        unused = {name for name in old if not name.endswith("-0")}
        assert len(unused) == 2
        said = await fates(instance, task_id)
        state, why = (ResourceState.DELETED, "") if asked else (ResourceState.KEPT, "holds data: kept")
        assert said == dict.fromkeys(unused, (state, why))
        assert await claims(instance) == (old - unused if asked else old)
        again = await instance.exec(app_id)  # named once, not at each run
        await complete(instance, again)
        assert await fates(instance, again) == {}


async def test_a_later_component_of_the_same_name_finds_its_data(instance: Instance) -> None:
    spec = [store("db"), uploads()]
    async with instance.worker():
        app_id = await instance.save(spec)
        await complete(instance, await instance.exec(app_id))
        old = {item["metadata"]["uid"] for item in (await instance.cluster.list("PersistentVolumeClaim")).items}
        await complete(instance, await drop(instance, app_id))
        await instance.save(spec, app_id=app_id)
        await complete(instance, await instance.exec(app_id))
        now = {item["metadata"]["uid"] for item in (await instance.cluster.list("PersistentVolumeClaim")).items}
        assert now == old
        # A run that deletes volumes does not take what is in use again.
        await instance.save([*spec, conf("more", a="1")], app_id=app_id)
        await complete(instance, await instance.exec(app_id, ExecOptions(delete_volumes=True)))
        assert len(await claims(instance)) == 2
        task_id = await delete(instance, app_id)
        await complete(instance, task_id)
    names = await claims(instance)
    assert len(names) == 2
    said = await fates(instance, task_id)
    assert {said[name] for name in names} == {(ResourceState.KEPT, "holds data: kept")}


async def test_data_that_was_kept_before_goes_with_the_application_where_asked(instance: Instance) -> None:
    async with instance.worker():
        app_id = await instance.save([store("db"), uploads()])
        await complete(instance, await instance.exec(app_id))
        await complete(instance, await drop(instance, app_id))
        assert len(await claims(instance)) == 2
        await complete(instance, await delete(instance, app_id, delete_volumes=True))
    assert await claims(instance) == set()


async def test_a_rollback_takes_its_own_claims_whatever_the_options_say(instance: Instance) -> None:
    before = await instance.snapshot()
    app_id = await instance.save([store("db"), uploads(), web("late", "late:never")])
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=3)))
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert await instance.snapshot() == before


async def test_the_journal_tells_release_and_removal_apart(instance: Instance) -> None:
    async with instance.worker():
        task_id = await delete(instance, await adopted(instance))
        await complete(instance, task_id)
    purposes = {row.ref.name: row.purpose for row in await instance.journal(task_id)}
    assert purposes == {"settings": Purpose.RELEASE, "own": Purpose.REMOVE}


async def test_a_key_of_before_its_deletion_gives_no_task_of_the_former_application(instance: Instance) -> None:
    """An application that is made anew has the same id."""
    parts = [conf("own", a="1")]
    app_id = await instance.save(parts)
    async with instance.worker():
        former = await instance.service.run(Draft(app_id), ExecOptions(), "tester", "", "key", "hash")
        await complete(instance, former.id)
        same = await instance.service.run(Draft(app_id), ExecOptions(), "tester", "", "key", "hash")
        assert same.id == former.id
        await complete(instance, await delete(instance, app_id))
        assert await instance.save(parts) == app_id
        again = await instance.service.run(Draft(app_id), ExecOptions(), "tester", "", "key", "hash")
        assert again.id != former.id
        await complete(instance, again.id)


@asynccontextmanager
async def without_its_database(instance: Instance, app_id: str, path: Path) -> AsyncIterator[Instance]:
    """The same cluster, and a new database in which the application has its id and nothing else."""
    db = await Database.open(f"sqlite:///{path}/new.db")
    try:
        await db.migrate()
        async with db.begin("save") as tx:
            new = applications.NewApplication(id=app_id, name="shop", namespace="default", config_key="random")
            await applications.insert(tx, new)
            flow = workflows.NewWorkflow(id=new_id(), app_id=app_id, name="deploy", steps=dump_steps([]))
            await workflows.insert(tx, flow)
        hub = LocalHub()
        service = TaskService(db, LocalSignals(hub), LocalDoorbell(), LIMITS)
        yield Instance(db, instance.sim, instance.cluster, service, hub)
    finally:
        await db.aclose()


@pytest.mark.parametrize("end", [TaskStatus.COMPLETED, TaskStatus.CANCELLED])
async def test_what_had_the_application_s_label_before_its_database_was_lost_is_its_own(
    instance: Instance, tmp_path: Path, end: TaskStatus
) -> None:
    """Also where the first task of the new database had written all, was cancelled, and put all back."""
    before = await instance.snapshot()
    parts = [*EVERYTHING, uploads("files")]
    app_id = await instance.save(parts)
    async with instance.worker():
        await complete(instance, await instance.exec(app_id))
    old = await claims(instance)
    assert old
    late = [] if end is TaskStatus.COMPLETED else [web("late", "late:never")]
    async with without_its_database(instance, app_id, tmp_path) as new, new.worker():
        await new.save([*parts, *late], app_id=app_id)
        first = await new.exec(app_id)

        async def only_late_is_left() -> bool:
            rows = await new.jobs(first)
            return all(row.status.ended or (row.component == "late" and row.info) for row in rows)

        if late:
            await new.until(only_late_is_left)
            await new.service.cancel(app_id, first, "ada", "no")
        task = await new.settled(first)
        assert (task.status, task.cleanup) == (end, Cleanup.DONE if late else Cleanup.NONE), task.reason
        task_id = await delete(new, app_id)
        await complete(new, task_id)
        assert {state for state, _ in (await fates(new, task_id)).values()} <= {
            ResourceState.DELETED,
            ResourceState.KEPT,
        }
        assert {ref.name for ref in set(await new.snapshot()) - set(before)} == old


async def test_a_stranger_s_object_stays_one_while_tasks_of_the_application_change_it(instance: Instance) -> None:
    """Also where the task that took it over failed and could not put it back."""
    theirs = {"metadata": {"name": "settings", "labels": THEIRS}, "data": {"theirs": "1"}}
    instance.sim.registry.create("configmaps", "default", theirs, manager="kubectl")
    app_id = await instance.save([conf("settings", a="1"), web("late", "late:never")])
    options = ExecOptions(adopt=True, timeout_seconds=1, restore=False)
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id, options))
        assert task.status is TaskStatus.TIMEOUT, task.reason
        await instance.save([conf("settings", a="2")], app_id=app_id)
        await complete(instance, await instance.exec(app_id))
        task_id = await delete(instance, app_id)
        await complete(instance, task_id)
    assert (await fates(instance, task_id))["settings"] == (ResourceState.RELEASED, "")
    after = await live(instance, SETTINGS)
    assert after is not None
    assert (after["data"], after["metadata"]["labels"]) == ({"theirs": "1", "a": "2"}, THEIRS)
