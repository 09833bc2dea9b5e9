"""Custom resources whose definition gets another version, or loses one (trap 50)."""

import copy
from typing import Any

import pytest

from kubemin.cluster import Cluster
from kubemin.cluster.errors import NotFound, ServerError, VersionNotServed
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from kubesim.controllers.operators import Operator
from kubesim.server import SimServer
from tests.engine.instance import Instance, web
from tests.engine.test_manifests import GROUP, LIMITS, config, definition, manifests, names, run, start, widget
from tests.waiting import until

WIDGETS = f"widgets.{GROUP}"
WIDGET = f"Widget.{GROUP}"
DEFINITIONS = "customresourcedefinitions"


def defined(*versions: str, unserved: str = "") -> Manifest:
    """The definition of widgets in these versions; the first is the one in which they are stored."""
    made = definition("Widget")
    (one,) = made["spec"]["versions"]
    made["spec"]["versions"] = [
        {**copy.deepcopy(one), "name": name, "storage": name == versions[0], "served": name != unserved}
        for name in versions
    ]
    return made


def written(version: str, **spec: Any) -> Manifest:
    made = widget("one", **spec)
    made["metadata"]["annotations"] = {"kubemin.io/priority": "5"}  # before workloads, which some tests wait for
    return {**made, "apiVersion": f"{GROUP}/{version}"}


def redefine(sim: SimServer, made: Manifest) -> None:
    """As its operator's upgrade does."""
    stored = copy.deepcopy(sim.registry.get(DEFINITIONS, "", WIDGETS))
    sim.registry.update(DEFINITIONS, "", WIDGETS, {**stored, "spec": made["spec"]}, manager="ada")


async def found(cluster: Cluster, ref: ObjectRef) -> Manifest:
    """The object, once discovery has come so far."""

    async def look() -> Manifest | None:
        try:
            return await cluster.get(ref)
        except (NotFound, ServerError):
            return None

    return await until(look)


@pytest.fixture
async def operated(instance: Instance) -> Instance:
    instance.service._limits = LIMITS
    instance.sim.controllers.operate(Operator(WIDGETS, seconds=0.1))
    return instance


async def test_a_run_brings_a_version_and_objects_that_are_written_in_it(operated: Instance) -> None:
    async with operated.worker():
        task = await run(operated, manifests("all", defined("v1"), written("v1", size=1)))
        assert task.status is TaskStatus.COMPLETED, task.reason
        later = manifests("all", defined("v1", "v2"), written("v2", size=2))
        dry = await run(operated, later, dry_run=True)
        assert dry.status is TaskStatus.COMPLETED, dry.reason
        task = await run(operated, later)
    assert task.status is TaskStatus.COMPLETED, task.reason
    (one,) = operated.sim.registry.scan(WIDGETS)
    assert one["spec"]["size"] == 2


async def test_it_is_put_back_before_the_version_goes_again(operated: Instance) -> None:
    async with operated.worker():
        await run(operated, manifests("all", defined("v1"), written("v1", size=1)))
        later = manifests("all", defined("v1", "v2"), written("v2", size=2))
        task = await run(operated, later, web("late", "late:never"), timeout_seconds=3)
        rows = await operated.journal(task.id)
    assert (task.status, task.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE), (task.reason, task.cleanup_why)
    assert {str(row.ref): str(row.state) for row in rows if row.ref.name in ("one", WIDGETS)} == {
        f"{WIDGET}/default/one": "restored",
        f"CustomResourceDefinition/{WIDGETS}": "restored",
    }
    (one,) = operated.sim.registry.scan(WIDGETS)
    assert one["spec"]["size"] == 1
    stored = operated.sim.registry.get(DEFINITIONS, "", WIDGETS)
    assert [each["name"] for each in stored["spec"]["versions"]] == ["v1"]


async def test_an_object_whose_version_is_gone_is_removed_all_the_same(operated: Instance) -> None:
    operated.sim.registry.create(DEFINITIONS, "", defined("v1", "v1beta1"), manager="ada")
    await found(operated.cluster, ObjectRef("ConfigMap", "default", "kube-root-ca.crt"))
    async with operated.worker():
        task = await run(operated, manifests("all", written("v1beta1", size=1), config("c", a="1")))
        assert task.status is TaskStatus.COMPLETED, task.reason
        redefine(operated.sim, defined("v1", "v1beta1", unserved="v1beta1"))
        task = await run(operated, manifests("all", config("c", a="1")))
    assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE), (task.reason, task.cleanup_why)
    assert names(operated, WIDGETS) == []


async def test_a_version_that_is_not_served_is_refused_by_name(operated: Instance) -> None:
    operated.sim.registry.create(DEFINITIONS, "", defined("v1"), manager="ada")
    for preflight in (True, False):
        async with operated.worker():
            task = await run(operated, manifests("all", written("v3", size=1)), preflight=preflight)
        assert task.status is TaskStatus.FAILED
        assert f"does not serve the kind {WIDGET} in the version v3, but in v1" in task.reason
    assert names(operated, WIDGETS) == []


async def test_what_cannot_be_put_back_in_its_version_is_named(operated: Instance) -> None:
    operated.sim.registry.create(DEFINITIONS, "", defined("v1", "v1beta1"), manager="ada")
    async with operated.worker():
        task = await run(operated, manifests("all", written("v1beta1", size=1)))
        assert task.status is TaskStatus.COMPLETED, task.reason
        task_id = await start(operated, manifests("all", written("v1beta1", size=2)), web("late", "late:never"))

        async def changed() -> bool | None:
            return [one["spec"]["size"] for one in operated.sim.registry.scan(WIDGETS)] == [2] or None

        await until(changed)
        redefine(operated.sim, defined("v1", "v1beta1", unserved="v1beta1"))
        await operated.service.cancel((await operated.task(task_id)).app_id, task_id, "ada", "no", None)
        task = await operated.settled(task_id)
    assert task.cleanup is Cleanup.INCOMPLETE
    (row,) = [one for one in await operated.journal(task_id) if one.ref.name == "one"]
    assert f"it was written as {GROUP}/v1beta1, in which the cluster does not serve it any more" in (row.why or "")


async def test_a_path_that_the_server_does_not_know_is_no_proof_that_an_object_is_gone(
    sim: SimServer, cluster: Cluster
) -> None:
    """One of several API servers may know a definition a moment later than the others."""
    sim.registry.create(DEFINITIONS, "", defined("v1", "v1beta1"), manager="ada")
    ref = ObjectRef(WIDGET, "default", "one")
    with pytest.raises((NotFound, ServerError)):
        await cluster.get(ref)

    async def served() -> bool | None:
        try:
            return bool(await cluster.served(WIDGET, "v1beta1"))
        except (NotFound, ServerError):
            return None

    await until(served)
    made = sim.registry.create(WIDGETS, "default", widget("one", size=1), manager="ada")
    uid = made["metadata"]["uid"]
    redefine(sim, defined("v1", "v1beta1", unserved="v1beta1"))
    old = ObjectRef(WIDGET, "default", "one", "v1beta1")
    with pytest.raises(ServerError):  # what is known of the cluster is a moment old
        await cluster.delete(old, uid=uid)
    assert (await found(cluster, old))["apiVersion"] == f"{GROUP}/v1"
    with pytest.raises(VersionNotServed, match="in the version v1beta1, but in v1"):
        await cluster.create({**written("v1beta1", size=1), "metadata": {"name": "two", "namespace": "default"}})
    assert [one["apiVersion"] for one in (await cluster.list(WIDGET, version="v1beta1")).items] == [f"{GROUP}/v1"]
    assert await cluster.delete(old, uid=uid) is None
    assert list(sim.registry.scan(WIDGETS)) == []


async def test_owners_that_speak_in_a_lost_version_do_not_keep_an_apply_out(operated: Instance) -> None:
    """Trap 51: our own former apply, and what the definition's controller has told."""
    registry = operated.sim.registry
    registry.create(DEFINITIONS, "", defined("v1", "v1beta1"), manager="ada")
    async with operated.worker():
        task = await run(operated, manifests("all", written("v1beta1", size=1)))
        assert task.status is TaskStatus.COMPLETED, task.reason
        task = await run(operated, manifests("all", written("v1beta1", size=2)))  # by an apply
        assert task.status is TaskStatus.COMPLETED, task.reason
        redefine(operated.sim, defined("v1"))
        later = manifests("all", written("v1", size=3))
        dry = await run(operated, later, dry_run=True)
        (told,) = [job.info for job in await operated.jobs(dry.id)]
        assert "spec.size: 2 → 3" in told
        task = await run(operated, later, web("late", "late:never"), timeout_seconds=3)
        assert (task.status, task.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE), (task.reason, task.cleanup_why)
        (one,) = registry.scan(WIDGETS)
        assert one["spec"]["size"] == 2
        task = await run(operated, later)
    assert task.status is TaskStatus.COMPLETED, task.reason
    (one,) = registry.scan(WIDGETS)
    assert one["spec"]["size"] == 3
    ours = [entry for entry in one["metadata"]["managedFields"] if entry["manager"] == "kubemin"]
    assert [(entry["operation"], entry["apiVersion"]) for entry in ours] == [("Apply", f"{GROUP}/v1")]
