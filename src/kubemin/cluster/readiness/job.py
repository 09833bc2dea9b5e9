"""Job: ready when it is complete, hopeless for good when it failed."""

from collections.abc import Sequence

from kubemin.cluster.readiness.fields import condition, is_true, mapping, number, refusal
from kubemin.cluster.readiness.pods import restarted, why_stuck
from kubemin.cluster.readiness.verdict import Verdict
from kubemin.spec.objects import Manifest
from kubemin.spec.reason_codes import ReasonCode


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
            code = ReasonCode.DEADLINE if failed.get("reason") == "DeadlineExceeded" else ReasonCode.JOB_FAILED
            message = f"Job {name} failed: {problem or 'no reason given'}"
            return Verdict("hopeless", message, succeeded, desired, final=True, code=code)
    if is_true(condition(item, "SuccessCriteriaMet")):  # with a success policy, what its other Pods do counts no more
        return Verdict("waiting", f"Job {name} has succeeded, and its last Pods are being ended", succeeded, desired)
    if mapping(item, "spec").get("suspend"):  # by a person, or by a queue (Kueue) until its turn comes
        message = f"Job {name} is suspended: it goes on once it is resumed"
        return Verdict("waiting", message, succeeded, desired, suspended=True)
    if trouble := why_stuck(pods, events) or (refusal(item, events) if not active else None):
        return Verdict("hopeless", f"Job {name}: {trouble.text}", succeeded, desired, code=trouble.code)
    failures = number(item, "status", "failed")
    tried = f", {failures} tries failed" if failures else ""
    message = f"Job {name}: {succeeded} of {desired} completed{tried}"
    return Verdict("waiting", message, succeeded, desired, restarted=restarted(pods))
