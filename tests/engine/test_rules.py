"""The rules of the journal (design §4), one by one, over a real socket and a real database."""

import asyncio
from typing import Any

import pytest

from kubemin.cluster import Cluster
from kubemin.engine.errors import JobFailed, Stopped
from kubemin.engine.journal.tracker import current_tracker, with_cleanup_tracker
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.ownership import token_of
from kubemin.spec.labels import APP_ID, WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import ResourceState
from kubemin.store import applications, tasks
from kubesim.faults import Fault, RequestInfo
from tests.engine.held import Held, config_map, deployment, essence, owners, stateful_set
from tests.waiting import until


async def foreign(held: Held, manifest: Manifest) -> Manifest:
    """An object that was there before, made by somebody else."""
    bare = {**manifest, "metadata": {k: v for k, v in manifest["metadata"].items() if k != "labels"}}
    return held.sim.registry.create(
        {"ConfigMap": "configmaps", "Deployment": "deployments", "StatefulSet": "statefulsets"}[manifest["kind"]],
        "default",
        bare,
        manager="kubectl",
    )


def states(held: Held) -> list[ResourceState]:
    return [row.state for row in held.journal.resources.values()]


async def test_what_the_task_created_is_removed(held: Held) -> None:
    made = await held.ensure(config_map(a="1"))
    assert token_of(made) in held.journal.resources[1].writes
    assert states(held) == [ResourceState.CREATED]
    assert await held.roll_back() == []
    assert await held.look(made) is None
    assert states(held) == [ResourceState.DELETED]


async def test_a_rollback_done_twice_ends_the_same(held: Held) -> None:
    await held.ensure(config_map(a="1"))
    await held.roll_back()
    again = await held.successor()
    assert await again.roll_back() == []
    assert states(again) == [ResourceState.DELETED]


async def test_what_the_task_changed_is_put_back_with_its_owners(held: Held) -> None:
    before = await foreign(held, config_map(a="1", b="2"))
    changed = await held.ensure(config_map(a="changed", c="3"))
    assert changed["data"] == {"a": "changed", "b": "2", "c": "3"}
    assert states(held) == [ResourceState.CHANGED]
    assert await held.roll_back() == []
    after = await held.look(before)
    assert after is not None
    assert essence(after) == essence(before)
    assert owners(after) == owners(before)
    assert states(held) == [ResourceState.RESTORED]


async def test_a_change_that_others_made_since_stays_and_is_named(held: Held) -> None:
    before = await foreign(held, config_map(a="1", b="2"))
    await held.ensure(config_map(a="changed", b="changed"))
    ref = ObjectRef.of(before)
    held.sim.registry.patch(
        "configmaps", "default", ref.name, "application/merge-patch+json", {"data": {"b": "theirs"}}, manager="someone"
    )
    assert await held.roll_back() == []
    after = await held.look(before)
    assert after is not None
    assert after["data"] == {"a": "1", "b": "theirs"}
    assert token_of(after) is None
    row = held.journal.resources[1]
    assert row.state is ResourceState.KEPT
    assert "data.b" in row.why


async def test_an_object_of_another_application_is_refused_by_name(held: Held) -> None:
    other = config_map(a="1")
    other["metadata"]["labels"] = {APP_ID: "b" * 24, "app.kubernetes.io/part-of": "billing"}
    before = held.sim.registry.create("configmaps", "default", other, manager="kubemin")
    new = applications.NewApplication(id="b" * 24, name="invoices", namespace="default")
    async with held.db.begin("save") as tx:
        await applications.insert(tx, new)
    with pytest.raises(JobFailed, match=r"another application \(invoices"):
        await held.ensure(config_map(a="2"))
    assert await held.roll_back() == []
    assert await held.look(other) == before | {"apiVersion": "v1", "kind": "ConfigMap"}


async def test_a_field_that_the_next_version_drops_goes(held: Held) -> None:
    """R3: the entry of our POST is turned into Apply, or the field would stay for ever."""
    await held.ensure(config_map(a="1", dropped="x"))
    later = await held.next_task()
    changed = await later.ensure(config_map(a="1"))
    assert changed["data"] == {"a": "1"}
    assert await later.roll_back() == []
    after = await later.look(changed)
    assert after is not None
    assert after["data"] == {"a": "1", "dropped": "x"}


async def test_rolling_back_an_update_keeps_the_creator_s_claim(held: Held) -> None:
    made = await held.ensure(config_map(a="1"))
    later = await held.next_task()
    await later.ensure(config_map(a="2"))
    await later.roll_back()
    after = await later.look(made)
    assert after is not None
    assert essence(after) == essence(made)
    assert after["metadata"]["annotations"][WRITE_TOKEN] == made["metadata"]["annotations"][WRITE_TOKEN]


async def test_a_copied_claim_is_no_claim(held: Held) -> None:
    """R2: others copy our annotations; only what managedFields gives to us counts."""
    made = await held.ensure(config_map(a="1"))
    copied: dict[str, Any] = config_map("copy", a="1")
    copied["metadata"]["annotations"] = dict(made["metadata"]["annotations"])
    theirs = held.sim.registry.create("configmaps", "default", copied, manager="copier")
    assert token_of(theirs) is None
    await held.roll_back()
    assert await held.look(theirs) is not None
    assert await held.look(made) is None


async def test_what_somebody_deleted_is_lost_and_not_made_again(held: Held) -> None:
    before = await foreign(held, config_map(a="1"))
    await held.ensure(config_map(a="2"))
    held.sim.registry.delete("configmaps", "default", "settings")
    assert await held.roll_back() == []
    assert await held.look(before) is None
    assert states(held) == [ResourceState.LOST]


async def test_what_somebody_replaced_is_kept(held: Held) -> None:
    await held.ensure(config_map(a="1"))
    held.sim.registry.delete("configmaps", "default", "settings")
    theirs = held.sim.registry.create("configmaps", "default", config_map(a="theirs"), manager="someone")
    assert await held.roll_back() == []
    assert essence(await held.look(theirs)) == essence(theirs | {"apiVersion": "v1", "kind": "ConfigMap"})


async def test_a_stripped_claim_is_named_not_deleted(held: Held) -> None:
    made = await held.ensure(config_map(a="1"))
    held.sim.registry.patch(
        "configmaps",
        "default",
        "settings",
        "application/merge-patch+json",
        {"metadata": {"annotations": {WRITE_TOKEN: None}}},
        manager="someone",
    )
    assert await held.roll_back() == []
    assert await held.look(made) is not None
    assert states(held) == [ResourceState.KEPT]


async def test_a_stripped_claim_goes_from_what_a_controller_copied_it_to(held: Held) -> None:
    await held.ensure(deployment())
    registry = held.sim.registry

    async def copied() -> list[Manifest]:
        return [one for one in registry.scan("replicasets") if WRITE_TOKEN in one["metadata"].get("annotations", {})]

    await until(copied)
    body: Manifest = {"metadata": {"annotations": {WRITE_TOKEN: None}}}
    registry.patch("deployments", "default", "api", "application/merge-patch+json", body, manager="someone")
    assert await held.roll_back() == []
    assert states(held) == [ResourceState.KEPT]
    assert await copied() == []


async def test_restore_off_leaves_changes(held: Held) -> None:
    await foreign(held, config_map(a="1"))
    changed = await held.ensure(config_map(a="2"))
    assert await held.roll_back(restore=False) == []
    after = await held.look(changed)
    assert after is not None
    assert after["data"] == {"a": "2"}
    assert states(held) == [ResourceState.KEPT]


async def test_gone_means_gone(held: Held) -> None:
    """R5: an object that waits for a finalizer is left, named, and tried again."""
    made = await held.ensure(config_map(a="1"))
    held.sim.registry.patch(
        "configmaps",
        "default",
        "settings",
        "application/merge-patch+json",
        {"metadata": {"finalizers": ["example.com/hold"]}},
        manager="someone",
    )
    left = await held.roll_back(seconds=0.3)
    assert [row.ref.name for row in left] == ["settings"]
    assert "example.com/hold" in left[0].why
    again = await held.successor()
    assert "example.com/hold" in again.journal.resources[1].why
    held.sim.registry.patch(
        "configmaps",
        "default",
        "settings",
        "application/merge-patch+json",
        {"metadata": {"finalizers": None}},
        manager="someone",
    )
    assert await again.roll_back() == []
    assert await again.look(made) is None


@pytest.mark.parametrize("lost", [True, False], ids=["unanswered", "answered"])
async def test_while_a_create_has_no_answer_nothing_is_only_observed(held: Held, lost: bool) -> None:
    """R2: the POST may still land. Only its 409 tells that the object was there before."""
    theirs = {"metadata": {"name": "settings"}, "data": {"a": "theirs"}}

    def appears(_: RequestInfo) -> None:
        held.sim.registry.create("configmaps", "default", theirs, manager="kubectl")

    held.sim.faults.add(Fault("call", verb="create", resource="configmaps", call=appears))
    if lost:
        held.sim.faults.add(Fault("drop", verb="create", resource="configmaps"))
    held.sim.faults.add(Fault("status", code=403, verb="apply", resource="configmaps", times=None))
    with pytest.raises(JobFailed):
        await held.ensure(config_map(a="1"))
    (row,) = held.journal.resources.values()
    assert row.state is (ResourceState.INTENT if lost else ResourceState.OBSERVED)
    assert await held.roll_back() == []
    now = await held.look(config_map())
    assert now is not None
    assert now["data"] == {"a": "theirs"}


async def test_a_terminating_object_is_waited_for(held: Held) -> None:
    old = config_map(a="old")
    old["metadata"]["finalizers"] = ["example.com/hold"]
    held.sim.registry.create("configmaps", "default", old, manager="someone")
    held.sim.registry.delete("configmaps", "default", "settings")

    async def release() -> None:
        held.sim.registry.patch(
            "configmaps",
            "default",
            "settings",
            "application/merge-patch+json",
            {"metadata": {"finalizers": None}},
            manager="someone",
        )

    async with asyncio.TaskGroup() as group:
        making = group.create_task(held.ensure(config_map(a="new")))
        group.create_task(release())
    assert making.result()["data"] == {"a": "new"}
    assert states(held) == [ResourceState.CREATED]


async def test_a_deployment_goes_with_its_pods(held: Held) -> None:
    await held.ensure(deployment())

    async def pods() -> list[Manifest]:
        return (await held.cluster.list("Pod", "default")).items

    await until(pods)
    assert await held.roll_back() == []
    assert await pods() == []
    assert (await held.cluster.list("ReplicaSet", "default")).items == []


async def test_an_update_s_replica_sets_go(held: Held) -> None:
    """R6: or `rollout undo` would lead to the cancelled version."""
    before = await foreign(held, deployment(image="api:1"))

    async def sets() -> list[str]:
        return sorted(item["metadata"]["name"] for item in (await held.cluster.list("ReplicaSet", "default")).items)

    old = await until(sets)
    await held.ensure(deployment(image="api:never"))

    async def second() -> bool:
        return len(await sets()) == 2

    await until(second)
    assert await held.roll_back() == []
    assert await sets() == old
    assert essence(await held.look(before)) == essence(before | {"apiVersion": "apps/v1", "kind": "Deployment"})


async def test_a_stateful_set_s_new_claims_go_and_older_ones_stay(held: Held) -> None:
    """R6: what volumeClaimTemplates made since our write, told apart by uid."""

    async def claims() -> list[str]:
        return sorted(
            item["metadata"]["name"] for item in (await held.cluster.list("PersistentVolumeClaim", "default")).items
        )

    old: Manifest = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-db-0"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    held.sim.registry.create("persistentvolumeclaims", "default", old, manager="someone")
    await held.ensure(stateful_set(replicas=2))

    async def both() -> bool:
        return await claims() == ["data-db-0", "data-db-1"]

    await until(both)
    assert await held.roll_back() == []
    assert await claims() == ["data-db-0"]


async def test_a_stale_holder_stops(held: Held) -> None:
    """R1: nothing leaves once another worker holds the task."""
    successor = await held.successor()
    with pytest.raises(Stopped):
        await held.ensure(config_map(a="1"))
    assert await successor.look(config_map()) is None


async def test_an_expired_lease_stops(held: Held, cluster: Cluster) -> None:
    held.journal.lease.deadline = 0
    with pytest.raises(Stopped):
        await held.ensure(config_map(a="1"))
    assert (await cluster.list("ConfigMap", "default", labels=f"{APP_ID}")).items == []


async def test_a_cancelled_task_can_still_be_rolled_back_under_its_lease(held: Held) -> None:
    made = await held.ensure(config_map(a="1"))
    async with held.db.begin("cancel") as tx:
        await tasks.cancel(tx, held.task_id, "ada", "wrong version")
    assert await held.roll_back() == []
    assert await held.look(made) is None


async def test_a_later_cleanup_of_the_task_takes_no_claim_that_came_since(held: Held) -> None:
    """A cleanup that is opened again must not take the volumes of whoever came after: they were never this task's."""
    await held.ensure(stateful_set())
    assert await held.roll_back() == []
    theirs: Manifest = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-db-0"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    held.sim.registry.create("persistentvolumeclaims", "default", theirs, manager="someone")
    again = await held.successor()
    assert await again.roll_back() == []
    names = [item["metadata"]["name"] for item in (await held.cluster.list("PersistentVolumeClaim", "default")).items]
    assert names == ["data-db-0"]


async def test_a_stuck_stateful_set_comes_back(held: Held) -> None:
    """Its controller would wait for ever for the Pod of the revision that is given up."""
    before = await foreign(held, stateful_set())

    async def image(wanted: str, *, ready: bool) -> bool:
        for pod in (await held.cluster.list("Pod", "default")).items:
            conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", [])}
            if pod["spec"]["containers"][0]["image"] == wanted and "deletionTimestamp" not in pod["metadata"]:
                return not ready or conditions.get("Ready") == "True"
        return False

    await until(lambda: image("db:1", ready=True))
    update = stateful_set()
    update["spec"]["template"]["spec"]["containers"][0]["image"] = "db:never"
    before = await held.look(before) or before
    await held.ensure(update)
    await until(lambda: image("db:never", ready=False))
    assert await held.roll_back() == []
    assert essence(await held.look(before)) == essence(before)
    assert await image("db:1", ready=True)
    revisions = (await held.cluster.list("ControllerRevision", "default")).items
    assert len(revisions) == 1


async def test_clean_undoes_one_job_and_no_other(held: Held) -> None:
    kept = await held.ensure(config_map("kept", a="1"), job=1)
    gone = await held.ensure(config_map("gone", a="1"), job=2)
    assert await held.tracker(2).clean() == []
    assert await held.look(kept) is not None
    assert await held.look(gone) is None


async def test_whoever_writes_a_new_kind_of_job_uses_the_tracker_of_its_context(held: Held) -> None:
    there = await foreign(held, config_map("there", a="1"))

    async def run_job(manifest: Manifest) -> None:  # the example of the tracker's module
        tracker, ref = current_tracker(), ObjectRef.of(manifest)
        live = await get_or_none(tracker.cluster, ref)
        if live is None:
            await tracker.create(manifest, {})
        else:
            await tracker.mark_resource_observed(ref, live["metadata"]["uid"])
            await tracker.change(manifest, live, {})

    with with_cleanup_tracker(held.tracker()):
        await run_job(config_map("made", a="1"))
        await run_job(config_map("there", a="2"))
    states = {row.ref.name: row.state for row in held.journal.resources.values()}
    assert states == {"made": ResourceState.CREATED, "there": ResourceState.CHANGED}
    assert await held.roll_back() == []
    assert await held.look(config_map("made")) is None
    assert essence(await held.look(there)) == essence(there)
    with pytest.raises(LookupError):
        current_tracker()


async def test_what_cannot_go_does_not_keep_the_rest(held: Held) -> None:
    """An object that waits for a finalizer uses up its share of the pass, and not that of the lower priorities."""
    before = await foreign(held, config_map(a="1"))
    await held.ensure(config_map(a="2"), job=1)
    await held.ensure(deployment(), job=2)
    await held_by_finalizer(held, "deployments", "api")
    left = await held.roll_back(seconds=2)
    assert [row.ref.kind for row in left] == ["Deployment"]
    assert essence(await held.look(before)) == essence(before)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
async def test_what_was_not_ready_before_need_not_become_ready(held: Held, kind: str) -> None:
    """A Deployment whose Pods cannot be made, a StatefulSet that waits for its first Pod: back is as it was."""
    broken = deployment(replicas=2) if kind == "Deployment" else stateful_set(replicas=2)
    del broken["spec"]["template"]["metadata"]["labels"]["kubemin.io/app-id"]
    if kind == "Deployment":
        broken["spec"]["template"]["spec"]["serviceAccountName"] = "missing"
    else:
        broken["spec"]["template"]["spec"]["containers"][0]["image"] = "db:pull"
    before = held.sim.registry.create(f"{kind.lower()}s", "default", broken, manager="kubectl")
    await held.sim.controllers.settled()
    wanted = deployment(replicas=2) if kind == "Deployment" else stateful_set(replicas=2)
    wanted["spec"]["template"]["spec"]["serviceAccountName"] = "default"
    await held.ensure(wanted)
    await held.sim.controllers.settled()
    assert await held.roll_back() == []
    assert essence(await held.look(before)) == essence(before)


async def test_our_version_goes_though_the_one_before_never_ran(held: Held) -> None:
    """A rollout back to a version that cannot start never ends: its controller would keep our Pods instead."""
    broken = deployment(replicas=3, image="api:pull")
    del broken["spec"]["template"]["metadata"]["labels"]["kubemin.io/app-id"]
    before = held.sim.registry.create("deployments", "default", broken, manager="kubectl")
    await held.sim.controllers.settled()

    async def sets() -> list[str]:
        return sorted(item["metadata"]["name"] for item in (await held.cluster.list("ReplicaSet", "default")).items)

    theirs = await sets()
    await held.ensure(deployment(replicas=3))

    async def runs() -> bool:
        status = held.sim.registry.get("deployments", "default", "api")["status"]
        return bool(status.get("availableReplicas") == status.get("updatedReplicas") == 3)

    await until(runs)
    assert await held.roll_back() == []
    assert await sets() == theirs
    assert essence(await held.look(before)) == essence(before)


async def held_by_finalizer(held: Held, plural: str, name: str) -> None:
    patch = {"metadata": {"finalizers": ["example.com/hold"]}}
    held.sim.registry.patch(plural, "default", name, "application/merge-patch+json", patch, manager="someone")


async def test_defaults_that_came_with_an_unanswered_change_go_with_it(held: Held) -> None:
    """Nobody owns them, and no answer told of them: ``serviceAccount`` comes with ``serviceAccountName``."""
    held.sim.registry.create("serviceaccounts", "default", {"metadata": {"name": "api"}}, manager="kubectl")
    before = await foreign(held, deployment())
    wanted = deployment(image="api:2")
    wanted["spec"]["template"]["spec"]["serviceAccountName"] = "api"
    lost = held.sim.faults.add(Fault("drop", verb="apply", when="after"))
    changed = await held.ensure(wanted)
    await lost.struck()
    assert changed["spec"]["template"]["spec"]["serviceAccount"] == "api"
    assert await held.roll_back() == []
    assert essence(await held.look(before)) == essence(before)


@pytest.mark.parametrize("whose", ["theirs", "ours"])
async def test_what_somebody_took_after_us_is_owned_by_them_alone(held: Held, whose: str) -> None:
    task = held
    if whose == "theirs":
        await foreign(held, config_map(a="1", b="2"))
    else:
        await held.ensure(config_map(a="1", b="2"))
        task = await held.next_task()
    await task.ensure(config_map(a="2", b="3"))
    patch = {"data": {"a": "someone's"}}
    held.sim.registry.patch("configmaps", "default", "settings", "application/merge-patch+json", patch, manager="x")
    assert await task.roll_back() == []
    after = await task.look(config_map())
    assert after is not None
    assert after["data"] == {"a": "someone's", "b": "2"}
    owned = [entry["manager"] for entry in owners(after) if "f:a" in entry["fieldsV1"].get("f:data", {})]
    assert owned == ["x"]


async def test_what_a_write_did_not_change_is_unchanged_not_restored(held: Held) -> None:
    await held.ensure(config_map(a="1"))
    again = await held.next_task()
    await again.ensure(config_map(a="1"))
    assert await again.roll_back() == []
    assert states(again) == [ResourceState.UNCHANGED]
    changed = await again.next_task()
    await changed.ensure(config_map(a="2"))
    assert await changed.roll_back() == []
    assert states(changed) == [ResourceState.RESTORED]
