"""A task's life: claim and lease, stages and jobs, the cleanup journal, rollback, takeover, the reaper.

`Service` is what callers ask; `Engine` is what runs tasks. A new kind of job touches the cluster by way of
`current_tracker` and nothing else.
"""

from kubemin.engine.assembly import Engine, EngineOptions
from kubemin.engine.component_watch import ComponentWatch
from kubemin.engine.options import ExecOptions
from kubemin.engine.service import Service
from kubemin.engine.tracker import CleanupTracker, current_tracker

__all__ = ["CleanupTracker", "ComponentWatch", "Engine", "EngineOptions", "ExecOptions", "Service", "current_tracker"]
