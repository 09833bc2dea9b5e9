"""What the runs of a process count and time."""

import time
from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram

from kubemin.spec.kinds import KINDS
from kubemin.spec.states import PAUSE_KIND, Cleanup, JobStatus
from kubemin.store.tasks import Task

_WAITS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
_CANCELS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_KINDS = frozenset(KINDS) | {PAUSE_KIND}


class RunMetrics:
    """Declared once a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._cleanups = Histogram(
            "kubemin_worker_cleanup_duration_seconds",
            "Seconds of one pass of a cleanup: of a rollback, or of the removal of what a completed task dropped;"
            " by its end: done, or incomplete, which is tried again.",
            ("type", "state"),
            buckets=_CANCELS,
            registry=registry,
        )
        for state in (Cleanup.DONE, Cleanup.INCOMPLETE):
            self._cleanups.labels("rollback", state)  # there from the start, at 0
        self._ended = Counter(
            "kubemin_worker_tasks_ended",
            "Tasks that ended in this worker, by their cluster, their status and the code of their reason.",
            ("cluster", "status", "reason_code"),
            registry=registry,
        )
        self._tasks = Histogram(
            "kubemin_worker_task_duration_seconds",
            "Seconds of a task from its start, under whichever worker, to its end in this one, without cleanup.",
            ("type", "status"),
            buckets=_WAITS,
            registry=registry,
        )
        self._jobs = Histogram(
            "kubemin_worker_job_duration_seconds",
            "Seconds of a job in this worker, by the kind of its object; of kinds that KubeMin does not know, `other`.",
            ("kind", "status"),
            buckets=_WAITS,
            registry=registry,
        )
        self._cancels = Histogram(
            "kubemin_worker_cancel_duration_seconds",
            "Seconds from when a cancel was recorded until nothing of the task went forward any more (stopped), and"
            " until the cluster was as it was (cleaned).",
            ("until",),
            buckets=_CANCELS,
            registry=registry,
        )
        for until in ("stopped", "cleaned"):
            self._cancels.labels(until)
        self._of_jobs: dict[tuple[str, JobStatus], Histogram] = {}

    def job_ended(self, kind: str, status: JobStatus, seconds: float) -> None:
        """Count a job that this worker ran to its end."""
        key = (kind if kind in _KINDS else "other", status)
        timed = self._of_jobs.get(key)
        if timed is None:
            timed = self._of_jobs[key] = self._jobs.labels(*key)
        timed.observe(seconds)

    def task_ended(self, task: Task, seconds: float) -> None:
        """Count a task that ended in this worker, so long after its start."""
        self._ended.labels(task.cluster, task.status, task.reason_code or "").inc()
        self._tasks.labels(task.type, task.status).observe(seconds)

    def stopped(self, seconds: float) -> None:
        """Count a cancel, so long after which nothing went forward."""
        self._cancels.labels("stopped").observe(seconds)

    def cleaned(self, what: str, state: Cleanup, seconds: float, since_cancel: float | None) -> None:
        """Count a pass of a cleanup; ``since_cancel``: how long ago its task was cancelled, if it was."""
        self._cleanups.labels(what, state).observe(seconds)
        if since_cancel is not None and state is Cleanup.DONE:
            self._cancels.labels("cleaned").observe(since_cancel)


class DatabaseClock:
    """The database's clock, read off a claim, so that no statement is needed to ask it.

    It is wrong by no more than the claim took.
    """

    def __init__(self, task: Task, lease_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``task`` as it was claimed just now."""
        self._clock = clock
        self._claimed = clock()
        expires = task.lease_expires_at
        self._claimed_at = None if expires is None else expires.timestamp() - lease_seconds

    def since(self, at: datetime | None, now: float | None = None) -> float:
        """Seconds from a time of the database until ``now``, by the monotonic clock; 0 where it is not known."""
        if at is None or self._claimed_at is None:
            return 0.0
        now = self._clock() if now is None else now
        return max(0.0, self._claimed_at + now - self._claimed - at.timestamp())

    def now(self) -> float:
        """The monotonic clock."""
        return self._clock()
