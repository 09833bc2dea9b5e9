"""The claims of a StatefulSet's templates (design R6, trap 17): what this task made goes, older data stays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kubemin.cluster.errors import Unanswered
from kubemin.engine import ExecOptions
from kubemin.engine.objects.dependents import uids_of_dependents
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubesim.faults import Armed, Fault, RequestInfo
from tests.engine.held import Held, stateful_set
from tests.engine.instance import Instance, conf, store, web
from tests.engine.test_answers import late
from tests.engine.test_points import differences
from tests.waiting import until


async def claims(instance: Instance | Held) -> dict[str, str]:
    """Name → uid of the claims that are there."""
    found = (await instance.cluster.list("PersistentVolumeClaim", "default")).items
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in found}


async def scaled_up(instance: Instance, before: int, after: int, **more: Any) -> tuple[str, str]:
    """A store of ``before`` replicas, deployed; then a run that scales it to ``after``, and waits for another thing."""
    app_id = await instance.save([store("db", replicas=before)])
    done = await instance.settled(await instance.exec(app_id))
    assert done.status is TaskStatus.COMPLETED, done.reason
    await instance.save([store("db", replicas=after), web("late", "late:never")], app_id=app_id)
    return app_id, await instance.exec(app_id, ExecOptions(**more))


async def test_scaled_from_one_to_three_and_cancelled(instance: Instance) -> None:
    async with instance.worker():
        app_id, task_id = await scaled_up(instance, 1, 3)
        old = await claims(instance)
        before = await instance.snapshot()
        await instance.until(lambda: number_of(instance, 3))
        await instance.service.cancel(app_id, task_id, "ada", "too many")
        task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert list(old) == ["data-shop-db-0"]
    assert await claims(instance) == old
    after = await instance.snapshot()
    ignored = {ref for ref in {*before, *after} if ref.kind in ("Deployment", "ReplicaSet", "Service", "Endpoints")}
    assert differences(without(before, ignored), without(after, ignored)) == []


async def test_claims_that_were_left_from_before_stay(instance: Instance) -> None:
    """Scaled down to one by a person once, claims 1 and 2 stayed with their data: they are used, and stay again."""
    async with instance.worker():
        app_id, task_id = await scaled_up(instance, 3, 3)
        await instance.service.cancel(app_id, task_id, "ada", "other plans")
        await instance.settled(task_id)
        name = "shop-db"
        scale = {"spec": {"replicas": 1}}
        instance.sim.registry.patch(
            "statefulsets", "default", name, "application/merge-patch+json", scale, manager="kubectl"
        )
        await instance.until(lambda: replicas_are(instance, name, 1))
        old = await claims(instance)
        assert len(old) == 3
        before = await instance.snapshot()
        await instance.save([store("db", replicas=4), web("late", "late:never")], app_id=app_id)
        task_id = await instance.exec(app_id)
        await instance.until(lambda: number_of(instance, 4))
        await instance.service.cancel(app_id, task_id, "ada", "too many")
        task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert await claims(instance) == old
    assert before[ObjectRef("StatefulSet", "default", name)]["spec"]["replicas"] == 1
    assert (await instance.snapshot())[ObjectRef("StatefulSet", "default", name)]["spec"]["replicas"] == 1


async def test_a_claim_that_comes_after_the_look_goes_too(instance: Instance) -> None:
    """Trap 17: the controller's request for claim 2 lands only when the rollback has already looked for claims."""
    async with instance.worker():
        app_id, task_id = await scaled_up(instance, 1, 3)
        old = await claims(instance)
        lagging = lag(instance, "data-*-2")
        await lagging.struck()
        arrive_after_the_last_look(instance, lagging, old)
        await instance.service.cancel(app_id, task_id, "ada", "too many")
        task = await instance.settled(task_id)
    assert lagging.outcomes[:1] == [201]
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert await claims(instance) == old


async def test_a_claim_that_comes_after_its_stateful_set_has_gone_goes_too(instance: Instance) -> None:
    before = await instance.snapshot()
    async with instance.worker():
        app_id = await instance.save([store("db", replicas=2)])
        lagging = lag(instance, "data-*-1")
        task_id = await instance.exec(app_id)
        await lagging.struck()
        arrive_after_the_last_look(instance, lagging, {})
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert lagging.outcomes[:1] == [201]
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert differences(before, await instance.snapshot()) == []


async def test_a_foreign_stateful_set_that_is_scaled_up_keeps_its_claim(held: Held) -> None:
    """It was made by others, and its claim is older than the task: told apart by uid, not by name."""
    bare = {**stateful_set(), "metadata": {"name": "db", "namespace": "default"}}
    held.sim.registry.create("statefulsets", "default", bare, manager="kubectl")
    old = await until(lambda: claims(held))
    await held.ensure(stateful_set(replicas=3))

    async def three() -> bool:
        return len(await claims(held)) == 3

    await until(three)
    assert await held.roll_back() == []
    assert await claims(held) == old
    (row,) = held.journal.resources.values()
    assert row.state is ResourceState.RESTORED


async def test_claims_go_though_somebody_deleted_the_stateful_set(held: Held) -> None:
    """It was others', and is lost; what our scaling made for it goes all the same, their claim stays."""
    bare = {**stateful_set(), "metadata": {"name": "db", "namespace": "default"}}
    held.sim.registry.create("statefulsets", "default", bare, manager="kubectl")
    old = await until(lambda: claims(held))
    await held.ensure(stateful_set(replicas=3))

    async def three() -> bool:
        return len(await claims(held)) == 3

    await until(three)
    held.sim.registry.delete("statefulsets", "default", "db")
    assert await held.roll_back() == []
    assert await claims(held) == old
    (row,) = held.journal.resources.values()
    assert row.state is ResourceState.LOST


async def test_claims_of_a_scaling_that_got_no_answer_go_though_its_restore_gets_none_either(held: Held) -> None:
    """By then nothing on the object tells that it was changed: the journal does."""
    bare = {**stateful_set(), "metadata": {"name": "db", "namespace": "default"}}
    held.sim.registry.create("statefulsets", "default", bare, manager="kubectl")
    old = await until(lambda: claims(held))
    wanted = held.manifests[1] = stateful_set(replicas=3)

    async def ready() -> Manifest | None:
        await held.sim.controllers.settled()
        look = await held.look(wanted)
        return (
            look
            if look and look["status"].get("readyReplicas") == look["status"].get("availableReplicas") == 1
            else None
        )

    look = await until(ready)
    held.sim.faults.add(Fault("drop", verb="apply", resource="statefulsets", when="after"))
    with pytest.raises(Unanswered):
        await held.tracker().change(wanted, look, await uids_of_dependents(held.cluster, wanted, look))

    async def three() -> bool:
        return len(await claims(held)) == 3

    await until(three)
    held.sim.faults.add(Fault("drop", verb="update", resource="statefulsets", when="after", times=None))
    assert await held.roll_back() == []
    assert await claims(held) == old
    (row,) = held.journal.resources.values()
    assert row.state is ResourceState.RESTORED


async def test_claims_of_a_create_that_got_no_answer_go_though_who_deletes_it_dies(held: Held) -> None:
    """The StatefulSet is gone when the successor looks: that it was ever there, only the journal tells."""
    refusal = Fault("status", code=403, verb="delete", resource="persistentvolumeclaims", times=None)
    refused = held.sim.faults.add(refusal)
    held.sim.faults.add(Fault("drop", verb="create", resource="statefulsets", when="after"))
    wanted = held.manifests[1] = stateful_set()
    with pytest.raises(Unanswered):
        await held.tracker().create(wanted, await uids_of_dependents(held.cluster, wanted, None))
    await until(lambda: claims(held))
    (left,) = await held.roll_back()
    assert "PersistentVolumeClaim/default/data-db-0" in left.why
    assert await held.look(stateful_set()) is None
    held.sim.faults.remove(refused)
    held.sim.registry.create("persistentvolumeclaims", "default", _theirs(), manager="kubectl")
    successor = await held.successor()
    assert await successor.roll_back() == []
    assert list(await claims(held)) == ["theirs"]


def _theirs() -> Manifest:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": "theirs"}, "spec": spec}


@asynccontextmanager
async def late_under_data(instance: Instance) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """A task that timed out, and the claims with which the next one completed.

    Somebody deletes the StatefulSet; after the block the first task's POST lands, and makes one that uses the claims.
    """
    app_id = await instance.save([store("db"), web("late", "late:never")])
    async with late(instance, verb="create", resource="statefulsets"):
        async with instance.worker():
            task = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=3)))
            assert (task.status, task.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE), task.cleanup_why
            assert await claims(instance) == {}
            await instance.save([store("db")], app_id=app_id)
            assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
            data = await claims(instance)
            assert data
            instance.sim.registry.delete("statefulsets", "default", "shop-db")
            await instance.until(lambda: store_is_gone(instance))
        yield task.id, data

    async def landed() -> bool:
        return not await store_is_gone(instance)

    await instance.until(landed)


async def store_is_gone(instance: Instance) -> bool:
    return not (await instance.cluster.list("StatefulSet", "default")).items


@pytest.mark.parametrize("cut", ["", "answer", "worker"])
async def test_a_late_create_takes_no_data_of_a_task_that_completed(instance: Instance, cut: str) -> None:
    """Also where the answer to the DELETE is lost, or the worker goes with it: its successor finds no object."""
    async with late_under_data(instance) as (task_id, data):
        pass
    deletes = Fault("hold" if cut == "worker" else "drop", verb="delete", resource="statefulsets", when="after")
    armed = instance.sim.faults.add(deletes) if cut else None
    async with instance.worker():
        if armed is not None:
            await armed.struck()
        if cut != "worker":
            await instance.until(lambda: is_undone(instance, task_id))
        elif armed is not None:
            await armed.release()
    async with instance.worker(name="second"):
        await instance.until(lambda: is_undone(instance, task_id))
    assert await claims(instance) == data
    whys = [row.why for row in await instance.journal(task_id) if row.ref.kind == "StatefulSet"]
    assert whys == [f"PersistentVolumeClaim/default/{name} holds data: kept" for name in data]


async def is_undone(instance: Instance, task_id: str) -> bool:
    """Whether the late object is gone, and the cleanup that deleted it is done."""
    return await store_is_gone(instance) and (await instance.task(task_id)).cleanup is Cleanup.DONE


@pytest.mark.parametrize("status", [TaskStatus.TIMEOUT, TaskStatus.COMPLETED])
async def test_a_leftover_that_is_taken_over_takes_no_data_along(held: Held, status: TaskStatus) -> None:
    """Whoever takes over a late StatefulSet and fails deletes it, but no claim that a task has completed with."""
    armed = held.sim.faults.add(Fault("late", verb="create", resource="statefulsets"))
    second = held
    if status is TaskStatus.TIMEOUT:
        with pytest.raises(Unanswered):
            await held.tracker().create(stateful_set(), await uids_of_dependents(held.cluster, stateful_set(), None))
        second = await held.next_task(TaskStatus.TIMEOUT, Cleanup.DONE)
    await second.ensure(stateful_set())
    data = await until(lambda: claims(held))
    third = await second.next_task()
    await delete_store(held)
    await armed.release()
    await until(lambda: held.look(stateful_set()))
    await third.ensure(stateful_set())
    assert await third.roll_back() == []
    assert await held.look(stateful_set()) is None
    assert await claims(held) == data


@pytest.mark.parametrize("theirs", [False, True], ids=["made", "changed"])
async def test_an_unfinished_cleanup_takes_no_data_of_the_task_that_came_next(held: Held, theirs: bool) -> None:
    """The next task went on with what the first one left, and completed: the claims are in use since."""
    if theirs:
        bare = {**stateful_set(), "metadata": {"name": "db", "namespace": "default"}}
        held.sim.registry.create("statefulsets", "default", bare, manager="kubectl")
        await until(lambda: claims(held))
    await held.ensure(stateful_set(replicas=2))
    await until(lambda: has(held, 2))
    second = await held.next_task(TaskStatus.TIMEOUT, Cleanup.INCOMPLETE)
    await second.ensure(stateful_set(replicas=2))
    await second.next_task()
    scale = {"spec": {"replicas": 3}}  # by a person: no task knows of this claim
    held.sim.registry.patch("statefulsets", "default", "db", "application/merge-patch+json", scale, manager="kubectl")
    await until(lambda: has(held, 3))
    data = await claims(held)
    await delete_store(held)
    again = await held.resumed()
    assert await again.roll_back() == []
    assert await claims(held) == data
    (row,) = again.journal.resources.values()
    assert all(f"{name} holds data: kept" in row.why for name in data if not (theirs and name == "data-db-0"))


async def delete_store(held: Held) -> None:
    held.sim.registry.delete("statefulsets", "default", "db")

    async def gone() -> bool:
        return await held.look(stateful_set()) is None

    await until(gone)


async def has(held: Held, number: int) -> bool:
    return len(await claims(held)) == number


async def test_a_claim_in_use_is_waited_for(held: Held) -> None:
    """The protection finalizer keeps a claim while a Pod mounts it: gone means gone, with the Pods first."""
    await held.ensure(stateful_set(replicas=2))

    async def bound() -> bool:
        items = (await held.cluster.list("PersistentVolumeClaim", "default")).items
        return len(items) == 2 and all(item["status"].get("phase") == "Bound" for item in items)

    await until(bound)
    assert await held.roll_back() == []
    assert await claims(held) == {}
    assert list(held.sim.registry.scan("persistentvolumes")) == []


@pytest.mark.parametrize("restart", [False, True], ids=["same-worker", "taken-over"])
async def test_a_claim_that_does_not_go_is_named(held: Held, restart: bool) -> None:
    stuck = held.sim.faults.add(Fault("stick", resource="persistentvolumeclaims", times=None))
    await held.ensure(stateful_set())
    await until(lambda: claims(held))
    left = await held.roll_back(seconds=1.5)
    assert [row.ref.kind for row in left] == ["StatefulSet"]
    assert "PersistentVolumeClaim/default/data-db-0" in left[0].why
    assert "kubesim.io/stuck" in left[0].why
    held.sim.faults.remove(stuck)
    await stuck.release()
    again = await held.successor() if restart else held
    assert await again.roll_back() == []
    assert await claims(held) == {}


async def test_a_retention_policy_of_others_is_kept_and_told(instance: Instance) -> None:
    async with instance.worker():
        app_id = await instance.save([store("db"), conf("own", a="1")])
        await instance.settled(await instance.exec(app_id))
        name, merge = "shop-db", "application/merge-patch+json"
        policy = {"whenDeleted": "Delete", "whenScaled": "Retain"}
        change = {"spec": {"persistentVolumeClaimRetentionPolicy": policy}}
        instance.sim.registry.patch("statefulsets", "default", name, merge, change, manager="kubectl")
        await instance.settled(await instance.exec(app_id))
        found = instance.sim.registry.get("statefulsets", "default", name)
        assert found["spec"]["persistentVolumeClaimRetentionPolicy"] == policy
        goes = await instance.previews.of_deletion(app_id, keep_resources=False, delete_volumes=False)
        assert ObjectRef("PersistentVolumeClaim", "default", f"data-{name}-0") in goes.removes
        await instance.save([conf("own", a="1")], app_id=app_id)
        task_id = await instance.exec(app_id)
        assert (await instance.settled(task_id)).cleanup is Cleanup.DONE
    told = {row.ref.name: row.why for row in await instance.journal(task_id)}
    assert told[name] == "its persistentVolumeClaimRetentionPolicy deletes its volume claims with it"


async def test_a_policy_of_others_for_a_store_that_is_scaled_down_is_told(instance: Instance) -> None:
    async with instance.worker():
        app_id = await instance.save([store("db", replicas=2)])
        await instance.settled(await instance.exec(app_id))
        name, merge = "shop-db", "application/merge-patch+json"
        change = {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Delete"}}}
        instance.sim.registry.patch("statefulsets", "default", name, merge, change, manager="kubectl")
        goes = (await instance.preview([store("db", replicas=1)])).parting
        assert ([ref.name for ref in goes.removes], goes.keeps) == ([f"data-{name}-1"], ())
        await instance.save([store("db", replicas=1)], app_id=app_id)
        task_id = await instance.exec(app_id)
        assert (await instance.settled(task_id)).status is TaskStatus.COMPLETED
        await until(lambda: _only(instance, f"data-{name}-0"))
    rows = await instance.journal(task_id)
    assert {row.ref.kind for row in rows if row.purpose.lets_go} == set()
    why = "its persistentVolumeClaimRetentionPolicy deletes the volume claims of the Pods that it no longer has"
    assert [row.why for row in rows if row.ref.kind == "StatefulSet"] == [why]


async def _only(instance: Instance, name: str) -> bool:
    return set(await claims(instance)) == {name}


async def test_what_becomes_of_data_is_told_before(instance: Instance) -> None:
    """The plan and a deletion that only tells name each volume claim; a plan says where kept data is used again."""
    volume = {"name": "up", "type": "persistent", "tmpCreate": True, "mountPath": "/up", "size": "1Gi"}
    spec = [store("db", replicas=2), web("api", traits={"storage": [volume]})]
    async with instance.worker():
        app_id = await instance.save(spec)
        await instance.settled(await instance.exec(app_id))
        data = {ObjectRef("PersistentVolumeClaim", "default", name) for name in await claims(instance)}
        assert len(data) == 3
        for goes in (
            (await instance.preview([conf("own", a="1")])).parting,
            await instance.previews.of_deletion(app_id, keep_resources=False, delete_volumes=False),
        ):
            assert (set(goes.keeps), data & {*goes.removes, *goes.releases}) == (data, set())
        for goes in (
            (await instance.preview([conf("own", a="1")], delete_volumes=True)).parting,
            await instance.previews.of_deletion(app_id, keep_resources=False, delete_volumes=True),
        ):
            assert (set(goes.keeps), data & {*goes.removes}) == (set(), data)
        fewer = (await instance.preview([store("db"), spec[1]])).parting
        assert [ref.name for ref in fewer.keeps] == ["data-shop-db-1"]
        goes = await instance.previews.of_deletion(app_id, keep_resources=True, delete_volumes=False)
        assert (goes.removes, goes.keeps) == ((), ())
        assert set(goes.releases) == set(await instance.objects(app_id))

        await instance.save([conf("own", a="1")], app_id=app_id)
        await instance.settled(await instance.exec(app_id))
        again = await instance.preview(spec)
    said = {job.ref.kind: again.preview_jobs[job.seq].changes for job in again.plan.jobs}
    used = "uses the volume claim that was kept, with its data"
    assert used in said["PersistentVolumeClaim"]
    assert len([line for line in said["StatefulSet"] if line.startswith(used)]) == 2


def lag(instance: Instance, name: str) -> Armed:
    return instance.sim.faults.add(Fault("lag", resource="persistentvolumeclaims", name=name, times=None))


def arrive_after_the_last_look(instance: Instance, lagging: Armed, old: dict[str, str]) -> Armed:
    """Let what lags land right after a list of claims that showed none but the old ones, before it is answered."""
    landed: list[RequestInfo] = []

    async def land(info: RequestInfo) -> None:
        there = {item["metadata"]["name"] for item in instance.sim.registry.scan("persistentvolumeclaims")}
        if there == set(old) and not landed:
            landed.append(info)
            instance.sim.faults.remove(lagging)
            await lagging.release()

    fault = Fault("call", verb="list", resource="persistentvolumeclaims", when="after", call=land, times=None)
    return instance.sim.faults.add(fault)


async def number_of(instance: Instance, number: int) -> bool:
    return len(await claims(instance)) == number


async def replicas_are(instance: Instance, name: str, number: int) -> bool:
    found: Manifest = instance.sim.registry.get("statefulsets", "default", name)
    return bool(found["status"].get("replicas") == number)


def without(snapshot: dict[ObjectRef, Manifest], refs: set[ObjectRef]) -> dict[ObjectRef, Manifest]:
    return {ref: obj for ref, obj in snapshot.items() if ref not in refs}
