"""From an object beside a workload to a trait of its component. A kind more is a line in `BESIDE`."""

from collections.abc import Callable, Mapping
from typing import Any

from kubemin.convert.normal import foreign_labels, reduced
from kubemin.convert.policies import autoscaler, budget, network_policy, route
from kubemin.convert.ports import port_number
from kubemin.convert.rights import binding
from kubemin.convert.surroundings import Draft, Surroundings
from kubemin.convert.taking import StaysError, no_counterpart, nothing_left, part, parts
from kubemin.spec.objects import Manifest, ObjectRef


def _ingress(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> None:
    rest = reduced(manifest)
    meta, spec = rest["metadata"], part(rest, "spec", "")
    found: Manifest = {"name": ref.name}
    if "ingressClassName" in spec:
        found["ingressClassName"] = spec.pop("ingressClassName")
    routes, services = [], []
    for number, rule in enumerate(parts(spec, "rules", "spec")):
        path = f"spec.rules[{number}]"
        host, http = rule.pop("host", None), part(rule, "http", path)
        for place, one in enumerate(parts(http, "paths", f"{path}.http")):
            route, service = _route(one, f"{path}.http.paths[{place}]", around, ref.namespace)
            routes.append({**({"host": host} if host else {}), **route})
            services.append(service)
        nothing_left({**rule, **http}, path)
    tls = [_tls(one, around, ref.namespace, f"spec.tls[{n}]") for n, one in enumerate(parts(spec, "tls", "spec"))]
    nothing_left(spec, "spec")
    owner = next((owner for service in services if (owner := around.owner(service))), None)
    if owner is None:
        raise StaysError("it leads to no Service that a component makes")
    labels = {
        key: value for key, value in foreign_labels(meta.get("labels")).items() if _labels(owner).get(key) != value
    }
    annotations = meta.get("annotations")
    found |= {
        **({"tls": tls} if tls else {}),
        **({"label": labels} if labels else {}),
        **({"annotations": annotations} if annotations else {}),
        "routes": routes,
    }
    owner.traits.setdefault("ingress", []).append(found)
    around.give(owner, ref)


def _route(one: Manifest, path: str, around: Surroundings, namespace: str) -> tuple[Manifest, ObjectRef]:
    rest = dict(one)
    backend = part(rest, "backend", path)
    service = part(backend, "service", f"{path}.backend")
    name, port = str(service.pop("name", "")), part(service, "port", f"{path}.backend.service")
    ref = ObjectRef("Service", namespace, name)
    if "name" in port:
        number = port_number(around.objects.get(ref), port.pop("name"))
        if number is None:
            raise no_counterpart(f"{path}.backend.service.port by name, of a Service that is not there")
        port["number"] = number
    owner = around.owner(ref)
    to = owner.name if owner is not None and owner.main.name == name else name
    route = {
        "path": rest.pop("path", "/"),
        "pathType": rest.pop("pathType", "ImplementationSpecific"),
        "backend": {"serviceName": to, "servicePort": port.pop("number", None)},
    }
    nothing_left({**rest, **backend, **service, **port}, path)
    return route, ref


def _tls(one: Manifest, around: Surroundings, namespace: str, path: str) -> Manifest:
    rest = dict(one)
    found: Manifest = {}
    if "secretName" in rest:
        found["secretName"] = around.referred("Secret", namespace, rest.pop("secretName"))
    if hosts := rest.pop("hosts", None):
        found["hosts"] = hosts
    nothing_left(rest, path)
    return found


def _labels(draft: Draft) -> Mapping[str, Any]:
    labels: Mapping[str, Any] = draft.properties.get("labels") or {}
    return labels


def _service(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> None:
    """Those that components make are theirs already."""
    selected = around.selected(ref.namespace, (manifest.get("spec") or {}).get("selector") or {})
    if staying := [one for one in selected if around.owner(one) is None]:
        raise StaysError(f"it selects the Pods of {staying[0]}, which stays")
    raise StaysError("no component makes a Service of this name for these Pods")


def _stays(why: str) -> Callable[[ObjectRef, Manifest, Surroundings], None]:
    def join(_ref: ObjectRef, _manifest: Manifest, _around: Surroundings) -> None:
        raise StaysError(why)

    return join


BESIDE: Mapping[str, Callable[[ObjectRef, Manifest, Surroundings], None]] = {
    "RoleBinding": binding,
    "ClusterRoleBinding": binding,
    "HorizontalPodAutoscaler": autoscaler,
    "PodDisruptionBudget": budget,
    "NetworkPolicy": network_policy,
    "Ingress": _ingress,
    "HTTPRoute.gateway.networking.k8s.io": route,
    "Service": _service,
    "PersistentVolumeClaim": _stays("no component mounts it"),
    "Job": _stays("the Job of a component has another name for each spec"),
}
"""By kind: how an object joins a component that is there, or why it never does."""

SEPARATE = frozenset({*BESIDE, "Role", "ClusterRole", "ServiceAccount"}) - {"Service", "PersistentVolumeClaim"}
"""Kinds of objects that a component can have, or be without."""

KINDS_OF_TRAITS: Mapping[str, tuple[str, ...]] = {
    "hpa": ("HorizontalPodAutoscaler",),
    "pdb": ("PodDisruptionBudget",),
    "networkPolicy": ("NetworkPolicy",),
    "ingress": ("Ingress",),
    "expose": ("HTTPRoute.gateway.networking.k8s.io",),
    "rbac": ("RoleBinding", "ClusterRoleBinding"),
}
"""By trait: the objects that stay where something is wrong with it."""
