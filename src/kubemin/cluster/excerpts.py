"""What the caches keep of an object: all of it, or as much as anybody reads of a kind that no task writes.

Why: a cluster has far more Pods and ReplicaSets than objects that tasks write, each Deployment ten former ReplicaSets,
and most of each is its Pod template and its managedFields. Nor are environment variables of running Pods held here.
"""

from collections.abc import Mapping
from typing import Any

from kubemin.cluster.readiness.fields import mapping
from kubemin.cluster.readiness.templates import TEMPLATE_DIGEST, template_digest
from kubemin.spec.kinds import KINDS, kind_of
from kubemin.spec.objects import Manifest


def is_excerpted(kind: str) -> bool:
    """Whether the cache keeps only a part of the kind's objects: managedFields and annotations are not in it."""
    return kind_of(kind).written is None


def with_type(kind: str, item: Manifest) -> Manifest:
    """The object with its type: the items of a list come without. Of a kind that the table lacks they have it."""
    known = KINDS.get(kind)
    return item if known is None else {"apiVersion": known.api_version, "kind": kind, **item}


def excerpt(kind: str, item: Manifest) -> Manifest:
    """What the cache keeps of an object, with its type."""
    item = with_type(kind, item)
    if not is_excerpted(kind):
        return item
    meta = {name: value for name, value in item["metadata"].items() if name not in _UNREAD}
    kept: Manifest = {"apiVersion": item["apiVersion"], "kind": kind, "metadata": meta}
    match kind:
        case "Pod":
            return {**kept, "spec": _of_pod(item), "status": mapping(item, "status")}
        case "ReplicaSet":
            return {**kept, "spec": {TEMPLATE_DIGEST: template_digest(item)}}
        case _:
            return {**item, "metadata": meta}


_UNREAD = ("managedFields", "annotations")
"""Of metadata. Annotations are copied from their owners, the whole manifest of these among them."""


def _of_pod(item: Manifest) -> dict[str, Any]:
    """Whether the Pod is to end, and which of its containers run beside the others."""
    spec = mapping(item, "spec")
    initial = [_only(each, "name", "restartPolicy") for each in spec.get("initContainers") or ()]
    return {**_only(spec, "restartPolicy"), "initContainers": initial}


def _only(found: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: found[name] for name in names if name in found}
