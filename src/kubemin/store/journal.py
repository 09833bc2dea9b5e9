"""The cleanup journal (design §4): one row for each object that a task touches, one for each write.

A row is named by its task and a ``seq``, which the caller counts.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, case, exists, func, insert, or_, select, update

from kubemin.spec.kinds import OWN
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, Purpose, ResourceState, TaskStatus, WriteKind
from kubemin.spec.write_answer import WriteAnswer
from kubemin.store import kinds
from kubemin.store.clock import now
from kubemin.store.columns import among
from kubemin.store.errors import Unreadable
from kubemin.store.tables import jobs, resources, tasks, writes
from kubemin.store.transaction import Tx, chunks, dump, fields, load, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResource:
    """A row to add."""

    seq: int
    job_seq: int
    ref: ObjectRef
    purpose: Purpose = Purpose.APPLY
    state: ResourceState = ResourceState.INTENT
    uid: str | None = None
    before: Manifest | None = None
    applied: Any = None
    dependents: Any = None
    why: str = ""
    adopted: bool | None = None
    made_at: str | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRow:
    """A row as stored.

    ``adopted``: whether what was ``before`` a change was a stranger's. ``made_at``: the creationTimestamp of the object
    that the task made. ``priority``: its place in the order, where that is not its kind's.
    ``unreadable``: why texts of it cannot be opened, by column. Such a value is None here, and stays stored as it is.
    """

    task_id: str
    seq: int
    job_seq: int
    ref: ObjectRef
    purpose: Purpose
    state: ResourceState
    uid: str | None
    before: Manifest | None
    applied: Any
    dependents: Any
    why: str
    adopted: bool | None
    made_at: str | None
    priority: int | None
    created_at: datetime
    updated_at: datetime
    unreadable: Mapping[str, str]

    @property
    def was_there(self) -> bool:
        """The object was there before the task's first change of it, and is to be put back."""
        return was_there(self.before, self.unreadable, self.state)


def was_there(before: Manifest | None, unreadable: Mapping[str, str], state: ResourceState) -> bool:
    """Whether an object was there before its row's task changed it, also where its ``before`` cannot be opened."""
    return before is not None or ("before" in unreadable and state is not ResourceState.CREATED)


class Brief(NamedTuple):
    """A row without the manifests in it. ``new``: the object was not there before."""

    seq: int
    job_seq: int
    ref: ObjectRef
    purpose: Purpose
    state: ResourceState
    uid: str | None
    why: str
    new: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewWrite:
    """A write about to be sent, for the row ``seq``; ``base_version`` is the resourceVersion it carries.

    ``job_seq``: the job that sends it, where that is not the row's.
    """

    token: str
    seq: int
    kind: WriteKind
    base_version: str | None = None
    job_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRow:
    """A write as stored. ``answer`` is None while it is not known."""

    token: str
    task_id: str
    seq: int
    kind: WriteKind
    job_seq: int | None
    base_version: str | None
    answer: WriteAnswer | None
    created_at: datetime
    answered_at: datetime | None


class TokenOwner(NamedTuple):
    """The task that a write token belongs to, the kind of the write, and the row of its object."""

    task_id: str
    seq: int
    status: TaskStatus
    cleanup: Cleanup
    kind: WriteKind
    state: ResourceState
    uid: str | None
    dependents: Any
    options: Any
    """The task's."""
    cluster: str
    """The task's, so that of its objects."""

    def left_behind(self, uid: str) -> bool:
        """Whether an object of this uid that has the token is not meant to be there.

        Its task made it and did not complete, or the request landed late: the row has another object's uid. What a
        person wants left, by a cancel or by giving the cleanup up, counts as there before.
        """
        if self.kind is not WriteKind.CREATE or not self.status.ended:
            return False
        if self.uid != uid:
            return True
        meant = self.status is TaskStatus.COMPLETED or self.cleanup in (Cleanup.NONE, Cleanup.ABANDONED)
        return not meant and (self.cleanup is not Cleanup.DONE or self.state not in _LEFT_ON_PURPOSE)


_MINE = resources.c.task_id == bindparam("of_task")
_APPLICATION = select(tasks.c.app_id).where(tasks.c.id == bindparam("of_task")).scalar_subquery()
_INSERT = insert(resources).values(holder=_APPLICATION, created_at=now(), updated_at=now())
_UPDATE = update(resources).where(_MINE, resources.c.seq == bindparam("of_seq")).values(updated_at=now())
_OF_TASK = select(*(column for column in resources.c if column.name != "holder")).where(_MINE).order_by(resources.c.seq)
_NAMED = ("seq", "job_seq", "api_version", "kind", "namespace", "name", "purpose", "state", "uid", "why", "updated_at")
_BRIEF_OF_TASK = (
    select(*(resources.c[name] for name in _NAMED), resources.c.before.is_(None).label("new"))
    .where(_MINE)
    .order_by(resources.c.seq)
)
_INSERT_WRITES = insert(writes).values(created_at=now())
_ANSWER = update(writes).where(writes.c.token == bindparam("of_token")).values(answered_at=now())


async def add(tx: Tx, task_id: str, new: Sequence[NewResource]) -> None:
    """Add rows. Raises `Duplicate` (``pk_resources``) if a ``seq`` is there already."""
    if not new:
        return
    rows = [
        {
            "task_id": task_id,
            "of_task": task_id,
            **values_of(resource, "ref", *_CHANGEABLE),
            "api_version": resource.ref.api_version,
            "kind": resource.ref.kind,
            "namespace": resource.ref.namespace,
            "name": resource.ref.name,
            **{name: _stored(tx, name, getattr(resource, name), task_id, resource.seq) for name in _CHANGEABLE},
        }
        for resource in new
    ]
    await kinds.remember(tx, {resource.ref.kind for resource in new} - OWN, task_id)
    await tx.write(_INSERT, rows)


async def update_many(tx: Tx, task_id: str, changes: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    """Change fields of rows, by ``seq``: those in ``_CHANGEABLE``, only what is given."""
    alike: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for seq, given in changes:
        if given:
            stored = {name: _stored(tx, name, value, task_id, seq) for name, value in given.items()}
            alike[tuple(sorted(given))].append({"of_task": task_id, "of_seq": seq, **stored})
    for rows in alike.values():
        await tx.write(_UPDATE, rows)


async def of_task(tx: Tx, task_id: str, seq: int | None = None) -> list[ResourceRow]:
    """A task's journal, in order of ``seq``, or only that row. One that cannot be opened says so (``unreadable``)."""
    statement = _OF_TASK if seq is None else _OF_TASK.where(resources.c.seq == seq)
    return [_resource(tx, row) for row in await tx.rows(statement, {"of_task": task_id})]


async def brief_of_task(tx: Tx, task_id: str) -> list[Brief]:
    """The same without the manifests, which may be large."""
    rows = await tx.rows(_BRIEF_OF_TASK, {"of_task": task_id})
    return [
        Brief(
            seq=row.seq,
            job_seq=row.job_seq,
            ref=ObjectRef.stored(row.kind, row.namespace, row.name, row.api_version),
            purpose=Purpose(row.purpose),
            state=ResourceState(row.state),
            uid=row.uid,
            why=row.why,
            new=bool(row.new),
            updated_at=row.updated_at,
        )
        for row in rows
    ]


async def add_writes(tx: Tx, task_id: str, new: Sequence[NewWrite]) -> None:
    """Record writes before they are sent. Raises `Duplicate` (``pk_writes``) if a token is there already."""
    if not new:
        return
    rows = [{"task_id": task_id, **values_of(write)} for write in new]
    await tx.write(_INSERT_WRITES, rows)


async def answer_writes(tx: Tx, answers: Mapping[str, WriteAnswer]) -> None:
    """Record the answers to writes: token → answer."""
    if not answers:
        return
    await tx.write(_ANSWER, [{"of_token": token, "answer": str(answer)} for token, answer in answers.items()])


async def writes_of_task(tx: Tx, task_id: str) -> list[WriteRow]:
    """Every write of a task, in order of row and time."""
    statement = (
        select(writes).where(writes.c.task_id == task_id).order_by(writes.c.seq, writes.c.created_at, writes.c.token)
    )
    return [_write(row) for row in await tx.rows(statement)]


async def first_write_at(tx: Tx, task_id: str, seq: int) -> datetime | None:
    """When the first write for a row was recorded, by the database's clock; None if there is none."""
    found: datetime | None = (await tx.rows(_FIRST_AND_DELETE, {"of_task": task_id, "of_seq": seq}))[0][0]
    return found


class Debt(NamedTuple):
    """A task whose cleanup is still to put an object back, and how far that is."""

    task_id: str
    cleanup: Cleanup
    attempts: int


async def debt_on(tx: Tx, app_id: str, uid: str, but: str) -> Debt | None:
    """The newest task of the application, ``but`` one, whose unfinished cleanup may still change an object."""
    # Put in order here: the database would read the application's tasks in this order, all of them.
    for task in sorted(await tx.rows(_UNDOING, {"of_app": app_id, "but": but}), reverse=True):
        if await tx.row(_MAY_CHANGE, {"of_task": task.id, "of_uid": uid}) is not None:
            return Debt(task.id, Cleanup(task.cleanup), task.cleanup_attempts)
    return None


_UNDOING = select(tasks.c.seq, tasks.c.id, tasks.c.cleanup, tasks.c.cleanup_attempts).where(
    among(tasks.c.cleanup, (Cleanup.PENDING, Cleanup.RUNNING, Cleanup.INCOMPLETE)),
    tasks.c.app_id == bindparam("of_app"),
    tasks.c.id != bindparam("but"),
    tasks.c.status != TaskStatus.COMPLETED,
)
_MAY_CHANGE = select(resources.c.seq).where(
    _MINE,
    func.coalesce(resources.c.uid, "") == bindparam("of_uid"),  # by its task, which has few rows, not by all of its uid
    resources.c.purpose == Purpose.APPLY,
    among(resources.c.state, [state for state in ResourceState if not state.settled]),
    exists().where(writes.c.task_id == resources.c.task_id, writes.c.seq == resources.c.seq),
)


class Use(NamedTuple):
    """Whether tasks completed with the object of a row: since the row's first request, and since its last DELETE.

    Without a DELETE the two are the same. ``own``: the row's own task completed.
    """

    since_write: bool
    since_delete: bool
    own: bool


async def use_of(tx: Tx, task_id: str, seq: int) -> Use:
    """Which tasks completed with the object that a row names, or used it. All times are the database's."""
    mine = {"of_task": task_id, "of_seq": seq}
    row = await tx.row(_NAMED_BY, mine)
    if row is None:
        return Use(since_write=False, since_delete=False, own=False)
    times = (await tx.rows(_FIRST_AND_DELETE, mine))[0]
    wrote, deleted = times.first, times.deletion or times.first
    # A row that was written is of a task that was the application's only active one: what completed since is newer.
    # Of one that was not, any task counts that ever completed with the name: the newest one is found first.
    since = {"since": row.task_seq if wrote is not None else 0}
    ends = [
        await tx.scalar(_NAMED_SINCE, {**mine, **since, "of_app": row.app_id, **_ref_of(row)}),
        await tx.scalar(_USED, {"of_task": task_id, "of_uid": row.uid or "", "of_cluster": row.cluster}),
    ]
    ended = max((end for end in ends if end is not None), default=None)
    return Use(
        since_write=ended is not None and (wrote is None or ended >= wrote),
        since_delete=ended is not None and (deleted is None or ended >= deleted),
        own=row.status == TaskStatus.COMPLETED,
    )


def _ref_of(row: Row[Any]) -> dict[str, str]:
    return {f"of_{name}": getattr(row, name) for name in ("kind", "namespace", "name")}


class Later(NamedTuple):
    """A later task of the application that has an object: it completed with it, or is at work."""

    task_id: str
    completed: bool


async def brought_since(tx: Tx, task_id: str, ref: ObjectRef) -> Later | None:
    """The newest task after this one, of the same application, that has the object; a Namespace: objects in it.

    It tells by its jobs: what a task only leaves as it is has no row in the journal.
    """
    there = {"of_task": task_id, "of_kind": ref.kind, "of_namespace": ref.namespace, "of_name": ref.name}
    row = await tx.row(_OBJECTS_IN_IT if ref.kind == "Namespace" else _THE_OBJECT, there)
    return None if row is None else Later(row.id, row.status == TaskStatus.COMPLETED)


async def owners_of(tx: Tx, tokens: Collection[str]) -> dict[str, TokenOwner]:
    """By write token, as found on objects: the task that it belongs to. Unknown tokens are left out."""
    owners: dict[str, TokenOwner] = {}
    for part in chunks(tokens):
        for row in await tx.rows(_OWNERS, {"tokens": part}):
            owners[row.token] = TokenOwner(
                row.task_id,
                row.seq,
                TaskStatus(row.status),
                Cleanup(row.cleanup),
                WriteKind(row.kind),
                ResourceState(row.state),
                row.uid,
                None if row.dependents is None else load(row.dependents),
                load(row.options),
                row.cluster,
            )
    return owners


_OWNERS = (
    select(
        *(writes.c[name] for name in ("token", "task_id", "seq", "kind")),
        *(tasks.c[name] for name in ("status", "cleanup", "options", "cluster")),
        *(resources.c[name] for name in ("state", "uid", "dependents")),
    )
    .join(tasks, tasks.c.id == writes.c.task_id)
    .join(resources, and_(resources.c.task_id == writes.c.task_id, resources.c.seq == writes.c.seq))
    .where(writes.c.token.in_(bindparam("tokens", expanding=True)))
)

_LEFT_ON_PURPOSE = (ResourceState.CREATED, ResourceState.CHANGED, ResourceState.KEPT)
"""A cleanup that is done may leave such objects: its policy covered only one job, or others wrote the object since."""

_LEFT_AS_IT_IS = and_(resources.c.state == ResourceState.OBSERVED, resources.c.adopted.is_(False))
"""The object was what its manifest says, so it was not written."""

TELLS = resources.c.holder > ""
"""The row says something that no later one does (`fold.told`). In words for which SQLite uses an index too."""

_NAMED_BY = (
    select(*(resources.c[name] for name in ("kind", "namespace", "name", "uid")))
    .add_columns(tasks.c.app_id, tasks.c.cluster, tasks.c.status, tasks.c.seq.label("task_seq"))
    .join_from(resources, tasks, tasks.c.id == resources.c.task_id)
    .where(_MINE, resources.c.seq == bindparam("of_seq"))
)
_FIRST_AND_DELETE = select(
    func.min(writes.c.created_at).label("first"),
    func.max(case((writes.c.kind == WriteKind.DELETE, writes.c.created_at))).label("deletion"),
).where(writes.c.task_id == bindparam("of_task"), writes.c.seq == bindparam("of_seq"))
_ENDS = (
    select(tasks.c.ended_at)
    .join_from(tasks, resources, tasks.c.id == resources.c.task_id)
    .where(tasks.c.status == TaskStatus.COMPLETED, tasks.c.id != bindparam("of_task"))
)
_NAMED_SINCE = (
    _ENDS.where(
        tasks.c.app_id == bindparam("of_app"),
        tasks.c.seq > bindparam("since"),
        *(resources.c[name] == bindparam(f"of_{name}") for name in ("kind", "namespace", "name")),
        resources.c.purpose == Purpose.APPLY,
        or_(among(resources.c.state, (ResourceState.CREATED, ResourceState.CHANGED)), _LEFT_AS_IT_IS),
    )
    .order_by(tasks.c.seq.desc())
    .limit(1)
)
_USED = (
    _ENDS.where(resources.c.uid == bindparam("of_uid"), TELLS, resources.c.purpose == Purpose.USE)
    .where(tasks.c.cluster == bindparam("of_cluster"))
    .order_by(tasks.c.ended_at.desc())
    .limit(1)
)

_ITSELF = tasks.alias("itself")
_BEGUN = (TaskStatus.QUEUED, TaskStatus.RUNNING)
_BRINGS = (JobStatus.QUEUED, JobStatus.PREPARE, JobStatus.RUNNING, JobStatus.COMPLETED)
_BROUGHT_SINCE = (
    select(tasks.c.id, tasks.c.status)
    .join_from(_ITSELF, tasks, and_(tasks.c.app_id == _ITSELF.c.app_id, tasks.c.seq > _ITSELF.c.seq))
    .join(jobs, jobs.c.task_id == tasks.c.id)
    .where(_ITSELF.c.id == bindparam("of_task"))
    .where(
        or_(
            and_(tasks.c.status == TaskStatus.COMPLETED, jobs.c.status == JobStatus.COMPLETED),
            and_(among(tasks.c.status, _BEGUN), among(jobs.c.status, _BRINGS)),
        )
    )
    .order_by(tasks.c.seq.desc())
    .limit(1)
)
_NAMED_SO = and_(
    jobs.c.kind == bindparam("of_kind"),
    jobs.c.namespace == bindparam("of_namespace"),
    jobs.c.object_name == bindparam("of_name"),
)
_THE_OBJECT = _BROUGHT_SINCE.where(_NAMED_SO)
_OBJECTS_IN_IT = _BROUGHT_SINCE.where(or_(_NAMED_SO, jobs.c.namespace == bindparam("of_name")))

_CHANGEABLE = ("state", "uid", "before", "applied", "dependents", "why", "adopted", "made_at")
_SEALED = ("before", "applied")
_REF = ("api_version", "kind", "namespace", "name")


def _stored(tx: Tx, name: str, value: Any, task_id: str, seq: int) -> Any:
    if name not in _CHANGEABLE:
        raise ValueError(f"a journal row's {name} does not change")
    if value is None:
        return None
    if name in _SEALED:
        return tx.seal(value, resources.c[name], task_id, seq)
    return dump(value) if name == "dependents" else value


def _write(row: Row[Any]) -> WriteRow:
    answer = None if row.answer is None else WriteAnswer.read(row.answer)
    return WriteRow(**{**fields(row), "kind": WriteKind(row.kind), "answer": answer})


def _opened(tx: Tx, row: Row[Any], name: str) -> Manifest:
    value = tx.unseal(getattr(row, name), resources.c[name], row.task_id, row.seq)
    if not isinstance(value, dict):
        raise Unreadable(f"resources.{name} of {row.task_id}/{row.seq} cannot be read: it is no object")
    return value


def _resource(tx: Tx, row: Row[Any]) -> ResourceRow:
    values = {name: value for name, value in fields(row).items() if name not in _REF}
    values["purpose"] = Purpose(row.purpose)
    values["state"] = ResourceState(row.state)
    unreadable: dict[str, str] = {}
    try:
        values["dependents"] = None if row.dependents is None else load(row.dependents)
    except ValueError:
        values["dependents"] = None
        unreadable["dependents"] = f"resources.dependents of {row.task_id}/{row.seq} is not the JSON that was stored"
    for name in _SEALED:
        if values[name] is not None:
            try:
                values[name] = _opened(tx, row, name)
            except Unreadable as error:
                values[name] = None
                unreadable[name] = str(error)
    ref = ObjectRef.stored(row.kind, row.namespace, row.name, row.api_version)
    return ResourceRow(**values, ref=ref, unreadable=unreadable)
