"""The states of design §3 and §4, as the wire and the database spell them."""

from enum import StrEnum


class TaskStatus(StrEnum):
    """``waiting → queued → running → completed | failed | timeout | cancelled``; ``reject``: never admitted."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    REJECT = "reject"

    @property
    def ended(self) -> bool:
        """A terminal status never changes again."""
        return self not in (TaskStatus.WAITING, TaskStatus.QUEUED, TaskStatus.RUNNING)


class JobStatus(StrEnum):
    """Status of one job of a task."""

    QUEUED = "queued"
    PREPARE = "prepare"
    RUNNING = "running"
    COMPLETED = "completed"
    SKIPPED = "skipped"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """A terminal status never changes again."""
        return self not in (JobStatus.QUEUED, JobStatus.PREPARE, JobStatus.RUNNING)


class Cleanup(StrEnum):
    """How far a task's rollback is. The cluster is as it was when it is ``done``."""

    NONE = "none"
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    INCOMPLETE = "incomplete"


class ResourceState(StrEnum):
    """State of one journal row: ``intent → created | changed | observed → deleted | restored | kept | lost``."""

    INTENT = "intent"
    CREATED = "created"
    CHANGED = "changed"
    OBSERVED = "observed"
    DELETED = "deleted"
    RESTORED = "restored"
    KEPT = "kept"
    LOST = "lost"

    @property
    def settled(self) -> bool:
        """Nothing is left to undo."""
        return self in (ResourceState.DELETED, ResourceState.RESTORED, ResourceState.KEPT, ResourceState.LOST)


class WriteKind(StrEnum):
    """What the request that a claim stands for does."""

    CREATE = "create"
    APPLY = "apply"
    DELETE = "delete"


class OnActive(StrEnum):
    """What a second ``exec`` of an application does while a task of it is active."""

    QUEUE = "queue"
    REJECT = "reject"
    SUPERSEDE = "supersede"


class CleanupPolicy(StrEnum):
    """What a rollback covers (design R9)."""

    TASK = "task"
    JOB = "job"
    NONE = "none"
