"""What the engine costs beside plain API calls for a bundle of manifests: 300 objects of 20 kinds, no pre-flight.

As in `bench.deploy`: both sides render the same application, and make the same requests with the same client, in the
same stages; they take turns on one simulated cluster. Before each deploy the cluster has none of the kinds that the
bundle itself defines.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from bench.deploy import DEPLOY, Cost, Meter, Stored, deploy_as_task, deploy_plainly, measure
from bench.managed import managed
from bench.plain import Plain
from bench.report import median, quiet, rounds_asked_for, show
from bench.simulated import SPEED
from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.plan import Plan, make_plan
from kubemin.render import render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest

OBJECTS, KINDS = 300, 20
TARGET = 1.4
LIMITS = Limits(allow_cluster_kinds="*", allow_any_rights=True)
_GROUP = "bench.example.com"
_RBAC = "rbac.authorization.k8s.io"
_LABELS = {"app": "web"}
_TEMPLATE = {"metadata": {"labels": _LABELS}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
_PODS = {"selector": {"matchLabels": _LABELS}, "template": _TEMPLATE}
_VOLUME = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
_RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
_JOB = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "web", "image": "web:1"}]}}}

_BACKEND = {"name": "web", "port": {"number": 80}}
_NONE = {"matchLabels": {"app": "none"}}

_Shape = tuple[int, str, str, dict[str, Any]]

_BUNDLE: list[_Shape] = [
    (50, "v1", "ConfigMap", {"data": {f"key-{k}": "v" * 100 for k in range(10)}}),
    (20, "v1", "Secret", {"stringData": {"user": "shop", "password": "change-me"}}),
    (15, "v1", "ServiceAccount", {}),
    (15, f"{_RBAC}/v1", "Role", {"rules": _RULES}),
    (5, f"{_RBAC}/v1", "ClusterRole", {"rules": _RULES}),
    (5, "v1", "PersistentVolumeClaim", {"spec": _VOLUME}),
    (25, "v1", "Service", {"spec": {"selector": _LABELS, "ports": [{"port": 80}]}}),
    (20, "apps/v1", "Deployment", {"spec": _PODS}),
    (3, "apps/v1", "StatefulSet", {"spec": {**_PODS, "serviceName": "web"}}),
    (2, "apps/v1", "DaemonSet", {"spec": _PODS}),
    (5, "batch/v1", "CronJob", {"spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": _JOB}}}),
    (10, "networking.k8s.io/v1", "Ingress", {"spec": {"defaultBackend": {"service": _BACKEND}}}),
    (15, "networking.k8s.io/v1", "NetworkPolicy", {"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}),
    (10, "policy/v1", "PodDisruptionBudget", {"spec": {"maxUnavailable": 1, "selector": _NONE}}),
    (2, "scheduling.k8s.io/v1", "PriorityClass", {"value": 10}),
    (50, f"{_GROUP}/v1", "Widget", {"spec": {"size": 1, "ports": [{"name": "a", "port": 1}]}}),
    (26, f"{_GROUP}/v1", "Gadget", {"spec": {"size": 2}}),
]
"""How many of each kind."""


def bundle() -> Application:
    """The application: one component that brings all of it."""
    made: list[Manifest] = [_definition("Widget"), _definition("Gadget")]
    for count, api_version, kind, body in _BUNDLE:
        for number in range(count):
            name = f"{kind.lower()}-{number}"
            made.append({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **body})
    made += [_binding("RoleBinding", number) for number in range(15)]
    made += [_binding("ClusterRoleBinding", number) for number in range(5)]
    assert len(made) == OBJECTS, len(made)
    assert len(Counter(one["kind"] for one in made)) == KINDS
    part = {"name": "all", "type": "manifests", "properties": {"manifests": made}}
    return parse_application({"name": "bench", "component": [part]}, LIMITS)


def _definition(kind: str) -> Manifest:
    port = {"type": "object", "properties": {"name": {"type": "string"}, "port": {"type": "integer"}}}
    keys = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    ports = {"type": "array", "items": {**port, "required": ["name"]}, **keys}
    spec = {"type": "object", "properties": {"size": {"type": "integer"}, "ports": ports}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    plural = f"{kind.lower()}s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{_GROUP}"},
        "spec": {
            "group": _GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def _binding(kind: str, number: int) -> Manifest:
    role = kind.removesuffix("Binding")
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": {"name": f"{kind.lower()}-{number}"},
        "roleRef": {"apiGroup": _RBAC, "kind": role, "name": f"{role.lower()}-{number}"},
        "subjects": [{"kind": "ServiceAccount", "name": f"serviceaccount-{number}", "namespace": "default"}],
    }


def _plan(application: Application) -> Plan:
    return make_plan(application, render(application), application.steps())


async def _plain_side(meter: Meter, _: Stored, cluster: Cluster) -> None:
    async with aclosing(Informers(cluster)) as informers:
        plain = Plain(cluster, informers)
        await plain.begin()
        await deploy_plainly(meter, plain, lambda: _plan(bundle()))


async def _engine_side(meter: Meter, stored: Stored, cluster: Cluster) -> None:
    async with managed(stored, cluster, LIMITS) as engine:
        await deploy_as_task(meter, engine, bundle())


SIDES = {"plain": _plain_side, "engine": _engine_side}


def report(costs: Mapping[tuple[str, str], list[Cost]], rounds: int) -> None:
    """Print the table."""
    rows = []
    walls = {side: median([cost.wall for cost in measured]) for (_, side), measured in costs.items()}
    for side in ("plain", "engine"):
        mine = costs[DEPLOY, side]
        ratio = f"{walls['engine'] / walls['plain']:.2f} (≤ {TARGET:g})" if side == "engine" else ""
        least, most = (choose(cost.wall for cost in mine) for choose in (min, max))
        own, of_cluster = (median([getattr(cost, name) for cost in mine]) for name in ("cpu", "cluster_cpu"))
        rows.append((side, *(f"{number:.2f}" for number in (walls[side], least, most, own, of_cluster)), ratio))
    show(
        f"A bundle of manifests, engine and plain API calls: {OBJECTS} objects, {KINDS} kinds; {rounds} rounds",
        ("medians", "wall s", "least", "most", "own CPU s", "cluster CPU s", "wall ratio"),
        rows,
        [f"SQLite on disk, synchronous=FULL; simulated cluster in a process of its own, speed {SPEED:g}"],
    )


if __name__ == "__main__":
    rounds = rounds_asked_for(__doc__, 15)
    quiet()
    report(asyncio.run(measure(rounds, SIDES)), rounds)
