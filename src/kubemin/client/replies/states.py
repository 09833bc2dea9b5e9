"""The states on the wire. A later server may have further ones."""

from typing import Literal

TaskType = Literal["deploy", "delete"]
TaskState = Literal["waiting", "queued", "running", "completed", "failed", "timeout", "cancelled", "reject"]
CleanupState = Literal["none", "pending", "running", "done", "incomplete", "abandoned"]
RevisionState = Literal["pending", "current", "superseded", "failed", "cancelled", "timeout"]
ComponentState = Literal[
    "Failed", "Pending", "Running", "Scheduled", "Suspended", "Idle", "Completed", "Ready", "Not Deploy"
]
JobStatus = Literal["queued", "prepare", "running", "completed", "skipped", "failed", "timeout", "cancelled"]
Purpose = Literal["apply", "remove", "release", "hand-over", "use"]
ResourceState = Literal[
    "intent", "created", "changed", "observed", "deleted", "restored", "unchanged", "kept", "lost", "released"
]
