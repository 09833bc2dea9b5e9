"""What a component of a script has beyond its image, by the name of an extra: fields, traits, and their objects."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Fields = dict[str, Any]

CONFIGS = ("config", "secret")
SCALED = ("webservice", "store")
ONE_SERVICE = ("webservice", "daemon")
"""Those that have no headless Service anyway."""
RUNNING = ("webservice", "store", "daemon")
PODS = (*RUNNING, "job", "cronjob")
ELSEWHERE = "team"
"""The namespace of a component that is not in that of its application."""


@dataclass(frozen=True)
class Extra:
    """``of``: what a component with this name and version has of it, as a user would write it.

    ``kinds`` come beside the component's own, or in place of the kind that ``instead`` names. ``served``: only where
    there is a Service. Of a ``group`` a component has one.
    """

    types: tuple[str, ...]
    of: Callable[[str, int], Fields]
    kinds: tuple[str, ...] = ()
    instead: str = ""
    served: bool = False
    group: str = ""


def _trait(make: Callable[[str, int], Any], trait: str) -> Callable[[str, int], Fields]:
    return lambda name, version: {"traits": {trait: make(name, version)}}


def _property(make: Callable[[str, int], Any], field: str) -> Callable[[str, int], Fields]:
    return lambda name, version: {"properties": {field: make(name, version)}}


def _nothing(_name: str, _version: int) -> Fields:
    return {}


def _rule(version: int) -> Fields:
    return {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"][:version]}


def _routes(name: str, version: int) -> Fields:
    return {"routes": [{"path": f"/v{version}", "backend": {"serviceName": name}}]}


def _exposed(version: int) -> Fields:
    return {"hosts": ["shop.example"], "paths": ["/", f"/v{version}"]}


def _metric(version: int) -> Fields:
    target = {"type": "Value", "value": str(version)}
    return {"type": "External", "external": {"metric": {"name": "queue"}, "target": target}}


def _variables(version: int) -> list[Fields]:
    shown = {"name": "ADDRESS", "valueFrom": {"field": "status.podIP"}}
    return [{"name": f"E{version}", "valueFrom": {"static": "1"}}, shown]


def _elsewhere(_name: str, _version: int) -> Fields:
    return {"namespace": ELSEWHERE}


def _external(version: int) -> Fields:
    return {"store": {"name": "vault"}, "data": {f"only-{version}": {"key": "shop"}, "password": {"key": "shop"}}}


_CLUSTER_RIGHTS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding")

EXTRAS: Mapping[str, Extra] = {
    "env": Extra(PODS, _property(lambda _, version: {f"V{version}": "1", "VERSION": str(version)}, "env")),
    "labels": Extra(PODS, _property(lambda _, version: {"tier": f"v{version}"}, "labels")),
    "rbac": Extra(
        PODS,
        _trait(lambda _, version: [{"rules": [_rule(version)]}], "rbac"),
        ("ServiceAccount", "Role", "RoleBinding"),
        group="account",
    ),
    "rights": Extra(
        PODS,
        _trait(lambda _, version: [{"rules": [_rule(version)], "clusterScope": True}], "rbac"),
        _CLUSTER_RIGHTS,
        group="account",
    ),
    "ingress": Extra(
        RUNNING,
        _trait(lambda name, version: [_routes(name, version)], "ingress"),
        ("Ingress",),
        served=True,
        group="way in",
    ),
    "nginx": Extra(
        RUNNING,
        _trait(lambda name, version: [{**_routes(name, version), "ingressClassName": "nginx"}], "ingress"),
        ("Ingress",),
        served=True,
        group="way in",
    ),
    "exposed": Extra(
        RUNNING,
        _trait(lambda _, version: {"via": "ingress", **_exposed(version)}, "expose"),
        ("Ingress",),
        served=True,
        group="way in",
    ),
    "route": Extra(
        RUNNING,
        _trait(lambda _, version: {"via": "gateway", "parentRefs": [{"name": "edge"}], **_exposed(version)}, "expose"),
        ("HTTPRoute",),
        served=True,
        group="way in",
    ),
    "sidecar": Extra(PODS, _trait(lambda _, version: [{"image": f"side:v{version}"}], "sidecar")),
    "init": Extra(PODS, _trait(lambda _, version: [{"properties": {"image": f"init:v{version}"}}], "init")),
    "rolls": Extra(PODS, _nothing),  # see `Part.reads`
    "mounted": Extra(RUNNING, _nothing),  # the same
    "grows": Extra(RUNNING, _nothing),  # see `Part.volume`
    "budget": Extra(SCALED, _trait(lambda _, version: {"maxUnavailable": version}, "pdb"), ("PodDisruptionBudget",)),
    "policy": Extra(
        PODS,
        _trait(lambda _, version: {"ingress": [{"ports": [{"port": version}]}]}, "networkPolicy"),
        ("NetworkPolicy",),
        group="policy",
    ),
    "peers": Extra(
        PODS,
        _trait(lambda name, version: {"egress": [{"to": [{"component": name}] * (1 + version % 2)}]}, "networkPolicy"),
        ("NetworkPolicy",),
        group="policy",
    ),
    "scaler": Extra(
        SCALED,
        _trait(lambda _, version: {"maxReplicas": 3 + version, "metrics": [_metric(version)]}, "hpa"),
        ("HorizontalPodAutoscaler",),
    ),
    "auto": Extra(SCALED, lambda _name, _version: {"replicas": "auto"}),
    "headless": Extra(
        ONE_SERVICE, _property(lambda _, __: {"type": "Headless"}, "service"), served=True, group="service"
    ),
    "node-port": Extra(RUNNING, _property(lambda _, __: {"type": "NodePort"}, "service"), served=True, group="service"),
    "renamed": Extra((*CONFIGS, *PODS), lambda name, version: {"objectName": f"{name}-{version % 3}"}),
    "elsewhere": Extra((*CONFIGS, *PODS), _elsewhere),
    "envs": Extra(PODS, _trait(lambda _, version: _variables(version), "envs")),
    "probes": Extra(
        RUNNING,
        _trait(lambda _, version: [{"type": "liveness", "tcpSocket": {"port": version}}], "probes"),
    ),
    "typed": Extra(("secret",), _property(lambda _, version: f"example.com/v{version}", "secretType")),
    "external": Extra(
        ("secret",), _property(lambda _, version: _external(version), "external"), ("ExternalSecret",), "Secret"
    ),
    "share": Extra(CONFIGS, _trait(lambda _, __: {"strategy": "default"}, "share"), group="share"),
    "force": Extra(CONFIGS, _trait(lambda _, __: {"strategy": "force"}, "share"), group="share"),
}
"""By name. Those that are left empty say how something is made that a part has anyway."""


def fields_of(name: str, version: int, extras: tuple[str, ...]) -> Fields:
    """What a component has of these."""
    found: Fields = {}
    for extra in extras:
        merge(found, EXTRAS[extra].of(name, version))
    return found


def merge(into: Fields, more: Fields) -> None:
    """Add fields; lists of both become one."""
    for key, value in more.items():
        if isinstance(value, dict):
            merge(into.setdefault(key, {}), value)
        elif isinstance(value, list):
            into[key] = [*into.get(key, []), *value]
        else:
            into[key] = value


def kinds_of(kinds: tuple[str, ...], extras: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds of the objects of a component that has ``kinds`` without these."""
    known = [EXTRAS[extra] for extra in extras if extra in EXTRAS]
    gone = {one.instead for one in known}
    return (*(kind for kind in kinds if kind not in gone), *(kind for one in known for kind in one.kinds))


def allowed(extras: tuple[str, ...], kind: str, *, ports: bool) -> Iterator[str]:
    """Those of the extras that a component of this type can have, together."""
    groups: set[str] = set()
    for name in extras:
        extra = EXTRAS[name]
        if kind not in extra.types or (extra.served and not ports) or extra.group in groups:
            continue
        groups |= {extra.group} - {""}
        yield name
