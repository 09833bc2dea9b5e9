"""What the server adds to a new object once it has its uid."""

from typing import Any

from kubesim.admit.pod_defaults import all_containers
from kubesim.admit.validation.workloads import CONTROLLER_UID, job_labels

__all__ = ["complete"]

Object = dict[str, Any]


def complete(kind: str, obj: Object) -> None:
    """Add, in place, a Job's selector and the labels it selects, and a Pod's quality of service.

    To be called for a new object, after ``default`` and before ``validate_create``, when the uid is known.
    """
    if kind == "Job" and not obj["spec"].get("manualSelector"):
        _select_own_pods(obj)
    elif kind == "Pod":
        obj["status"]["qosClass"] = quality_of_service(obj["spec"])


def _select_own_pods(job: Object) -> None:
    metadata, spec = job["metadata"], job["spec"]
    own, template = metadata.get("labels"), spec["template"]["metadata"]
    labels = {**job_labels(metadata), **template.get("labels", {})}
    if not own or own is template.get("labels"):
        # A Job without labels has those of its template. On the server the two are the same map by then.
        metadata["labels"] = dict(labels)
    template["labels"] = labels
    selected = spec.setdefault("selector", {}).setdefault("matchLabels", {})
    selected.setdefault(CONTROLLER_UID, metadata["uid"])
    spec["manualSelector"] = False


def quality_of_service(spec: Object) -> str:
    """``Guaranteed``, ``Burstable`` or ``BestEffort``, by the resources of a pod's containers."""
    guaranteed, any_given = True, False
    for container in all_containers(spec):
        resources = container["resources"]
        limits, requests = resources.get("limits", {}), resources.get("requests", {})
        for name in ("cpu", "memory"):
            any_given = any_given or name in limits or name in requests
            if name not in limits or requests.get(name, limits[name]) != limits[name]:
                guaranteed = False
    if not any_given:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"
