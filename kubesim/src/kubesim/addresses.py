"""The cluster's Service addresses and node ports."""

from collections.abc import Collection
from ipaddress import IPv4Network

from kubesim.admit.services import is_health_checked
from kubesim.jsondata import Object
from kubesim.problems import Problem, invalid
from kubesim.resources import Resource

_NETWORK = IPv4Network("10.96.0.0/16")
_FIRST = 10  # the lowest addresses are left to the API server and DNS
_PORTS = range(30000, 32768)


class _Pool:
    """What is free. Addresses are given out in turn, so that one just freed is not at once another's."""

    def __init__(self) -> None:
        self._ips: set[str] = set()
        self._ports: set[int] = set()
        self._next_ip = _FIRST
        self._next_port = 0

    def take_ip(self, wanted: str | None) -> str | None:
        """Take this address, or a free one. ``None`` if it, or every one, is taken."""
        if wanted is None:
            span = _NETWORK.num_addresses - _FIRST - 1
            for step in range(span):
                candidate = str(_NETWORK[_FIRST + (self._next_ip - _FIRST + step) % span])
                if candidate not in self._ips:
                    self._next_ip += step + 1
                    wanted = candidate
                    break
        if wanted is None or wanted in self._ips:
            return None
        self._ips.add(wanted)
        return wanted

    def take_port(self, wanted: int | None) -> int | None:
        """Take this node port, or a free one. ``None`` if it, or every one, is taken."""
        if wanted is None:
            for step in range(len(_PORTS)):
                candidate = _PORTS[(self._next_port + step) % len(_PORTS)]
                if candidate not in self._ports:
                    self._next_port += step + 1
                    wanted = candidate
                    break
        if wanted is None or wanted in self._ports:
            return None
        self._ports.add(wanted)
        return wanted

    def free(self, ips: Collection[str], ports: Collection[int]) -> None:
        """Give addresses and ports back."""
        self._ips.difference_update(ips)
        self._ports.difference_update(ports)


class Allocator:
    """Gives Services their cluster IPs and node ports."""

    def __init__(self) -> None:
        self._pool = _Pool()
        self._held: dict[str, tuple[set[str], set[int]]] = {}

    def allocate(self, resource: Resource, service: Object, *, dry_run: bool) -> None:
        """Fill in what is missing, in place. 422 for what another Service has."""
        spec, owner = service["spec"], service["metadata"]["uid"]
        kind = spec.get("type", "ClusterIP")
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
            if is_health_checked(spec):
                self._health_port(resource, service, before_ports, ports)
        except Problem:
            self._pool.free(ips - before_ips, ports - before_ports)
            raise
        if dry_run:
            self._pool.free(ips - before_ips, ports - before_ports)
        else:
            self._pool.free(before_ips - ips, before_ports - ports)
            self._held[owner] = ips, ports

    def release(self, service: Object) -> None:
        """Free what a Service has."""
        ips, ports = self._held.pop(service["metadata"]["uid"], (set(), set()))
        self._pool.free(ips, ports)

    def _address(self, resource: Resource, service: Object, before: set[str], taken: set[str]) -> None:
        spec = service["spec"]
        ip = spec.get("clusterIP")
        if ip != "None":
            if ip not in before:
                got = self._pool.take_ip(ip or None)
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
                wanted = self._pool.take_port(wanted)
                if wanted is None:
                    raise _taken(
                        resource,
                        service,
                        f"spec.ports[{index}].nodePort",
                        f"Invalid value: {port.get('nodePort')}: provided port is already allocated",
                    )
                port["nodePort"] = wanted
            taken.add(wanted)

    def _health_port(self, resource: Resource, service: Object, before: set[int], taken: set[int]) -> None:
        """The port on which the load balancer asks each node whether it has endpoints."""
        wanted = service["spec"].get("healthCheckNodePort") or None
        if wanted not in before or wanted is None:
            field, given = "spec.healthCheckNodePort", wanted
            wanted = self._pool.take_port(wanted)
            if wanted is None:
                why = f"Invalid value: {given}: provided port is already allocated"
                raise _taken(resource, service, field, why)
            service["spec"]["healthCheckNodePort"] = wanted
        taken.add(wanted)


def _taken(resource: Resource, service: Object, field: str, message: str) -> Problem:
    return invalid(resource.group, resource.kind, service["metadata"]["name"], (field, "FieldValueInvalid", message))
