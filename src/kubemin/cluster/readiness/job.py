"""Job: ready when it is complete, hopeless for good when it failed."""

from collections.abc import Sequence

from kubemin.cluster.readiness.fields import condition, is_true, mapping, number, refusal
from kubemin.cluster.readiness.pods import why_stuck
from kubemin.cluster.readiness.verdict import Verdict
from kubemin.spec.objects import Manifest


def job(item: Manifest, pods: Sequence[Manifest], events: Sequence[Manifest]) -> Verdict:
    """Complete, failed with the controller's reason (BackoffLimitExceeded, DeadlineExceeded), or on its way."""
    name = item["metadata"]["name"]
    desired = number(item, "spec", "completions", default=1)
    succeeded, active = number(item, "status", "succeeded"), number(item, "status", "active")
    if is_true(condition(item, "Complete")):
        return Verdict("ready", f"Job {name} is complete", succeeded, desired)
    for kind in ("Failed", "FailureTarget"):  # the second comes first, while the last Pods are being ended
        failed = condition(item, kind)
        if is_true(failed):
            problem = ": ".join(str(failed[field]) for field in ("reason", "message") if failed.get(field))
            return Verdict(
                "hopeless", f"Job {name} failed: {problem or 'no reason given'}", succeeded, desired, final=True
            )
    problem = why_stuck(pods, events) or (refusal(item, events) if not active else None) or ""
    if problem:
        return Verdict("hopeless", f"Job {name}: {problem}", succeeded, desired)
    if mapping(item, "spec").get("suspend"):
        return Verdict("waiting", f"Job {name} is suspended: resume it to go on", succeeded, desired)
    failures = number(item, "status", "failed")
    tried = f", {failures} tries failed" if failures else ""
    return Verdict("waiting", f"Job {name}: {succeeded} of {desired} completed{tried}", succeeded, desired)
