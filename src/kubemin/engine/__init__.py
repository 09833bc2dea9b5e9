"""A task's life. What happens to a deploy and to its cancel can be read off the folders.

* ``entry``: what callers ask: run, cancel, remove, preview, find orphans.
* ``supervise``: the worker claims the task, keeps its lease, and ends its scope when it is cancelled; the reaper.
* ``deploy``: the task goes forward, stage by stage, job by job.
* ``cleanup``: a task that did not complete is rolled back; what a completed one dropped is removed.
* ``journal``: each write is recorded before it is sent; both ``deploy`` and ``cleanup`` write only by way of it.
* ``objects``: facts about objects in the cluster.

A new kind of job touches the cluster by way of `current_tracker` and nothing else.
"""

from kubemin.engine.entry.component_health import ComponentWatch
from kubemin.engine.entry.task_service import TaskService
from kubemin.engine.journal.tracker import CleanupTracker, current_tracker
from kubemin.engine.options import ExecOptions
from kubemin.engine.supervise.engine import Engine
from kubemin.settings.engine import EngineSettings

__all__ = [
    "CleanupTracker",
    "ComponentWatch",
    "Engine",
    "EngineSettings",
    "ExecOptions",
    "TaskService",
    "current_tracker",
]
