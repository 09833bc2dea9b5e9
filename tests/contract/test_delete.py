"""DELETE: preconditions, finalizers, dependents, namespaces."""

import pytest

from tests.manifests import configmap, deployment, namespace, owned_by, service

from .kube import Json, Kube, meta
from .test_create import OBJECTS, kinds

HOLD = ["kubemin.test/hold"]
OTHER_UID = "00000000-0000-0000-0000-000000000000"


async def release(kube: Kube, plural: str, name: str) -> None:
    (await kube.patch(plural, name, {"metadata": {"finalizers": None}})).ok()


@pytest.mark.controllers  # a claim and a Job are left to their finalizers
@kinds
async def test_a_deleted_object_is_gone(kube: Kube, plural: str) -> None:
    made = await kube.make(plural, OBJECTS[plural])
    name = meta(made)["name"]
    body = (await kube.delete(plural, name, preconditions={"uid": meta(made)["uid"]})).ok()
    if body["kind"] == "Status":
        assert body["status"] == "Success"
        assert (body["details"]["name"], body["details"]["uid"]) == (name, meta(made)["uid"])
    else:
        assert meta(body)["uid"] == meta(made)["uid"]
    await kube.until_gone(plural, name)
    (await kube.get(plural, name)).refused(404, "NotFound")
    (await kube.delete(plural, name)).refused(404, "NotFound")


async def test_preconditions_must_hold(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap())
    right, version = meta(made)["uid"], meta(made)["resourceVersion"]
    (await kube.delete("configmaps", "web", preconditions={"uid": OTHER_UID})).refused(409, "Conflict", "UID")
    wrong_version = {"uid": right, "resourceVersion": "1"}
    (await kube.delete("configmaps", "web", preconditions=wrong_version)).refused(409, "Conflict", "ResourceVersion")
    (await kube.delete("configmaps", "nowhere", preconditions={"uid": right})).refused(404, "NotFound")
    assert await kube.read("configmaps", "web") == made
    (await kube.delete("configmaps", "web", preconditions={"uid": right, "resourceVersion": version})).ok()
    (await kube.get("configmaps", "web")).refused(404, "NotFound")


async def test_a_finalizer_keeps_a_deleted_object_until_it_is_taken_off(kube: Kube) -> None:
    made = await kube.make("deployments", _held(deployment()))
    body = (await kube.delete("deployments", "web", propagationPolicy="Background")).ok()
    assert body["kind"] == "Deployment"
    assert meta(body)["finalizers"] == HOLD
    assert meta(body)["deletionGracePeriodSeconds"] == 0
    assert meta(body)["deletionTimestamp"] >= meta(made)["creationTimestamp"]
    assert meta(body)["generation"] == 2
    found = await kube.read("deployments", "web")
    assert meta(found)["deletionTimestamp"] == meta(body)["deletionTimestamp"]

    uid = meta(made)["uid"]
    (await kube.delete("deployments", "web", preconditions={"uid": uid})).ok()
    (await kube.delete("deployments", "web", preconditions={"uid": OTHER_UID})).refused(409, "Conflict")
    still = await kube.read("deployments", "web")
    assert meta(still)["deletionTimestamp"] == meta(body)["deletionTimestamp"]

    await release(kube, "deployments", "web")
    (await kube.get("deployments", "web")).refused(404, "NotFound")


async def test_a_terminating_object_is_neither_made_again_nor_protected_from_writes(kube: Kube) -> None:
    """Trap 3: POST is 409 with a sentence of its own, while an apply is 200 as if nothing were."""
    await kube.make("configmaps", _held(configmap()))
    (await kube.delete("configmaps", "web")).ok()
    (await kube.post("configmaps", configmap())).refused(409, "AlreadyExists", "object is being deleted: ")
    applied = (await kube.apply("configmaps", configmap(data={"b": "2"}), force="true")).ok()
    assert applied["data"] == {"a": "1", "b": "2"}
    assert "deletionTimestamp" in meta(applied)
    more = {"metadata": {"finalizers": [*HOLD, "kubemin.test/more"]}}
    (await kube.patch("configmaps", "web", more)).refused(422, "Invalid", "no new finalizers can be added")
    await release(kube, "configmaps", "web")
    (await kube.get("configmaps", "web")).refused(404, "NotFound")


@pytest.mark.controllers
async def test_background_deletion_takes_the_dependents_afterwards(kube: Kube) -> None:
    owner = await kube.make("configmaps", configmap("owner"))
    await kube.make("configmaps", configmap("child", ownerReferences=owned_by(owner)))
    (await kube.delete("configmaps", "owner", propagationPolicy="Background")).ok()
    (await kube.get("configmaps", "owner")).refused(404, "NotFound")
    await kube.until_gone("configmaps", "child")


@pytest.mark.controllers
async def test_foreground_deletion_waits_for_dependents_that_block_it(kube: Kube) -> None:
    owner = await kube.make("configmaps", configmap("owner"))
    blocking = owned_by(owner, blockOwnerDeletion=True, controller=True)
    await kube.make("configmaps", _held(configmap("child", ownerReferences=blocking)))
    body = (await kube.delete("configmaps", "owner", propagationPolicy="Foreground")).body
    assert meta(body)["finalizers"] == ["foregroundDeletion"]
    assert "deletionTimestamp" in meta(body)
    await kube.until("configmaps", "child", lambda item: item and "deletionTimestamp" in meta(item))
    assert meta(await kube.read("configmaps", "owner"))["finalizers"] == ["foregroundDeletion"]
    await release(kube, "configmaps", "child")
    await kube.until_gone("configmaps", "owner")


@pytest.mark.controllers
async def test_orphaned_dependents_stay_without_their_owner(kube: Kube) -> None:
    owner = await kube.make("configmaps", configmap("owner"))
    await kube.make("configmaps", configmap("child", ownerReferences=owned_by(owner)))
    body = (await kube.delete("configmaps", "owner", propagationPolicy="Orphan")).body
    assert meta(body)["finalizers"] == ["orphan"]
    await kube.until_gone("configmaps", "owner")
    assert "ownerReferences" not in meta(await kube.read("configmaps", "child"))


@pytest.mark.controllers
async def test_a_dependent_of_nothing_is_collected(kube: Kube) -> None:
    """Trap 11."""
    owner = await kube.make("configmaps", configmap("owner"))
    reference = [{**owned_by(owner)[0], "uid": OTHER_UID}]
    await kube.make("configmaps", configmap("child", ownerReferences=reference))
    await kube.until_gone("configmaps", "child")
    await kube.read("configmaps", "owner")


@pytest.mark.controllers
async def test_a_dependent_with_one_owner_left_stays(kube: Kube) -> None:
    first, second = await kube.make("configmaps", configmap("one")), await kube.make("configmaps", configmap("two"))
    await kube.make("configmaps", configmap("child", ownerReferences=[*owned_by(first), *owned_by(second)]))
    (await kube.delete("configmaps", "one", propagationPolicy="Background")).ok()
    child = await kube.until(
        "configmaps", "child", lambda item: item if item and len(meta(item)["ownerReferences"]) == 1 else None
    )
    assert meta(child)["ownerReferences"] == owned_by(second)
    assert "deletionTimestamp" not in meta(child)


async def test_a_collection_is_deleted_by_selector(kube: Kube) -> None:
    for name in ("a", "b"):
        await kube.make("configmaps", configmap(name, labels={"group": name}))
    reply = await kube.call("DELETE", kube.path("configmaps"), labelSelector="group=a")
    assert reply.ok()["kind"] == "ConfigMapList"
    (await kube.get("configmaps", "a")).refused(404, "NotFound")
    await kube.read("configmaps", "b")


async def test_a_dry_run_deletes_nothing(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap())
    (await kube.delete("configmaps", "web", dryRun=["All"])).ok()
    assert await kube.read("configmaps", "web") == made


@pytest.mark.parametrize("policy", ["Sideways", ""])
async def test_an_unknown_propagation_policy_is_refused(kube: Kube, policy: str) -> None:
    await kube.make("configmaps", configmap())
    (await kube.delete("configmaps", "web", propagationPolicy=policy)).refused(422, "Invalid", "propagationPolicy")


@pytest.mark.controllers
async def test_a_namespace_has_its_own_furniture_and_does_not_move_with_its_content(kube: Kube) -> None:
    """Trap 11."""
    await kube.until("serviceaccounts", "default", lambda item: item)
    await kube.until("configmaps", "kube-root-ca.crt", lambda item: item)
    before = await kube.read("namespaces", kube.namespace)
    await kube.make("configmaps", configmap())
    assert await kube.read("namespaces", kube.namespace) == before
    assert before["status"] == {"phase": "Active"}
    assert before["spec"] == {"finalizers": ["kubernetes"]}
    assert meta(before)["labels"]["kubernetes.io/metadata.name"] == kube.namespace


@pytest.mark.controllers
async def test_a_namespace_takes_its_content_with_it_and_refuses_new(kube: Kube) -> None:
    name = f"{kube.namespace}-gone"
    other = Kube(kube.cluster, name, real=kube.real, image="")
    await kube.make("namespaces", namespace(name))
    await other.make("configmaps", _held(configmap()))
    await other.make("services", service())
    body = (await kube.delete("namespaces", name)).body
    assert (body["kind"], body["status"]["phase"]) == ("Namespace", "Terminating")
    await other.until("configmaps", "web", lambda item: item and "deletionTimestamp" in meta(item))
    refusal = await other.post("configmaps", configmap("late"))
    refusal.refused(403, "Forbidden", "because it is being terminated")
    assert ("NamespaceTerminating", "metadata.namespace") in refusal.causes()
    (await other.get("configmaps", "late")).refused(404, "NotFound")
    await other.until_gone("services", "web")
    await kube.read("namespaces", name)
    await release(other, "configmaps", "web")
    await kube.until_gone("namespaces", name)
    late = await other.post("configmaps", configmap())
    assert late.code in {404, 403}  # admission may see it go a moment later


def _held(item: Json) -> Json:
    return {**item, "metadata": {**item["metadata"], "finalizers": HOLD}}
