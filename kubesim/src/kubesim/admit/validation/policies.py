"""What autoscalers and disruption budgets must be."""

from typing import Any

from kubesim.admit.validation.causes import Causes
from kubesim.admit.validation.metadata import check_selector

__all__ = ["check_autoscaler", "check_disruption_budget"]

Object = dict[str, Any]


def check_autoscaler(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a HorizontalPodAutoscaler."""
    spec = obj["spec"]
    if spec["minReplicas"] < 1:
        causes.invalid("spec.minReplicas", spec["minReplicas"], "must be greater than or equal to 1")
    if spec["maxReplicas"] < 1:
        causes.invalid("spec.maxReplicas", spec["maxReplicas"], "must be greater than 0")
    elif spec["maxReplicas"] < spec["minReplicas"]:
        causes.invalid("spec.maxReplicas", spec["maxReplicas"], "must be greater than or equal to `minReplicas`")
    for field in ("kind", "name"):
        if not spec["scaleTargetRef"][field]:
            causes.required(f"spec.scaleTargetRef.{field}")


def check_disruption_budget(obj: Object, old: Object | None, causes: Causes) -> None:
    """Check a PodDisruptionBudget."""
    spec = obj["spec"]
    if "minAvailable" in spec and "maxUnavailable" in spec:
        causes.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    for field in ("minAvailable", "maxUnavailable"):
        value = spec.get(field)
        if isinstance(value, int):
            causes.not_negative(f"spec.{field}", value)
    if "selector" in spec:
        check_selector("spec.selector", spec["selector"], causes)
