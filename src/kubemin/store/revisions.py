"""Revisions of applications: what was run, and which of it the cluster has (design §3).

A revision begins as ``pending``, with its task, and ends with it: `end` is called by the transitions that end a task,
and by nothing else. So exactly what completed last is ``current``, or what a removal that was stopped has left of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, case, func, insert, null, or_, select, update

from kubemin.spec.states import RevisionState, TaskStatus, TaskType
from kubemin.store.clock import now
from kubemin.store.tables import revisions
from kubemin.store.transaction import Tx, dump, fields, load, values_of

_ENDS: Mapping[TaskStatus, RevisionState] = {
    TaskStatus.FAILED: RevisionState.FAILED,
    TaskStatus.TIMEOUT: RevisionState.TIMEOUT,
    TaskStatus.CANCELLED: RevisionState.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRevision:
    """A revision to insert. ``spec`` is JSON: the application as it was posted. Secrets are in it.

    ``changes``: names of components, by ``added``, ``changed`` and ``removed``. ``restarts``: component → when its Pods
    were to start again, as text. ``config_digests``: component → the digest of configuration that its Pods have.
    ``replaces_draft``: once it is current, it is the draft too.
    """

    app_id: str
    spec: Any
    task_id: str
    strategy: str = "rolling"
    note: str = ""
    caller: str = ""
    changes: Any = None
    restarts: Any = None
    config_digests: Any = None
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
    config_digests: Any
    replaces_draft: bool
    created_at: datetime


_TEXTS = ("changes", "restarts", "config_digests")
_MINE = revisions.c.app_id == bindparam("of_app")
_NUMBERED = revisions.c.number == bindparam("of_number")
_IS_CURRENT = revisions.c.state == RevisionState.CURRENT

_NEWEST = select(func.max(revisions.c.number)).where(_MINE)
_INSERT = insert(revisions).values(state=RevisionState.PENDING, created_at=now())
_SUPERSEDE = update(revisions).where(_MINE, _IS_CURRENT).values(state=RevisionState.SUPERSEDED)
_IS_PENDING = and_(_NUMBERED, revisions.c.state == RevisionState.PENDING)
_END = update(revisions).where(_MINE, _IS_PENDING)
_FOLLOW = (
    update(revisions)
    .where(_MINE, or_(_IS_CURRENT, _IS_PENDING))
    .values(state=case((_IS_CURRENT, str(RevisionState.SUPERSEDED)), else_=str(RevisionState.CURRENT)))
)

_WHOLE: Select[Any] = select(revisions)
_BY_NUMBER = _WHOLE.where(_MINE, _NUMBERED)
_CURRENT = _WHOLE.where(_MINE, _IS_CURRENT)
_CURRENT_TASK = select(revisions.c.task_id).where(_MINE, _IS_CURRENT)


async def insert_next(tx: Tx, new: NewRevision) -> int:
    """Store a revision as ``pending``, under the next number, and return that.

    To be called with the application's row locked: else another one might take the number (`Duplicate`).
    """
    number = (await tx.scalar(_NEWEST, {"of_app": new.app_id}) or 0) + 1
    stored = {
        "spec": tx.seal(new.spec, revisions.c.spec, new.app_id, number),
        **{name: dump(getattr(new, name) or {}) for name in _TEXTS},
    }
    await tx.write(_INSERT, {**values_of(new, "spec", *_TEXTS), **stored, "number": number})
    return number


async def end(tx: Tx, app_id: str, number: int | None, kind: TaskType, status: TaskStatus) -> None:
    """Say what becomes of the revision that a task of this kind brings, as the task ends.

    That of a completed task becomes ``current``, and the former one ``superseded``; after a completed removal there is
    no current one. To be called in the transaction that ends the task, and only then.
    """
    mine = {"of_app": app_id, "of_number": number}
    if number is None:
        if status is TaskStatus.COMPLETED and kind is TaskType.DELETE:
            await tx.write(_SUPERSEDE, {"of_app": app_id})
    elif status is TaskStatus.COMPLETED:
        await tx.write(_FOLLOW, mine)
    else:
        await tx.write(_END, {**mine, "state": _ENDS[status]})


async def insert_current(tx: Tx, new: NewRevision) -> int:
    """Store what is left of the current revision as the current one, and return its number.

    As `insert_next`, in a transaction that ends a removal which was stopped, and in no other.
    """
    number = await insert_next(tx, new)
    await tx.write(_FOLLOW, {"of_app": new.app_id, "of_number": number})
    return number


async def supersede(tx: Tx, app_id: str) -> None:
    """Say that nothing of the current revision is left: see `insert_current`."""
    await tx.write(_SUPERSEDE, {"of_app": app_id})


async def amend(
    tx: Tx,
    app_id: str,
    number: int,
    *,
    spec: Any,
    changes: Any,
    restarts: Mapping[str, str],
    config_digests: Mapping[str, str],
) -> None:
    """Record what the cluster has by a revision that becomes current, where that is otherwise than planned."""
    mine = (revisions.c.app_id == app_id, revisions.c.number == number)
    texts = {"changes": changes, "restarts": restarts, "config_digests": config_digests}
    values = {
        "spec": tx.seal(spec, revisions.c.spec, app_id, number),
        **{name: dump(value) for name, value in texts.items()},
    }
    await tx.write(update(revisions).where(*mine).values(**values))


async def get(tx: Tx, app_id: str, number: int) -> RevisionRow | None:
    """One revision, with its ``spec``."""
    return _revision(tx, await tx.row(_BY_NUMBER, {"of_app": app_id, "of_number": number}))


async def current(tx: Tx, app_id: str) -> RevisionRow | None:
    """What the cluster has, with its ``spec``; None before the first run that completes, and after a removal."""
    return _revision(tx, await tx.row(_CURRENT, {"of_app": app_id}))


async def current_task(tx: Tx, app_id: str) -> str | None:
    """The task that has brought that revision: what tells it apart, without all that is in it."""
    row = await tx.row(_CURRENT_TASK, {"of_app": app_id})
    return None if row is None else str(row.task_id)


async def before_current(tx: Tx, app_id: str) -> RevisionRow | None:
    """What the cluster had before: the newest one that is ``superseded``, with its ``spec``."""
    mine = (revisions.c.app_id == app_id, revisions.c.state == RevisionState.SUPERSEDED)
    return _revision(tx, await tx.row(_WHOLE.where(*mine).order_by(revisions.c.number.desc()).limit(1)))


async def of_application(tx: Tx, app_id: str) -> list[RevisionRow]:
    """An application's revisions, newest first."""
    rows = await tx.rows(_BRIEF.where(revisions.c.app_id == app_id).order_by(revisions.c.number.desc()))
    return [_read(tx, row) for row in rows]


_BRIEF: Select[Any] = select(*(column for column in revisions.c if column.name != "spec"), null().label("spec"))


def _revision(tx: Tx, row: Row[Any] | None) -> RevisionRow | None:
    return None if row is None else _read(tx, row)


def _read(tx: Tx, row: Row[Any]) -> RevisionRow:
    values = fields(row)
    values["state"] = RevisionState(row.state)
    values["spec"] = None if row.spec is None else tx.unseal(row.spec, revisions.c.spec, row.app_id, row.number)
    values.update({name: load(values[name]) for name in _TEXTS})
    return RevisionRow(**values)
