"""Tasks: how far they are, and what they did."""

from typing import Literal, NotRequired, TypedDict

from kubemin.client.replies.states import CleanupState, JobStatus, TaskState, TaskType


class Cancelled(TypedDict):
    """The task is cancelled; the cluster is as it was once ``cleanup`` is ``done``. ``completed``: it came too
    late.
    """

    taskId: str
    status: Literal["cancelled", "completed"]
    cleanup: CleanupState


class TaskRow(TypedDict):
    """A task in a list. ``id`` and ``taskId`` are the same."""

    id: str
    taskId: str
    appId: str
    name: str
    cluster: str
    status: TaskState
    cleanup: CleanupState
    workflowId: str
    workflowName: str
    workflowDisplayName: str
    type: TaskType
    createTime: str
    startTime: NotRequired[str]
    endTime: NotRequired[str]
    updateTime: str


class TaskList(TypedDict):
    """Tasks, newest first."""

    tasks: list[TaskRow]
    nextCursor: NotRequired[str]
    """Asks for the next page, as `after`; absent on the last one."""


class TaskPage(TypedDict):
    """One page of all tasks, newest first."""

    tasks: list[TaskRow]
    nextCursor: NotRequired[str]
    """Asks for the next page, as `after`; absent on the last one."""
    page: NotRequired[int]
    """Absent after a cursor."""
    pageSize: int


class Remaining(TypedDict):
    """An object that is not as it was."""

    kind: str
    namespace: str
    name: str
    why: str


class TaskCleanup(TypedDict):
    """How far the rollback is, in numbers of objects, and what is left to do."""

    state: CleanupState
    created: int
    """Objects that the task made."""
    deleted: int
    """Those of them that are gone again."""
    restored: int
    """Objects that were changed and are as they were again."""
    unchanged: int
    """Objects that the task wrote without changing a field."""
    kept: int
    """Objects that were left alone, because someone else owns or changed them."""
    released: int
    """Objects that the application has no more, and that stay with their content."""
    volumes: list[Remaining]
    """Volume claims that are no longer used, and stay: they hold data."""
    remaining: list[Remaining]
    abandoned: NotRequired[str]
    """Who gave up what remains, and why."""
    exceptions: list[Remaining]
    """What is not as it was although the cleanup is done, each with its reason."""
    attempts: NotRequired[int]
    """How often it ended incomplete; absent unless it is so now."""
    nextTime: NotRequired[int]
    """When it is tried again: unix seconds."""


class TaskComponent(TypedDict):
    """A component of a task. Times are unix seconds."""

    name: str
    type: str
    status: Literal["waiting", "queued", "prepare", "running", "completed", "failed", "cancelled", "timeout", "reject"]
    error: str
    warnings: list[str]
    """Where its objects are otherwise than it says: fields of others that stay, and the like."""
    reasonCode: NotRequired[str]
    """Why it failed, for programs; absent unless it did."""
    advice: NotRequired[str]
    """What to do about it."""
    startTime: NotRequired[int]
    endTime: NotRequired[int]


class Hold(TypedDict):
    """What a task waits for: a pause of its workflow, or of a component's rollout."""

    seq: int
    """Says to `promote` which pause of the task is meant."""
    name: str
    component: str
    """Empty for a pause of the workflow."""
    info: str
    since: NotRequired[int]


class Task(TypedDict):
    """A task in full. Times are unix seconds."""

    taskId: str
    status: TaskState
    cleanup: TaskCleanup
    reason: str
    reasonCode: NotRequired[str]
    """Why it failed, for programs; absent unless it did."""
    advice: NotRequired[str]
    """What to do about it."""
    cancelledBy: str
    requestId: NotRequired[str]
    """The ``X-Request-Id`` of the call that asked for it."""
    cancelRequestId: NotRequired[str]
    """That of the call that cancelled it."""
    workflowId: str
    workflowName: str
    appId: str
    appName: str
    cluster: str
    type: TaskType
    createTime: int
    startTime: NotRequired[int]
    endTime: NotRequired[int]
    attempt: int
    worker: str
    actingAs: NotRequired[str]
    """The user as whom it goes forward in its cluster; absent where that is KubeMin itself."""
    revision: NotRequired[int]
    """The application's revision that it brings; absent of a removal and of a dry run."""
    queuedBehind: list[str]
    """Tasks of the application that it waits for, the oldest first."""
    waitsBecause: NotRequired[str]
    """Why no worker takes it up: none serves its cluster, or that does not answer."""
    components: list[TaskComponent]
    evidence: list[str]
    """Components of which there is evidence: what their Pods said."""
    hold: NotRequired[Hold]
    """Where the task waits to be promoted, or for a time."""
    restore: bool
    """Whether a rollback puts changed objects back."""
    lastEventId: int
    """The last event that this reply is as new as; 0 if there is none."""


class Stage(TypedDict):
    """A job of the task; or, by its ``type``, the ``rollback``, or the ``removal`` after completion.

    Times are unix seconds.
    """

    id: int
    name: str
    type: str
    step: NotRequired[str]
    """The step of the workflow; absent of rollback and removal."""
    stage: NotRequired[int]
    """Jobs of one number run together; counts from 0."""
    component: NotRequired[str]
    """Empty for a pause of the workflow."""
    ref: NotRequired[str]
    """Its object; empty for a pause."""
    status: JobStatus | TaskState
    startTime: NotRequired[int]
    endTime: NotRequired[int]
    info: str
    error: str
    reasonCode: NotRequired[str]
    """Why it failed, for programs; absent unless it did."""
    advice: NotRequired[str]
    """What to do about it."""


class TaskStages(TypedDict):
    """What the task does, in order: one entry a job, and the rollback or removal last when there is one."""

    taskId: str
    status: TaskState
    type: TaskType
    workflowId: str
    workflowName: str
    appId: str
    stages: list[Stage]


class Promoted(TypedDict):
    """The hold that passes."""

    taskId: str
    name: str


class CleanupNow(TypedDict):
    """How far the cleanup is."""

    taskId: str
    status: TaskState
    cleanup: CleanupState
