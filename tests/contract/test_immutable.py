"""Changes that the API refuses, so that neither an update nor its restore may count on them (trap 7)."""

from typing import Any

import pytest

from tests.manifests import configmap, deployment, job, pvc, secret, service, statefulset

from .kube import Json, Kube, meta


@pytest.mark.parametrize(
    ("plural", "body"), [("configmaps", configmap()), ("secrets", secret())], ids=["configmaps", "secrets"]
)
async def test_immutable_is_a_one_way_street(kube: Kube, plural: str, body: Json) -> None:
    await kube.make(plural, body)
    (await kube.patch(plural, "web", {"immutable": True})).ok()
    for change in ({"immutable": None}, {"immutable": False}, {"data": {"a": "Mg=="}}):
        (await kube.patch(plural, "web", change)).refused(422, "Invalid", "field is immutable when `immutable` is set")
    labelled = (await kube.patch(plural, "web", {"metadata": {"labels": {"a": "b"}}})).ok()
    assert labelled["immutable"] is True


async def test_the_type_of_a_secret(kube: Kube) -> None:
    await kube.make("secrets", secret())
    (await kube.patch("secrets", "web", {"type": "kubemin.test/other"})).refused(422, "Invalid", "field is immutable")


@pytest.mark.parametrize(
    ("plural", "body"),
    [("deployments", deployment("x")), ("statefulsets", statefulset("x"))],
    ids=["deployments", "statefulsets"],
)
async def test_selectors(kube: Kube, plural: str, body: Json) -> None:
    await kube.make(plural, body)
    labels = {"app": "x", "more": "y"}
    change = {"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}}
    (await kube.patch(plural, "x", change)).refused(422, "Invalid")


@pytest.mark.parametrize(
    "change",
    [
        {"serviceName": "other"},
        {"podManagementPolicy": "Parallel"},
        {"volumeClaimTemplates": []},
        {"volumeClaimTemplates": [{"metadata": {"name": "data", "labels": {"a": "b"}}, "spec": pvc()["spec"]}]},
    ],
    ids=["serviceName", "podManagementPolicy", "no claims", "claim labels"],
)
async def test_most_of_a_statefulset(kube: Kube, change: Json) -> None:
    await kube.make("statefulsets", statefulset(claim=True))
    refusal = await kube.patch("statefulsets", "db", {"spec": change})
    refusal.refused(422, "Invalid", "updates to statefulset spec for fields other than")
    assert refusal.causes() == {("FieldValueForbidden", "spec")}


async def test_the_rest_of_a_statefulset_may_change(kube: Kube) -> None:
    await kube.make("statefulsets", statefulset(claim=True))
    change: Json = {"replicas": 0, "minReadySeconds": 1}
    change["template"] = {"metadata": {"annotations": {"a": "b"}}}
    change["persistentVolumeClaimRetentionPolicy"] = {"whenDeleted": "Delete"}
    assert (await kube.patch("statefulsets", "db", {"spec": change})).ok()["spec"]["minReadySeconds"] == 1


async def test_the_address_of_a_service(kube: Kube) -> None:
    made = await kube.make("services", service())
    refusal = await kube.patch("services", "web", {"spec": {"clusterIP": "None", "clusterIPs": ["None"]}})
    refusal.refused(422, "Invalid", "clusterIP")
    without = {key: value for key, value in made["spec"].items() if key not in {"clusterIP", "clusterIPs"}}
    kept = (await kube.put("services", {**made, "spec": without})).ok()
    assert kept["spec"]["clusterIP"] == made["spec"]["clusterIP"]


async def test_a_service_that_is_made_again_may_ask_for_its_old_address(kube: Kube) -> None:
    """Trap 12: and gets it while nobody took it."""
    made = await kube.make("services", service(type="NodePort"))
    (await kube.delete("services", "web")).ok()
    again = {**made, "metadata": {"name": "web"}, "status": {}}
    second = await kube.make("services", again)
    assert second["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert second["spec"]["ports"] == made["spec"]["ports"]
    thief = {**again, "metadata": {"name": "thief"}}
    (await kube.post("services", thief)).refused(422, "Invalid", "provided IP is already allocated")
    del thief["spec"]["clusterIP"], thief["spec"]["clusterIPs"]
    (await kube.post("services", thief)).refused(422, "Invalid", "provided port is already allocated")


@pytest.mark.parametrize(
    "spec",
    [
        {"completions": 2},
        {"template": {"spec": {"containers": [{"name": "app", "image": "app:2"}]}}},
        {"selector": {"matchLabels": {"a": "b"}}},
    ],
    ids=["completions", "template", "selector"],
)
async def test_a_job(kube: Kube, spec: Json) -> None:
    await kube.make("jobs", job(completions=1))
    (await kube.patch("jobs", "mig", {"spec": spec}, kind="strategic")).refused(422, "Invalid", "field is immutable")
    changed = (await kube.patch("jobs", "mig", {"spec": {"activeDeadlineSeconds": 600}})).ok()
    assert changed["spec"]["activeDeadlineSeconds"] == 600


async def test_a_claim(kube: Kube) -> None:
    await kube.make("persistentvolumeclaims", pvc())
    for change in ({"accessModes": ["ReadWriteMany"]}, {"volumeMode": "Block"}):
        refusal = await kube.patch("persistentvolumeclaims", "data", {"spec": change})
        refusal.refused(422, "Invalid", "spec is immutable after creation except resources.requests")
    less: dict[str, Any] = {"resources": {"requests": {"storage": "500Mi"}}}
    (await kube.patch("persistentvolumeclaims", "data", {"spec": less})).refused(422, "Invalid")


async def test_a_claim_that_is_not_bound_does_not_grow(kube: Kube) -> None:
    sent = pvc()
    sent["spec"]["storageClassName"] = "kubemin-nowhere"
    await kube.make("persistentvolumeclaims", sent)
    more = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    refusal = await kube.patch("persistentvolumeclaims", "data", more)
    refusal.refused(422, "Invalid", "spec is immutable after creation except resources.requests")


async def test_the_role_of_a_binding(kube: Kube) -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "robots"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": kube.namespace}],
    }
    await kube.make("rolebindings", binding)
    change = {"roleRef": {"name": "writer"}}
    (await kube.patch("rolebindings", "robots", change)).refused(422, "Invalid", "cannot change roleRef")


async def test_identity(kube: Kube) -> None:
    made = await kube.make("configmaps", configmap())
    changed = (await kube.patch("configmaps", "web", {"metadata": {"creationTimestamp": "2001-01-01T00:00:00Z"}})).ok()
    assert meta(changed)["creationTimestamp"] == meta(made)["creationTimestamp"]
