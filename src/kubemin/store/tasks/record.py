"""A task's row: inserting it, and reading it as a `Task`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, null, select, update

from kubemin.spec.names import DEFAULT_CLUSTER
from kubemin.spec.states import Cleanup, CleanupPolicy, TaskStatus, TaskType
from kubemin.store import outbox
from kubemin.store.clock import now
from kubemin.store.errors import Unreadable, UnreadableTask
from kubemin.store.tables import tasks
from kubemin.store.transaction import Tx, dump, fields, load, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task to insert, as ``waiting``. ``options``, ``spec``, ``plan`` and ``acting_as`` are JSON."""

    id: str
    app_id: str
    app_name: str
    workflow_id: str
    workflow_name: str
    spec: Any
    cluster: str = DEFAULT_CLUSTER
    namespace: str = "default"
    project: str = ""
    type: TaskType = TaskType.DEPLOY
    options: Any = None
    plan: Any = None
    revision: int | None = None
    caller: str = ""
    acting_as: Any = None
    idempotency_key: str | None = None
    body_hash: str | None = None
    request_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as stored. ``spec`` and ``plan`` are large and read with a single task only: None in lists.

    ``body_hash`` is sealed, as whoever reads a hash may try secrets until one fits; read where it is compared.

    ``attempt`` counts the claims of the task while it goes forward, up to one more than allowed (see `claim_next`).
    ``active_app`` is unique: while a task has it set, no other task of the application runs. ``lease_epoch`` is 0 if no
    worker ever held the task. ``lease_commits`` is the number of its holder's last commit (`store/tasks/commits.py`).
    ``cancel_cleanup``: what the cancel asked of the cleanup, None if it asked for nothing.
    ``revision``: the number of the application's revision that it runs, None for a removal and for a dry run.
    ``promoted_hold``: the ``seq`` of the last hold that somebody promoted, 0 if nobody did.
    ``request_id`` and ``cancel_request_id``: of the calls that asked for it, and that cancelled it; None of what nobody
    asked for by a call.
    ``acting_as``: as whom it goes forward in its cluster (`kubemin.spec.acting.Identity`), None: as KubeMin itself.
    ``traceparent``: the span of the request that asked for it, as W3C Trace Context spells it, if traces are kept.
    ``unreadable``: why a worker that claimed it cannot open ``spec`` or ``plan``, which is then None.
    """

    seq: int
    id: str
    app_id: str
    app_name: str
    cluster: str
    namespace: str
    project: str
    workflow_id: str
    workflow_name: str
    type: TaskType
    status: TaskStatus
    reason: str
    reason_code: str | None
    cleanup: Cleanup
    cleanup_why: str
    cleanup_attempts: int
    next_cleanup_at: datetime | None
    cancelled_by: str | None
    cancel_request_id: str | None
    cancel_requested_at: datetime | None
    cancel_cleanup: CleanupPolicy | None
    caller: str
    acting_as: Any
    idempotency_key: str | None
    body_hash: str | None
    request_id: str | None
    traceparent: str | None
    options: Any
    spec: Any
    plan: Any
    revision: int | None
    promoted_hold: int
    attempt: int
    active_app: str | None
    lease_owner: str | None
    lease_epoch: int
    lease_commits: int
    lease_expires_at: datetime | None
    claimed_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    updated_at: datetime
    unreadable: str = ""


_LARGE = ("spec", "plan")
_SEALED = (*_LARGE, "body_hash")
_INSERT = insert(tasks).values(
    status=TaskStatus.WAITING,
    reason="",
    cleanup=Cleanup.NONE,
    cleanup_why="",
    cleanup_attempts=0,
    promoted_hold=0,
    attempt=0,
    lease_epoch=0,
    lease_commits=0,
    created_at=now(),
    updated_at=now(),
)


async def insert_task(tx: Tx, task: NewTask) -> None:
    """Store a new task as ``waiting``.

    Raises `Duplicate`: ``uq_tasks_caller_app_id_idempotency_key`` if the caller has used the key for this application.
    """
    stored = {
        "options": dump({} if task.options is None else task.options),
        "acting_as": None if task.acting_as is None else dump(task.acting_as),
        **{
            name: None if (value := getattr(task, name)) is None else tx.seal(value, tasks.c[name], task.id)
            for name in _SEALED
        },
    }
    await tx.write(_INSERT, {**values_of(task, "options", "acting_as", *_SEALED), **stored})
    tx.locked.add(task.id)
    if isinstance(task.options, dict) and task.options.get("commit"):
        await outbox.tell_of_task(tx, "task.created", task.id)


async def forget_idempotency_keys(tx: Tx, removal: Task) -> None:
    """The application is gone: one that is made anew has the same id, and must not get the former one's tasks.

    The removal keeps its key: whoever has had no answer asks for it again, and must not delete what is made anew.
    """
    used = (tasks.c.app_id == removal.app_id, tasks.c.id != removal.id, tasks.c.idempotency_key.is_not(None))
    await tx.write(update(tasks).where(*used).values(idempotency_key=None))


async def set_spec(tx: Tx, task_id: str, spec: Any) -> None:
    """Record anew what the run was of; the caller holds the task."""
    await tx.write(update(tasks).where(tasks.c.id == task_id).values(spec=tx.seal(spec, tasks.c.spec, task_id)))


WHOLE: Select[Any] = select(tasks)
"""Selects tasks with everything."""

BRIEF: Select[Any] = select(
    *(column for column in tasks.c if column.name not in _SEALED), *(null().label(name) for name in _SEALED)
)
"""Selects tasks without ``spec`` and ``plan``, and without the hash of the body."""

HASHED: Select[Any] = select(
    *(column for column in tasks.c if column.name not in _LARGE), *(null().label(name) for name in _LARGE)
)
"""The same with the hash."""


CLAIMED: Select[Any] = select(*(column for column in tasks.c if column.name != "body_hash"), null().label("body_hash"))
"""The same as a worker needs them."""


def to_task(tx: Tx, row: Row[Any]) -> Task:
    """The record of a row that `WHOLE`, `BRIEF` or `HASHED` selected. Raises `Unreadable`."""
    return _task(row, {name: _opened(tx, row, name) for name in _SEALED})


def to_claimed(tx: Tx, row: Row[Any]) -> Task:
    """The record of a row that `CLAIMED` selected. What cannot be opened of it is left out, and named.

    So a task ends, and is rolled back as far as its journal says how. Raises `UnreadableTask` of one that has not
    ended, where this process lacks the key: another worker may have it, and go on.
    """
    opened, why = dict.fromkeys(_SEALED), ""
    for name in _LARGE:
        try:
            opened[name] = _opened(tx, row, name)
        except Unreadable as error:
            if error.lacking is not None and not TaskStatus(row.status).ended:
                raise UnreadableTask(row.id, row.seq, error) from error
            why = str(error)
    return replace(_task(row, opened), unreadable=why)


def _opened(tx: Tx, row: Row[Any], name: str) -> Any:
    stored = getattr(row, name)
    return None if stored is None else tx.unseal(stored, tasks.c[name], row.id)


def _task(row: Row[Any], opened: Mapping[str, Any]) -> Task:
    values = fields(row)
    values["type"] = TaskType(row.type)
    values["status"] = TaskStatus(row.status)
    values["cleanup"] = Cleanup(row.cleanup)
    values["cancel_cleanup"] = CleanupPolicy(row.cancel_cleanup) if row.cancel_cleanup else None
    values["options"] = load(row.options)
    values["acting_as"] = None if row.acting_as is None else load(row.acting_as)
    return Task(**{**values, **opened})
