"""Quotas: which requests they refuse, when, and in which words."""

from typing import Any

import pytest

from .conftest import APPLY, CONFIG_MAPS, DEPLOYMENTS, Api, config_map, deployment

CORE = "/api/v1/namespaces/default"


async def hard(api: Api, limits: dict[str, str]) -> None:
    await api.made(f"{CORE}/resourcequotas", {"metadata": {"name": "full"}, "spec": {"hard": limits}})


def service(kind: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a"}, "spec": {"type": kind, "ports": [{"port": 80}], **spec}}


CLAIM: dict[str, Any] = {
    "metadata": {"name": "a"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
POD = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "main", "image": "app:1"}]}}
NAMED = {"metadata": {"name": "a"}}
BODIES = {
    "configmaps": NAMED,
    "secrets": NAMED,
    "services": service("ClusterIP"),
    "persistentvolumeclaims": CLAIM,
    "pods": POD,
}


@pytest.mark.parametrize("form", ["{}", "count/{}"])
@pytest.mark.parametrize("plural", BODIES)
async def test_each_core_resource_is_counted(api: Api, plural: str, form: str) -> None:
    there = len(list(api.server.registry.scan(plural, "default")))
    key = form.format(plural)
    await hard(api, {key: str(there + 1)})
    await api.made(f"{CORE}/{plural}", BODIES[plural])
    again = {**BODIES[plural], "metadata": {"name": "b"}}
    refused = await api.post(f"{CORE}/{plural}", again)
    assert (refused.status, refused.body["reason"]) == (403, "Forbidden")
    assert refused.body["message"] == (
        f'{plural} "b" is forbidden: exceeded quota: full, requested: {key}=1, used: {key}={there + 1}, '
        f"limited: {key}={there + 1}"
    )


async def test_a_post_of_what_is_there_is_refused_by_the_quota_first(api: Api) -> None:
    await hard(api, {"count/deployments.apps": "1"})
    await api.made(DEPLOYMENTS, deployment("x"))
    for query in ({}, {"dryRun": "All"}):
        refused = await api.post(DEPLOYMENTS, deployment("x"), **query)
        assert (refused.status, refused.body["message"]) == (
            403,
            'deployments.apps "x" is forbidden: exceeded quota: full, requested: count/deployments.apps=1, '
            "used: count/deployments.apps=1, limited: count/deployments.apps=1",
        )
    assert (await api.apply(f"{DEPLOYMENTS}/x", deployment("x", "app:2"), force="true")).status == 200
    assert (await api.apply(f"{DEPLOYMENTS}/y", deployment("y"))).status == 403
    await api.delete(f"{DEPLOYMENTS}/x")
    assert (await api.apply(f"{DEPLOYMENTS}/y", deployment("y"))).status == 201


async def test_what_a_change_adds_is_charged(api: Api) -> None:
    await hard(api, {"services.nodeports": "1", "services.loadbalancers": "0", "services": "1"})
    await api.made(f"{CORE}/services", service("NodePort"))
    path = f"{CORE}/services/a"
    two = {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]}
    refused = await api.patch(path, {"spec": two})
    assert refused.status == 403
    assert refused.body["message"].endswith(
        "full, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1"
    )
    assert (await api.patch(path, {"spec": {"type": "LoadBalancer"}})).status == 403
    assert (await api.patch(path, {"spec": {"type": "ClusterIP", **two}})).status == 200
    assert (await api.patch(path, {"spec": {"type": "NodePort"}})).status == 403


async def test_a_balancer_without_node_ports_is_charged_for_none(api: Api) -> None:
    await hard(api, {"services.nodeports": "0", "services.loadbalancers": "1"})
    assert (await api.post(f"{CORE}/services", service("LoadBalancer"))).status == 403
    await api.made(f"{CORE}/services", service("LoadBalancer", allocateLoadBalancerNodePorts=False))


async def test_storage_is_charged_in_all_and_by_its_class(api: Api) -> None:
    key = "standard.storageclass.storage.k8s.io/requests.storage"
    await hard(api, {key: "2Gi", "requests.storage": "3Gi"})
    await api.made(f"{CORE}/persistentvolumeclaims", CLAIM)
    large = {**CLAIM["spec"], "resources": {"requests": {"storage": "2Gi"}}}
    refused = await api.post(f"{CORE}/persistentvolumeclaims", {"metadata": {"name": "b"}, "spec": large})
    assert refused.status == 403
    assert f"requested: {key}=2Gi, used: {key}=1Gi" in refused.body["message"]
    other = {"metadata": {"name": "b"}, "spec": {**large, "storageClassName": "fixed"}}
    await api.made(f"{CORE}/persistentvolumeclaims", other)


async def test_an_object_that_is_wrong_is_refused_for_that(api: Api) -> None:
    await hard(api, {"configmaps": "0"})
    assert (await api.post(CONFIG_MAPS, config_map(data={"?": "x"}))).status == 422
    assert (
        await api.patch(f"{CONFIG_MAPS}/a", {**config_map(), "apiVersion": "v1"}, APPLY, fieldManager="x")
    ).status == 403
