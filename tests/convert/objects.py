"""Kubernetes objects as others write them, and how two are compared: as the simulated cluster would keep them."""

import copy
from collections.abc import Iterable
from typing import Any

from kubemin.convert.importing import Imported, import_objects
from kubemin.convert.normal import cleaned
from kubemin.render import Rendered, render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.labels import LABELS, SENSITIVE_ENV
from kubemin.spec.limits import Grant, Limits
from kubemin.spec.manifests import pod_template
from kubemin.spec.objects import Manifest, ObjectRef
from kubesim.admit.defaults import default

_ALL = Grant(("*",), ("*",), ("*",), ("/metrics",))
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
PERMISSIVE = Limits(
    rbac_namespaced=(_ALL,),
    rbac_cluster=(_ALL,),
    allow_host_path=True,
    allow_any_rights=True,
    allow_rbac_namespaces="*",
    allow_rbac_names="*",
    allow_annotations="*",
    allow_probe_hosts="*",
    allow_privileged="*",
    allow_service_accounts="*",
    allow_cluster_kinds="*",
)


def plain(rendered: Iterable[Rendered]) -> list[Manifest]:
    """What is rendered, as if others had written it: with none of KubeMin's labels, and selectors of their own."""
    found: dict[ObjectRef, Manifest] = {}
    for item in rendered:
        manifest = copy.deepcopy(item.manifest)
        own = {"app": item.component[:63]}
        _forget(manifest["metadata"])
        spec = manifest.get("spec", {})
        if manifest["kind"] in WORKLOADS:
            spec["selector"] = {"matchLabels": own}
            for claim in spec.get("volumeClaimTemplates", ()):
                _forget(claim["metadata"])
        if manifest["kind"] == "Service":
            spec["selector"] = own
        if manifest["kind"] == "PodDisruptionBudget":
            spec["selector"] = {"matchLabels": own}
        if manifest["kind"] == "NetworkPolicy":
            spec["podSelector"] = {"matchLabels": own}
        if "jobTemplate" in spec:
            _forget(spec["jobTemplate"].get("metadata", {}))
        if (template := pod_template(manifest)) is not None:
            _forget(template["metadata"])
            template["metadata"].setdefault("labels", {}).update(own)
        found[ObjectRef.of(manifest)] = manifest
    return list(found.values())


def _lasting(annotations: dict[str, Any]) -> dict[str, Any]:
    """Without what KubeMin notes for itself; what a person has said of variables stays."""
    return {key: one for key, one in annotations.items() if key == SENSITIVE_ENV or "kubemin.io/" not in key}


def _forget(meta: dict[str, Any]) -> None:
    labels = {key: value for key, value in meta.get("labels", {}).items() if key not in LABELS}
    meta["labels"] = labels
    meta["annotations"] = _lasting(meta.get("annotations", {}))
    for field in ("labels", "annotations"):
        if not meta[field]:
            del meta[field]


def imported(objects: list[Manifest], name: str, namespace: str = "default") -> tuple[Imported, Application]:
    """What `kubemin import` makes of the objects: what becomes of each, and the application."""
    found = import_objects(objects, name, namespace, limits=PERMISSIVE)
    rest = [cleaned(one) for ref, one in zip(found.refs, objects, strict=True) if ref in found.stays]
    beside = {"name": "rest-of-it", "type": "manifests", "properties": {"manifests": rest}}
    data = {"name": name, "namespace": namespace, "component": [*found.components, *([beside] if rest else [])]}
    return found, parse_application(data, PERMISSIVE)


def made(application: Application) -> dict[ObjectRef, Manifest]:
    """What the application renders to."""
    return {ObjectRef.of(item.manifest): item.manifest for item in render(application)}


def kept(manifest: Manifest) -> Manifest:
    """As a cluster keeps it, without labels and selectors, and where order means nothing in one order."""
    found = copy.deepcopy(manifest)
    default(found["kind"], found)
    meta, spec = found["metadata"], found.get("spec", {})
    meta.pop("labels", None)
    if found["kind"] in (*WORKLOADS, "Service", "PodDisruptionBudget"):
        spec.pop("selector", None)
    if found["kind"] == "NetworkPolicy":
        spec.pop("podSelector", None)
        _forget_own(spec)
    if "jobTemplate" in spec:
        spec["jobTemplate"]["spec"].setdefault("backoffLimit", 6)  # the API server says it of each Job only
        spec["jobTemplate"].get("metadata", {}).pop("labels", None)
        if not spec["jobTemplate"].get("metadata"):
            spec["jobTemplate"].pop("metadata", None)
    if (template := pod_template(found)) is not None:
        inner = template.get("metadata", {})
        inner.pop("labels", None)
        annotations = _lasting(inner.pop("annotations", {}))
        template["metadata"] = {**inner, **({"annotations": annotations} if annotations else {})}
        for container in (*template["spec"].get("initContainers", ()), *template["spec"]["containers"]):
            variables = container.get("env", [])
            if not any("$(" in one.get("value", "") for one in variables):
                variables.sort(key=lambda one: one["name"])
    for claim in spec.get("volumeClaimTemplates", ()):
        claim["metadata"].pop("labels", None)
    return found


def _forget_own(value: Any) -> None:
    """Peers that are components have KubeMin's labels, by which `selects` goes."""
    if isinstance(value, dict):
        if isinstance(labels := value.get("matchLabels"), dict):
            value["matchLabels"] = {key: one for key, one in labels.items() if key not in LABELS}
        for one in value.values():
            _forget_own(one)
    for one in value if isinstance(value, list) else ():
        _forget_own(one)


def selects(objects: Iterable[Manifest]) -> dict[ObjectRef, set[ObjectRef]]:
    """By each object that selects Pods: the workloads whose Pods it selects."""
    objects = list(objects)
    pods = {
        ObjectRef.of(one): template.get("metadata", {}).get("labels", {})
        for one in objects
        if (template := pod_template(one)) is not None
    }
    found: dict[ObjectRef, set[ObjectRef]] = {}
    for one in objects:
        spec = one.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector") or {}
        labels = selector.get("matchLabels", selector)
        if labels:
            wanted = {ref for ref, has in pods.items() if labels.items() <= has.items()}
            found[ObjectRef.of(one)] = {ref for ref in wanted if ref.namespace == one["metadata"].get("namespace")}
    return found
