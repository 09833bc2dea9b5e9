"""Namespaces, quotas, Services."""

import pytest

from controllers.conftest import World, deployment, pod
from controllers.test_deployment import condition, rolled_out
from controllers.test_pods import is_ready
from kubesim.controllers import Controllers
from kubesim.jsondata import Object
from kubesim.problems import Problem
from kubesim.registry import Registry

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}


async def furnished(world: World) -> None:
    """Wait for what every namespace holds."""
    await world.until(
        lambda: (
            world.names("serviceaccounts", "team") == ["default"]
            and world.names("configmaps", "team") == ["kube-root-ca.crt"]
        )
    )


async def test_a_fresh_namespace_is_furnished_and_its_version_stands(world: World) -> None:
    made = world.create(NAMESPACE)
    await furnished(world)
    found = world.get("namespaces", "team", "")
    assert found is not None
    assert found["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_what_is_furnished_comes_again(world: World) -> None:
    world.create(NAMESPACE)
    await furnished(world)
    world.delete("configmaps", "kube-root-ca.crt", "team")
    world.delete("serviceaccounts", "default", "team")
    await furnished(world)


async def test_what_others_inject_comes_a_moment_later_to_every_namespace() -> None:
    registry = Registry()
    registry.create("namespaces", "", {"metadata": {"name": "default"}}, manager="test")
    mesh = {"istio-ca-root-cert": {"root-cert.pem": "x"}, "trust": {"ca.crt": "y"}}
    controllers = Controllers(registry, speed=1000.0, inject=mesh)
    world = World(registry, controllers)
    order = world.heard("ADDED", "ConfigMap")
    await controllers.start()
    expected = sorted(["kube-root-ca.crt", *mesh])
    await world.until(lambda: world.names("configmaps") == expected)
    world.create(NAMESPACE)
    await world.until(lambda: world.names("configmaps", "team") == expected)
    assert order == ["kube-root-ca.crt", *mesh] * 2
    world.merge("configmaps", "trust", {"data": {"ca.crt": "edited"}}, "team")
    world.delete("configmaps", "istio-ca-root-cert", "team")
    found = await world.until(lambda: world.get("configmaps", "istio-ca-root-cert", "team"))
    assert found["data"] == mesh["istio-ca-root-cert"]
    await world.until(lambda: (world.get("configmaps", "trust", "team") or {}).get("data") == mesh["trust"])
    world.delete("namespaces", "team", "")
    await world.until(lambda: world.get("namespaces", "team", "") is None)
    await controllers.stop()


async def test_deletion_empties_it_then_removes_it(world: World) -> None:
    world.create(NAMESPACE)
    await furnished(world)
    world.create({**deployment(), "metadata": {"name": "web", "namespace": "team"}})
    await world.until(lambda: world.names("pods", "team"))
    gone = world.delete("namespaces", "team", "")
    assert gone["status"]["phase"] == "Terminating"
    await world.until(lambda: world.get("namespaces", "team", "") is None)
    for plural in ("deployments", "replicasets", "pods", "serviceaccounts", "configmaps", "events"):
        assert world.all(plural, "team") == []


async def test_a_finalizer_holds_it(world: World) -> None:
    world.create(NAMESPACE)
    await furnished(world)
    held = {"apiVersion": "v1", "kind": "ConfigMap"}
    world.create({**held, "metadata": {"name": "held", "namespace": "team", "finalizers": ["example.com/wait"]}})
    world.delete("namespaces", "team", "")
    await world.settled()
    found = world.get("namespaces", "team", "")
    assert condition(found, "NamespaceContentRemaining") == ("True", "SomeResourcesRemain")
    assert condition(found, "NamespaceFinalizersRemaining") == ("True", "SomeFinalizersRemain")
    with pytest.raises(Problem) as caught:
        world.create({**held, "metadata": {"name": "new", "namespace": "team"}})
    assert caught.value.code == 403
    assert caught.value.details["causes"][0]["reason"] == "NamespaceTerminating"
    world.merge("configmaps", "held", {"metadata": {"finalizers": None}}, "team")
    await world.until(lambda: world.get("namespaces", "team", "") is None)


def quota(hard: dict[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": hard}}


async def test_quota_stops_a_replicaset_and_the_deployment_says_so(world: World) -> None:
    world.create(quota({"pods": "1"}))
    world.create(deployment(replicas=3))
    await world.until(lambda: condition(world.get("deployments", "web"), "ReplicaFailure") == ("True", "FailedCreate"))
    (owned,) = world.all("replicasets")
    failure = next(found for found in owned["status"]["conditions"] if found["type"] == "ReplicaFailure")
    assert failure["message"].endswith(
        "is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"
    )
    assert len(world.all("pods")) == 1
    await world.until(lambda: (world.get("resourcequotas", "q") or {}).get("status", {}).get("used") == {"pods": "1"})
    world.delete("resourcequotas", "q")
    found = await rolled_out(world)
    assert condition(found, "ReplicaFailure") is None


async def test_quota_on_counts(world: World) -> None:
    world.create(quota({"count/deployments.apps": "0"}))
    with pytest.raises(Problem) as caught:
        world.create(deployment())
    assert caught.value.code == 403
    assert "exceeded quota: q, requested: count/deployments.apps=1" in caught.value.message


async def test_quota_on_compute_wants_it_declared(world: World) -> None:
    world.create(quota({"requests.cpu": "1"}))
    with pytest.raises(Problem, match=r"failed quota: q: must specify requests.cpu for: main"):
        world.create(pod())
    body = pod()
    body["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "600m"}}
    world.create(body)
    body["metadata"]["name"] = "two"
    with pytest.raises(Problem, match=r"used: requests.cpu=600m, limited: requests.cpu=1"):
        world.create(body)


async def test_a_missing_service_account_refuses_the_pod(world: World) -> None:
    with pytest.raises(Problem, match='serviceaccount "robot" not found'):
        world.create(pod(serviceAccountName="robot"))
    world.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}})
    world.create(pod(serviceAccountName="robot"))
    await is_ready(world)


def service(**spec: object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": {"example.com/app-id": "a"}},
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}], **spec},
    }


async def test_endpoints_follow_ready_pods_and_carry_the_labels(world: World) -> None:
    world.create(service())
    world.create(deployment(replicas=2))
    await rolled_out(world)
    ips = sorted(pod["status"]["podIP"] for pod in world.all("pods"))

    def addresses() -> list[str]:
        subsets = (world.get("endpoints", "web") or {}).get("subsets") or []
        return sorted(address["ip"] for subset in subsets for address in subset.get("addresses", []))

    await world.until(lambda: addresses() == ips)
    found = world.get("endpoints", "web")
    assert found is not None
    assert found["metadata"]["labels"]["example.com/app-id"] == "a"
    assert found["subsets"][0]["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    (part,) = world.all("endpointslices")
    assert part["metadata"]["labels"]["example.com/app-id"] == "a"
    assert part["metadata"]["labels"]["kubernetes.io/service-name"] == "web"
    assert sorted(endpoint["addresses"][0] for endpoint in part["endpoints"]) == ips
    assert "ownerReferences" not in found["metadata"]
    world.merge("deployments", "web", {"spec": {"replicas": 0}})
    await world.until(lambda: addresses() == [])
    world.delete("services", "web")
    await world.until(lambda: not world.all("endpoints") and not world.all("endpointslices"))


async def test_pods_that_are_not_ready_are_listed_apart(world: World) -> None:
    world.create(service())
    world.create(deployment(image="app:never"))

    def waiting() -> bool:
        subsets = (world.get("endpoints", "web") or {}).get("subsets") or []
        return [list(subset) for subset in subsets] == [["notReadyAddresses", "ports"]]

    await world.until(waiting)
