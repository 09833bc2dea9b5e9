"""The events of a task's stream, told apart by their ``type``.

An event is its data, with its ``id`` and ``type``. Pass over what you do not know: a later server may have further
types and fields.
"""

from typing import Literal, NotRequired, TypedDict

from kubemin.client.replies.states import CleanupState, JobStatus, Purpose, ResourceState, TaskState


class TaskEvent(TypedDict):
    """The task has another status; at its end with why, with its cleanup, and by whom it was cancelled."""

    id: int
    type: Literal["task"]
    at: str
    """When it happened: RFC 3339 in UTC."""
    status: TaskState
    reason: NotRequired[str]
    reasonCode: NotRequired[str]
    """Why it failed, for programs."""
    advice: NotRequired[str]
    """What to do about it."""
    cancelledBy: NotRequired[str]
    cleanup: NotRequired[CleanupState]


class JobEvent(TypedDict):
    """A job (its id in the task's stages) has another status, or waits for something else.

    Where it waits for replicas: how many are ``ready``, and how many are ``desired``.
    """

    id: int
    type: Literal["job"]
    at: str
    """When it happened: RFC 3339 in UTC."""
    job: int
    step: NotRequired[str]
    stage: NotRequired[int]
    component: NotRequired[str]
    """Empty for a pause of the workflow."""
    ref: NotRequired[str]
    """Its object: `Kind/namespace/name`; empty for a pause."""
    status: JobStatus
    info: NotRequired[str | None]
    error: NotRequired[str | None]
    ready: NotRequired[int]
    desired: NotRequired[int]
    reasonCode: NotRequired[str]
    """Why it failed, for programs."""
    advice: NotRequired[str]
    """What to do about it."""


class ResourceEvent(TypedDict):
    """A row of the cleanup journal has changed."""

    id: int
    type: Literal["resource"]
    at: str
    """When it happened: RFC 3339 in UTC."""
    seq: int
    job: NotRequired[int]
    """The job that wrote it first; 0 where it was none."""
    purpose: NotRequired[Purpose]
    kind: str
    namespace: str
    name: str
    state: ResourceState
    why: str


class CleanupEvent(TypedDict):
    """The cleanup has another state, and why."""

    id: int
    type: Literal["cleanup"]
    at: str
    """When it happened: RFC 3339 in UTC."""
    state: CleanupState
    why: str


class EndEvent(TypedDict):
    """Nothing more is under way: the stream ends."""

    id: int
    type: Literal["end"]
    at: str
    """When it happened: RFC 3339 in UTC."""
    cleanup: CleanupState


Event = TaskEvent | JobEvent | ResourceEvent | CleanupEvent | EndEvent
"""One event of a task."""


class LogLine(TypedDict):
    """A line that a container wrote; of the type ``note`` what is about a log, and not in it."""

    type: Literal["line", "note"]
    component: str
    pod: str
    container: str
    text: str
