"""What the server adds to a new object once it has its uid."""

from typing import Any

from kubemin.sim.admit.pod_defaults import all_containers
from kubemin.sim.admit.validation.workloads import JOB_LABELS

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
    uid, name = metadata["uid"], metadata.get("name", "")
    labels = spec["template"]["metadata"].setdefault("labels", {})
    for key in JOB_LABELS:
        labels[key] = uid
    for key in ("batch.kubernetes.io/job-name", "job-name"):
        labels[key] = name
    if "selector" not in spec:
        spec["selector"] = {"matchLabels": {JOB_LABELS[0]: uid}}
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
