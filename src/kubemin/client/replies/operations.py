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
    """Tasks of a cluster's namespace that wait for a worker, or for another task of their application."""

    cluster: str
    namespace: str
    """Empty where the application is gone."""
    tasks: int
    oldest: str
    waitsBecause: NotRequired[str]
    """Why no worker takes them up: none serves the cluster, or that does not answer."""


class Incomplete(TypedDict):
    """A task that could not put back all that it had changed."""

    taskId: str
    appId: str
    name: str
    cluster: str
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


class ClusterWorker(TypedDict):
    """A worker that runs the tasks of a cluster."""

    worker: str
    away: str
    """Why the cluster does not answer it; empty where it does."""


class Cluster(TypedDict):
    """A cluster, how it does, and what there is to do in it."""

    name: str
    known: bool
    """Whether this server knows it; one that it does not know has tasks or workers."""
    reachable: bool
    """Whether it answers this server."""
    message: str
    """Why it does not answer; empty where it does."""
    version: str
    """That of its API server; empty where it does not answer."""
    workers: list[ClusterWorker]
    """Those that run its tasks; without any, tasks wait."""
    waiting: int
    running: int
    cleanups: int
    """Cleanups that are under way or incomplete."""


class ClusterList(TypedDict):
    """All of them, by name."""

    clusters: list[Cluster]


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
