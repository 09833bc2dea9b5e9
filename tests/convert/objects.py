"""Kubernetes objects as others write them, and how two are compared: as the simulated cluster would keep them."""

import copy
from collections.abc import Iterable
from typing import Any

from kubemin.convert.importing import Imported, import_objects, ref_of
from kubemin.convert.normal import cleaned
from kubemin.render import Rendered, render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.labels import LABELS
from kubemin.spec.limits import Grant, Limits
from kubemin.spec.objects import Manifest, ObjectRef
from kubesim.admit.defaults import default

_ALL = Grant(("*",), ("*",), ("*",), ("/metrics",))
PERMISSIVE = Limits(
    rbac_namespaced=(_ALL,),
    rbac_cluster=(_ALL,),
    allow_host_path=True,
    allow_rbac_namespaces="*",
    allow_annotations="*",
    allow_rbac_names="*",
    allow_cluster_kinds="*",
    allow_probe_hosts="*",
)


def plain(rendered: Iterable[Rendered]) -> list[Manifest]:
    """What is rendered, as if others had written it: with none of KubeMin's labels, and selectors of their own."""
    found: dict[ObjectRef, Manifest] = {}
    for item in rendered:
        manifest = copy.deepcopy(item.manifest)
        own = {"app": item.component[:63]}
        _forget(manifest["metadata"])
        spec = manifest.get("spec", {})
        if manifest["kind"] in ("Deployment", "StatefulSet"):
            spec["selector"] = {"matchLabels": own}
            for claim in spec.get("volumeClaimTemplates", ()):
                _forget(claim["metadata"])
        if manifest["kind"] == "Service":
            spec["selector"] = own
        if "template" in spec:
            _forget(spec["template"]["metadata"])
            spec["template"]["metadata"].setdefault("labels", {}).update(own)
        found[ObjectRef.of(manifest)] = manifest
    return list(found.values())


def _forget(meta: dict[str, Any]) -> None:
    labels = {key: value for key, value in meta.get("labels", {}).items() if key not in LABELS}
    meta["labels"] = labels
    annotations = {key: one for key, one in meta.get("annotations", {}).items() if not key.startswith("kubemin.io/")}
    meta["annotations"] = annotations
    for field in ("labels", "annotations"):
        if not meta[field]:
            del meta[field]


def imported(objects: list[Manifest], name: str, namespace: str = "default") -> tuple[Imported, Application]:
    """What `kubemin import` makes of the objects: what becomes of each, and the application."""
    found = import_objects(objects, name, namespace, limits=PERMISSIVE)
    rest = [cleaned(one) for one in objects if ref_of(one, namespace) in found.stays]
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
    if found["kind"] in ("Deployment", "StatefulSet", "Service"):
        spec.pop("selector", None)
    if "template" in spec:
        inner = spec["template"]["metadata"]
        inner.pop("labels", None)
        annotations = {key: one for key, one in inner.pop("annotations", {}).items() if "kubemin.io/" not in key}
        inner |= {"annotations": annotations} if annotations else {}
        for container in (
            *spec["template"]["spec"].get("initContainers", ()),
            *spec["template"]["spec"]["containers"],
        ):
            variables = container.get("env", [])
            if not any("$(" in one.get("value", "") for one in variables):
                variables.sort(key=lambda one: one["name"])
    for claim in spec.get("volumeClaimTemplates", ()):
        claim["metadata"].pop("labels", None)
    return found


def selects(objects: Iterable[Manifest]) -> dict[ObjectRef, set[ObjectRef]]:
    """By workload and Service: the workloads whose Pods it selects."""
    objects = list(objects)
    pods = {
        ObjectRef.of(one): one["spec"]["template"]["metadata"].get("labels", {})
        for one in objects
        if "template" in one.get("spec", {})
    }
    found: dict[ObjectRef, set[ObjectRef]] = {}
    for one in objects:
        selector = one.get("spec", {}).get("selector") or {}
        labels = selector.get("matchLabels", selector)
        if labels:
            wanted = {ref for ref, has in pods.items() if labels.items() <= has.items()}
            found[ObjectRef.of(one)] = {ref for ref in wanted if ref.namespace == one["metadata"]["namespace"]}
    return found
