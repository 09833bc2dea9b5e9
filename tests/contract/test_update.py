"""PUT and subresources: versions, generations, preconditions, and what a replace may create."""

import pytest

from tests.manifests import account, configmap, deployment, ingress, owned_by, pvc, role, secret, service, statefulset

from .kube import Json, Kube, entries, meta, owners
from .test_create import COUNTED, OBJECTS, kinds


async def test_every_change_moves_the_version_and_a_repetition_does_not(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap())
    changed = (await kube.put("configmaps", configmap(data={"a": "2"}))).ok()
    assert changed["data"] == {"a": "2"}
    assert int(meta(changed)["resourceVersion"]) > int(meta(made)["resourceVersion"])
    assert meta(changed)["uid"] == meta(made)["uid"]
    assert meta(changed)["creationTimestamp"] == meta(made)["creationTimestamp"]
    again = (await kube.put("configmaps", configmap(data={"a": "2"}))).ok()
    assert meta(again)["resourceVersion"] == meta(changed)["resourceVersion"]


@kinds
async def test_an_old_version_is_a_conflict(kube: Kube, plural: str) -> None:
    made = await kube.make(plural, OBJECTS[plural])
    meta(made)["labels"] = {"touched": "yes"}
    changed = (await kube.patch(plural, meta(made)["name"], {"metadata": {"labels": {"touched": "no"}}})).ok()
    assert meta(changed)["resourceVersion"] != meta(made)["resourceVersion"]
    refusal = await kube.put(plural, made)
    body = refusal.refused(
        409, "Conflict", "the object has been modified; please apply your changes to the latest version"
    )
    assert body["details"]["name"] == meta(made)["name"]
    assert meta(await kube.read(plural, meta(made)["name"]))["labels"]["touched"] == "no"


async def test_another_uid_is_a_conflict(kube: Kube) -> None:
    await kube.make("configmaps", configmap())
    (await kube.put("configmaps", configmap(uid="00000000-0000-0000-0000-000000000000"))).refused(
        409, "Conflict", "UID"
    )


async def test_another_name_or_namespace_than_the_urls_is_refused(kube: Kube) -> None:
    await kube.make("configmaps", configmap())
    (await kube.put("configmaps", configmap("other"), name="web")).refused(400, "BadRequest", "does not match")
    (await kube.put("configmaps", configmap(namespace="elsewhere"))).refused(400, "BadRequest", "does not match")


@pytest.mark.parametrize(
    ("plural", "body"),
    [
        ("configmaps", configmap()),
        ("secrets", secret()),
        ("serviceaccounts", account()),
        ("persistentvolumeclaims", pvc()),
        ("ingresses", ingress()),
        ("deployments", deployment()),
        ("statefulsets", statefulset()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("version", [None, "1"])
async def test_a_put_on_nothing_is_a_404(kube: Kube, plural: str, body: Json, version: str | None) -> None:
    body = {**body, "metadata": {**body["metadata"]} | ({"resourceVersion": version} if version else {})}
    (await kube.put(plural, body)).refused(404, "NotFound")


@pytest.mark.parametrize(("plural", "body"), [("services", service()), ("roles", role())], ids=["services", "roles"])
@pytest.mark.parametrize("version", [None, "1"])
async def test_a_put_on_nothing_creates_a_service_or_role(
    kube: Kube, plural: str, body: Json, version: str | None
) -> None:
    """Trap 5: with a resourceVersion too, which therefore does not keep a restore from making the object anew."""
    body = {**body, "metadata": {**body["metadata"]} | ({"resourceVersion": version} if version else {})}
    made = (await kube.put(plural, body)).ok(201)
    assert meta(made)["uid"] == meta(await kube.read(plural, meta(made)["name"]))["uid"]


@pytest.mark.parametrize(("plural", "body"), [("services", service()), ("roles", role())], ids=["services", "roles"])
async def test_a_put_on_nothing_with_a_uid_is_a_conflict(kube: Kube, plural: str, body: Json) -> None:
    body = {**body, "metadata": {**body["metadata"], "uid": "00000000-0000-0000-0000-000000000000"}}
    (await kube.put(plural, body)).refused(409, "Conflict")
    (await kube.get(plural, meta(body)["name"])).refused(404, "NotFound")


@pytest.mark.parametrize("plural", sorted(COUNTED - {"jobs"}))
async def test_the_generation_counts_changes_of_the_spec_only(kube: Kube, plural: str) -> None:
    made = await kube.make(plural, OBJECTS[plural])
    name = meta(made)["name"]
    labelled = (await kube.patch(plural, name, {"metadata": {"labels": {"a": "b"}, "generation": 9}})).ok()
    assert meta(labelled)["generation"] == 1
    change = {"ingressClassName": "other"} if plural == "ingresses" else {"minReadySeconds": 3}
    changed = (await kube.patch(plural, name, {"spec": change})).ok()
    assert meta(changed)["generation"] == 2


async def test_the_status_is_written_by_its_subresource_only(kube: Kube) -> None:
    made = await kube.make("ingresses", ingress())
    status = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}
    meta(made).pop("managedFields")
    ignored = (await kube.put("ingresses", {**made, "status": status})).ok()
    assert ignored["status"] == {"loadBalancer": {}}
    spec = {**made["spec"], "ingressClassName": "other"}
    sent = {**made, "metadata": {**meta(made), "labels": {"a": "b"}}, "spec": spec, "status": status}
    written = (await kube.put("ingresses", sent, sub="status", manager="controller")).ok()
    assert written["status"] == status
    assert "ingressClassName" not in written["spec"]
    assert meta(written)["generation"] == 1
    assert owners(written, "status", "loadBalancer", "ingress") == {"controller"}
    assert ("controller", "Update", "status") in entries(written)
    assert meta(written)["resourceVersion"] != meta(made)["resourceVersion"]


async def test_scale_reads_and_writes_the_replicas(kube: Kube) -> None:
    await kube.make("deployments", deployment(replicas=0))
    scale = (await kube.get("deployments", "web", "scale")).ok()
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert (scale["spec"], scale["status"]["selector"]) == ({}, "app=web")
    scale["spec"] = {"replicas": 2}
    version = meta(scale).pop("resourceVersion")  # the controller writes status meanwhile
    assert (await kube.put("deployments", scale, sub="scale", manager="hpa")).ok()["spec"] == {"replicas": 2}
    found = await kube.read("deployments", "web")
    assert found["spec"]["replicas"] == 2
    assert meta(found)["generation"] == 2
    assert owners(found, "spec", "replicas") == {"hpa"}
    assert ("hpa", "Update", "scale") in entries(found)
    meta(scale)["resourceVersion"] = version
    (await kube.put("deployments", scale, sub="scale")).refused(409, "Conflict")
    patched = (await kube.patch("deployments", "web", {"spec": {"replicas": 0}}, sub="scale")).ok()
    assert patched["spec"] == {}


async def test_a_scale_of_replicas_that_nobody_owns_is_not_recorded(kube: Kube) -> None:
    """A POST owns the default. An apply owns what it says, so the default that it leaves is nobody's."""
    (await kube.apply("deployments", deployment(replicas=None, image="image.invalid/never:1"))).ok(201)
    (await kube.patch("deployments", "web", {"spec": {"replicas": 0}}, sub="scale", manager="hpa")).ok()
    found = await kube.read("deployments", "web")
    assert found["spec"]["replicas"] == 0
    assert owners(found, "spec", "replicas") == set()
    assert not any(manager == "hpa" for manager, _, _ in entries(found))


async def test_owner_references_may_be_set_and_taken_off(kube: Kube) -> None:
    owner = await kube.make("configmaps", configmap("owner"))
    made = await kube.make("configmaps", configmap(ownerReferences=owned_by(owner)))
    assert meta(made)["ownerReferences"] == owned_by(owner)
    changed = (await kube.put("configmaps", configmap())).ok()
    assert "ownerReferences" not in meta(changed)


async def test_a_dry_run_put_changes_nothing(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap())
    tried = (await kube.put("configmaps", configmap(data={"a": "2"}), dryRun="All")).ok()
    assert tried["data"] == {"a": "2"}
    assert await kube.read("configmaps", "web") == made


async def test_the_before_image_of_a_workload_may_be_put_back(kube: Kube) -> None:
    """Trap 6: the same spec again, under a higher generation."""
    before = await kube.make("deployments", deployment())
    changed = (await kube.patch("deployments", "web", deployment(image="app:2"), kind="strategic")).ok()
    assert changed["spec"] != before["spec"]
    for _ in range(20):
        meta(before)["resourceVersion"] = meta(await kube.read("deployments", "web"))["resourceVersion"]
        back = await kube.put("deployments", before)
        if back.code != 409:  # else the controller's status came in between
            break
    assert back.ok()["spec"] == before["spec"]
    assert meta(back.ok())["generation"] == 3


@pytest.mark.parametrize(
    ("plural", "change"),
    [
        ("services", {"spec": {"ports": [{"port": 81, "targetPort": 80}]}}),
        ("configmaps", {"data": {"a": "2"}}),
        ("secrets", {"data": {"k": "dzI="}}),
        ("ingresses", {"spec": {"ingressClassName": "other"}}),
        ("roles", {"rules": []}),
        ("serviceaccounts", {"automountServiceAccountToken": False}),
    ],
)
async def test_the_before_image_may_be_put_back(kube: Kube, plural: str, change: Json) -> None:
    """Trap 6: identical but for what counts writes."""
    before = await kube.make(plural, OBJECTS[plural])
    name = meta(before)["name"]
    changed = (await kube.patch(plural, name, change)).ok()
    sent = {**before, "metadata": {**meta(before), "resourceVersion": meta(changed)["resourceVersion"]}}
    back = (await kube.put(plural, sent)).ok()
    counting = {"resourceVersion": None, "generation": None, "managedFields": None}
    assert {**back, "metadata": meta(back) | counting} == {**before, "metadata": meta(before) | counting}


async def test_a_write_of_ours_moves_the_version_so_that_an_earlier_one_cannot_land_later(kube: Kube) -> None:
    """R4: set and remove an annotation; whatever was based on the version before is refused from then on."""
    made = await kube.make("configmaps", configmap())
    for value in ("moved", None):
        (await kube.patch("configmaps", "web", {"metadata": {"annotations": {"kubemin.io/moved": value}}})).ok()
    moved = await kube.read("configmaps", "web")
    assert int(meta(moved)["resourceVersion"]) > int(meta(made)["resourceVersion"])
    assert "annotations" not in meta(moved)
    version, uid = meta(made)["resourceVersion"], meta(made)["uid"]
    (await kube.put("configmaps", configmap(resourceVersion=version))).refused(409, "Conflict")
    late = configmap(resourceVersion=version, uid=uid, labels={"late": "yes"})
    (await kube.apply("configmaps", late, force="true")).refused(409, "Conflict")
    options = {"preconditions": {"uid": uid, "resourceVersion": version}}
    (await kube.delete("configmaps", "web", **options)).refused(409, "Conflict")
