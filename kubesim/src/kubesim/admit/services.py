"""What a change does to the fields of a Service that only some types have.

Many of them the server fills in. So a client that changes the type, or sends again what it sent at first, leaves them
as they were or leaves them out, and the server makes them fit.
"""

from typing import Any

__all__ = ["carry_over", "drop_unfit", "is_external", "is_health_checked"]

Object = dict[str, Any]

_ADDRESSES = ("clusterIP", "clusterIPs")
_FAMILIES = ("ipFamilies", "ipFamilyPolicy")


def is_external(spec: Object) -> bool:
    """Whether the Service can be reached from outside the cluster."""
    kind = spec.get("type")
    return kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def carry_over(spec: Object, old: Object) -> None:
    """Keep, in place, what was allocated and is left out: addresses, and node ports by the name of their port."""
    if _has_address(spec) and _has_address(old):
        for field in _ADDRESSES:
            if not spec.get(field) and field in old:
                spec[field] = old[field]
    if is_health_checked(spec) and is_health_checked(old) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = old.get("healthCheckNodePort", 0)
    if _has_node_ports(spec) and _has_node_ports(old):
        before = {port.get("name", ""): port.get("nodePort", 0) for port in old.get("ports") or ()}
        used = {port.get("nodePort", 0) for port in spec.get("ports") or ()}
        for port in spec.get("ports") or ():
            known = before.get(port.get("name", ""), 0)
            if known and not port.get("nodePort") and known not in used:
                port["nodePort"] = known
                used.add(known)


def drop_unfit(service: Object, old: Object) -> None:
    """Drop, in place, what the new type has no use for, if the client left it as it was. What it changed is refused."""
    spec, before = service["spec"], old["spec"]
    if _has_address(before) and not _has_address(spec):
        _drop_same(spec, before, *_ADDRESSES)
        _drop_same(spec, before, *_FAMILIES)
    if _has_node_ports(before) and not _has_node_ports(spec) and _node_ports(spec) <= _node_ports(before):
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
    if is_health_checked(before) and not is_health_checked(spec):
        _drop_same(spec, before, "healthCheckNodePort")
    if before.get("type") == "LoadBalancer" != spec.get("type"):
        _drop_same(spec, before, "allocateLoadBalancerNodePorts", "loadBalancerClass")
    if is_external(before) and not is_external(spec):
        _drop_same(spec, before, "externalTrafficPolicy")
    if spec.get("type") == "ExternalName":
        spec.pop("internalTrafficPolicy", None)
    if spec.get("type") != "LoadBalancer":
        service["status"] = {**(service.get("status") or {}), "loadBalancer": {}}


def _drop_same(spec: Object, before: Object, *fields: str) -> None:
    for field in fields:
        if spec.get(field) == before.get(field):
            spec.pop(field, None)


def _has_address(spec: Object) -> bool:
    return spec.get("type") != "ExternalName"


def _has_node_ports(spec: Object) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer")


def is_health_checked(spec: Object) -> bool:
    """Whether a load balancer asks the nodes which of them has endpoints."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _node_ports(spec: Object) -> set[int]:
    return {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
