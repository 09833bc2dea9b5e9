"""Deployment: ready as ``kubectl rollout status`` says; hopeless by its conditions or its new Pods."""

from collections.abc import Sequence

from kubemin.cluster.readiness.fields import condition, controlled_by, is_true, mapping, number, observed
from kubemin.cluster.readiness.pods import restarted, why_stuck
from kubemin.cluster.readiness.templates import template_digest
from kubemin.cluster.readiness.verdict import Trouble, Verdict
from kubemin.cluster.reasons import code_of_text
from kubemin.spec.objects import Manifest
from kubemin.spec.reason_codes import ReasonCode


def deployment(
    item: Manifest, pods: Sequence[Manifest], replica_sets: Sequence[Manifest], events: Sequence[Manifest]
) -> Verdict:
    """Ready: the spec is observed, all replicas are of the current template and available, and no old one is left."""
    name = item["metadata"]["name"]
    desired = number(item, "spec", "replicas", default=1)
    total, updated, available = (
        number(item, "status", field) for field in ("replicas", "updatedReplicas", "availableReplicas")
    )
    ready = min(updated, available, desired)
    if not observed(item):
        return Verdict("waiting", f"Deployment {name}: the change is not seen by its controller yet", 0, desired)
    if total == updated == desired and available >= desired:
        return Verdict("ready", f"Deployment {name}: {available} of {desired} replicas are available", ready, desired)

    current = current_pods(item, pods, replica_sets)
    problem = _why_hopeless(item, current, events)
    if problem:
        return Verdict("hopeless", f"Deployment {name}: {problem.text}", ready, desired, code=problem.code)
    if mapping(item, "spec").get("paused"):
        message = "it is paused: resume it to go on"
    elif updated < desired:
        message = f"{updated} of {desired} replicas are updated"
    elif total > updated:
        message = f"{total - updated} old replicas still have to go"
    elif updated > desired:
        message = f"{updated - desired} replicas too many still have to go"
    else:
        message = f"{available} of {updated} updated replicas are available"
    return Verdict("waiting", f"Deployment {name}: {message}", ready, desired, restarted=restarted(current))


def current_pods(item: Manifest, pods: Sequence[Manifest], replica_sets: Sequence[Manifest]) -> list[Manifest]:
    """The Pods of the current template. Only they show whether the rollout works.

    Old Pods say nothing: one that crashes may be the reason for the rollout, and in a rollback the bad Pods are the old
    ones, although they are younger. The current ReplicaSet is the one whose template equals the Deployment's; its
    controller does the same. Without ReplicaSets: all Pods, if the status counts no old ones.
    """
    if replica_sets:
        template = template_digest(item)
        current = [
            each
            for each in controlled_by(replica_sets, item["metadata"].get("uid"))
            if template_digest(each) == template
        ]
        return [found for each in current for found in controlled_by(pods, each["metadata"].get("uid"))]
    updated = number(item, "status", "updatedReplicas")
    return list(pods) if updated and updated == number(item, "status", "replicas") else []


def _why_hopeless(item: Manifest, current: Sequence[Manifest], events: Sequence[Manifest]) -> Trouble | None:
    failure = condition(item, "ReplicaFailure")
    if is_true(failure):
        text = f"{failure.get('reason') or 'ReplicaFailure'}: {failure.get('message') or 'Pods cannot be made'}"
        return Trouble(code_of_text(text) or ReasonCode.POLICY, text)
    problem = why_stuck(current, events)
    if problem:
        return problem
    progress = condition(item, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return Trouble(ReasonCode.DEADLINE, f"ProgressDeadlineExceeded: {progress.get('message') or 'no progress'}")
    return None
