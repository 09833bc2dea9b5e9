"""Reading tasks."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, or_, select, update

from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store.columns import among
from kubemin.store.tables import applications, tasks
from kubemin.store.tasks.record import BRIEF, WHOLE, Task, to_task
from kubemin.store.transaction import Tx, chunks

OPEN = tuple(status for status in TaskStatus if not status.ended)
UNSETTLED = (Cleanup.PENDING, Cleanup.RUNNING)
UNDER_WAY = or_(among(tasks.c.status, OPEN), among(tasks.c.cleanup, UNSETTLED))
"""The task has not ended, or its cleanup is not settled."""

_BY_ID = tasks.c.id == bindparam("of_id")
_WHOLE_BY_ID = WHOLE.where(_BY_ID)
_BRIEF_BY_ID = BRIEF.where(_BY_ID)
_ACTIVE_OF = BRIEF.where(tasks.c.app_id == bindparam("of_app"), UNDER_WAY).order_by(tasks.c.seq)
_LOCK_APPLICATION = (
    update(applications).where(applications.c.id == bindparam("of_app")).values(id=applications.c.id)
)  # a write that changes nothing locks the row on all three databases
_BY_KEY = BRIEF.where(
    tasks.c.caller == bindparam("of_caller"),
    tasks.c.app_id == bindparam("of_app"),
    tasks.c.idempotency_key == bindparam("of_key"),
)
_STATUSES = select(*(tasks.c[name] for name in ("id", "status", "lease_epoch", "reason", "promoted_hold"))).where(
    tasks.c.id.in_(bindparam("ids", expanding=True))
)


class LeaseStatus(NamedTuple):
    """What a worker reads of its tasks every second."""

    status: TaskStatus
    lease_epoch: int
    reason: str
    promoted_hold: int


async def get(tx: Tx, task_id: str) -> Task | None:
    """One task, with ``spec`` and ``plan``."""
    row = await tx.row(_WHOLE_BY_ID, {"of_id": task_id})
    return None if row is None else to_task(tx, row)


async def brief(tx: Tx, task_id: str) -> Task | None:
    """One task, without ``spec`` and ``plan``: they may be large."""
    row = await tx.row(_BRIEF_BY_ID, {"of_id": task_id})
    return None if row is None else to_task(tx, row)


async def lock_application(tx: Tx, app_id: str) -> bool:
    """Lock the application's row until the end of the transaction; False if there is none.

    To be called before a decision about an application that depends on its other tasks.
    """
    return await tx.write(_LOCK_APPLICATION, {"of_app": app_id}) == 1


async def active_of(tx: Tx, app_id: str) -> list[Task]:
    """The application's tasks that have not ended, or whose cleanup is not settled; oldest first."""
    return [to_task(tx, row) for row in await tx.rows(_ACTIVE_OF, {"of_app": app_id})]


async def by_idempotency_key(tx: Tx, caller: str, app_id: str, key: str) -> Task | None:
    """The task that a caller's key made."""
    row = await tx.row(_BY_KEY, {"of_caller": caller, "of_app": app_id, "of_key": key})
    return None if row is None else to_task(tx, row)


async def beginning_with(tx: Tx, text: str, limit: int) -> list[str]:
    """Ids of tasks that begin with the text; of many only some."""
    statement = select(tasks.c.id).where(tasks.c.id.startswith(text, autoescape=True)).order_by(tasks.c.id)
    return [row.id for row in await tx.rows(statement.limit(limit))]


async def statuses(tx: Tx, ids: Collection[str]) -> dict[str, LeaseStatus]:
    """What a worker goes by, of each of these tasks that exists."""
    return {
        row.id: LeaseStatus(TaskStatus(row.status), row.lease_epoch, row.reason, row.promoted_hold)
        for row in await tx.rows(_STATUSES, {"ids": list(ids)})
    }


async def promoted_hold(tx: Tx, task_id: str) -> int:
    """The ``seq`` of the last hold of a task that somebody promoted, 0 if nobody did."""
    return int(await tx.scalar(select(tasks.c.promoted_hold).where(tasks.c.id == task_id)))


async def under_way(tx: Tx, ids: Collection[str]) -> set[str]:
    """Those of these tasks that have not ended, or whose cleanup is not settled."""
    found: set[str] = set()
    for part in chunks(ids):
        found |= {row.id for row in await tx.rows(select(tasks.c.id).where(tasks.c.id.in_(part), UNDER_WAY))}
    return found


async def page(
    tx: Tx,
    *,
    status: str | None = None,
    app_id: str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[Task]:
    """Tasks, newest first: of a status, of an application, created at ``since`` or later."""
    statement = BRIEF.order_by(tasks.c.seq.desc())
    if status is not None:
        statement = statement.where(tasks.c.status == status)
    if app_id is not None:
        statement = statement.where(tasks.c.app_id == app_id)
    if since is not None:
        statement = statement.where(tasks.c.created_at >= since)
    if limit is not None:
        statement = statement.limit(limit).offset(offset)
    return [to_task(tx, row) for row in await tx.rows(statement)]


async def latest_of_workflows(tx: Tx, app_id: str) -> Mapping[str, Task]:
    """The newest task of each of an application's workflows, by workflow id."""
    newest = select(func.max(tasks.c.seq)).where(tasks.c.app_id == app_id).group_by(tasks.c.workflow_id)
    rows = await tx.rows(BRIEF.where(tasks.c.seq.in_(newest)))
    return {row.workflow_id: to_task(tx, row) for row in rows}
