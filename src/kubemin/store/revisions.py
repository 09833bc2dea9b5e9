"""Revisions of applications: what was run, and which of it the cluster has (design §3).

A revision begins as ``pending``, with its task, and ends with it: `end` is called by the transitions that end a task,
and by nothing else. So exactly what completed last is ``current``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, null, select, update

from kubemin.spec.states import RevisionState, TaskStatus, TaskType
from kubemin.store.clock import now
from kubemin.store.tables import revisions, tasks
from kubemin.store.transaction import Tx, dump, fields, load, values_of

_ENDS: Mapping[TaskStatus, RevisionState] = {
    TaskStatus.COMPLETED: RevisionState.CURRENT,
    TaskStatus.FAILED: RevisionState.FAILED,
    TaskStatus.TIMEOUT: RevisionState.TIMEOUT,
    TaskStatus.CANCELLED: RevisionState.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRevision:
    """A revision to insert. ``spec`` is JSON: the application as it was posted. Secrets are in it.

    ``changes``: names of components, by ``added``, ``changed`` and ``removed``. ``restarts``: component → when its Pods
    were to start again, as text. ``replaces_draft``: once it is current, it is the draft too.
    """

    app_id: str
    spec: Any
    task_id: str
    strategy: str = "rolling"
    note: str = ""
    caller: str = ""
    changes: Any = None
    restarts: Any = None
    replaces_draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRow:
    """A revision as stored; ``spec`` is None in lists."""

    app_id: str
    number: int
    state: RevisionState
    spec: Any
    strategy: str
    note: str
    caller: str
    task_id: str
    changes: Any
    restarts: Any
    replaces_draft: bool
    created_at: datetime


async def insert_next(tx: Tx, new: NewRevision) -> int:
    """Store a revision as ``pending``, under the next number, and return that.

    To be called with the application's row locked: else another one might take the number (`Duplicate`).
    """
    newest = await tx.scalar(select(func.max(revisions.c.number)).where(revisions.c.app_id == new.app_id))
    number = (newest or 0) + 1
    await tx.insert(
        insert(revisions).values(
            **values_of(new, *_JSON),
            spec=tx.seal(new.spec),
            changes=dump(new.changes or {}),
            restarts=dump(new.restarts or {}),
            number=number,
            state=RevisionState.PENDING,
            created_at=now(),
        )
    )
    return number


async def end(tx: Tx, task_id: str, status: TaskStatus) -> None:
    """Say what becomes of a task's revision as the task ends.

    That of a completed task becomes ``current``, and the former one ``superseded``; after a completed removal there is
    no current one. To be called in the transaction that ends the task, and only then.
    """
    named = select(tasks.c.app_id, tasks.c.type, tasks.c.revision).where(tasks.c.id == task_id)
    task = await tx.row(named)
    assert task is not None
    if status is TaskStatus.COMPLETED and (task.revision is not None or task.type == TaskType.DELETE):
        await _move(tx, task.app_id, RevisionState.CURRENT, RevisionState.SUPERSEDED)
    if task.revision is not None:
        await _move(tx, task.app_id, RevisionState.PENDING, _ENDS[status], task.revision)


async def _move(tx: Tx, app_id: str, begin: RevisionState, to: RevisionState, number: int | None = None) -> None:
    mine = [revisions.c.app_id == app_id, revisions.c.state == begin]
    if number is not None:
        mine.append(revisions.c.number == number)
    await tx.write(update(revisions).where(*mine).values(state=to))


async def amend(tx: Tx, app_id: str, number: int, *, spec: Any, changes: Any) -> None:
    """Record what the cluster has by a revision that becomes current, where that is otherwise than planned."""
    mine = (revisions.c.app_id == app_id, revisions.c.number == number)
    await tx.write(update(revisions).where(*mine).values(spec=tx.seal(spec), changes=dump(changes)))


async def get(tx: Tx, app_id: str, number: int) -> RevisionRow | None:
    """One revision, with its ``spec``."""
    return _revision(tx, await tx.row(_WHOLE.where(revisions.c.app_id == app_id, revisions.c.number == number)))


async def current(tx: Tx, app_id: str) -> RevisionRow | None:
    """What the cluster has, with its ``spec``; None before the first run that completes, and after a removal."""
    mine = (revisions.c.app_id == app_id, revisions.c.state == RevisionState.CURRENT)
    return _revision(tx, await tx.row(_WHOLE.where(*mine)))


async def before_current(tx: Tx, app_id: str) -> RevisionRow | None:
    """What the cluster had before: the newest one that is ``superseded``, with its ``spec``."""
    mine = (revisions.c.app_id == app_id, revisions.c.state == RevisionState.SUPERSEDED)
    return _revision(tx, await tx.row(_WHOLE.where(*mine).order_by(revisions.c.number.desc()).limit(1)))


async def of_application(tx: Tx, app_id: str) -> list[RevisionRow]:
    """An application's revisions, newest first."""
    rows = await tx.rows(_BRIEF.where(revisions.c.app_id == app_id).order_by(revisions.c.number.desc()))
    return [_read(tx, row) for row in rows]


_JSON = ("spec", "changes", "restarts")

_WHOLE: Select[Any] = select(revisions)
_BRIEF: Select[Any] = select(*(column for column in revisions.c if column.name != "spec"), null().label("spec"))


def _revision(tx: Tx, row: Row[Any] | None) -> RevisionRow | None:
    return None if row is None else _read(tx, row)


def _read(tx: Tx, row: Row[Any]) -> RevisionRow:
    values = fields(row)
    values["state"] = RevisionState(row.state)
    values["spec"] = None if row.spec is None else tx.unseal(row.spec)
    values["changes"], values["restarts"] = load(row.changes), load(row.restarts)
    return RevisionRow(**values)
