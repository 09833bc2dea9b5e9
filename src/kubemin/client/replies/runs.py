"""What runs make and would make, and what was run: revisions, previews, differences."""

from typing import Any, Literal, NotRequired, TypedDict

from kubemin.client.replies.errors import FieldError
from kubemin.client.replies.states import RevisionState


class Applied(TypedDict):
    """The revision that was made, and the task that brings it."""

    appId: str
    revision: int
    taskId: str
    warnings: list[FieldError]
    """What is allowed, and probably not meant."""


class PlannedJob(TypedDict):
    """One object, and what a run would do to it."""

    id: int
    component: str
    kind: str
    namespace: str
    name: str
    action: Literal["create", "change", "same", "adopt", "write", "skip", "refused"]
    """`adopt`: take over what others have there. `write`: the cluster cannot tell without doing it."""
    changes: list[str]
    """A line a field, Secrets' values masked; who manages it, where adopted; why, where refused."""
    hook: NotRequired[str]
    """Where its chart marks it as a hook: when it runs, for people."""
    warnings: list[str]
    """What would be otherwise than in the application: fields that others have set and that stay, replicas that an
    autoscaler has, fields that the cluster drops.
    """


class PlannedStage(TypedDict):
    """Jobs that run together."""

    step: str
    mode: str
    priority: int
    jobs: list[PlannedJob]
    hold: NotRequired[str]
    """What it waits for, once its jobs are ready."""


class PlannedObject(TypedDict):
    """An object that would be made first, or removed last."""

    kind: str
    namespace: str
    name: str


class Preview(TypedDict):
    """What a run would do, in order. Nothing of it was written or stored."""

    stages: list[PlannedStage]
    creates: list[PlannedObject]
    """Namespaces that would be created first."""
    removes: list[PlannedObject]
    """What the application no longer has: removed once all of it is completed."""
    releases: list[PlannedObject]
    """What it no longer has and did not make: it stays, without KubeMin's labels."""
    passes: list[PlannedObject]
    """What it no longer has and another application uses: that one has it from then on."""
    warnings: list[FieldError]
    """What is allowed, and probably not meant."""
    expects: dict[str, Any]
    """Sent back with the run, that does this, or is refused."""
    keeps: list[PlannedObject]
    """Volume claims that are no longer used, and stay: they hold data."""


class Changes(TypedDict):
    """Names of components, compared with the revision before."""

    added: list[str]
    changed: list[str]
    removed: list[str]


class Revision(TypedDict):
    """What was run once."""

    revision: int
    state: RevisionState
    strategy: str
    note: str
    user: str
    taskId: str
    createTime: str
    changes: Changes


class RevisionList(TypedDict):
    """Those that are kept, the newest first."""

    revisions: list[Revision]
    total: int


class RevisionDetail(TypedDict):
    """A revision, or the draft, which has nothing but its application."""

    revision: NotRequired[int]
    state: NotRequired[RevisionState]
    strategy: NotRequired[str]
    note: NotRequired[str]
    user: NotRequired[str]
    taskId: NotRequired[str]
    createTime: NotRequired[str]
    changes: NotRequired[Changes]
    application: dict[str, Any]
    """As it was posted; values of secrets are masked."""


FieldChange = TypedDict("FieldChange", {"path": str, "from": Any, "to": Any})
"""A field, and its value on either side; null where it is absent."""


class ObjectChange(TypedDict):
    """An object that only one side has, or that is otherwise on the other."""

    ref: str
    action: Literal["create", "delete", "change"]
    fields: list[FieldChange]


class Diff(TypedDict):
    """What leads from one side to the other. Values of Secrets are masked."""

    changes: list[ObjectChange]


class RolledBack(TypedDict):
    """The revision that was made, with the spec of the former one, and the task that brings it."""

    revision: int
    taskId: str


class TaskId(TypedDict):
    """Names the task."""

    taskId: str
