"""What the whole of the tasks is at, on the wire."""

from pydantic import Field

from kubemin.api.models.base import Absent, Reply, Timestamp
from kubemin.api.models.tasks import TASK_ID
from kubemin.spec.states import TaskStatus


class WorkerReply(Reply):
    """A worker, by the tasks that it holds."""

    worker: str
    tasks: int
    expired: int = Field(description="Tasks that it did not hold on to in time: another worker takes them over.")
    since: Absent[Timestamp] = Field(default=None, description="When it took the first of them.")
    leased_until: Timestamp = Field(description="Until when it holds all of them, unless it renews that.")


class QueueReply(Reply):
    """Tasks of a cluster's namespace that wait for a worker, or for another task of their application."""

    cluster: str = Field(examples=["default"])
    namespace: str = Field(description="Empty where the application is gone.")
    tasks: int
    oldest: Timestamp
    waits_because: Absent[str] = Field(
        default=None, description="Why no worker takes them up: none serves the cluster, or that does not answer."
    )


class IncompleteReply(Reply):
    """A task that could not put back all that it had changed."""

    task_id: str = Field(examples=[TASK_ID])
    app_id: str
    name: str
    cluster: str = Field(examples=["default"])
    status: TaskStatus
    why: str
    attempts: int
    next_time: Absent[Timestamp] = Field(default=None, description="When it is tried again; absent: not by itself.")
    end_time: Absent[Timestamp] = None


class Operations(Reply):
    """Workers, queue, and what is left undone."""

    now: Timestamp = Field(description="By the clock that all of these times are of.")
    workers: list[WorkerReply] = Field(description="Those that hold a task; one without a task is not known here.")
    queues: list[QueueReply] = Field(description="The longest first.")
    incomplete: list[IncompleteReply] = Field(description="The newest first; at most 100.")
    incomplete_total: int
