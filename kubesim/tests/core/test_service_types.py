"""A Service whose type changes: what the server answers, and what was sent at first, can always be sent again."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubesim.jsondata import copy_json
from kubesim.problems import Problem
from kubesim.registry import Registry

from .conftest import APPLY, JSON_PATCH, MERGE, STRATEGIC

Object = dict[str, Any]

EXTERNAL = {"type": "ExternalName", "externalName": "example.com"}
SPECS: list[Object] = [
    {"type": "ClusterIP"},
    {"type": "ClusterIP", "externalIPs": ["192.0.2.1"]},
    {"type": "NodePort"},
    {"type": "NodePort", "externalTrafficPolicy": "Local"},
    {"type": "LoadBalancer"},
    {"type": "LoadBalancer", "loadBalancerClass": "example.com/a", "externalTrafficPolicy": "Local"},
    {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False},
    EXTERNAL,
]
PORTS = [
    [{"port": 80, "name": "a"}],
    [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}],
    [{"port": 90, "name": "a"}],
]


def service(spec: Object, ports: list[Object]) -> Object:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {**spec, "ports": ports}}


services = st.builds(service, st.sampled_from(SPECS), st.sampled_from(PORTS))


class Cluster:
    """One Service in a registry."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.registry.create("namespaces", "", {"metadata": {"name": "default"}}, manager="t")

    @property
    def service(self) -> Object:
        return self.registry.get("services", "default", "web")

    def apply(self, body: Object) -> Object:
        return self.patch(APPLY, body, force=True)

    def patch(self, content_type: str, body: Any, **options: Any) -> Object:
        return self.registry.patch("services", "default", "web", content_type, body, manager="t", **options)

    def put(self, body: Object) -> Object:
        return self.registry.update("services", "default", "web", body, manager="t")


def without_fields(obj: Object) -> Object:
    copy: Object = copy_json(obj)
    copy["metadata"].pop("managedFields", None)
    return copy


@given(services, st.lists(st.tuples(st.sampled_from([MERGE, STRATEGIC]), st.sampled_from(SPECS)), max_size=4))
def test_what_the_server_answers_can_be_sent_again(first: Object, changes: list[tuple[str, Object]]) -> None:
    cluster = Cluster()
    cluster.registry.create("services", "default", first, manager="other")
    for content_type, spec in changes:
        try:
            cluster.patch(content_type, {"spec": spec})
        except Problem:  # what one type has set and another may not have
            continue
        shown = without_fields(cluster.service)
        assert cluster.put(shown)["spec"] == shown["spec"]
        assert cluster.apply(shown)["spec"] == shown["spec"]


@given(st.lists(services, min_size=1, max_size=5))
def test_whatever_was_applied_before_a_service_can_be_applied(bodies: list[Object]) -> None:
    cluster = Cluster()
    for body in bodies:
        spec = cluster.apply(body)["spec"]
        assert body["spec"].items() <= {**spec, "ports": body["spec"]["ports"]}.items()
        fresh = Cluster().apply(body)["spec"]
        assert spec.keys() == fresh.keys()
        external = (
            spec["type"] in ("NodePort", "LoadBalancer") and spec.get("allocateLoadBalancerNodePorts") is not False
        )
        assert all(("nodePort" in port) >= external for port in spec["ports"])


@given(st.sampled_from(SPECS[:3]), st.sampled_from(SPECS))
def test_a_type_that_is_patched_is_applied_away(first: Object, other: Object) -> None:
    cluster = Cluster()
    body = service(first, PORTS[0])
    before = cluster.apply(body)["spec"]
    cluster.patch(
        JSON_PATCH, [{"op": "replace", "path": f"/spec/{key}", "value": value} for key, value in other.items()]
    )
    after = cluster.apply(body)["spec"]
    assert after["type"] == before["type"]
    if other["type"] != "ExternalName" and before["type"] != "NodePort":
        assert after["clusterIP"] == before["clusterIP"]
        assert after["ports"] == before["ports"]
