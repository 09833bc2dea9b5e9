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


class RevisionState(StrEnum):
    """``pending → current → superseded``, or ``pending`` → the end of its task where that did not complete.

    At most one revision of an application is ``current``: what the cluster has.
    """

    PENDING = "pending"
    CURRENT = "current"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"


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
        """A terminal status never changes again, but that of a completed job whose step is put back."""
        return self not in (JobStatus.QUEUED, JobStatus.PREPARE, JobStatus.RUNNING)


class ComponentState(StrEnum):
    """How a component does in the cluster; of several the first is told.

    ``Idle``: it is to have no Pods now, scaled to 0 or for want of nodes. ``Ready``: it has nothing that runs, such as
    configuration. ``Not Deploy``: it is not there.
    """

    FAILED = "Failed"
    PENDING = "Pending"
    RUNNING = "Running"
    SCHEDULED = "Scheduled"
    SUSPENDED = "Suspended"
    IDLE = "Idle"
    COMPLETED = "Completed"
    READY = "Ready"
    NOT_DEPLOYED = "Not Deploy"


PAUSE_KIND = "Pause"
"""The kind of a job that writes no object: the run waits until it is promoted, or for some seconds."""


class Cleanup(StrEnum):
    """How far a task's rollback is. The cluster is as it was when it is ``done``.

    ``abandoned``: it was ``incomplete``, and a person has given up what was left.
    """

    NONE = "none"
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    INCOMPLETE = "incomplete"
    ABANDONED = "abandoned"

    @property
    def settled(self) -> bool:
        """Nothing more happens by itself but, where it is ``incomplete``, a further try."""
        return self not in (Cleanup.PENDING, Cleanup.RUNNING)


class ResourceState(StrEnum):
    """State of one journal row.

    ``intent → created | changed | observed → deleted | restored | unchanged | released | kept | lost``.
    ``unchanged``: the task wrote it, or meant to, and no field is another than before.
    ``released``: the object stays, and carries nothing of ours any more.
    """

    INTENT = "intent"
    CREATED = "created"
    CHANGED = "changed"
    OBSERVED = "observed"
    DELETED = "deleted"
    RESTORED = "restored"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    LOST = "lost"
    RELEASED = "released"

    @property
    def settled(self) -> bool:
        """Nothing is left to undo."""
        return self not in (
            ResourceState.INTENT,
            ResourceState.CREATED,
            ResourceState.CHANGED,
            ResourceState.OBSERVED,
        )


class Purpose(StrEnum):
    """What a journal row is for.

    ``apply``: a job brings the object to its manifest · ``remove``: the task is to delete it · ``release``: the task
    is to let go of it · ``hand-over``: the task is to pass it to another application, which uses it (design R11) ·
    ``use``: another application made it, and a job relies on it.
    """

    APPLY = "apply"
    REMOVE = "remove"
    RELEASE = "release"
    HAND_OVER = "hand-over"
    USE = "use"

    @property
    def lets_go(self) -> bool:
        """The application is to have the object no more."""
        return self in (Purpose.REMOVE, Purpose.RELEASE, Purpose.HAND_OVER)


class WriteKind(StrEnum):
    """What a request that changes the cluster does."""

    CREATE = "create"
    APPLY = "apply"
    REPLACE = "replace"
    """Takes away what others set, before an apply."""
    DELETE = "delete"
    RELEASE = "release"


class TaskType(StrEnum):
    """What a task does: run a workflow, or remove what an application has in the cluster."""

    DEPLOY = "deploy"
    DELETE = "delete"


class ShareStrategy(StrEnum):
    """Which shared objects of a component a task makes.

    ``default``: those that are not there yet · ``ignore``: none · ``force``: all of them.
    """

    DEFAULT = "default"
    IGNORE = "ignore"
    FORCE = "force"


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


class Way(StrEnum):
    """``rolling``: as Kubernetes does it · ``recreate``: all old Pods go before a new one comes · ``canary``: some new
    Pods come beside the old ones first · ``blue-green``: all new Pods come beside the old ones, and are switched to."""

    ROLLING = "rolling"
    RECREATE = "recreate"
    CANARY = "canary"
    BLUE_GREEN = "blue-green"
