"""StatefulSet: ready as ``kubectl rollout status`` says; hopeless by its Pods of the new revision."""

from collections.abc import Sequence

from kubemin.cluster.readiness.fields import mapping, number, observed, refusal
from kubemin.cluster.readiness.pods import restarted, why_stuck
from kubemin.cluster.readiness.verdict import Verdict
from kubemin.spec.objects import Manifest

_REVISION = "controller-revision-hash"


def statefulset(item: Manifest, pods: Sequence[Manifest], events: Sequence[Manifest]) -> Verdict:
    """Ready: the spec is observed, all replicas are available, and those above the partition are updated.

    With the strategy OnDelete the controller updates no Pod by itself, so we wait only for available replicas.
    """
    name = item["metadata"]["name"]
    desired = number(item, "spec", "replicas", default=1)
    total, updated = (number(item, "status", field) for field in ("replicas", "updatedReplicas"))
    counted = "availableReplicas" if mapping(item, "spec").get("minReadySeconds") else "readyReplicas"
    ready = number(item, "status", counted)
    partition = number(item, "spec", "updateStrategy", "rollingUpdate", "partition")
    if mapping(item, "spec", "updateStrategy").get("type") == "OnDelete":
        to_update, finished = 0, True
    else:
        to_update = max(0, desired - partition)
        finished = partition > 0 or _revision(item, "updateRevision") == _revision(item, "currentRevision")
    if not observed(item):
        return Verdict("waiting", f"StatefulSet {name}: the change is not seen by its controller yet", 0, desired)
    if ready >= desired and total <= desired and updated >= to_update and finished:
        return Verdict("ready", f"StatefulSet {name}: {ready} of {desired} replicas are ready", ready, desired)

    current = current_pods(item, pods)
    problem = why_stuck(current, events) or (refusal(item, events) if total < desired else None)
    if problem:
        return Verdict("hopeless", f"StatefulSet {name}: {problem.text}", ready, desired, code=problem.code)
    if total > desired:
        message = f"{total - desired} replicas too many still have to go"
    elif ready < desired:
        message = f"{ready} of {desired} replicas are ready"
        if blocking := _blocking_pod(item, pods, events):
            message += f"; {blocking} is of an older revision, does not get ready and holds up the others"
    else:
        message = f"{updated} of {to_update} replicas are updated"
    return Verdict("waiting", f"StatefulSet {name}: {message}", ready, desired, restarted=restarted(current))


def current_pods(item: Manifest, pods: Sequence[Manifest]) -> list[Manifest]:
    """The Pods of the revision that is being rolled out: only they show whether it works."""
    revision = _revision(item, "updateRevision")
    return [each for each in pods if mapping(each, "metadata", "labels").get(_REVISION) == revision]


def _blocking_pod(item: Manifest, pods: Sequence[Manifest], events: Sequence[Manifest]) -> str | None:
    """A Pod of an older revision that does not get ready: the controller waits for it for ever, so it must be deleted.

    Kubernetes documents this as "forced rollback".
    """
    current = current_pods(item, pods)
    others = [each for each in pods if each not in current and why_stuck([each], events)]
    return f"Pod {others[0]['metadata']['name']}" if others else None


def _revision(item: Manifest, field: str) -> object:
    return mapping(item, "status").get(field)
