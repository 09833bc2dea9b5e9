"""What containers must be."""

from collections.abc import Collection
from typing import Any

from kubesim.admit.quantity import quantity_value
from kubesim.admit.validation import formats
from kubesim.admit.validation.causes import NEGATIVE, Causes

__all__ = ["check_containers", "check_init_containers", "check_port_reference"]

Object = dict[str, Any]

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_FIELD_PATHS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_RESOURCE_FIELDS = tuple(
    f"{side}.{name}" for side in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory")
)
_NATIVE_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})


def check_containers(path: str, containers: list[Object] | None, volumes: Collection[str], causes: Causes) -> None:
    """Check the regular containers of a pod."""
    if not containers:
        causes.required(path)
        return
    names: set[str] = set()
    host_ports: set[str] = set()
    for index, container in enumerate(containers):
        where = f"{path}[{index}]"
        _check_container(where, container, volumes, causes)
        name = container["name"]
        if name in names:
            causes.duplicate(f"{where}.name", name)
        names.add(name)
        _check_running(where, container, causes)
        if "restartPolicy" in container:
            causes.one_of(f"{where}.restartPolicy", container["restartPolicy"], ("Always", "Never", "OnFailure"))
        _check_host_ports(where, container, host_ports, causes)


def check_init_containers(
    path: str, containers: list[Object], others: list[Object] | None, volumes: Collection[str], causes: Causes
) -> None:
    """Check init containers; ``others`` are the regular ones, whose names are taken."""
    names = {other["name"] for other in others or ()}
    for index, container in enumerate(containers):
        where = f"{path}[{index}]"
        _check_container(where, container, volumes, causes)
        name = container["name"]
        if name in names:
            causes.duplicate(f"{where}.name", name)
        names.add(name)
        if container.get("restartPolicy") == "Always":
            _check_running(where, container, causes)
            continue
        for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
            if field in container:
                causes.forbidden(f"{where}.{field}", "may not be set for init containers without restartPolicy=Always")


def _check_container(path: str, container: Object, volumes: Collection[str], causes: Causes) -> None:
    name = container["name"]
    if not name:
        causes.required(f"{path}.name")
    else:
        causes.each_invalid(f"{path}.name", name, formats.dns_label(name))
    if not container.get("image"):
        causes.required(f"{path}.image")
    causes.one_of(f"{path}.terminationMessagePolicy", container["terminationMessagePolicy"], _MESSAGE_POLICIES)
    if "ports" in container:
        _check_ports(f"{path}.ports", container["ports"], causes)
    if "env" in container:
        _check_env(f"{path}.env", container["env"], causes)
    if "envFrom" in container:
        _check_env_from(f"{path}.envFrom", container["envFrom"], causes)
    if "volumeMounts" in container:
        _check_mounts(f"{path}.volumeMounts", container["volumeMounts"], volumes, causes)
    causes.one_of(f"{path}.imagePullPolicy", container["imagePullPolicy"], _PULL_POLICIES)
    if container["resources"]:
        _check_resources(f"{path}.resources", container["resources"], causes)


def _check_running(path: str, container: Object, causes: Causes) -> None:
    """Check what only containers have that run beside others: probes and lifecycle."""
    lifecycle = container.get("lifecycle", {})
    for hook in ("postStart", "preStop"):
        if hook in lifecycle:
            _check_handler(f"{path}.lifecycle.{hook}", lifecycle[hook], causes)
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is None:
            continue
        where = f"{path}.{name}"
        _check_handler(where, probe, causes)
        for field in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
            causes.not_negative(f"{where}.{field}", probe.get(field))
        if name == "readinessProbe":
            if "terminationGracePeriodSeconds" in probe:
                value = probe["terminationGracePeriodSeconds"]
                causes.invalid(f"{where}.terminationGracePeriodSeconds", value, "must not be set for readinessProbes")
        elif probe["successThreshold"] != 1:
            causes.invalid(f"{where}.successThreshold", probe["successThreshold"], "must be 1")


def _check_handler(path: str, handler: Object, causes: Causes) -> None:
    given = [name for name in _HANDLERS if name in handler]
    for extra in given[1:]:
        causes.forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    if not given:
        causes.required(path, "must specify a handler type")
        return
    name = given[0]
    action = handler[name]
    where = f"{path}.{name}"
    if name == "exec":
        if not action.get("command"):
            causes.required(f"{where}.command")
    elif name == "httpGet":
        check_port_reference(f"{where}.port", action["port"], causes)
        causes.one_of(f"{where}.scheme", action["scheme"], ("HTTP", "HTTPS"))
    elif name in ("tcpSocket", "grpc"):
        check_port_reference(f"{where}.port", action["port"], causes)


def check_port_reference(path: str, port: int | str, causes: Causes) -> None:
    """Check a port that is a number or a port's name."""
    causes.each_invalid(path, port, formats.port_number(port) if isinstance(port, int) else formats.port_name(port))


def _check_ports(path: str, ports: list[Object], causes: Causes) -> None:
    names: set[str] = set()
    for index, port in enumerate(ports):
        where = f"{path}[{index}]"
        name = port.get("name")
        if name:
            wrong = formats.port_name(name)
            causes.each_invalid(f"{where}.name", name, wrong)
            if not wrong and name in names:
                causes.duplicate(f"{where}.name", name)
            names.add(name)
        number = port["containerPort"]
        if number == 0:
            causes.required(f"{where}.containerPort")
        else:
            causes.each_invalid(f"{where}.containerPort", number, formats.port_number(number))
        if "hostPort" in port:
            causes.each_invalid(f"{where}.hostPort", port["hostPort"], formats.port_number(port["hostPort"]))
        causes.one_of(f"{where}.protocol", port["protocol"], _PROTOCOLS)


def _check_host_ports(path: str, container: Object, taken: set[str], causes: Causes) -> None:
    for index, port in enumerate(container.get("ports", ())):
        if "hostPort" in port:
            key = f"{port['protocol']}/{port.get('hostIP', '')}/{port['hostPort']}"
            if key in taken:
                causes.duplicate(f"{path}.ports[{index}].hostPort", key)
            taken.add(key)


def _check_env(path: str, variables: list[Object], causes: Causes) -> None:
    for index, variable in enumerate(variables):
        name = variable["name"]
        if not name:
            causes.required(f"{path}[{index}].name")
        else:
            causes.each_invalid(f"{path}[{index}].name", name, formats.env_name(name))
        if "valueFrom" in variable:
            _check_value_from(f"{path}[{index}].valueFrom", variable, causes)


def _check_value_from(path: str, variable: Object, causes: Causes) -> None:
    source = variable["valueFrom"]
    field = source.get("fieldRef")
    if field is not None:
        _check_field_ref(f"{path}.fieldRef", field, causes)
    resource = source.get("resourceFieldRef")
    if resource is not None:
        name = resource["resource"]
        if not name:
            causes.required(f"{path}.resourceFieldRef.resource")
        elif not name.startswith(("requests.hugepages-", "limits.hugepages-")):
            causes.one_of(f"{path}.resourceFieldRef.resource", name, _RESOURCE_FIELDS)
    for key in ("configMapKeyRef", "secretKeyRef"):
        if key in source:
            reference = source[key]
            causes.each_invalid(
                f"{path}.{key}.name", reference.get("name", ""), formats.dns_subdomain(reference.get("name", ""))
            )
            if not reference["key"]:
                causes.required(f"{path}.{key}.key")
            else:
                causes.each_invalid(f"{path}.{key}.key", reference["key"], formats.config_key(reference["key"]))
    if not source:
        causes.invalid(
            path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        )
    elif variable.get("value"):
        causes.invalid(path, "", "may not be specified when `value` is not empty")
    elif len(source) > 1:
        causes.invalid(path, "", "may not have more than one field specified at a time")


def _check_field_ref(path: str, reference: Object, causes: Causes) -> None:
    field = reference["fieldPath"]
    if not field:
        causes.required(f"{path}.fieldPath")
        return
    base, bracket, subscript = field.partition("['")
    if bracket and subscript.endswith("']"):
        key = subscript[:-2]
        if base in ("metadata.labels", "metadata.annotations"):
            causes.each_invalid(path, key, formats.label_key(key.lower() if base.endswith("annotations") else key))
        else:
            causes.invalid(path, base, "does not support subscript")
    elif field not in _FIELD_PATHS:
        if field.startswith(("metadata.", "spec.", "status.")) and field in ("metadata.labels", "metadata.annotations"):
            causes.unsupported(f"{path}.fieldPath", field, _FIELD_PATHS)
        else:
            causes.invalid(
                f"{path}.fieldPath", field, f"error converting fieldPath: field label not supported: {field}"
            )


def _check_env_from(path: str, sources: list[Object], causes: Causes) -> None:
    for index, source in enumerate(sources):
        where = f"{path}[{index}]"
        if source.get("prefix"):
            causes.each_invalid(f"{where}.prefix", source["prefix"], formats.env_name(source["prefix"]))
        given = [key for key in ("configMapRef", "secretRef") if key in source]
        for key in given:
            name = source[key].get("name", "")
            if not name:
                causes.required(f"{where}.{key}.name")
            else:
                causes.each_invalid(f"{where}.{key}.name", name, formats.dns_subdomain(name))
        if not given:
            causes.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            causes.invalid(path, "", "may not have more than one field specified at a time")


def _check_mounts(path: str, mounts: list[Object], volumes: Collection[str], causes: Causes) -> None:
    places: set[str] = set()
    for index, mount in enumerate(mounts):
        where = f"{path}[{index}]"
        name, place = mount["name"], mount["mountPath"]
        if not name:
            causes.required(f"{where}.name")
        if name not in volumes:
            causes.missing(f"{where}.name", name)
        if not place:
            causes.required(f"{where}.mountPath")
        if place in places:
            causes.invalid(f"{where}.mountPath", place, "must be unique")
        places.add(place)
        for field in ("subPath", "subPathExpr"):
            inner = mount.get(field)
            if not inner:
                continue
            if inner.startswith("/"):
                causes.invalid(f"{path}.{field}", inner, "must be a relative path")
            if ".." in inner.split("/"):
                causes.invalid(f"{path}.{field}", inner, "must not contain '..'")
        if mount.get("subPath") and mount.get("subPathExpr"):
            causes.invalid(
                f"{where}.subPathExpr", mount["subPathExpr"], "subPathExpr and subPath are mutually exclusive"
            )


def _check_resources(path: str, resources: Object, causes: Causes) -> None:
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    for side, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            _check_amount(f"{path}.{side}", name, amount, causes)
    for name, amount in requests.items():
        limit = limits.get(name)
        if limit is None:
            if _is_extended(name):
                causes.required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        elif quantity_value(amount) > quantity_value(limit):
            causes.invalid(f"{path}.requests", amount, f"must be less than or equal to {name} limit of {limit}")
        elif _is_extended(name) and quantity_value(amount) != quantity_value(limit):
            causes.invalid(f"{path}.requests", amount, f"must be equal to {name} limit of {limit}")


def _is_extended(name: str) -> bool:
    return name not in _NATIVE_RESOURCES


def _check_amount(path: str, name: str, amount: str, causes: Causes) -> None:
    where = f"{path}[{name}]"
    if name not in _NATIVE_RESOURCES and not name.startswith("hugepages-"):
        wrong = formats.label_key(name)
        causes.each_invalid(path, name, wrong)
        if not wrong and "/" not in name:
            causes.invalid(path, name, "must be a standard resource type or fully qualified")
            causes.invalid(path, name, "must be a standard resource for containers")
    value = quantity_value(amount)
    if value < 0:
        causes.invalid(where, amount, NEGATIVE)
    elif _is_extended(name) and "/" in name and value != value.to_integral_value():
        causes.invalid(where, amount, "must be an integer")
