"""How a component does, in one word: by its objects, and what the rules of readiness say of each. Pure."""

from collections.abc import Collection

from kubemin.cluster.readiness import Verdict
from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.objects import Manifest
from kubemin.spec.states import ComponentState


def state_of(obj: Manifest, verdict: Verdict) -> ComponentState:
    """The word for one object."""
    if verdict.state == "hopeless":
        return ComponentState.FAILED
    if verdict.suspended:
        return ComponentState.SUSPENDED
    if verdict.state == "waiting":
        return ComponentState.PENDING
    kind = kind_name(obj)
    if kind == "Job":
        return ComponentState.COMPLETED
    if kind == "CronJob":
        return ComponentState.SUSPENDED if (obj.get("spec") or {}).get("suspend") else ComponentState.SCHEDULED
    if kind_of(kind).controller is None:
        return ComponentState.READY
    return ComponentState.RUNNING if verdict.desired else ComponentState.IDLE


def worst_of(states: Collection[ComponentState]) -> ComponentState:
    """The word for several: of a component's objects, or of an application's components."""
    return next((one for one in ComponentState if one in states), ComponentState.NOT_DEPLOYED)
