"""Random applications that are valid: as a user would write them, and as the spec reads them.

``application_data()`` gives JSON, ``applications()`` the same, parsed. Names are drawn so that no two objects clash.
Values come from pools of plain and awkward ones, and a set of yes-or-no decisions is one drawn number: so an
application of twelve components costs a hundred draws rather than thousands, and shrinks to something short.
"""

import copy
import string
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from kubemin.spec.application import Application, parse_application

Json = dict[str, Any]

IMAGES = ("nginx:1.29", "postgres:17", "team/api:2.1.0")

NAMES = (
    *("web", "api", "db", "cache", "worker", "a", "x1", "0", "42", "a--b", "web-init-0", "web-sa", "settings"),
    *(f"{letter * 9}-{'long-' * 10}{letter}" for letter in "pqr"),
    *("z" * 63, "a-name-of-sixteen", "front", "back", "job", "mail", "queue", "svc-web"),
)
TEXTS = ("", "x", "ünï ☃", "$(OTHER)", "two\nlines", "true", "1.10", " blanks ", "\"'\\", "{{ .Values }}", "y" * 255)
ENVS = ({"B": "2", "A": "1"}, {"EMPTY": ""}, {"_x": "$(A)", "a.b-c": "ü", "Z9": "two\nlines"}, {"LONG": "y" * 2000})
LABELS = ({"tier": "data"}, {"example.org/team": "", "x": "A_1.b"}, {"app.kubernetes.io/version": "1.0"})
DATA: tuple[dict[str, str], ...] = (
    {},
    {"a.json": "{}"},
    {".env": "A=1\n", "B": ""},
    {"k" * 253: "ünï ☃", "z": "1", "a": "2"},
)
SIZES = ("1Gi", "500M", "1.5Ti", "2e9")

_LOWER = string.ascii_lowercase + string.digits
_EDGE = st.sampled_from(_LOWER)
_TEXT = st.sampled_from(TEXTS)
_REF = {"name": "elsewhere", "key": "a.key"}
_ENV_SOURCES = (
    {"static": ""},
    {"static": "$(A) ü"},
    {"secret": _REF},
    {"config": _REF},
    {"field": "metadata.labels['kubemin.io/app-id']"},
)
_PROBES: tuple[Json, ...] = (
    {"type": "liveness", "exec": {"command": ["true"]}, "initialDelaySeconds": 0},
    {"type": "readiness", "httpGet": {"path": "/ready", "port": 80}, "periodSeconds": 1, "successThreshold": 2},
    {"type": "startup", "tcpSocket": {"port": 65535}, "failureThreshold": 30},
)
_RESOURCES: tuple[Json, ...] = ({"cpu": "250m"}, {"memory": "1Gi", "gpu": 1}, {"cpu": 0.5, "memory": "64Mi"}, {})
_REWRITES = (None, {"type": "prefix"}, {"type": "replace", "replacement": "/new"})
_EXTERNAL: tuple[Json, ...] = (
    {"store": {"name": "vault"}, "data": {"a.key": {"key": "a/b"}}},
    {"store": {"name": "v", "kind": "ClusterSecretStore"}, "refreshInterval": "1h", "dataFrom": [{"find": {}}]},
)
_EXPOSED: tuple[Json, ...] = (
    {"via": "ingress", "hosts": ["a.example", "*.b.example"], "className": "nginx", "tls": [{"secretName": "a-tls"}]},
    {"via": "gateway", "paths": ["/a", {"path": "/b", "pathType": "Exact"}], "parentRefs": [{"name": "public"}]},
)
_BUDGETS: tuple[Json, ...] = ({"minAvailable": 1}, {"maxUnavailable": "50%"}, {"maxUnavailable": 0})
_AUTOSCALERS: tuple[Json, ...] = (
    {
        "maxReplicas": 3,
        "metrics": [
            {"type": "External", "external": {"metric": {"name": "x"}, "target": {"type": "Value", "value": 1}}}
        ],
    },
    {
        "minReplicas": 2,
        "maxReplicas": 2,
        "metrics": [
            {"type": "Pods", "pods": {"metric": {"name": "x"}, "target": {"type": "AverageValue", "averageValue": "1"}}}
        ],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
    },
)
_POLICIES: tuple[Json, ...] = (
    {"ingress": []},
    {"egress": [{}], "ingress": [{"from": [{"namespace": "other"}], "ports": [{"port": "http"}, {"port": 1}]}]},
    {
        "egress": [
            {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 1, "endPort": 9, "protocol": "UDP"}]}
        ]
    },
)
_SCHEDULES: tuple[Json, ...] = (
    {"schedule": "@daily"},
    {"schedule": "*/5 9-17 1,15 jan-DEC mon", "timeZone": "Europe/Berlin", "concurrencyPolicy": "Forbid"},
    {"schedule": "0 3 * * ?", "suspend": True, "startingDeadlineSeconds": 60, "failedJobsHistoryLimit": 0},
)
_RUNS: tuple[Json, ...] = ({}, {"backoffLimit": 0, "activeDeadlineSeconds": 600, "restartPolicy": "OnFailure"})
_PORTS: tuple[list[Json], ...] = (
    [{"port": 80}],
    [{"port": 65535}, {"port": 1}],
    [{"port": 8080}, {"port": 9090}, {"port": 80}],
    [{"port": 80, "targetPort": 8080, "appProtocol": "http"}, {"port": 53, "protocol": "UDP"}],
    [{"port": 81, "name": "a", "targetPort": 80}, {"port": 82, "name": "b", "targetPort": 80}],
)
_SERVICES: tuple[Json, ...] = (
    {"type": "NodePort", "externalTrafficPolicy": "Local"},
    {"sessionAffinity": "ClientIP", "annotations": {"example.org/note": "x"}},
)
_FIELDS: tuple[Json, ...] = (
    {"args": ["-v", "$(A)"], "workingDir": "/srv", "pod": {"terminationGracePeriodSeconds": 5}},
    {"lifecycle": {"preStop": {"exec": {"command": ["true"]}}}, "securityContext": {"runAsUser": 1000}},
    {
        "imagePullPolicy": "Always",
        "pod": {
            "annotations": {"example.org/note": "two\nlines"},
            "tolerations": [{"operator": "Exists"}],
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
            ],
        },
    },
)


def labels_(max_size: int = 63) -> st.SearchStrategy[str]:
    """Any RFC 1123 labels."""
    inner = st.text(_LOWER + "-", max_size=max_size - 2)
    return st.one_of(st.sampled_from(NAMES), st.builds(lambda a, b, c: a + b + c, _EDGE, inner, _EDGE))


def _choose(draw: st.DrawFn, *options: str) -> set[str]:
    """Some of the options; none is the simplest."""
    bits = draw(st.integers(0, 2 ** len(options) - 1))
    return {option for place, option in enumerate(options) if bits >> place & 1}


def _one(draw: st.DrawFn, options: Sequence[Any]) -> Any:
    return options[draw(st.integers(0, len(options) - 1))]


def _storages(draw: st.DrawFn, owner: str) -> list[Json]:
    """Volumes of one container; ``owner`` is in their names, so that claims never clash."""
    storages: list[Json] = []
    kinds = ("ephemeral", "own", "own", "claim", "config", "secret")
    for index in range(draw(st.integers(0, 3))):
        kind = _one(draw, kinds)
        yes = _choose(draw, "long name", "sub path", "read only", "mount path", "source")
        storage: Json = {"name": f"v{owner}-{index}" + ("-long" * 11 if "long name" in yes else "")}
        storage["type"] = "persistent" if kind in ("own", "claim") else kind
        if kind == "own":
            storage["tmpCreate"] = True
            storage["size"] = SIZES[index]
            storage |= {"storageClass": "fast"} if "source" in yes else {}
        elif "source" in yes:
            storage["claimName" if kind == "claim" else "sourceName"] = "elsewhere"
        storage |= {"subPath": "a/b"} if "sub path" in yes else {}
        storage |= {"readOnly": True} if "read only" in yes else {}
        storage |= {"mountPath": f"/data/{index}"} if "mount path" in yes else {}
        storages.append(storage)
    return storages


def _container_traits(draw: st.DrawFn, owner: str) -> Json:
    yes = _choose(draw, "storage", "envs", "envFrom", "resources")
    traits: Json = {}
    if "storage" in yes:
        traits["storage"] = _storages(draw, owner)
    if "envs" in yes:
        sources = [_one(draw, _ENV_SOURCES) for _ in range(draw(st.integers(1, 2)))]
        traits["envs"] = [{"name": f"T_{index}", "valueFrom": source} for index, source in enumerate(sources)]
        for env in traits["envs"]:
            env.update(_one(draw, ({}, {}, {"sensitive": True}, {"sensitive": False})))
    if "envFrom" in yes:
        traits["envFrom"] = [{"type": _one(draw, ("config", "configMap", "secret")), "sourceName": "elsewhere"}]
    if "resources" in yes:
        traits["resources"] = _one(draw, _RESOURCES)
    return traits


def _traits(
    draw: st.DrawFn, kind: str, number: int, services: Sequence[str], images: Sequence[str], *, serves: bool
) -> Json:
    traits = _container_traits(draw, str(number))
    yes = _choose(draw, "liveness", "readiness", "startup", "init", "sidecar", "rbac", "ingress", "share")
    yes |= _choose(draw, "hpa", "pdb", "networkPolicy", "expose")
    traits["probes"] = [probe for probe in _PROBES if probe["type"] in yes]
    if "init" in yes:
        properties = {"image": _one(draw, images), "command": ["prepare"], "env": _one(draw, ENVS)}
        traits["init"] = [
            {"properties": properties, "traits": _container_traits(draw, f"{number}i{index}")}
            for index in range(draw(st.integers(1, 2)))
        ]
    if "sidecar" in yes:
        sidecar_traits = _container_traits(draw, f"{number}s")
        traits["sidecar"] = [{"image": _one(draw, images), "args": ["-v"], "traits": sidecar_traits}]
    if "rbac" in yes:
        rule = {"apiGroups": [""], "resources": ["pods", "configmaps"], "verbs": ["get", "list"]}
        traits["rbac"] = [{"rules": [rule], "roleLabels": _one(draw, LABELS)}]
    if "ingress" in yes and services and not (serves and "expose" in yes):
        routes = [
            {"path": f"/{index}", "backend": {"serviceName": _one(draw, services)}, "rewrite": _one(draw, _REWRITES)}
            for index in range(draw(st.integers(1, 3)))
        ]
        traits["ingress"] = [{"hosts": ["shop.example"] * draw(st.integers(0, 1)), "routes": routes}]
    if "expose" in yes and serves:
        traits["expose"] = _one(draw, _EXPOSED)
    if "pdb" in yes and kind in ("webservice", "store"):
        traits["pdb"] = _one(draw, _BUDGETS)
    if "hpa" in yes and kind in ("webservice", "store"):
        traits["hpa"] = _one(draw, _AUTOSCALERS)
    if "networkPolicy" in yes:
        traits["networkPolicy"] = _one(draw, _POLICIES)
    if "share" in yes:
        traits["share"] = {"strategy": _one(draw, ("default", "ignore", "force"))}
    return traits


def _component(draw: st.DrawFn, number: int, name: str, services: Sequence[str], images: Sequence[str]) -> Json:
    kinds: tuple[str, ...] = ("webservice", "store", "daemon")
    if name not in services:
        kinds = ("webservice", "store", "config", "secret", "job", "cronjob", "daemon")
    component: Json = {"name": name, "type": _one(draw, kinds)}
    if component["type"] in ("config", "secret"):
        field = {"config": "conf", "secret": "secret"}[component["type"]]
        if "external" in _choose(draw, "external") and component["type"] == "secret":
            return {**component, "properties": {"external": _one(draw, _EXTERNAL)}}
        return {**component, "properties": {field: _one(draw, DATA)}}
    yes = _choose(draw, "env", "command", "labels", "image in properties", "traits", "fields")
    properties: Json = {}
    properties |= {"env": _one(draw, ENVS)} if "env" in yes else {}
    properties |= {"labels": _one(draw, LABELS)} if "labels" in yes else {}
    properties |= _one(draw, _FIELDS) if "fields" in yes else {}
    properties |= {"command": ["sh", "-c", "exec run"]} if "command" in yes else {}
    if name in services:
        properties["ports"] = _one(draw, _PORTS)
        properties |= {"service": _one(draw, _SERVICES)} if "fields" in yes else {}
    (properties if "image in properties" in yes else component)["image"] = _one(draw, images)
    component["replicas"] = draw(st.integers(0, 3))
    if component["type"] == "cronjob":
        properties |= _one(draw, _SCHEDULES)
    if component["type"] in ("job", "cronjob"):
        properties |= _one(draw, _RUNS)
    component["properties"] = properties
    if "traits" in yes:
        component["traits"] = _traits(draw, component["type"], number, services, images, serves=name in services)
    return component


def _workflow(draw: st.DrawFn, names: Sequence[str]) -> list[Json]:
    """Steps over some of the components, in any order."""
    rest = list(draw(st.permutations(names)))
    steps: list[Json] = []
    while rest and (not steps or draw(st.integers(0, 4))):
        count = draw(st.integers(1, len(rest)))
        mine, rest = rest[:count], rest[count:]
        split = draw(st.integers(0, count))
        subs = [{"name": f"part {len(steps)}.{place}", "components": [name]} for place, name in enumerate(mine[split:])]
        mode = _one(draw, ("StepByStep", "DAG"))
        steps.append({"name": f"step {len(steps)}", "mode": mode, "components": mine[:split], "subSteps": subs})
        said = _choose(draw, "pause", "continue", "timeout")
        steps[-1] |= {"onFailure": "continue"} if "continue" in said else {}
        steps[-1] |= {"timeoutSeconds": 30.0} if "timeout" in said else {}
        if "pause" in said:
            waits = _one(draw, ({}, {"seconds": 2.5}, {"timeoutSeconds": 60.0}))
            steps.append({"name": f"pause {len(steps)}", "type": "pause", **waits})
    return steps


@st.composite
def application_data(
    draw: st.DrawFn, *, max_components: int = 12, images: Sequence[str] = IMAGES, namespace: str = "default"
) -> Json:
    """An application as JSON, with components of all types."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=max_components, unique=True))
    serving = draw(st.integers(0, 2 ** len(names) - 1))
    services = [name for place, name in enumerate(names) if serving >> place & 1]
    components = [_component(draw, number, name, services, images) for number, name in enumerate(names)]
    data: Json = {"name": _one(draw, ("shop", "my-shop", "s" * 63)), "namespace": namespace, "component": components}
    yes = _choose(draw, "workflow", "words")
    data |= {"alias": draw(_TEXT), "description": draw(_TEXT), "tmpEnable": True} if "words" in yes else {}
    data |= {"workflow": _workflow(draw, names)} if "workflow" in yes else {}
    # The pools' values are in it: a test may change what it is given.
    return copy.deepcopy(data)


def applications(
    *, max_components: int = 12, images: Sequence[str] = IMAGES, namespace: str = "default"
) -> st.SearchStrategy[Application]:
    """Applications, read and checked."""
    data = application_data(max_components=max_components, images=images, namespace=namespace)
    return data.map(parse_application)
