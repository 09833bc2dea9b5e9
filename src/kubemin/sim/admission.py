"""Admission: what depends on other objects than the one that is written."""

from collections.abc import Iterable
from typing import Protocol

from kubemin.sim.admit import Addresses
from kubemin.sim.jsondata import Object
from kubemin.sim.problems import Problem, forbidden, invalid, not_found
from kubemin.sim.resources import RESOURCES, Resource

_IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


class Reader(Protocol):
    """Looks at stored objects."""

    def peek(self, resource: str, namespace: str, name: str) -> Object | None:
        """The stored object, read only."""

    def scan(self, resource: str, namespace: str | None = None) -> Iterable[Object]:
        """The stored objects, read only."""


def admit_create(reader: Reader, resource: Resource, namespace: str, name: str, obj: Object) -> None:
    """Refuse what may not be made there, and add what admission plugins add, in place."""
    if resource.namespaced:
        space = reader.peek("namespaces", "", namespace)
        if space is None:
            raise not_found(RESOURCES["namespaces"], namespace)
        if "deletionTimestamp" in space["metadata"]:
            raise forbidden(
                resource,
                name,
                f"unable to create new content in namespace {namespace} because it is being terminated",
                causes=[
                    {
                        "reason": "NamespaceTerminating",
                        "message": f"namespace {namespace} is being terminated",
                        "field": "metadata.namespace",
                    }
                ],
            )
    if resource.plural in _PROTECTION:
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if (finalizer := _PROTECTION[resource.plural]) not in finalizers:
            finalizers.append(finalizer)
    if resource.plural == "persistentvolumeclaims":
        _default_class(reader, obj)


_PROTECTION = {
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
}
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def _default_class(reader: Reader, claim: Object) -> None:
    if claim.get("spec", {}).get("storageClassName") is not None:
        return
    for storage_class in reader.scan("storageclasses"):
        if (storage_class["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true":
            claim["spec"]["storageClassName"] = storage_class["metadata"]["name"]
            return


def admit_delete(resource: Resource, name: str) -> None:
    """Refuse to delete what the cluster cannot be without."""
    if resource.plural == "namespaces" and name in _IMMORTAL:
        raise forbidden(resource, name, "this namespace may not be deleted")


class Allocator:
    """Gives Services their cluster IPs and node ports."""

    def __init__(self) -> None:
        self._addresses = Addresses()
        self._held: dict[str, tuple[set[str], set[int]]] = {}

    def allocate(self, resource: Resource, service: Object, old: Object | None, *, dry_run: bool) -> None:
        """Fill in what is missing, in place. 422 for what another Service has."""
        spec, owner = service["spec"], service["metadata"]["uid"]
        kind = spec.get("type", "ClusterIP")
        if old is not None:
            _inherit(spec, old["spec"], kind)
        before_ips, before_ports = self._held.get(owner, (set(), set()))
        ips: set[str] = set()
        ports: set[int] = set()
        try:
            if kind == "ExternalName":
                for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                    spec.pop(field, None)
            else:
                self._address(resource, service, before_ips, ips)
            if kind in ("NodePort", "LoadBalancer") and spec.get("allocateLoadBalancerNodePorts") is not False:
                self._node_ports(resource, service, before_ports, ports)
        except Problem:
            self._addresses.free(ips - before_ips, ports - before_ports)
            raise
        if dry_run:
            self._addresses.free(ips - before_ips, ports - before_ports)
        else:
            self._addresses.free(before_ips - ips, before_ports - ports)
            self._held[owner] = ips, ports

    def release(self, service: Object) -> None:
        """Free what a Service has."""
        ips, ports = self._held.pop(service["metadata"]["uid"], (set(), set()))
        self._addresses.free(ips, ports)

    def _address(self, resource: Resource, service: Object, before: set[str], taken: set[str]) -> None:
        spec = service["spec"]
        ip = spec.get("clusterIP")
        if ip != "None":
            if ip not in before:
                got = self._addresses.take_ip(ip or None)
                if got is None:
                    why = "provided IP is already allocated" if ip else "range is full"
                    raise _taken(
                        resource,
                        service,
                        "spec.clusterIPs",
                        f'Invalid value: ["{ip}"]: failed to allocate IP {ip}: {why}',
                    )
                ip = spec["clusterIP"] = got
            taken.add(ip)
        spec["clusterIPs"] = spec.get("clusterIPs") or [ip]
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")

    def _node_ports(self, resource: Resource, service: Object, before: set[int], taken: set[int]) -> None:
        for index, port in enumerate(service["spec"].get("ports") or ()):
            wanted = port.get("nodePort") or None
            if wanted not in before or wanted is None:
                wanted = self._addresses.take_port(wanted)
                if wanted is None:
                    raise _taken(
                        resource,
                        service,
                        f"spec.ports[{index}].nodePort",
                        f"Invalid value: {port.get('nodePort')}: provided port is already allocated",
                    )
                port["nodePort"] = wanted
            taken.add(wanted)


def _inherit(spec: Object, old: Object, kind: str) -> None:
    """A PUT that leaves out the addresses keeps them."""
    if kind != "ExternalName" and old.get("clusterIP"):
        for field in ("clusterIP", "clusterIPs"):
            if not spec.get(field) and field in old:
                spec[field] = old[field]
    if kind in ("NodePort", "LoadBalancer"):
        before = {(port.get("protocol"), port["port"]): port.get("nodePort") for port in old.get("ports") or ()}
        for port in spec.get("ports") or ():
            node_port = before.get((port.get("protocol"), port["port"]))
            if node_port and not port.get("nodePort"):
                port["nodePort"] = node_port


def _taken(resource: Resource, service: Object, field: str, message: str) -> Problem:
    return invalid(resource.group, resource.kind, service["metadata"]["name"], (field, "FieldValueInvalid", message))
