"""The columns that the API server prints for each resource."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kubesim.custom.jsonpath import find
from kubesim.custom.resource import CustomResource
from kubesim.jsondata import Object, dump_json
from kubesim.podcells import pod_ready, pod_restarts, pod_status
from kubesim.resources import Resource

Cell = Callable[[Object, datetime], Any]

UNKNOWN = "<unknown>"
NONE = "<none>"


@dataclass(frozen=True, slots=True)
class Column:
    """A column. Those of priority 1 are shown by ``-o wide`` only."""

    name: str
    cell: Cell
    type: str = "string"
    priority: int = 0


def columns_of(resource: Resource) -> tuple[Column, ...]:
    """The columns of a resource: its own, or just name and age."""
    if isinstance(resource, CustomResource) and resource.columns:
        return (NAME, *map(_custom, resource.columns))
    return _COLUMNS.get(resource.key, _DEFAULT)


def human_duration(seconds: float) -> str:
    """A duration as short as kubectl's: two units near zero, one further on."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    whole = max(whole, 0)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return _two(days // 365, "y", days % 365, "d") if days < 8 * 365 else f"{days // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"


def since(text: str | None, now: datetime) -> str:
    """How long ago a timestamp was."""
    if not text:
        return UNKNOWN
    return human_duration((now - _moment(text)).total_seconds())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def dig(obj: Any, path: str, default: Any = None) -> Any:
    """The value at a dotted path."""
    for part in path.split("."):
        obj = obj.get(part) if isinstance(obj, Mapping) else None
    return default if obj is None else obj


def _at(path: str, default: Any = "") -> Cell:
    return lambda obj, now: dig(obj, path, default)


def _number(name: str, path: str, priority: int = 0) -> Column:
    return Column(name, _at(path, 0), "integer", priority)


def _ratio(have: str, want: str) -> Cell:
    return lambda obj, now: f"{dig(obj, have, 0)}/{dig(obj, want, 0)}"


def _joined(values: Iterable[Any], nothing: str = NONE) -> str:
    return ",".join(str(value) for value in values) or nothing


def _labels(path: str) -> Cell:
    return lambda obj, now: _joined(f"{key}={value}" for key, value in sorted(dig(obj, path, {}).items()))


def _selector(obj: Object, now: datetime) -> str:
    return _labels("spec.selector.matchLabels")(obj, now)  # type: ignore[no-any-return]


def _containers(field: str) -> Cell:
    return lambda obj, now: _joined(
        (container.get(field, "") for container in dig(obj, "spec.template.spec.containers", ())), ""
    )


NAME = Column("Name", _at("metadata.name"))
AGE = Column("Age", lambda obj, now: since(dig(obj, "metadata.creationTimestamp"), now))
CREATED = Column("Created At", _at("metadata.creationTimestamp"), "date")
CONTAINERS = Column("Containers", _containers("name"), priority=1)
IMAGES = Column("Images", _containers("image"), priority=1)
SELECTOR = Column("Selector", _selector, priority=1)
_DEFAULT = (NAME, AGE)


def _custom(column: Object) -> Column:
    """A column that a CustomResourceDefinition asks for."""
    kind, path = column["type"], column["jsonPath"]

    def cell(obj: Object, now: datetime) -> Any:
        found = find(obj, path)
        return _typed(kind, found[0], now) if found else None

    return Column(column["name"], cell, kind, column.get("priority", 0))


def _typed(kind: str, value: Any, now: datetime) -> Any:
    if kind == "string":
        return value if isinstance(value, str) else dump_json(value).decode()
    if kind == "date":
        try:
            return since(value, now)
        except (ValueError, AttributeError):
            return "<invalid>"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value if kind == "boolean" and isinstance(value, bool) else None
    return {"integer": int, "number": float}[kind](value) if kind in ("integer", "number") else None


def _ports(obj: Object, now: datetime) -> str:
    texts = []
    for port in dig(obj, "spec.ports", ()):
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        texts.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return _joined(texts)


def _external(obj: Object, now: datetime) -> str:
    spec = obj["spec"]
    given = spec.get("externalIPs") or []
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec.get("type") == "LoadBalancer":
        points = dig(obj, "status.loadBalancer.ingress", ())
        return _joined([*(point.get("ip") or point.get("hostname", "") for point in points), *given], "<pending>")
    return _joined(given)


_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _modes(path: str) -> Cell:
    return lambda obj, now: _joined((_MODES.get(mode, mode) for mode in dig(obj, path, ())), "")


def _claim_status(obj: Object, now: datetime) -> str:
    return "Terminating" if "deletionTimestamp" in obj["metadata"] else str(dig(obj, "status.phase", ""))


def _claim_cell(path: str) -> Cell:
    """What a claim got is shown once it is bound."""
    return lambda obj, now: dig(obj, path, "") if dig(obj, "spec.volumeName") else ""


def _volume_claim(obj: Object, now: datetime) -> str:
    claim = dig(obj, "spec.claimRef")
    return f"{claim.get('namespace', '')}/{claim['name']}" if claim else ""


def _data(obj: Object, now: datetime) -> int:
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


def _hosts(obj: Object, now: datetime) -> str:
    return _joined((rule["host"] for rule in dig(obj, "spec.rules", ()) if rule.get("host")), "*")


def _ingress_ports(obj: Object, now: datetime) -> str:
    return "80, 443" if dig(obj, "spec.tls") else "80"


def _addresses(obj: Object, now: datetime) -> str:
    points = dig(obj, "status.loadBalancer.ingress", ())
    return _joined((point.get("ip") or point.get("hostname", "") for point in points), "")


def _job_status(obj: Object, now: datetime) -> str:
    for condition in dig(obj, "status.conditions", ()):
        if condition["status"] == "True" and condition["type"] in ("Complete", "Failed", "Suspended"):
            return str(condition["type"])
    return "Terminating" if "deletionTimestamp" in obj["metadata"] else "Running"


def _completions(obj: Object, now: datetime) -> str:
    wanted = dig(obj, "spec.completions") or f"1 of {dig(obj, 'spec.parallelism', 1)}"
    return f"{dig(obj, 'status.succeeded', 0)}/{wanted}"


def _job_duration(obj: Object, now: datetime) -> str:
    start, end = dig(obj, "status.startTime"), dig(obj, "status.completionTime")
    return since(start, _moment(end) if end else now) if start else ""


def _node_status(obj: Object, now: datetime) -> str:
    conditions = dig(obj, "status.conditions", ())
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    text = "Ready" if ready else "NotReady" if conditions else "Unknown"
    return text + (",SchedulingDisabled" if dig(obj, "spec.unschedulable") else "")


def _roles(obj: Object, now: datetime) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = obj["metadata"].get("labels") or {}
    return _joined(sorted(label.removeprefix(prefix) for label in labels if label.startswith(prefix)))


def _node_address(kind: str) -> Cell:
    return lambda obj, now: next(
        (address["address"] for address in dig(obj, "status.addresses", ()) if address["type"] == kind), NONE
    )


def _event_object(obj: Object, now: datetime) -> str:
    about = obj.get("involvedObject") or {}
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def _event_seen(first: bool) -> Cell:
    fields = ("firstTimestamp", "eventTime") if first else ("lastTimestamp", "eventTime", "firstTimestamp")
    return lambda obj, now: since(next((obj[field] for field in fields if obj.get(field)), None), now)


def _event_source(obj: Object, now: datetime) -> str:
    source = obj.get("source") or {}
    return _joined(filter(None, (source.get("component") or obj.get("reportingComponent"), source.get("host"))), "")


def _endpoints(obj: Object, now: datetime) -> str:
    texts = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets") or ()
        for port in subset.get("ports") or ()
        for address in subset.get("addresses") or ()
    ]
    return _joined(texts[:3]) + (f" + {len(texts) - 3} more..." if len(texts) > 3 else "")


def _slice_ports(obj: Object, now: datetime) -> str:
    return _joined((port.get("port", "*") for port in obj.get("ports") or ()), "<unset>")


def _slice_endpoints(obj: Object, now: datetime) -> str:
    texts = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return _joined(texts[:3], "<unset>") + (f" + {len(texts) - 3} more..." if len(texts) > 3 else "")


def _role(obj: Object, now: datetime) -> str:
    return f"{dig(obj, 'roleRef.kind', '')}/{dig(obj, 'roleRef.name', '')}"


def _class_name(obj: Object, now: datetime) -> str:
    annotations = obj["metadata"].get("annotations") or {}
    default = annotations.get("storageclass.kubernetes.io/is-default-class") == "true"
    return str(obj["metadata"]["name"]) + (" (default)" if default else "")


def _controller(obj: Object, now: datetime) -> str:
    owners = obj["metadata"].get("ownerReferences") or ()
    owner = next((owner for owner in owners if owner.get("controller")), None)
    return f"{_qualified(owner)}/{owner['name']}" if owner else NONE


def _qualified(owner: Mapping[str, Any]) -> str:
    group = owner["apiVersion"].rpartition("/")[0]
    return f"{owner['kind'].lower()}.{group}" if group else str(owner["kind"]).lower()


def _reference(obj: Object, now: datetime) -> str:
    return f"{dig(obj, 'spec.scaleTargetRef.kind', '')}/{dig(obj, 'spec.scaleTargetRef.name', '')}"


def _number_of_webhooks() -> Column:
    return Column("Webhooks", lambda obj, now: len(obj.get("webhooks") or ()), "integer")


def _api_service(obj: Object, now: datetime) -> str:
    service = dig(obj, "spec.service")
    return f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"


def _available(obj: Object, now: datetime) -> str:
    found = next((each for each in dig(obj, "status.conditions", ()) if each["type"] == "Available"), None)
    if found is None or found["status"] == "True":
        return UNKNOWN if found is None else "True"
    return f"{found['status']} ({found.get('reason', '')})"


_COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "pods": (
        NAME,
        Column("Ready", lambda obj, now: pod_ready(obj)),
        Column("Status", lambda obj, now: pod_status(obj)),
        Column("Restarts", lambda obj, now: pod_restarts(obj, lambda text: since(text, now))),
        AGE,
        Column("IP", _at("status.podIP", NONE), priority=1),
        Column("Node", _at("spec.nodeName", NONE), priority=1),
        Column("Nominated Node", _at("status.nominatedNodeName", NONE), priority=1),
        Column("Readiness Gates", lambda obj, now: NONE, priority=1),
    ),
    "deployments": (
        NAME,
        Column("Ready", _ratio("status.readyReplicas", "spec.replicas")),
        _number("Up-to-date", "status.updatedReplicas"),
        _number("Available", "status.availableReplicas"),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    "replicasets": (
        NAME,
        _number("Desired", "spec.replicas"),
        _number("Current", "status.replicas"),
        _number("Ready", "status.readyReplicas"),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    "statefulsets": (NAME, Column("Ready", _ratio("status.readyReplicas", "spec.replicas")), AGE, CONTAINERS, IMAGES),
    "daemonsets": (
        NAME,
        _number("Desired", "status.desiredNumberScheduled"),
        _number("Current", "status.currentNumberScheduled"),
        _number("Ready", "status.numberReady"),
        _number("Up-to-date", "status.updatedNumberScheduled"),
        _number("Available", "status.numberAvailable"),
        Column("Node Selector", _labels("spec.template.spec.nodeSelector")),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    "services": (
        NAME,
        Column("Type", _at("spec.type")),
        Column("Cluster-IP", _at("spec.clusterIP", NONE)),
        Column("External-IP", _external),
        Column("Port(s)", _ports),
        AGE,
        Column("Selector", _labels("spec.selector"), priority=1),
    ),
    "configmaps": (NAME, Column("Data", _data), AGE),
    "secrets": (NAME, Column("Type", _at("type")), Column("Data", _data, "integer"), AGE),
    "persistentvolumeclaims": (
        NAME,
        Column("Status", _claim_status),
        Column("Volume", _at("spec.volumeName")),
        Column("Capacity", _claim_cell("status.capacity.storage")),
        Column("Access Modes", lambda obj, now: _modes("status.accessModes")(obj, now)),
        Column("StorageClass", _at("spec.storageClassName")),
        Column("VolumeAttributesClass", _at("spec.volumeAttributesClassName", "<unset>")),
        AGE,
        Column("VolumeMode", _at("spec.volumeMode", "<unset>"), priority=1),
    ),
    "persistentvolumes": (
        NAME,
        Column("Capacity", _at("spec.capacity.storage")),
        Column("Access Modes", _modes("spec.accessModes")),
        Column("Reclaim Policy", _at("spec.persistentVolumeReclaimPolicy")),
        Column("Status", _claim_status),
        Column("Claim", _volume_claim),
        Column("StorageClass", _at("spec.storageClassName")),
        Column("VolumeAttributesClass", _at("spec.volumeAttributesClassName", "<unset>")),
        Column("Reason", _at("status.reason")),
        AGE,
        Column("VolumeMode", _at("spec.volumeMode", "<unset>"), priority=1),
    ),
    "namespaces": (NAME, Column("Status", _at("status.phase")), AGE),
    "serviceaccounts": (NAME, Column("Secrets", lambda obj, now: len(obj.get("secrets") or ()), "integer"), AGE),
    "ingresses": (
        NAME,
        Column("Class", _at("spec.ingressClassName", NONE)),
        Column("Hosts", _hosts),
        Column("Address", _addresses),
        Column("Ports", _ingress_ports),
        AGE,
    ),
    "ingressclasses": (
        NAME,
        Column("Controller", _at("spec.controller")),
        Column("Parameters", _at("spec.parameters.name", NONE)),
        AGE,
    ),
    "networkpolicies": (NAME, Column("Pod-Selector", _labels("spec.podSelector.matchLabels")), AGE),
    "jobs": (
        NAME,
        Column("Status", _job_status),
        Column("Completions", _completions),
        Column("Duration", _job_duration),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    "cronjobs": (
        NAME,
        Column("Schedule", _at("spec.schedule")),
        Column("Timezone", _at("spec.timeZone", NONE)),
        Column("Suspend", lambda obj, now: str(dig(obj, "spec.suspend", False))),
        Column("Active", lambda obj, now: len(dig(obj, "status.active", ())), "integer"),
        Column(
            "Last Schedule",
            lambda obj, now: since(last, now) if (last := dig(obj, "status.lastScheduleTime")) else NONE,
        ),
        AGE,
    ),
    "events": (
        Column("Last Seen", _event_seen(first=False)),
        Column("Type", _at("type")),
        Column("Reason", _at("reason")),
        Column("Object", _event_object),
        Column("Subobject", _at("involvedObject.fieldPath"), priority=1),
        Column("Source", _event_source, priority=1),
        Column("Message", lambda obj, now: str(obj.get("message", "")).strip()),
        Column("First Seen", _event_seen(first=True), priority=1),
        Column("Count", lambda obj, now: obj.get("count", 1), "integer", 1),
        Column("Name", _at("metadata.name"), priority=1),
    ),
    "nodes": (
        NAME,
        Column("Status", _node_status),
        Column("Roles", _roles),
        AGE,
        Column("Version", _at("status.nodeInfo.kubeletVersion")),
        Column("Internal-IP", _node_address("InternalIP"), priority=1),
        Column("External-IP", _node_address("ExternalIP"), priority=1),
        Column("OS-Image", _at("status.nodeInfo.osImage", UNKNOWN), priority=1),
        Column("Kernel-Version", _at("status.nodeInfo.kernelVersion", UNKNOWN), priority=1),
        Column("Container-Runtime", _at("status.nodeInfo.containerRuntimeVersion", UNKNOWN), priority=1),
    ),
    "endpoints": (NAME, Column("Endpoints", _endpoints), AGE),
    "endpointslices": (
        NAME,
        Column("AddressType", _at("addressType")),
        Column("Ports", _slice_ports),
        Column("Endpoints", _slice_endpoints),
        AGE,
    ),
    "roles": (NAME, CREATED),
    "clusterroles": (NAME, CREATED),
    "rolebindings": (NAME, Column("Role", _role), AGE),
    "clusterrolebindings": (NAME, Column("Role", _role), AGE),
    "storageclasses": (
        Column("Name", _class_name),
        Column("Provisioner", _at("provisioner")),
        Column("ReclaimPolicy", _at("reclaimPolicy", "Delete")),
        Column("VolumeBindingMode", _at("volumeBindingMode", "<unset>")),
        Column("AllowVolumeExpansion", lambda obj, now: bool(obj.get("allowVolumeExpansion")), "boolean"),
        AGE,
    ),
    "controllerrevisions": (
        NAME,
        Column("Controller", _controller),
        _number("Revision", "revision"),
        AGE,
    ),
    "horizontalpodautoscalers": (
        NAME,
        Column("Reference", _reference),
        Column("Targets", lambda obj, now: UNKNOWN),
        Column("MinPods", _at("spec.minReplicas", "<unset>")),
        _number("MaxPods", "spec.maxReplicas"),
        _number("Replicas", "status.currentReplicas"),
        AGE,
    ),
    "poddisruptionbudgets": (
        NAME,
        Column("Min Available", lambda obj, now: str(dig(obj, "spec.minAvailable", "N/A"))),
        Column("Max Unavailable", lambda obj, now: str(dig(obj, "spec.maxUnavailable", "N/A"))),
        _number("Allowed Disruptions", "status.disruptionsAllowed"),
        AGE,
    ),
    "customresourcedefinitions": (NAME, CREATED),
    "priorityclasses": (
        NAME,
        _number("Value", "value"),
        Column("Global-Default", lambda obj, now: bool(obj.get("globalDefault")), "boolean"),
        AGE,
        Column("PreemptionPolicy", _at("preemptionPolicy")),
    ),
    "validatingwebhookconfigurations": (NAME, _number_of_webhooks(), AGE),
    "mutatingwebhookconfigurations": (NAME, _number_of_webhooks(), AGE),
    "apiservices": (NAME, Column("Service", _api_service), Column("Available", _available), AGE),
    "leases": (NAME, Column("Holder", _at("spec.holderIdentity")), AGE),
}
