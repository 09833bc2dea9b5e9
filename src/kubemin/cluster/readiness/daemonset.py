"""DaemonSet: ready as ``kubectl rollout status`` says; hopeless by its Pods of the new revision."""

from collections.abc import Sequence

from kubemin.cluster.readiness.fields import mapping, number, observed, refusal
from kubemin.cluster.readiness.pods import restarted, why_stuck
from kubemin.cluster.readiness.verdict import Verdict
from kubemin.spec.objects import Manifest


def daemonset(item: Manifest, pods: Sequence[Manifest], events: Sequence[Manifest]) -> Verdict:
    """Ready: the spec is observed, and on each node that it wants a Pod of the current template is available.

    With the strategy OnDelete the controller updates no Pod by itself, so we wait only for available ones.
    """
    name = item["metadata"]["name"]
    desired, updated, available = (
        number(item, "status", field)
        for field in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    )
    if not observed(item):
        return Verdict("waiting", f"DaemonSet {name}: the change is not seen by its controller yet", 0, desired)
    by_hand = mapping(item, "spec", "updateStrategy").get("type") == "OnDelete"
    ready = available if by_hand else min(available, updated)
    if ready >= desired:
        return Verdict("ready", f"DaemonSet {name}: {available} of {desired} Pods are available", ready, desired)
    if problem := why_stuck(pods, events) or refusal(item, events):
        return Verdict("hopeless", f"DaemonSet {name}: {problem.text}", ready, desired, code=problem.code)
    if not by_hand and updated < desired:
        message = f"{updated} of {desired} Pods are updated"
    else:
        message = f"{available} of {desired} Pods are available"
    return Verdict("waiting", f"DaemonSet {name}: {message}", ready, desired, restarted=restarted(pods))
