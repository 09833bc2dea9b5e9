"""An application as plain Kubernetes objects, for those who deploy without KubeMin."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubemin.convert.normal import cleaned, of_pods_alone, selected_keys
from kubemin.render import render
from kubemin.spec.application import Application
from kubemin.spec.config import MASK
from kubemin.spec.ids import component_id
from kubemin.spec.kinds import kind_name, written
from kubemin.spec.labels import APP_ID, COMPONENT_ID, LABELS, NAME
from kubemin.spec.manifests import pod_template
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import ShareStrategy

_LONGEST = 200
"""Characters of a file's name, before its number: file systems take 255 bytes, and names of objects may have 253."""

_MASKED = base64.b64encode(MASK.encode()).decode()


@dataclass(slots=True)
class Exported:
    """The objects, in the order in which they are deployed, and what somebody has to know of them."""

    objects: dict[ObjectRef, Manifest] = field(default_factory=dict)
    masked: list[ObjectRef] = field(default_factory=list)
    """The Secrets with a mask for a value: no API server takes them as they are, for the mask is no base64."""
    fetched: list[ObjectRef] = field(default_factory=list)
    """The ConfigMaps that lack the text which a task fetches by URL."""
    shared: list[ObjectRef] = field(default_factory=list)
    """The objects that the application uses, and never makes: they are left out."""


def export_objects(application: Application) -> Exported:
    """What the application renders to, without what KubeMin finds its objects by.

    Of KubeMin's labels those stay that a selector needs, or a Pod reads: on Pods, and in selectors. Raises
    `RenderError` where the application was not checked.
    """
    found = Exported()
    names = {str(component_id(application.app_id, part.name)): part.name for part in application.component}
    rendered = sorted(render(application), key=lambda item: written(kind_name(item.manifest)).priority)
    for item in rendered:
        ref = ObjectRef.of(item.manifest)
        if item.share is ShareStrategy.IGNORE:
            found.shared.append(ref)
            continue
        if item.fetch is not None:
            found.fetched.append(ref)
        manifest: Manifest = _by_name(cleaned(item.manifest), names)
        if ref.kind == "Secret" and _mask(manifest):
            found.masked.append(ref)
        found.objects.setdefault(ref, manifest)
    keys = {ref: set(selected_keys(manifest)) for ref, manifest in found.objects.items()}
    of_pods = {key for one in keys.values() for key in one}
    of_any = {key for ref, one in keys.items() if not of_pods_alone(ref.kind) for key in one}
    for manifest in found.objects.values():
        _forget_labels(manifest["metadata"], of_any)
        if (template := pod_template(manifest)) is not None:
            _forget_labels(template.get("metadata"), of_pods)
        spec = manifest.get("spec") or {}
        for made in (*(spec.get("volumeClaimTemplates") or ()), spec.get("jobTemplate") or {}):
            _forget_labels(made.get("metadata"), of_any)
    return found


def _by_name(value: Any, names: Mapping[str, str]) -> Any:
    """The manifest, where selectors have a component's name rather than its number.

    KubeMin gives numbers anew to what it gets; by them also Pods are selected that are there only while others are
    replaced.
    """
    if isinstance(value, list):
        return [_by_name(one, names) for one in value]
    if not isinstance(value, dict):
        return value
    labels = value.get("matchLabels")
    if isinstance(labels, dict) and labels.get(COMPONENT_ID) in names and APP_ID in labels:
        rest = {key: one for key, one in labels.items() if key != COMPONENT_ID}
        value = {**value, "matchLabels": {**rest, NAME: names[labels[COMPONENT_ID]]}}
    return {key: _by_name(one, names) for key, one in value.items()}


def _mask(secret: Manifest) -> bool:
    """Put the mask itself in the place of its base64; whether there is one."""
    masked = False
    for name, value in dict(secret.get("data") or {}).items():
        if value in (_MASKED, MASK):
            secret["data"][name] = MASK
            masked = True
    return masked or MASK in (secret.get("stringData") or {}).values()


def _forget_labels(meta: Any, kept: set[str]) -> None:
    if not isinstance(meta, dict) or not isinstance(meta.get("labels"), dict):
        return
    meta["labels"] = {key: value for key, value in meta["labels"].items() if key not in LABELS or key in kept}
    if not meta["labels"]:
        del meta["labels"]


def file_names(objects: Mapping[ObjectRef, Manifest]) -> dict[ObjectRef, str]:
    """A file's name for each object: kind and name, and the namespace where there are several."""
    several = len({ref.namespace for ref in objects if ref.namespace}) > 1
    found: dict[ObjectRef, str] = {}
    for ref in objects:
        parts = (ref.namespace if several else "", ref.kind.lower(), ref.name)
        name = "-".join(_plain(part) for part in parts if part)[:_LONGEST]
        taken = set(found.values())
        numbered = (f"{name}-{number}.yaml" for number in range(2, len(objects) + 2))
        found[ref] = next(one for one in (f"{name}.yaml", *numbered) if one not in taken)
    return found


def _plain(text: str) -> str:
    return "".join(char if char.isascii() and (char.isalnum() or char in ".-") else "-" for char in text)


def kustomization(names: Mapping[ObjectRef, str]) -> Manifest:
    """What `kustomize` reads: which files there are."""
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [*names.values()],
    }
