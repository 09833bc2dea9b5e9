"""What there is: one object, two tasks with one journal row each, two workers, and requests on their way.

A version or uid is only ever compared with the object's current one, so none has a number here. Whoever has
read the object remembers only whether it has changed since: `NOW`, `OLDER` or `OTHER`. So there are few states.
"""

from enum import IntEnum
from typing import NamedTuple, TypeVar

from kubemin.spec.states import Cleanup, ResourceState, RevisionState, TaskStatus, WriteKind


class At(IntEnum):
    """How the object that somebody has read relates to the live object."""

    OTHER = 0
    """Another uid, or none."""
    OLDER = 1
    """The same uid, another resourceVersion."""
    NOW = 2
    """The same uid and the same resourceVersion."""


class Token(NamedTuple):
    """The annotation `kubemin.io/write-token`. ``known``: the journal has it."""

    task: int
    kind: WriteKind
    known: bool = True


OURS = "this application's"
OTHERS = "another application's"
"""The label `kubemin.io/app-id`. An object that others made has none, or another application's: it is a stranger's."""


class Wanted(NamedTuple):
    """What the object should be in the end: its value, the task whose write token is on it, and its label."""

    value: str
    writer: int | None = None
    label: str = ""


class Claim(NamedTuple):
    """A volume claim that a controller made for the object. It stays when the object goes, and the next uses it."""

    in_use: bool = False
    """A task completed with it: so it holds data."""


class Object(NamedTuple):
    """The object in the cluster. Its one field has a value: "old", "theirs", or the name of the task that set it."""

    value: str
    token: Token | None = None
    ours: bool = True
    """managedFields gives the token to kubemin; False: somebody copied it."""
    terminating: bool = False
    fence: bool = False
    made: bool = False
    """A task of ours made it, and nobody made it theirs since."""
    label: str = ""

    @property
    def writer(self) -> int | None:
        """The task whose write token is on it."""
        return self.token.task if self.token is not None and self.ours else None


class Request(NamedTuple):
    """A write on its way to the API server."""

    verb: str
    task: int
    at: At = At.OTHER
    value: str = ""
    token: Token | None = None
    ours: bool = True
    label: str = ""


class Row(NamedTuple):
    """The object's row in one task's journal."""

    state: ResourceState = ResourceState.INTENT
    before: Object | None = None
    applied: str | None = None
    uid: At | None = None
    """Of the object that we made or changed: OTHER once that is gone."""
    sent: bool = False
    """A request was recorded."""
    unanswered: bool = False
    """There is an apply without an answer that the object's current version would still let in."""
    purpose: str = "apply"
    """Of a removal: whether it is to "remove" or to "release" what the former task made or adopted."""
    refused: bool = False
    """The last POST was refused, and not because the object is there."""
    claim: bool = False
    """The volume claim that is there now was there before the task."""

    @property
    def adopted(self) -> bool:
        """What the task changed was a stranger's object."""
        return self.before is not None and self.before.label != OURS


class Task(NamedTuple):
    """A row of the table of tasks."""

    kind: str
    adopt: bool = True
    """Of a deploy: a stranger's object may be taken over."""
    volumes: bool = False
    """Of a removal: volume claims are deleted too (`deleteVolumes`)."""
    status: TaskStatus = TaskStatus.WAITING
    cleanup: Cleanup = Cleanup.NONE
    leased: bool = False
    revision: RevisionState = RevisionState.PENDING
    """Of the revision that it brings: of a deploy one with the object, of a removal one without."""


class Worker(NamedTuple):
    """A worker, and the task whose lease it holds or believes to hold."""

    task: int | None = None
    forward: bool = True
    awaits: Request | None = None
    holds: bool = True
    copy: Row | None = None
    """The journal as read too early (only without TAKEOVER_FIRST)."""


IDLE = Worker()


class Faults(NamedTuple):
    """How many faults of each kind may still happen."""

    deaths: int
    silences: int
    edits: int
    cancels: int
    incomplete: int
    evictions: int = 0
    takeovers: int = 0
    """Another application adopts the object, once somebody took our marks off."""
    quotas: int = 0
    """From some moment on, a quota or a policy refuses whatever is to be created."""


class State(NamedTuple):
    """Everything. ``wanted`` is what others want the object to be: what a rollback must lead back to."""

    object: Object | None
    wanted: Wanted | None
    tasks: tuple[Task, Task]
    rows: tuple[Row, Row]
    workers: tuple[Worker, Worker]
    late: tuple[Request, ...]
    left: Faults
    edited: bool = False
    """Somebody else edited the object after the last write of a task that went forward."""
    intervened: bool = False
    """Somebody else made the object, deleted it or made it theirs: it may be otherwise than the current revision."""
    dependents: tuple[bool, bool] = (False, False)
    """What a controller made because a write of that task landed (R6): the object itself does not show it."""
    pod: int | None = None
    """The task whose value the Pod has that reads the object: it reads it once, when it starts."""
    barred: bool = False
    """Whatever is to be created is refused."""
    claims: bool = False
    """The object's controller makes a volume claim, where there is none."""
    claim: Claim | None = None
    data: bool | None = False
    """Whether the volume claim is to stay; None: it may, and may go."""


def read_by_pod(live: Object | None) -> int | None:
    """The task whose value a Pod reads that starts now."""
    return {"T1": 0, "T2": 1}.get(live.value) if live is not None else None


T = TypeVar("T")


def put(pair: tuple[T, T], index: int, item: T) -> tuple[T, T]:
    """A pair with one of its items replaced."""
    return (item, pair[1]) if index == 0 else (pair[0], item)


def set_task(state: State, index: int, **changes: object) -> State:
    """With columns of a task's row changed."""
    return state._replace(tasks=put(state.tasks, index, state.tasks[index]._replace(**changes)))  # type: ignore[arg-type]


_ENDS = {
    TaskStatus.COMPLETED: RevisionState.CURRENT,
    TaskStatus.FAILED: RevisionState.FAILED,
    TaskStatus.CANCELLED: RevisionState.CANCELLED,
}


def end_revision(state: State, index: int) -> State:
    """Of a task that has ended: what completed is current, and nothing else is so any more."""
    status = state.tasks[index].status
    other = 1 - index
    if status is TaskStatus.COMPLETED and state.tasks[other].revision is RevisionState.CURRENT:
        state = set_task(state, other, revision=RevisionState.SUPERSEDED)
    return set_task(state, index, revision=_ENDS[status])


def set_row(state: State, index: int, **changes: object) -> State:
    """With columns of a journal row changed."""
    return state._replace(rows=put(state.rows, index, state.rows[index]._replace(**changes)))  # type: ignore[arg-type]


def set_worker(state: State, index: int, worker: Worker) -> State:
    """With one worker replaced."""
    return state._replace(workers=put(state.workers, index, worker))


def without_claim(state: State) -> State:
    """The volume claim is deleted; the next one has another uid."""
    first, second = state.rows
    return state._replace(claim=None, rows=(first._replace(claim=False), second._replace(claim=False)))


def theirs(state: State) -> State:
    """Somebody made the object theirs, or deleted it: with what controllers made because of it."""
    data = state.data or (None if state.claim else False)
    return state._replace(dependents=(False, False), data=data)


def write(state: State, new: Object | None, *, same_uid: bool) -> State:
    """The object changes: whoever remembers its version, or its uid, remembers an older one now."""
    least = At.OLDER if same_uid else At.OTHER

    def aged(request: Request) -> Request:
        return request._replace(at=min(request.at, least)) if request.at > least else request

    def aged_row(row: Row) -> Row:
        uid = row.uid if row.uid is None or same_uid else At.OTHER
        return row._replace(uid=uid, unanswered=False) if row.unanswered or uid != row.uid else row

    def aged_worker(worker: Worker) -> Worker:
        awaits = aged(worker.awaits) if worker.awaits else None
        return worker._replace(awaits=awaits, copy=aged_row(worker.copy) if worker.copy else None)

    first, second = state.workers
    return state._replace(
        object=new,
        rows=(aged_row(state.rows[0]), aged_row(state.rows[1])),
        workers=(aged_worker(first), aged_worker(second)),
        late=tuple(sorted(map(aged, state.late), key=repr)),
    )
