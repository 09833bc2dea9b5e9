"""Whether an object is ready: pure functions of objects from the API server, one module for each kind."""

from collections.abc import Mapping, Sequence

from kubemin.cluster.readiness.deployment import deployment
from kubemin.cluster.readiness.job import job
from kubemin.cluster.readiness.pods import crashed, why_stuck
from kubemin.cluster.readiness.statefulset import statefulset
from kubemin.cluster.readiness.verdict import Verdict
from kubemin.spec.kind import Health
from kubemin.spec.kinds import KINDS, kind_name
from kubemin.spec.objects import Manifest

__all__ = ["RELATED", "Verdict", "crashed", "readiness", "why_stuck"]

RELATED: Mapping[str, tuple[str, ...]] = {
    kind.name: kind.controller.told_by if kind.controller else ()
    for kind in KINDS.values()
    if kind.health is Health.READINESS
}
"""The kinds that a job waits for, each with the related kinds that are read too."""


def readiness(
    item: Manifest | None,
    pods: Sequence[Manifest] = (),
    events: Sequence[Manifest] = (),
    *,
    replica_sets: Sequence[Manifest] = (),
) -> Verdict:
    """Whether ``item`` is ready, as ``kubectl rollout status`` means it; None: it does not exist (yet).

    ``pods`` and ``replica_sets`` are those that its selector finds, ``events`` any that may concern it or its Pods.
    Objects of other kinds are ready when they exist.
    """
    if item is None:
        return Verdict("waiting", "It does not exist yet")
    kind, name = kind_name(item), item["metadata"]["name"]
    if "deletionTimestamp" in item["metadata"]:
        return Verdict("waiting", f"{kind} {name} is being deleted")
    match kind:
        case "Deployment":
            return deployment(item, pods, replica_sets, events)
        case "StatefulSet":
            return statefulset(item, pods, events)
        case "Job":
            return job(item, pods, events)
        case _:
            return Verdict("ready", f"{kind} {name} exists", 1)
