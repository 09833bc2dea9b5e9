"""Ports, which Services, Ingresses and Pods name in different ways: by number, or by a name."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from kubemin.spec.manifests import pod_template
from kubemin.spec.objects import Manifest, ObjectRef


def is_target(port: Manifest, target: Any, protocol: str) -> bool:
    """Whether a port of a container is meant by the ``targetPort`` of a Service."""
    meant = port.get("name") if isinstance(target, str) else port.get("containerPort")
    return bool(meant == target and port.get("protocol", "TCP") == protocol)


def port_number(service: Manifest | None, name: str) -> int | None:
    """The number of the Service's port of this name."""
    ports = ((service or {}).get("spec") or {}).get("ports") or ()
    return next((int(port["port"]) for port in ports if port.get("name") == name), None)


def service_by_numbers(service: Manifest, workload: Manifest) -> Manifest:
    """The Service with the numbers of the workload's ports, where it has their names."""
    found = copy.deepcopy(service)
    containers = (pod_template(workload) or {}).get("spec", {}).get("containers") or ()
    ports = [port for one in containers for port in one.get("ports") or ()]
    for port in found["spec"].get("ports") or ():
        target = port.get("targetPort")
        if isinstance(target, str):
            meant = (one for one in ports if is_target(one, target, port.get("protocol", "TCP")))
            port["targetPort"] = next((one["containerPort"] for one in meant), target)
    return found


def ingress_by_numbers(ingress: Manifest, namespace: str, objects: Mapping[ObjectRef, Manifest]) -> Manifest:
    """The Ingress with the numbers of the Services' ports, where it has their names."""
    found = copy.deepcopy(ingress)
    for rule in found["spec"].get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            service = path["backend"].get("service") or {}
            ref = ObjectRef("Service", namespace, str(service.get("name")))
            number = port_number(objects.get(ref), str((service.get("port") or {}).get("name")))
            if number is not None:
                service["port"] = {"number": number}
    return found


def forget_added(before: Any, after: Any) -> None:
    """A port that has a name now and had none is the same one; and a container may name a port that a Service has."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, new in after.items():
            if key == "ports" and isinstance(new, list) and isinstance(before.get(key, []), list):
                after[key] = [one for one in new if "port" in one or _same_port(before.get(key, []), one)]
                for one in after[key]:
                    if (old := _same_port(before.get(key, []), one)) and "name" not in old:
                        one.pop("name", None)
            forget_added(before.get(key), new)
        if after.get("ports") == []:
            del after["ports"]
    elif isinstance(before, list) and isinstance(after, list):
        for old, new in zip(before, after, strict=False):
            forget_added(old, new)


def _same_port(ports: Sequence[Manifest], port: Manifest) -> Manifest | None:
    fields = ("port", "containerPort", "protocol")
    return next((one for one in ports if all(one.get(field) == port.get(field) for field in fields)), None)
