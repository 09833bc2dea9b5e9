"""Readiness as the informers see it."""

from collections.abc import Mapping
from typing import Any

from kubemin.cluster.informers import Informers
from kubemin.cluster.readiness import RELATED, Verdict, readiness
from kubemin.spec.labels import APP_ID, COMPONENT_ID
from kubemin.spec.objects import Manifest


def look(informers: Informers, item: Manifest | None) -> Verdict:
    """The verdict on ``item`` with what the caches hold of its Pods and ReplicaSets.

    Made for a check of ``Informers.until(…, related=RELATED.get(kind, ()))``.
    """
    if item is None or item["kind"] not in RELATED:
        return readiness(item)
    meta = item["metadata"]
    labels = _selector(item)
    pods = informers.snapshot("Pod", meta["namespace"], labels)
    if item["kind"] != "Deployment":
        return readiness(item, pods)
    return readiness(item, pods, replica_sets=informers.snapshot("ReplicaSet", meta["namespace"], labels))


def _selector(item: Manifest) -> dict[str, str]:
    """What finds the Pods. Where they bear them, application and component come first in the cache's index."""
    spec: Mapping[str, Any] = item.get("spec") or {}
    found = dict((spec.get("selector") or {}).get("matchLabels") or {})
    template = (((spec.get("template") or {}).get("metadata") or {}).get("labels")) or {}
    return found | {key: template[key] for key in (APP_ID, COMPONENT_ID) if key in template}
