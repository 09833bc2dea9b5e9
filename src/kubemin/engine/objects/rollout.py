"""How far a controller has come with an object, and which of what it made is still needed (design R6). Pure."""

import math
from collections.abc import Sequence

from kubemin.engine.objects.dependents import pvc_name_prefixes
from kubemin.spec.kinds import kind_name
from kubemin.spec.objects import Manifest

_REVISION = "deployment.kubernetes.io/revision"
_JOB_ENDS = ("Complete", "Failed")


def is_observed(owner: Manifest) -> bool:
    """Whether the controller has seen the object as it is now: until then its status tells about a former one."""
    return bool(owner.get("status", {}).get("observedGeneration", 0) >= owner["metadata"].get("generation", 0))


def is_rolled_out(owner: Manifest, before: Manifest | None) -> bool:
    """Whether the controller has brought the object as far as it was ``before`` us: it may never get further."""
    status, was = owner.get("status", {}), (before or {}).get("status", {})
    wanted = pods_wanted(owner)
    counts = {
        "Deployment": ["replicas", "availableReplicas", "updatedReplicas"],
        "DaemonSet": ["currentNumberScheduled", "numberAvailable", "updatedNumberScheduled"],
    }.get(kind_name(owner), ["replicas", "availableReplicas"])
    return bool(
        is_observed(owner)
        and status.get("replicas", 0) <= wanted
        and all(status.get(count, 0) >= min(was.get(count, 0), wanted) for count in counts)
    )


def pods_wanted(owner: Manifest) -> int:
    """How many Pods the object is to have; a DaemonSet one on each node that it is for."""
    if kind_name(owner) == "DaemonSet":
        return int(owner.get("status", {}).get("desiredNumberScheduled", 0))
    return int(owner.get("spec", {}).get("replicas", 1))


def surely_made_all(owner: Manifest) -> bool:
    """Whether the controller has made all Pods that the object calls for; False where that cannot be told.

    Else one may come yet, though the object is gone: the controller does not know that at once.
    """
    kind, status, spec = kind_name(owner), owner.get("status", {}), owner.get("spec", {})
    if kind == "Job":
        return any(one["status"] == "True" for one in status.get("conditions") or () if one["type"] in _JOB_ENDS)
    counts = ["replicas", "updatedReplicas"] if kind == "Deployment" else ["replicas"]
    return is_observed(owner) and all(status.get(count, 0) == spec.get("replicas", 1) for count in counts)


def is_needed(owner: Manifest, dependent: Manifest) -> bool:
    """Whether the owner, as it is now, still needs what its controller made."""
    kind, name = kind_name(dependent), dependent["metadata"]["name"]
    if kind == "ReplicaSet":
        return bool(dependent.get("spec", {}).get("replicas") or dependent.get("status", {}).get("replicas"))
    if kind == "ControllerRevision":
        status = owner.get("status", {})
        return name in (status.get("currentRevision"), status.get("updateRevision"))
    return int(name.rpartition("-")[2]) in ordinals(owner)


def is_outdated(owner: Manifest, dependent: Manifest) -> bool:
    """Whether it is of a former template, and the controller on its way from that to the one of now."""
    if kind_name(dependent) == "ControllerRevision":
        status, name = owner.get("status", {}), dependent["metadata"]["name"]
        return bool(name == status.get("currentRevision") != status.get("updateRevision"))
    revisions = {(obj["metadata"].get("annotations") or {}).get(_REVISION) for obj in (owner, dependent)}
    return kind_name(dependent) == "ReplicaSet" and len(revisions) > 1


def is_superfluous(owner: Manifest, dependent: Manifest, before: Manifest | None) -> bool:
    """Whether something outdated need not be waited for: as many Pods as ``before`` us are available without it.

    Of a StatefulSet: it had not come to its end before us either, and may never do so.
    """
    status = (before or {}).get("status") or {}
    was = status.get("availableReplicas", 0)
    if kind_name(dependent) == "ControllerRevision":
        complete = was == owner.get("spec", {}).get("replicas", 1)
        on_its_way = status.get("currentRevision") != status.get("updateRevision")
        return is_outdated(owner, dependent) and (on_its_way or not complete)
    others = owner.get("status", {}).get("availableReplicas", 0) - dependent.get("status", {}).get(
        "availableReplicas", 0
    )
    return is_outdated(owner, dependent) and others >= min(was, owner.get("spec", {}).get("replicas", 1))


def surge(owner: Manifest) -> int:
    """How many Pods more than it wants the owner may have for a while; never any of a StatefulSet."""
    strategy = owner["spec"].get("strategy") or {}
    if kind_name(owner) != "Deployment" or strategy.get("type") == "Recreate":
        return 0
    most = (strategy.get("rollingUpdate") or {}).get("maxSurge", "25%")
    if isinstance(most, int):
        return most
    replicas: int = owner["spec"].get("replicas", 1)
    return math.ceil(replicas * int(str(most).rstrip("%")) / 100)


def has_all_pvcs(stateful_set: Manifest, items: Sequence[Manifest]) -> bool:
    """Whether every PVC that the StatefulSet, as it was last, calls for is among the items: none is to come."""
    prefixes = pvc_name_prefixes(stateful_set)
    called_for = {f"{prefix}{ordinal}" for prefix in prefixes for ordinal in ordinals(stateful_set)}
    return called_for <= {item["metadata"]["name"] for item in items}


def ordinals(stateful_set: Manifest) -> range:
    """The ordinals of the Pods that the StatefulSet is to have."""
    spec = stateful_set.get("spec", {})
    start = (spec.get("ordinals") or {}).get("start", 0)
    return range(start, start + spec.get("replicas", 1))
