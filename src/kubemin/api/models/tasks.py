"""Tasks on the wire."""

from typing import Annotated, Any, Literal

from pydantic import Field

from kubemin.api.models.base import Absent, Body, Line, NextCursor, Reply, Timestamp
from kubemin.api.progress import ComponentStatus
from kubemin.engine.options import RunOptions
from kubemin.spec.states import Cleanup, JobStatus, Purpose, ResourceState, TaskStatus, TaskType

TASK_ID = "m8d2h5s0r4f7j1l9p3u6e0xb"


ReasonCodeField = Annotated[Absent[str], Field(description="Why it failed, for programs; absent unless it did.")]
AdviceField = Annotated[Absent[str], Field(description="What to do about it.")]


class Run(RunOptions, Body):
    """How something is run, and why."""

    note: Line | None = Field(None, description="Why, for people: it stays with the revision.")


class Exec(Run):
    """A run of a workflow. Without ``workflowId`` it is the workflow that came with the application."""

    workflow_id: str | None = Field(None, max_length=64)


class TaskId(Reply):
    """Names the task."""

    task_id: str = Field(examples=[TASK_ID])


class Cancel(Body):
    """A task to cancel, by whom and why, and what becomes of what it did."""

    task_id: str = Field(max_length=64, examples=[TASK_ID])
    user: Line | None = Field(None, max_length=255)
    reason: Line | None = None
    cleanup: Literal["task", "none"] | None = Field(
        None,
        description="`task`: all that it did is undone; `none`: it stays. Without it as the run's `cleanup` says.",
    )


class Cancelled(Reply):
    """The task is cancelled; the cluster is as it was once ``cleanup`` is ``done``. ``completed``: it came too late."""

    task_id: str = Field(examples=[TASK_ID])
    status: Literal["cancelled", "completed"] = "cancelled"
    cleanup: Cleanup


class Remaining(Reply):
    """An object that is not as it was."""

    kind: str
    namespace: str
    name: str
    why: str


class CleanupReply(Reply):
    """How far the rollback is, in numbers of objects, and what is left to do."""

    state: Cleanup
    created: int = Field(description="Objects that the task made.")
    deleted: int = Field(description="Those of them that are gone again.")
    restored: int = Field(description="Objects that were changed and are as they were again.")
    unchanged: int = Field(description="Objects that the task wrote without changing a field.")
    kept: int = Field(description="Objects that were left alone, because someone else owns or changed them.")
    released: int = Field(description="Objects that the application has no more, and that stay with their content.")
    volumes: list[Remaining] = Field(description="Volume claims that are no longer used, and stay: they hold data.")
    remaining: list[Remaining]
    abandoned: Absent[str] = Field(default=None, description="Who gave up what remains, and why.")
    exceptions: list[Remaining] = Field(
        description="What is not as it was although the cleanup is done, each with its reason."
    )
    attempts: Absent[int] = Field(
        default=None, description="How often it ended incomplete; absent unless it is so now."
    )
    next_time: Absent[int] = Field(default=None, description="When it is tried again: unix seconds.")


class TaskComponent(Reply):
    """A component of a task. Times are unix seconds."""

    name: str
    type: str
    status: ComponentStatus
    error: str
    warnings: list[str] = Field(
        description="Where its objects are otherwise than it says: fields of others that stay, and the like.",
        examples=[["Deployment/web: keeps spec.template.spec.containers[web].env[X] (manager kubectl-set)"]],
    )
    reason_code: ReasonCodeField = None
    advice: AdviceField = None
    start_time: Absent[int] = None
    end_time: Absent[int] = None


class HoldReply(Reply):
    """What a task waits for: a pause of its workflow, or of a component's rollout."""

    seq: int = Field(description="Says to `promote` which pause of the task is meant.")
    name: str
    component: str = Field(description="Empty for a pause of the workflow.")
    info: str = Field(examples=["waits for promote"])
    since: Absent[int] = None


class TaskStatusReply(Reply):
    """A task in full. Times are unix seconds."""

    task_id: str = Field(examples=[TASK_ID])
    status: TaskStatus
    cleanup: CleanupReply
    reason: str
    reason_code: ReasonCodeField = None
    advice: AdviceField = None
    cancelled_by: str
    request_id: Absent[str] = Field(default=None, description="The `X-Request-Id` of the call that asked for it.")
    cancel_request_id: Absent[str] = Field(default=None, description="That of the call that cancelled it.")
    workflow_id: str
    workflow_name: str
    app_id: str
    app_name: str
    cluster: str = Field(examples=["default"])
    type: TaskType
    create_time: int
    start_time: Absent[int] = None
    end_time: Absent[int] = None
    attempt: int
    worker: str
    acting_as: Absent[str] = Field(
        default=None,
        description="The user as whom it goes forward in its cluster; absent where that is KubeMin itself.",
    )
    revision: Absent[int] = Field(
        default=None, description="The application's revision that it brings; absent of a removal and of a dry run."
    )
    queued_behind: list[str] = Field(description="Tasks of the application that it waits for, the oldest first.")
    waits_because: Absent[str] = Field(
        default=None, description="Why no worker takes it up: none serves its cluster, or that does not answer."
    )
    components: list[TaskComponent]
    evidence: list[str] = Field(description="Components of which there is evidence: what their Pods said.")
    hold: Absent[HoldReply] = Field(default=None, description="Where the task waits to be promoted, or for a time.")
    restore: bool = Field(description="Whether a rollback puts changed objects back.")
    last_event_id: int = Field(description="The last event that this reply is as new as; 0 if there is none.")


class TaskRow(Reply):
    """A task in a list. ``id`` and ``taskId`` are the same."""

    id: str
    task_id: str
    app_id: str
    name: str
    cluster: str = Field(examples=["default"])
    status: TaskStatus
    cleanup: Cleanup
    workflow_id: str
    workflow_name: str
    workflow_display_name: str
    type: TaskType
    create_time: Timestamp
    start_time: Absent[Timestamp] = None
    end_time: Absent[Timestamp] = None
    update_time: Timestamp


class TaskList(Reply):
    """Tasks, newest first."""

    tasks: list[TaskRow]
    next_cursor: NextCursor = None


class TaskPage(TaskList):
    """One page of all tasks, newest first."""

    page: Absent[int] = Field(default=None, description="Absent after a cursor.")
    page_size: int


class StageReply(Reply):
    """A job of the task; or, by its ``type``, the ``rollback``, or the ``removal`` after completion.

    Times are unix seconds.
    """

    id: int
    name: str
    type: str
    step: Absent[str] = Field(default=None, description="The step of the workflow; absent of rollback and removal.")
    stage: Absent[int] = Field(default=None, description="Jobs of one number run together; counts from 0.")
    component: Absent[str] = Field(default=None, description="Empty for a pause of the workflow.")
    ref: Absent[str] = Field(
        default=None, description="Its object; empty for a pause.", examples=["Service/default/web"]
    )
    status: JobStatus | TaskStatus
    start_time: Absent[int] = None
    end_time: Absent[int] = None
    info: str
    error: str
    reason_code: ReasonCodeField = None
    advice: AdviceField = None


class TaskStages(Reply):
    """What the task does, in order: one entry a job, and the rollback or removal last when there is one."""

    task_id: str
    status: TaskStatus
    type: TaskType
    workflow_id: str
    workflow_name: str
    app_id: str
    stages: list[StageReply]


class ResourceReply(Reply):
    """A row of the cleanup journal."""

    seq: int
    job: int = Field(description="The job that wrote it first, by its id in `stages`; 0 where it was none.")
    purpose: Purpose
    kind: str
    api_version: str
    namespace: str
    name: str
    state: ResourceState
    uid: str
    why: str
    at: Timestamp


class TaskResources(Reply):
    """The cleanup journal of a task, in the order in which it touched the objects."""

    resources: list[ResourceReply]


class CleanUp(Body):
    """What is to become of an incomplete cleanup: it is tried again now, or abandoned, by whom and why."""

    abandon: bool = Field(False, description="End it as it is, with what is left; it is not tried again.")
    user: Line | None = Field(None, max_length=255)
    reason: Line | None = None


class CleanupAgain(Reply):
    """How far the cleanup is."""

    task_id: str
    status: TaskStatus
    cleanup: Cleanup


class Promote(Body):
    """Who promotes the task, and which pause of it."""

    user: Line | None = Field(None, max_length=255)
    seq: int | None = Field(
        None, ge=1, lt=2**31, description="The `hold.seq` of its status: only this pause, and again is the same answer."
    )


class Promoted(Reply):
    """The hold that passes."""

    task_id: str = Field(examples=[TASK_ID])
    name: str = Field(examples=["approve"])


class FieldHistory(Reply):
    """A field, and what it was before the task, as the task wrote it, and what it is now; null where it is absent."""

    path: str = Field(examples=["spec.replicas"])
    before: Any
    applied: Any
    now: Any


class ResourceChanges(ResourceReply):
    """A row of the cleanup journal, and the fields in which its object was or is otherwise."""

    fields: list[FieldHistory] = Field(description="Of an object that the task made: what is otherwise by now.")


class TaskChanges(Reply):
    """What a task changed, and what became of it. Values of Secrets are masked."""

    changes: list[ResourceChanges]


class OrphanReply(Reply):
    """An object that carries a task's label but that no task accounts for."""

    kind: str
    namespace: str
    name: str
    uid: str
    task_id: str
    why: str
    error: str = Field(description="Why it could not be deleted; empty otherwise.")


class OrphanList(Reply):
    """All of them."""

    orphans: list[OrphanReply]
