"""The status of a component, from those of its jobs and its task. Pure."""

from collections.abc import Sequence

from kubemin.spec.states import JobStatus, TaskStatus

_WORST = (JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELLED)
_FINE = (JobStatus.COMPLETED, JobStatus.SKIPPED)


def component_status(task: TaskStatus, jobs: Sequence[JobStatus]) -> str:
    """One of the nine words of the wire; terminal whenever the task's is.

    A component that never ran, or was stopped before its jobs ended, has the task's status. While the task runs, one
    that has not begun is ``waiting``.
    """
    for worst in _WORST:
        if worst in jobs:
            return worst
    if task.ended:
        return JobStatus.COMPLETED if jobs and all(job in _FINE for job in jobs) else task
    if jobs and all(job in _FINE for job in jobs):
        return JobStatus.COMPLETED
    if JobStatus.RUNNING in jobs or any(job in _FINE for job in jobs):
        return JobStatus.RUNNING
    if JobStatus.PREPARE in jobs:
        return JobStatus.PREPARE
    if jobs:
        return JobStatus.QUEUED
    return TaskStatus.WAITING if task is TaskStatus.WAITING else TaskStatus.QUEUED
