"""From an autoscaler, a disruption budget, a network policy or a route to the trait of the workload that it is of."""

from typing import Any

from kubemin.convert.normal import foreign_labels, reduced
from kubemin.convert.surroundings import Draft, Surroundings
from kubemin.convert.taking import StaysError, no_counterpart, nothing_left, part, parts
from kubemin.spec.objects import Manifest, ObjectRef


def autoscaler(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> None:
    """The trait ``hpa``. Raises `StaysError`."""
    spec = _spec(ref, manifest)
    target = part(spec, "scaleTargetRef", "spec")
    draft = around.owner(ObjectRef(str(target.get("kind")), ref.namespace, str(target.get("name"))))
    found: Manifest = {field: spec.pop(field) for field in ("minReplicas", "maxReplicas", "behavior") if field in spec}
    metrics = parts(spec, "metrics", "spec")
    nothing_left(spec, "spec")
    for name in ("cpu", "memory"):
        if metrics and (percent := _utilization(metrics[0], name)) is not None:
            found[name] = percent
            metrics = metrics[1:]
    if metrics:
        found["metrics"] = metrics
    _join(ref, manifest, "hpa", found, draft, around)


def _utilization(metric: Manifest, name: str) -> int | None:
    """The percentage, of a metric that says only that."""
    match metric:
        case {"type": "Resource", "resource": {"name": str(it), "target": dict(target)}} if it == name:
            percent = target.get("averageUtilization")
            alone = target == {"type": "Utilization", "averageUtilization": percent}
            return percent if alone and isinstance(percent, int) else None
    return None


def budget(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> None:
    """The trait ``pdb``. Raises `StaysError`."""
    spec = _spec(ref, manifest)
    draft = _selected(spec, "selector", ref, around)
    found = {field: spec.pop(field) for field in ("minAvailable", "maxUnavailable") if field in spec}
    nothing_left(spec, "spec")
    _join(ref, manifest, "pdb", found, draft, around)


def network_policy(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> None:
    """The trait ``networkPolicy``. Raises `StaysError`."""
    spec = _spec(ref, manifest)
    draft = _selected(spec, "podSelector", ref, around)
    types = spec.pop("policyTypes", None) or []
    found = {
        field: spec.pop(field, None) or []
        for field, type_ in (("ingress", "Ingress"), ("egress", "Egress"))
        if type_ in types
    }
    nothing_left(spec, "spec")
    _join(ref, manifest, "networkPolicy", found, draft, around)


def route(ref: ObjectRef, manifest: Manifest, around: Surroundings) -> None:
    """The trait ``expose``, of an HTTPRoute that leads to one Service by paths alone. Raises `StaysError`."""
    spec = _spec(ref, manifest)
    parents, hosts = parts(spec, "parentRefs", "spec"), spec.pop("hostnames", None) or []
    paths, services = [], set()
    for number, rule in enumerate(parts(spec, "rules", "spec")):
        path, service = _exposed(rule, f"spec.rules[{number}]")
        paths.append(path)
        services.add(service)
    nothing_left(spec, "spec")
    if len(services) != 1:
        raise StaysError("it leads to several Services, or none")
    draft = around.owner(ObjectRef("Service", ref.namespace, services.pop()))
    annotations = manifest["metadata"].get("annotations")
    found = {
        "via": "gateway",
        **({"hosts": hosts} if hosts else {}),
        "paths": paths,
        "parentRefs": parents,
        **({"annotations": annotations} if annotations else {}),
    }
    _join(ref, manifest, "expose", found, draft, around)


_PATH_TYPES = {"PathPrefix": "Prefix", "Exact": "Exact"}


def _exposed(rule: Manifest, path: str) -> tuple[Manifest, str]:
    matches, backends = parts(rule, "matches", path), parts(rule, "backendRefs", path)
    nothing_left(rule, path)
    if len(matches) != 1 or len(backends) != 1:
        raise no_counterpart(f"{path} without one path and one Service")
    match, backend = matches[0], backends[0]
    where = part(match, "path", f"{path}.matches[0]")
    nothing_left(match, f"{path}.matches[0]")
    kind, name, port = where.pop("type", "PathPrefix"), str(backend.pop("name", "")), backend.pop("port", None)
    nothing_left(backend, f"{path}.backendRefs[0]")
    if kind not in _PATH_TYPES:
        raise no_counterpart(f"{path}.matches[0].path.type {kind}")
    return {"path": where.get("value", "/"), "pathType": _PATH_TYPES[kind], "port": port}, name


def _spec(ref: ObjectRef, manifest: Manifest) -> Manifest:
    rest = reduced(manifest)
    if "annotations" in rest["metadata"] and ref.kind in (
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
    ):
        raise no_counterpart("metadata.annotations")
    return part(rest, "spec", "")


def _selected(spec: Manifest, field: str, ref: ObjectRef, around: Surroundings) -> Draft | None:
    selector = part(spec, field, "spec")
    labels = part(selector, "matchLabels", f"spec.{field}")
    nothing_left(selector, f"spec.{field}")
    found = around.selected(ref.namespace, labels)
    return around.owner(found[0]) if len(found) == 1 else None


def _join(
    ref: ObjectRef, manifest: Manifest, trait: str, found: Any, draft: Draft | None, around: Surroundings
) -> None:
    """Give the object to the component, whose main object's name it has to have."""
    if draft is None:
        raise StaysError("it is not about the Pods of one component")
    if ref.name != draft.main.name:
        raise StaysError(f"its name is another one than that of {draft.main}, which KubeMin would give it")
    if trait in draft.traits:
        raise StaysError(f"the component {draft.name} has one already")
    has = draft.properties.get("labels") or {}
    if any(has.get(key) != value for key, value in foreign_labels(manifest["metadata"].get("labels")).items()):
        raise StaysError(f"it has other labels than {draft.main}")
    draft.traits[trait] = found
    around.give(draft, ref)
