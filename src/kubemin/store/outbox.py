"""What happened that people or programs may want to be told of: written in the transaction in which it happens.

A row is written only while some server has somebody to tell (`announce`). Whoever delivers takes each row once, and
gives it a row for each of its targets that want it, and for each target of other servers, which know what it wants
(`deliveries`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, exists, func, insert, select, update

from kubemin.spec.ids import new_id
from kubemin.store import duties
from kubemin.store.clock import now, past
from kubemin.store.tables import applications, outbox, tasks
from kubemin.store.tables import duties as _duties
from kubemin.store.transaction import Tx, dump, load

_DUTY = "notifications"
_TARGET = "target/"
ANNOUNCED_SECONDS = 24 * 3600.0
"""Messages are kept so long for servers that deliver and are all away."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. ``data`` is JSON without secret values; its keys are those of the message."""

    seq: int
    id: str
    type: str
    app_id: str
    data: dict[str, Any]
    at: datetime


_SOMEBODY = exists(select(_duties.c.name).where(_duties.c.name == _DUTY, _duties.c.expires_at > now()))
_IS_SOMEBODY = select(_duties.c.name).where(_duties.c.name == _DUTY, _duties.c.expires_at > now())
_ANNOUNCED = select(_duties.c.name).where(
    func.substr(_duties.c.name, 1, len(_TARGET)) == _TARGET, _duties.c.expires_at > now()
)
_OF_TASK = (
    select(
        *(tasks.c[name] for name in ("app_id", "app_name", "type", "status", "reason", "reason_code", "cleanup")),
        *(tasks.c[name] for name in ("cleanup_why", "cleanup_attempts", "cancelled_by", "caller", "options")),
        tasks.c.revision,
        tasks.c.cluster,
        applications.c.namespace,
        applications.c.project,
    )
    .select_from(tasks.outerjoin(applications, applications.c.id == tasks.c.app_id))
    .where(tasks.c.id == bindparam("of_id"), _SOMEBODY)
)
_INSERT = insert(outbox).values(created_at=now())
_UNTAKEN = (
    select(outbox)
    .where(outbox.c.taken_at.is_(None))
    .order_by(outbox.c.seq)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_ANY_UNTAKEN = select(outbox.c.seq).where(outbox.c.taken_at.is_(None)).limit(1)
_SEQS = outbox.c.seq.in_(bindparam("seqs", expanding=True))
_TAKE = update(outbox).where(_SEQS).values(taken_at=now())
_DROP = delete(outbox).where(_SEQS)
_OLD = select(outbox.c.seq).where(past(outbox.c.taken_at + bindparam("seconds"))).limit(bindparam("most"))


async def announce(tx: Tx, targets: Collection[str] = ()) -> None:
    """Say whom there is to tell: what happens within the next day is written down, and kept for these."""
    await duties.extend(tx, _DUTY, ANNOUNCED_SECONDS)
    for name in sorted(targets):
        await duties.extend(tx, f"{_TARGET}{name}", ANNOUNCED_SECONDS)


async def announced(tx: Tx) -> set[str]:
    """The targets that some server has had within a day."""
    return {row.name.removeprefix(_TARGET) for row in await tx.rows(_ANNOUNCED)}


async def tell_of_task(tx: Tx, kind: str, task_id: str, attempts: range | None = None) -> None:
    """Write down what has just happened to a task: one statement where there is nobody to tell.

    A dry run changes nothing, and nobody is told. ``attempts``: only if its cleanup was left incomplete so often.
    """
    row = await tx.row(_OF_TASK, {"of_id": task_id})
    if row is None or (attempts is not None and row.cleanup_attempts not in attempts):
        return
    options = load(row.options) or {}
    if not options.get("dry_run"):
        await _insert(tx, kind, row.app_id, _data(task_id, row, options), task_id)


async def tell_of_application(tx: Tx, kind: str, app_id: str, data: dict[str, Any]) -> None:
    """Write down what has become of an application."""
    if await tx.row(_IS_SOMEBODY) is not None:
        await _insert(tx, kind, app_id, {"appId": app_id, **data})


async def _insert(tx: Tx, kind: str, app_id: str, data: dict[str, Any], task_id: str | None = None) -> None:
    row = {"id": new_id(), "type": kind, "app_id": app_id, "task_id": task_id, "data": dump(data)}
    await tx.write(_INSERT, row)


def _data(task_id: str, row: Row[Any], options: dict[str, Any]) -> dict[str, Any]:
    return {
        "taskId": task_id,
        "appId": row.app_id,
        "cluster": row.cluster,
        "namespace": options.get("namespace") or "" if row.namespace is None else row.namespace,
        "name": row.app_name,
        "project": options.get("project") or "" if row.project is None else row.project,
        "kind": row.type,
        "revision": row.revision,
        "status": row.status,
        "reason": row.reason,
        "reasonCode": row.reason_code,
        "cleanup": row.cleanup,
        "remaining": row.cleanup_why,
        "user": row.caller,
        "cancelledBy": row.cancelled_by,
        "commit": options.get("commit"),
    }


async def is_news(tx: Tx) -> bool:
    """Whether there may be events that nobody has taken: a question that locks nothing."""
    return await tx.row(_ANY_UNTAKEN) is not None


async def untaken(tx: Tx, most: int) -> list[Event]:
    """Events that nobody has taken yet, the oldest first; locked until the end of the transaction."""
    return [event_of(row) for row in await tx.rows(_UNTAKEN, {"most": most})]


def event_of(row: Row[Any]) -> Event:
    """The record of a row with the columns of the table."""
    return Event(row.seq, row.id, row.type, row.app_id, load(row.data), row.created_at)


async def take(tx: Tx, wanted: Sequence[int], unwanted: Sequence[int]) -> None:
    """Mark those that have deliveries as taken, and delete those that nobody wants."""
    if wanted:
        await tx.write(_TAKE, {"seqs": list(wanted)})
    if unwanted:
        await tx.write(_DROP, {"seqs": list(unwanted)})


async def forget(tx: Tx, older_than: float, most: int) -> int:
    """Delete what was taken so many seconds ago, with its deliveries; how many, of ``most``."""
    seqs = [row.seq for row in await tx.rows(_OLD, {"seconds": older_than, "most": most})]
    if seqs:
        await tx.write(_DROP, {"seqs": seqs})
    return len(seqs)
