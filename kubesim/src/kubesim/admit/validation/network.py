"""What Services, Ingresses and NetworkPolicies must be."""

import ipaddress
from typing import Any

from kubesim.admit.services import is_external
from kubesim.admit.validation import formats
from kubesim.admit.validation.causes import Causes
from kubesim.admit.validation.containers import check_port_reference
from kubesim.admit.validation.metadata import check_labels, check_selector

__all__ = ["check_ingress", "check_network_policy", "check_service"]

Object = dict[str, Any]

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")


def check_service(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a Service. Which addresses and node ports are free is the allocator's matter."""
    spec = obj["spec"]
    if old is not None:
        if spec == old["spec"]:
            return
        _check_address_kept(spec, old["spec"], causes)
    kind = spec["type"]
    headless = spec.get("clusterIP") == "None"
    ports = spec.get("ports", [])
    if not ports and not headless and kind != "ExternalName":
        causes.required("spec.ports")
    if headless and kind in ("LoadBalancer", "NodePort"):
        causes.invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        name = spec.get("externalName", "").removesuffix(".")
        if not name:
            causes.required("spec.externalName")
        else:
            causes.each_invalid("spec.externalName", name, formats.dns_subdomain(name))
    _check_ports(ports, causes)
    check_labels("spec.selector", spec.get("selector"), causes)
    causes.one_of("spec.sessionAffinity", spec["sessionAffinity"], ("ClientIP", "None"))
    address = spec.get("clusterIP")
    if address and not headless and not _is_address(address):
        causes.invalid("spec.clusterIPs[0]", address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
    causes.one_of("spec.type", kind, _TYPES)
    if kind == "ClusterIP":
        for index, port in enumerate(ports):
            if "nodePort" in port:
                causes.forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
    policy = spec.get("externalTrafficPolicy")
    if policy and not is_external(spec):
        causes.invalid("spec.externalTrafficPolicy", policy, "may only be set for externally-accessible services")
    _check_duplicates(ports, causes)
    if "internalTrafficPolicy" in spec:
        causes.one_of("spec.internalTrafficPolicy", spec["internalTrafficPolicy"], ("Cluster", "Local"))
    if "allocateLoadBalancerNodePorts" in spec and kind != "LoadBalancer":
        causes.forbidden("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'")


def _check_address_kept(spec: Object, before: Object, causes: Causes) -> None:
    if "ExternalName" in (spec["type"], before["type"]):
        return
    new, old = spec.get("clusterIP"), before.get("clusterIP")
    if new and old and new != old:
        causes.invalid("spec.clusterIPs[0]", spec.get("clusterIPs") or [new], "may not change once set")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _check_ports(ports: list[Object], causes: Causes) -> None:
    names: set[str] = set()
    for index, port in enumerate(ports):
        where = f"spec.ports[{index}]"
        name = port.get("name")
        if name:
            causes.each_invalid(f"{where}.name", name, formats.dns_label(name))
            if name in names:
                causes.duplicate(f"{where}.name", name)
            names.add(name)
        elif len(ports) > 1:
            causes.required(f"{where}.name")
        causes.each_invalid(f"{where}.port", port["port"], formats.port_number(port["port"]))
        causes.one_of(f"{where}.protocol", port["protocol"], _PROTOCOLS)
        check_port_reference(f"{where}.targetPort", port["targetPort"], causes)
        protocol = port.get("appProtocol")
        if protocol is not None:
            causes.each_invalid(f"{where}.appProtocol", protocol, formats.label_key(protocol))


def _check_duplicates(ports: list[Object], causes: Causes) -> None:
    node_ports: set[tuple[str, int]] = set()
    taken: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        node_port = port.get("nodePort")
        if node_port:
            if (port["protocol"], node_port) in node_ports:
                causes.duplicate(f"spec.ports[{index}].nodePort", node_port)
            node_ports.add((port["protocol"], node_port))
    for index, port in enumerate(ports):
        key = (port["protocol"], port["port"])
        if key in taken:
            shown = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            causes.duplicate(f"spec.ports[{index}]", shown)
        taken.add(key)


def check_ingress(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check an Ingress."""
    spec = obj["spec"]
    if old is not None and spec == old["spec"]:
        return
    rules = spec.get("rules", [])
    if not rules and "defaultBackend" not in spec:
        causes.invalid("spec", rules, "either `defaultBackend` or `rules` must be specified")
    if "defaultBackend" in spec:
        _check_backend("spec.defaultBackend", spec["defaultBackend"], causes)
    for index, rule in enumerate(rules):
        host = rule.get("host")
        if host:
            _check_host(f"spec.rules[{index}].host", host, causes)
        http = rule.get("http")
        if http is not None:
            _check_paths(f"spec.rules[{index}].http.paths", http["paths"], causes)
    for index, tls in enumerate(spec.get("tls", ())):
        for position, host in enumerate(tls.get("hosts", ())):
            wrong = formats.wildcard_subdomain(host) if "*" in host else formats.dns_subdomain(host)
            causes.each_invalid(f"spec.tls[{index}].hosts[{position}]", host, wrong)
        secret = tls.get("secretName")
        if secret:
            causes.each_invalid(f"spec.tls[{index}].secretName", secret, formats.dns_subdomain(secret))
    class_name = spec.get("ingressClassName")
    if class_name is not None:
        causes.each_invalid("spec.ingressClassName", class_name, formats.dns_subdomain(class_name))


def _check_host(path: str, host: str, causes: Causes) -> None:
    if _is_address(host):
        causes.invalid(path, host, "must be a DNS name, not an IP address")
    causes.each_invalid(path, host, formats.wildcard_subdomain(host) if "*" in host else formats.dns_subdomain(host))


def _check_paths(path: str, paths: list[Object] | None, causes: Causes) -> None:
    if not paths:
        causes.required(path)
        return
    for index, item in enumerate(paths):
        where = f"{path}[{index}]"
        kind, location = item.get("pathType"), item.get("path", "")
        if kind is None:
            causes.required(f"{where}.pathType", "pathType must be specified")
            continue
        if kind in ("Exact", "Prefix"):
            if not location.startswith("/"):
                causes.invalid(f"{where}.path", location, "must be an absolute path")
            for part in ("//", "/./", "/../", "%2f", "%2F"):
                if part in location:
                    causes.invalid(f"{where}.path", location, f"must not contain '{part}'")
            for end in ("/..", "/."):
                if location.endswith(end):
                    causes.invalid(f"{where}.path", location, f"cannot end with '{end}'")
        elif kind == "ImplementationSpecific":
            if location and not location.startswith("/"):
                causes.invalid(f"{where}.path", location, "must be an absolute path")
        else:
            causes.unsupported(f"{where}.pathType", kind, ("Exact", "ImplementationSpecific", "Prefix"))
        _check_backend(f"{where}.backend", item["backend"], causes)


def _check_backend(path: str, backend: Object, causes: Causes) -> None:
    service = backend.get("service")
    if "resource" in backend:
        if service is not None:
            causes.invalid(path, "", "cannot set both resource and service backends")
        return
    if service is None:
        causes.invalid(path, "", "resource or service backend is required")
        return
    if not service["name"]:
        causes.required(f"{path}.service.name")
    else:
        causes.each_invalid(f"{path}.service.name", service["name"], formats.service_name(service["name"]))
    name, number = service["port"].get("name"), service["port"].get("number")
    if name and number:
        causes.invalid(path, "", "cannot set both port name & port number")
    elif name:
        causes.each_invalid(f"{path}.service.port.name", name, formats.port_name(name))
    elif number:
        causes.each_invalid(f"{path}.service.port.number", number, formats.port_number(number))
    else:
        causes.required(path, "port name or number is required")


def check_network_policy(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a NetworkPolicy."""
    spec = obj["spec"]
    if old is not None and spec == old["spec"]:
        return
    check_selector("spec.podSelector", spec["podSelector"], causes)
    for kind in spec["policyTypes"]:
        causes.one_of("spec.policyTypes", kind, ("Ingress", "Egress"))
