"""Rules that facts about Kubernetes and asyncio call for; docs/traps.md says which test shows which."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from kubemin.cluster.errors import Unanswered
from kubemin.engine import ExecOptions
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.objects.ownership import token_of
from kubemin.engine.supervise.scope import Scope, Stop
from kubemin.shield import to_the_end
from kubemin.spec.kinds import KINDS
from kubemin.spec.labels import WRITE_TOKEN
from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, ResourceState, TaskStatus
from kubemin.store import Database
from kubesim.faults import Fault, RequestInfo
from tests.engine.held import LABELS, Held, config_map, deployment, essence
from tests.engine.instance import EVERYTHING, Instance, conf, web
from tests.engine.test_points import differences

MERGE = "application/merge-patch+json"


def service(name: str = "api", port: int = 80) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "labels": dict(LABELS)},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": port, "targetPort": port}]},
    }


def foreign(held: Held, manifest: Manifest) -> Manifest:
    bare = {**manifest, "metadata": {k: v for k, v in manifest["metadata"].items() if k != "labels"}}
    made = held.sim.registry.create(KINDS[manifest["kind"]].plural, "default", bare, manager="kubectl")
    return {**made, "apiVersion": manifest["apiVersion"], "kind": manifest["kind"]}


async def test_every_apply_carries_uid_and_version(instance: Instance) -> None:
    """Trap 4: with a version only, an apply would create what somebody has just deleted."""
    bodies: list[Manifest] = []
    app_id = await instance.save(EVERYTHING)
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        keep = Fault("call", verb="apply", times=None, call=lambda info: bodies.append(json.loads(info.body)))
        instance.sim.faults.add(keep)
        labelled = [{**one, "properties": {**one["properties"], "labels": {"team": "a"}}} for one in EVERYTHING]
        await instance.save(labelled, app_id=app_id)
        task = await instance.settled(await instance.exec(app_id))
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert len(bodies) == len(await instance.jobs(task.id))
    for body in bodies:
        assert body["metadata"]["uid"]
        assert body["metadata"]["resourceVersion"]
        assert body["metadata"]["annotations"][WRITE_TOKEN]


async def test_what_goes_between_the_look_and_the_change_is_made_anew(held: Held) -> None:
    """Trap 4: the apply meets nothing, and creates nothing: what is made then is known as ours, and goes."""
    foreign(held, config_map(a="0", z="9"))

    def delete(_: RequestInfo) -> None:
        held.sim.registry.delete("configmaps", "default", "settings")

    held.sim.faults.add(Fault("call", verb="apply", resource="configmaps", call=delete))
    made = await held.ensure(config_map(a="1"))
    assert made["data"] == {"a": "1"}
    (row,) = held.journal.resources.values()
    assert (row.state, row.before) == (ResourceState.CREATED, None)
    assert await held.roll_back() == []
    assert await held.look(made) is None


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_restore_never_makes_again_what_was_deleted(held: Held, when: Any) -> None:
    """Trap 5: a PUT on an absent Service creates it, with a version too; ours carry its uid."""
    before = foreign(held, service())
    changed = service()
    changed["spec"]["ports"][0]["targetPort"] = 8080
    await held.ensure(changed)

    def delete(_: RequestInfo) -> None:
        held.sim.registry.delete("services", "default", "api")

    held.sim.faults.add(Fault("call", verb="update", resource="services", call=delete, when=when))
    assert await held.roll_back() == []
    assert await held.look(before) is None
    (row,) = held.journal.resources.values()
    assert row.state is ResourceState.LOST


async def test_a_service_keeps_its_address_through_change_and_restore(held: Held) -> None:
    """Trap 12: it is changed in place, never deleted and made again."""
    before = foreign(held, service())
    changed = service()
    changed["spec"]["ports"][0]["targetPort"] = 8080
    during = await held.ensure(changed)
    assert during["spec"]["clusterIP"] == before["spec"]["clusterIP"]
    assert await held.roll_back() == []
    after = await held.look(before)
    assert after is not None
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert essence(after) == essence(before)


async def test_values_that_come_back_in_another_form_are_ours_all_the_same(held: Held) -> None:
    """Trap 8: compared is what the server answered, not what was sent: 0.5 is 500m, and nobody else's change."""
    before = foreign(held, deployment(image="api:1"))
    wanted = deployment(image="api:2")
    (container,) = wanted["spec"]["template"]["spec"]["containers"]
    container["resources"] = {"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"cpu": 1}}
    container["env"] = [{"name": "EMPTY", "value": ""}]
    container["command"] = []
    during = await held.ensure(wanted)
    assert during["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "500m"
    assert await held.roll_back() == []
    assert essence(await held.look(before)) == essence(before)
    (row,) = held.journal.resources.values()
    assert (row.state, row.why) == (ResourceState.RESTORED, "")


async def test_what_others_keep_in_a_merged_list_stays(held: Held) -> None:
    """Trap 14: an apply merges; a container that the application does not have runs on beside its own."""
    theirs = deployment(image="api:1")
    theirs["spec"]["template"]["spec"]["containers"].append({"name": "proxy", "image": "proxy:1"})
    before = foreign(held, theirs)
    made = await held.ensure(deployment(image="api:2"))
    assert [one["image"] for one in made["spec"]["template"]["spec"]["containers"]] == ["api:2", "proxy:1"]
    assert await held.roll_back() == []
    assert essence(await held.look(before)) == essence(before)


async def test_what_others_keep_is_told_before_and_after(instance: Instance) -> None:
    app_id = await instance.save([web("api")])
    labels = {"app.kubernetes.io/name": "api", "kubemin.io/app-id": app_id}
    theirs: Manifest = {
        "metadata": {"name": "shop-api"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "proxy", "image": "proxy:1"}]},
            },
        },
    }
    instance.adopts = True
    instance.sim.registry.create("deployments", "default", theirs, manager="kubectl")
    async with instance.worker():
        task_id = await instance.exec(app_id)
        task = await instance.settled(task_id)
        told = await instance.exec(app_id, ExecOptions(dry_run=True))
        await instance.settled(told)
    assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.NONE), task.reason
    kept = "keeps spec.template.spec.containers[proxy] (manager kubectl)"
    for one in (task_id, told):
        (info,) = [job.info for job in await instance.jobs(one) if job.name.split("/")[1] == "Deployment"]
        assert kept in info


async def test_a_claim_that_was_stripped_from_an_unanswered_create_is_named(held: Held) -> None:
    """Trap 18: nothing says any more that it is ours, so it is not deleted."""
    held.sim.faults.add(Fault("drop", verb="create", resource="configmaps", when="after"))
    tracker = held.tracker()
    with pytest.raises(Unanswered):
        await tracker.create(config_map(a="1"), {})
    strip = {"metadata": {"annotations": {WRITE_TOKEN: None}}}
    held.sim.registry.patch("configmaps", "default", "settings", MERGE, strip, manager="someone")
    assert await held.roll_back() == []
    assert await held.look(config_map()) is not None
    (row,) = held.journal.resources.values()
    assert row.state is ResourceState.KEPT
    assert row.why == "it does not carry this task's write token"


async def test_an_object_whose_claim_nobody_knows_is_left_to_orphans(
    instance: Instance, tmp_path: Path, migrated: Path
) -> None:
    """Trap 25: claims that were pruned or lost are no reason to touch anything."""
    app_id = await instance.save([conf("settings", a="1"), web("api")])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
    before = await instance.snapshot()
    shutil.copy(migrated, tmp_path / "lost.db")
    lost = await Database.open(f"sqlite:///{tmp_path}/lost.db")
    elsewhere = Instance(lost, instance.sim, instance.cluster, instance.service, instance.hub)
    async with elsewhere.worker() as engine:
        reaper = engine._reapers[0]

        seen: list[ObjectRef] = []
        judge = reaper._judge

        async def noted(what: dict[ObjectRef, Any]) -> None:
            await judge(what)
            seen.extend(what)

        reaper._judge = noted  # type: ignore[method-assign, assignment]

        async def judged() -> bool:
            return {"ConfigMap", "Deployment", "Service"} <= {ref.kind for ref in seen} and not reaper._seen

        await instance.until(judged)
    assert differences(before, await instance.snapshot()) == []
    assert {one.ref.kind for one in await Orphans(lost, instance.cluster, Limits()).find()} >= {
        "ConfigMap",
        "Deployment",
    }
    await lost.aclose()


async def test_a_sent_write_runs_to_its_end_under_a_cancel() -> None:
    """Trap 28: the cancel is not lost, it comes afterwards."""
    going, release = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def write() -> str:
        going.set()
        await release.wait()
        done.append("written")
        return "answer"

    async def caller() -> None:
        await to_the_end(write())
        done.append("went on")

    task = asyncio.create_task(caller())
    await going.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert done == []
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["written"]


async def test_a_write_that_fails_under_a_cancel_is_a_cancel_with_that_cause() -> None:
    going, release = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        going.set()
        await release.wait()
        raise ValueError("refused")

    task = asyncio.create_task(to_the_end(write()))
    await going.wait()
    task.cancel()
    await asyncio.sleep(0)
    release.set()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert isinstance(caught.value.__cause__, ValueError)


async def test_the_reason_is_recorded_before_the_scope_ends() -> None:
    """Trap 28: `CancelledError` carries no cause; the scope does, and the first one stays."""
    scope, seen = Scope(), list[object]()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append(scope.reason)
            raise

    running = asyncio.create_task(scope.run(work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    scope.end(Stop.CANCEL, "wrong version")
    scope.end(Stop.SHUTDOWN)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert scope.reason is not None
    assert (scope.reason.stop, scope.reason.text) == (Stop.CANCEL, "wrong version")
    assert seen == [scope.reason]


async def test_a_write_in_flight_is_not_cut_short_by_a_cancel(instance: Instance) -> None:
    """Trap 28: the cancel comes while the POST is on its way; its answer is journalled, and it is rolled back."""
    before = await instance.snapshot()
    held_up = instance.sim.faults.add(Fault("hold", verb="create", resource="configmaps"))
    app_id = await instance.save([conf("settings", a="1")])
    async with instance.worker():
        task_id = await instance.exec(app_id)
        await held_up.struck()
        await instance.service.cancel(app_id, task_id, "ada", "no")
        await held_up.release()
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE)
    (row,) = await instance.journal(task_id)
    assert row.state is ResourceState.DELETED
    assert row.uid  # it was made, and the answer was taken
    assert differences(before, await instance.snapshot()) == []


async def test_a_cancel_in_the_middle_of_a_rollback_does_not_stop_it(instance: Instance) -> None:
    """Trap 29: again and again, from the service and by signal, between any two awaits of it."""
    before = await instance.snapshot()
    app_id = await instance.save([*EVERYTHING, web("late", "late:never")])
    async with instance.worker():
        task_id = await instance.exec(app_id)

        async def waits() -> bool:
            jobs = await instance.jobs(task_id)
            return any(job.component == "late" and job.status is JobStatus.RUNNING and job.info for job in jobs)

        await instance.until(waits)
        again: list[asyncio.Task[Any]] = []

        def cancel(_: RequestInfo) -> None:
            again.append(asyncio.create_task(instance.service.cancel(app_id, task_id, "bob", "really")))

        instance.sim.faults.add(Fault("call", verb="*", times=20, call=cancel))
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
        await asyncio.gather(*again)
    assert len(again) > 5
    assert (task.cleanup, task.cancelled_by, task.reason) == (Cleanup.DONE, "ada", "no"), task.cleanup_why
    assert differences(before, await instance.snapshot()) == []


async def test_what_a_quota_or_the_schema_refuses_stops_the_task_first(instance: Instance) -> None:
    """Asked before the first write; with `preflight: false` found at the write, and rolled back."""
    limits = {"metadata": {"name": "small"}, "spec": {"hard": {"count/deployments.apps": "0"}}}
    instance.sim.registry.create("resourcequotas", "default", limits, manager="admin")
    before = await instance.snapshot()
    app_id = await instance.save([conf("settings", a="1"), web("api")])
    async with instance.worker():
        asked = await instance.settled(await instance.exec(app_id))
        assert (asked.status, asked.cleanup) == (TaskStatus.FAILED, Cleanup.NONE)
        assert "refused before anything was written" in asked.reason
        assert "exceeded quota: small" in asked.reason
        assert await instance.journal(asked.id) == []
        unasked = await instance.settled(await instance.exec(app_id, ExecOptions(preflight=False)))
        assert (unasked.status, unasked.cleanup) == (TaskStatus.FAILED, Cleanup.DONE)
        assert "exceeded quota: small" in unasked.reason
        assert {row.state for row in await instance.journal(unasked.id)} == {ResourceState.DELETED}
    assert differences(before, await instance.snapshot()) == []


def test_a_copy_of_our_annotation_is_no_claim() -> None:
    """Trap 9: a Deployment's annotations go to its ReplicaSets; managedFields says who put one there."""
    entry = {
        "manager": "kube-controller-manager",
        "fieldsV1": {"f:metadata": {"f:annotations": {f"f:{WRITE_TOKEN}": {}}}},
    }
    copied = {"metadata": {"annotations": {WRITE_TOKEN: "task.token"}, "managedFields": [entry]}}
    assert token_of(copied) is None
    ours = {"metadata": {**copied["metadata"], "managedFields": [{**entry, "manager": "kubemin"}]}}
    assert token_of(ours) == "task.token"
