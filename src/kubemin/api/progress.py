"""The status of a component, from those of its jobs and its task. Pure."""

from collections.abc import Sequence
from typing import Literal, cast

from kubemin.spec.states import JobStatus, TaskStatus

ComponentStatus = Literal[
    "waiting", "queued", "prepare", "running", "completed", "failed", "cancelled", "timeout", "reject"
]

_WORST = (JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELLED)
_FINE = (JobStatus.COMPLETED, JobStatus.SKIPPED)


def component_status(task: TaskStatus, jobs: Sequence[JobStatus]) -> ComponentStatus:
    """The status of a component whose jobs are in these; terminal whenever the task's is.

    A component that never ran, or was stopped before its jobs ended, has the task's status.
    """
    return cast(ComponentStatus, _status(task, jobs).value)


def _status(task: TaskStatus, jobs: Sequence[JobStatus]) -> TaskStatus | JobStatus:
    for worst in _WORST:
        if worst in jobs:
            return worst
    if jobs and all(job in _FINE for job in jobs):
        return JobStatus.COMPLETED
    if task.ended:
        return task
    if JobStatus.RUNNING in jobs or any(job in _FINE for job in jobs):
        return JobStatus.RUNNING
    if JobStatus.PREPARE in jobs:
        return JobStatus.PREPARE
    return TaskStatus.WAITING if task is TaskStatus.WAITING else TaskStatus.QUEUED
