"""Whether an object is ready: pure functions of objects from the API server, one module for each kind."""

from collections.abc import Sequence

from kubemin.cluster.readiness.custom import api_service, definition, is_route, route
from kubemin.cluster.readiness.daemonset import daemonset
from kubemin.cluster.readiness.deployment import deployment
from kubemin.cluster.readiness.fields import is_outdated
from kubemin.cluster.readiness.generic import generic
from kubemin.cluster.readiness.job import job
from kubemin.cluster.readiness.pods import crashed, why_stuck
from kubemin.cluster.readiness.statefulset import statefulset
from kubemin.cluster.readiness.verdict import Verdict
from kubemin.spec.kind import Health
from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.objects import Manifest

__all__ = ["Verdict", "crashed", "is_outdated", "is_route", "is_waited_for", "readiness", "why_stuck"]


def is_waited_for(kind: str) -> bool:
    """Whether a job waits until an object of the kind is ready, rather than only there."""
    return kind_of(kind).health is Health.READINESS


def readiness(
    item: Manifest | None,
    pods: Sequence[Manifest] = (),
    events: Sequence[Manifest] = (),
    *,
    replica_sets: Sequence[Manifest] = (),
) -> Verdict:
    """Whether ``item`` is ready, as ``kubectl rollout status`` means it; None: it does not exist (yet).

    ``pods`` and ``replica_sets`` are those that its selector finds, ``events`` any that may concern it or its Pods.
    Objects of kinds that nobody waits for are ready when they exist.
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
        case "DaemonSet":
            return daemonset(item, pods, events)
        case "CustomResourceDefinition":
            return definition(item)
        case "APIService":
            return api_service(item)
        case _ if is_route(item):
            return route(item)
        case _ if is_waited_for(kind):
            return generic(item)
        case _:
            return Verdict("ready", f"{kind} {name} exists", 1)
