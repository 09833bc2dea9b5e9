"""What is told of a job that has changed. Pure."""

from kubemin.spec.events import JobEvent
from kubemin.spec.reason_codes import advice_for
from kubemin.store.jobs import MadeChange


def job_event(made: MadeChange, count: tuple[int, int] | None = None) -> JobEvent:
    """The event of a change; ``count``: how many replicas are ready, and are desired."""
    ready, desired = count or (None, None)
    change = made.change
    return JobEvent(
        job=change.seq,
        step=made.step,
        stage=made.stage,
        component=made.component,
        ref=made.ref,
        status=change.status,
        info=change.info,
        error=change.error,
        ready=ready,
        desired=desired,
        reason_code=change.code,
        advice=advice_for(change.code),
    )
