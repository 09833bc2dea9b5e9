"""Readiness of an object, by what the informers' caches hold."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from kubemin.cluster.client import Cluster
from kubemin.cluster.errors import ClusterError
from kubemin.cluster.informers import Informers
from kubemin.cluster.readiness import Verdict, crashed, readiness
from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.labels import APP_ID, COMPONENT_ID
from kubemin.spec.objects import Manifest, ObjectRef

_MAX_PODS = 3
"""The events of at most so many Pods are read. Pods of one workload mostly fail for the same reason."""


def readiness_from_cache(informers: Informers, item: Manifest | None, events: Sequence[Manifest] = ()) -> Verdict:
    """Whether ``item`` is ready, by its Pods and ReplicaSets in the caches, and by ``events`` about any of them.

    To be called in a check of ``Informers.until(…, related=kind_of(kind).told_by)``.
    """
    if item is None or not kind_of(kind_name(item)).told_by:
        return readiness(item)
    meta = item["metadata"]
    labels = pod_labels(item)
    pods = informers.snapshot("Pod", meta["namespace"], labels)
    if kind_name(item) != "Deployment":
        return readiness(item, pods, events)
    return readiness(item, pods, events, replica_sets=informers.snapshot("ReplicaSet", meta["namespace"], labels))


PodStates = tuple[tuple[str, ...], ...]
"""Of each Pod its uid and phase, and the state of each of its containers."""


_RESTARTS = "restarts"


def pod_states(informers: Informers, item: Manifest) -> PodStates:
    """What shows that the Pods of ``item`` move: that a container stops, waits, runs, is ready.

    A container that ended before and is not ready is in one state, whatever it does: in a crash loop nothing moves.
    """
    found = []
    for pod in _pods(informers, item):
        status = pod.get("status") or {}
        containers = (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
        states = [f"{each.get('name')} {_state(each)}" for each in containers]
        found.append((pod["metadata"]["uid"], str(status.get("phase")), *states))
    return tuple(sorted(found))


def restarts(pods: PodStates) -> bool:
    """Whether a container among them ended before and is not ready: what is said of it changes all the time."""
    return any(state.endswith(f" {_RESTARTS}") for _, _, *states in pods for state in states)


def _state(status: Mapping[str, Any]) -> str:
    """``running; ready``, or such as ``waiting ErrImagePull``."""
    if status.get("lastState") and not status.get("ready"):
        return _RESTARTS
    states = [f"{name} {(state or {}).get('reason', '')}" for name, state in (status.get("state") or {}).items()]
    return "; ".join([*states, "ready" if status.get("ready") else "not ready"])


async def events_about(cluster: Cluster, informers: Informers, item: Manifest) -> list[Manifest]:
    """The events of ``item`` and of its Pods that have not started. Some refusals are only in events.

    Events are not watched, because a cluster has far too many. They are listed, and only if there are warnings about
    ``item`` or its Pods; one request finds that out for all callers. Empty if events cannot be read.
    """
    meta = item["metadata"]
    namespace = meta.get("namespace", "default")  # events about a cluster-scoped object are there
    pods = [pod for pod in _pods(informers, item) if (pod.get("status") or {}).get("phase", "Pending") == "Pending"]
    found: list[Manifest] = []
    warning_events = await informers.warning_events.about(namespace)
    uids = [meta["uid"], *(pod["metadata"]["uid"] for pod in pods[:_MAX_PODS])]
    for uid in uids if not warning_events.isdisjoint(uids) else ():
        with contextlib.suppress(ClusterError):
            found += (await cluster.list("Event", namespace, fields=f"involvedObject.uid={uid}")).items
    return found


async def last_log_lines(cluster: Cluster, informers: Informers, item: Manifest, *, lines: int = 5) -> str:
    """The last log lines of a container of ``item`` that crashes; empty if none does, or the log cannot be read."""
    found = crashed(_pods(informers, item))
    if found is None:
        return ""
    pod, container = found
    for previous in (True, False):
        with contextlib.suppress(ClusterError):
            text = await cluster.log(ObjectRef.of(pod), container, lines=lines, previous=previous)
            if text.strip():
                return text.strip()
    return ""


def _pods(informers: Informers, item: Manifest) -> list[Manifest]:
    """The Pods of an object; none of a kind whose controller makes none."""
    if "Pod" not in kind_of(kind_name(item)).told_by:
        return []
    return informers.snapshot("Pod", item["metadata"]["namespace"], pod_labels(item))


def pod_labels(item: Manifest) -> dict[str, str]:
    """Labels that select the Pods and ReplicaSets of ``item``.

    With application and component if possible, for the cache's index.
    """
    spec: Mapping[str, Any] = item.get("spec") or {}
    found = dict((spec.get("selector") or {}).get("matchLabels") or {})
    made = (spec.get("jobTemplate") or {}).get("spec") or spec  # a CronJob's Jobs have the template
    template = (((made.get("template") or {}).get("metadata") or {}).get("labels")) or {}
    return found | {key: template[key] for key in (APP_ID, COMPONENT_ID) if key in template}
