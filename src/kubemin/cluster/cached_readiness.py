"""Readiness as the informers see it."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from kubemin.cluster.client import Cluster
from kubemin.cluster.errors import ClusterError
from kubemin.cluster.informers import Informers
from kubemin.cluster.readiness import RELATED, Verdict, crashed, readiness
from kubemin.spec.labels import APP_ID, COMPONENT_ID
from kubemin.spec.objects import Manifest, ObjectRef

_MAX_PODS = 3
"""Of how many Pods that do not start the events are read: they mostly say the same."""


def readiness_from_cache(informers: Informers, item: Manifest | None, events: Sequence[Manifest] = ()) -> Verdict:
    """The verdict on ``item`` with what the caches hold of its Pods and ReplicaSets, and ``events`` about any of them.

    Made for a check of ``Informers.until(…, related=RELATED.get(kind, ()))``.
    """
    if item is None or item["kind"] not in RELATED:
        return readiness(item)
    meta = item["metadata"]
    labels = _selector(item)
    pods = informers.snapshot("Pod", meta["namespace"], labels)
    if item["kind"] != "Deployment":
        return readiness(item, pods, events)
    return readiness(item, pods, events, replica_sets=informers.snapshot("ReplicaSet", meta["namespace"], labels))


async def events_about(cluster: Cluster, informers: Informers, item: Manifest) -> list[Manifest]:
    """The events of ``item`` and of its Pods that have not started: some refusals are told nowhere else.

    Asked for, not watched: a cluster's events are far more than anybody waits for. And only where there are warnings
    about one of them, which one request tells for all who ask. Empty where they cannot be read.
    """
    meta = item["metadata"]
    pods = [
        pod
        for pod in informers.snapshot("Pod", meta["namespace"], _selector(item))
        if (pod.get("status") or {}).get("phase", "Pending") == "Pending"
    ]
    found: list[Manifest] = []
    warning_events = await informers.warning_events.about(meta["namespace"])
    uids = [meta["uid"], *(pod["metadata"]["uid"] for pod in pods[:_MAX_PODS])]
    for uid in uids if not warning_events.isdisjoint(uids) else ():
        with contextlib.suppress(ClusterError):
            found += (await cluster.list("Event", meta["namespace"], fields=f"involvedObject.uid={uid}")).items
    return found


async def last_log_lines(cluster: Cluster, informers: Informers, item: Manifest, *, lines: int = 5) -> str:
    """What a container of ``item`` that keeps ending wrote last; empty if none does, or it cannot be read."""
    pods = informers.snapshot("Pod", item["metadata"]["namespace"], _selector(item)) if item["kind"] in RELATED else []
    found = crashed(pods)
    if found is None:
        return ""
    pod, container = found
    for previous in (True, False):
        with contextlib.suppress(ClusterError):
            text = await cluster.log(ObjectRef.of(pod), container, lines=lines, previous=previous)
            if text.strip():
                return text.strip()
    return ""


def _selector(item: Manifest) -> dict[str, str]:
    """What finds the Pods. Where they bear them, application and component come first in the cache's index."""
    spec: Mapping[str, Any] = item.get("spec") or {}
    found = dict((spec.get("selector") or {}).get("matchLabels") or {})
    template = (((spec.get("template") or {}).get("metadata") or {}).get("labels")) or {}
    return found | {key: template[key] for key in (APP_ID, COMPONENT_ID) if key in template}
