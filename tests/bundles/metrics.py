"""A metrics stack: as large as they are. Most of it is dashboards in ConfigMaps, so it is made here and is no file."""

import json
from collections.abc import Iterator

from kubemin.spec.objects import Manifest

DASHBOARDS = 60
RULES = 40
MONITORS = 30
_GROUP = "metrics.example.com"
_VERSION = f"{_GROUP}/v1"
_PANELS = 40
_LARGEST = 900 * 1024
"""Characters of the largest dashboards; what a ConfigMap may hold is 1 MiB."""


def metrics_stack() -> list[Manifest]:
    """Definitions, an operator, the servers, and what they read: 150 objects, one nearly 1 MiB large."""
    return [
        *(_definition(kind) for kind in ("Monitor", "AlertRule", "Server")),
        *_operator(),
        *_exporters(),
        *_viewer(),
        *(_dashboard(number) for number in range(DASHBOARDS)),
        {
            "apiVersion": _VERSION,
            "kind": "Server",
            "metadata": {"name": "main"},
            "spec": {"replicas": 2, "retention": "10d", "logLevel": "info", "monitors": {"matchLabels": {"team": "a"}}},
        },
        *(_rule(number) for number in range(RULES)),
        *(_monitor(number) for number in range(MONITORS)),
    ]


def _definition(kind: str) -> Manifest:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    endpoint = {"type": "object", "properties": {"port": {"type": "string"}, "interval": {"type": "string"}}}
    alert = {
        "type": "object",
        "required": ["expr"],
        "properties": {
            "alert": {"type": "string"},
            "expr": {"x-kubernetes-int-or-string": True},
            "for": {"type": "string"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    }
    group = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    group["properties"]["rules"] = {"type": "array", "items": alert}  # type: ignore[index]
    specs = {
        "Monitor": {"selector": anything, "endpoints": {"type": "array", "items": endpoint}},
        "AlertRule": {"groups": _by_name(group)},
        "Server": {
            "replicas": {"type": "integer", "default": 1},
            "retention": {"type": "string", "default": "24h"},
            "logLevel": {"type": "string", "enum": ["debug", "info", "warn"]},
            "monitors": anything,
        },
    }
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": specs[kind]}}}
    schema["properties"]["status"] = anything  # type: ignore[index]
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    with_status: Manifest = {"subresources": {"status": {}}} if kind == "Server" else {}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{_GROUP}"},
        "spec": {
            "group": _GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [{**version, **with_status}],
        },
    }


def _by_name(items: Manifest) -> Manifest:
    return {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": items,
    }


def _operator() -> Iterator[Manifest]:
    yield _object("v1", "ServiceAccount", "metrics-operator")
    rights = [{"apiGroups": [_GROUP], "resources": ["*"], "verbs": ["*"]}]
    yield _object("rbac.authorization.k8s.io/v1", "ClusterRole", "metrics-operator", rules=rights)
    yield _binding("metrics-operator")
    yield _workload("Deployment", "metrics-operator", "metrics-operator:1.0")
    yield _service("metrics-operator", 8080)


def _exporters() -> Iterator[Manifest]:
    yield _object("v1", "ServiceAccount", "metrics-state")
    rights = [{"apiGroups": ["", "apps", "batch"], "resources": ["*"], "verbs": ["list", "watch"]}]
    yield _object("rbac.authorization.k8s.io/v1", "ClusterRole", "metrics-state", rules=rights)
    yield _binding("metrics-state")
    yield _workload("Deployment", "metrics-state", "metrics-state:1.0")
    yield _service("metrics-state", 8080)
    yield _workload("DaemonSet", "metrics-node", "metrics-node:1.0")
    yield _service("metrics-node", 9100)


def _viewer() -> Iterator[Manifest]:
    yield _object("v1", "ConfigMap", "metrics-viewer", data={"level": "info", "provider": "folder: /dashboards"})
    yield _object("v1", "Secret", "metrics-viewer", stringData={"admin": "change-me"}, type="Opaque")
    yield _workload("Deployment", "metrics-viewer", "metrics-viewer:1.0")
    yield _service("metrics-viewer", 3000)


def _dashboard(number: int) -> Manifest:
    """A dashboard; the last one is as large as any may be."""
    panels = [_panel(number, place) for place in range(_PANELS)]
    if number == DASHBOARDS - 1:
        panels *= _LARGEST // len(json.dumps(panels))
    text = json.dumps({"title": f"Dashboard {number}", "refresh": "30s", "panels": panels})
    name = f"dashboard-{number:02}"
    made = _object("v1", "ConfigMap", name, data={f"{name}.json": text})
    made["metadata"]["labels"]["dashboard"] = "1"
    return made


def _panel(number: int, place: int) -> Manifest:
    query = f'sum by (pod) (rate(requests_total{{job="service-{number}", code=~"5.."}}[5m])) > {place}'
    return {"id": place, "type": "timeseries", "gridPos": {"x": place % 24, "y": place, "w": 12, "h": 8}, "expr": query}


def _rule(number: int) -> Manifest:
    rules = [
        {"alert": f"Slow{place}", "expr": f"latency_seconds > {place}", "for": "5m", "labels": {"severity": "info"}}
        for place in range(6)
    ]
    return _object(_VERSION, "AlertRule", f"rules-{number:02}", spec={"groups": [{"name": "slow", "rules": rules}]})


def _monitor(number: int) -> Manifest:
    spec = {"selector": {"matchLabels": {"app": f"app-{number}"}}, "endpoints": [{"port": "http", "interval": "30s"}]}
    return _object(_VERSION, "Monitor", f"monitor-{number:02}", spec=spec)


def _object(api_version: str, kind: str, name: str, **fields: object) -> Manifest:
    metadata = {"name": name, "labels": {"app.kubernetes.io/part-of": "metrics"}}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def _binding(name: str) -> Manifest:
    return _object(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        name,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        subjects=[{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
    )


def _service(name: str, port: int) -> Manifest:
    ports = [{"name": "http", "port": port}]
    return _object("v1", "Service", name, spec={"selector": {"app": name}, "ports": ports})


def _workload(kind: str, name: str, image: str) -> Manifest:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": image, "args": ["--log-level=info"]}]},
    }
    return _object("apps/v1", kind, name, spec={"selector": {"matchLabels": {"app": name}}, "template": template})
