"""What the server is at, what is left undone, and the server itself."""

from typing import Literal, NotRequired, TypedDict

from kubemin.client.replies.states import TaskState


class Worker(TypedDict):
    """A worker, by the tasks that it holds."""

    worker: str
    tasks: int
    expired: int
    """Tasks that it did not hold on to in time: another worker takes them over."""
    since: NotRequired[str]
    """When it took the first of them."""
    leasedUntil: str
    """Until when it holds all of them, unless it renews that."""


class Queue(TypedDict):
    """Tasks of a namespace that wait for a worker, or for another task of their application."""

    namespace: str
    """Empty where the application is gone."""
    tasks: int
    oldest: str


class Incomplete(TypedDict):
    """A task that could not put back all that it had changed."""

    taskId: str
    appId: str
    name: str
    status: TaskState
    why: str
    attempts: int
    nextTime: NotRequired[str]
    """When it is tried again; absent: not by itself."""
    endTime: NotRequired[str]


class Operations(TypedDict):
    """Workers, queue, and what is left undone."""

    now: str
    """By the clock that all of these times are of."""
    workers: list[Worker]
    """Those that hold a task; one without a task is not known here."""
    queues: list[Queue]
    """The longest first."""
    incomplete: list[Incomplete]
    """The newest first; at most 100."""
    incompleteTotal: int


class Orphan(TypedDict):
    """An object that carries a task's label but that no task accounts for."""

    kind: str
    namespace: str
    name: str
    uid: str
    taskId: str
    why: str
    error: str
    """Why it could not be deleted; empty otherwise."""


class OrphanList(TypedDict):
    """All of them."""

    orphans: list[Orphan]


class Alive(TypedDict):
    """The process answers."""

    status: Literal["ok"]
    version: str


class Check(TypedDict):
    """One part that the server stands on."""

    name: str
    status: Literal["ok", "down"]
    message: str


class Readiness(TypedDict):
    """``degraded``: the API serves from its database, but what is named here is away."""

    status: Literal["ready", "degraded"]
    secrets: Literal["sealed", "plain"]
    checks: list[Check]
