"""The whole cluster, to be compared with itself later: what the demo insists on."""

import asyncio
from typing import Any

from kubemin.cli.language import tr
from kubemin.cluster import Cluster
from kubemin.engine.objects.diff import changed_paths
from kubemin.spec.kinds import KINDS
from kubemin.spec.objects import Manifest, ObjectRef

Snapshot = dict[ObjectRef, Manifest]

_COUNTERS = ("resourceVersion", "generation", "managedFields", "annotations")
_REVISION = "deployment.kubernetes.io/"


async def take(cluster: Cluster) -> Snapshot:
    """Everything but what comes and goes by itself: Pods, Events, volumes; see `comparable`. Raises `ClusterError`."""
    kinds = [kind for kind in KINDS if kind not in ("Pod", "Event", "PersistentVolume")]
    listings = await asyncio.gather(*(cluster.list(kind) for kind in kinds))
    return {ObjectRef.of(item): comparable(item) for listing in listings for item in listing.items}


def comparable(obj: Manifest) -> Manifest:
    """The object without what only counts up, and without what controllers report of it and own in it."""
    meta = {key: value for key, value in obj["metadata"].items() if key not in _COUNTERS}
    annotations = obj["metadata"].get("annotations") or {}
    meta["annotations"] = {key: value for key, value in annotations.items() if not key.startswith(_REVISION)}
    meta["managedFields"] = sorted(
        (
            {key: value for key, value in entry.items() if key != "time"}
            for entry in obj["metadata"].get("managedFields") or []
            if entry["manager"] != "kube-controller-manager" and not entry.get("subresource")
        ),
        key=lambda entry: (entry["manager"], entry["operation"]),
    )
    body = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    return {**body, "metadata": meta}


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """What is not as it was, a phrase each; empty when all of it is."""
    wrong = [tr("{object} is gone", object=ref) for ref in before if ref not in after]
    wrong += [tr("{object} is left over", object=ref) for ref in after if ref not in before]
    for ref, was in before.items():
        if ref in after and after[ref] != was:
            fields_ = ", ".join(changed_paths(was, after[ref])) or tr("its metadata")
            wrong.append(tr("{object} differs in {fields}", object=ref, fields=fields_))
    return wrong


def fields(value: Any) -> int:
    """How many values there are in it."""
    if isinstance(value, dict):
        return sum(fields(item) for item in value.values())
    if isinstance(value, list):
        return sum(fields(item) for item in value)
    return 1
