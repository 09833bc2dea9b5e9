"""What a list of applications says beside their rows, and what of all tasks waits, runs or is left undone."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, literal_column, select, true

from kubemin.spec.states import Cleanup, RevisionState, TaskStatus, TaskType
from kubemin.store.clock import past
from kubemin.store.errors import Unreadable
from kubemin.store.sight import Sight, of_seen_tasks, seen_tasks
from kubemin.store.tables import applications, revisions, tasks
from kubemin.store.tasks.record import BRIEF, Task, to_task
from kubemin.store.transaction import Tx, chunks


class NewestTask(NamedTuple):
    """The task of an application that was recorded last."""

    id: str
    type: TaskType
    status: TaskStatus
    cleanup: Cleanup
    created_at: datetime
    ended_at: datetime | None


class Deployed(NamedTuple):
    """An application's current revision; ``spec`` as in `revisions`."""

    revision: int
    spec: Any


_NONE_YET: ColumnElement[Any] = literal_column("0")
"""Before every time. SQLite takes the index for a comparison, and reads the whole history for IS NOT NULL."""
_OF = applications.c.id.in_(bindparam("ids", expanding=True))
_NEWEST = select(tasks.c.seq).where(tasks.c.app_id == applications.c.id).order_by(tasks.c.seq.desc()).limit(1)
_NEWEST_TASKS = select(*(tasks.c[name] for name in ("app_id", *NewestTask._fields))).where(
    tasks.c.seq.in_(select(_NEWEST.correlate(applications).scalar_subquery()).where(_OF))
)
_DEPLOYED = select(revisions.c.app_id, revisions.c.number, revisions.c.spec).where(
    revisions.c.app_id.in_(bindparam("ids", expanding=True)), revisions.c.state == RevisionState.CURRENT
)
_WAITING = (
    select(tasks.c.app_id, func.count().label("number"))
    .where(tasks.c.status == TaskStatus.WAITING, tasks.c.app_id.in_(bindparam("ids", expanding=True)))
    .group_by(tasks.c.app_id)
)


async def newest_tasks(tx: Tx, app_ids: Collection[str]) -> dict[str, NewestTask]:
    """Of each of these applications that has one."""
    return {
        row.app_id: NewestTask(
            row.id, TaskType(row.type), TaskStatus(row.status), Cleanup(row.cleanup), row.created_at, row.ended_at
        )
        for part in chunks(app_ids)
        for row in await tx.rows(_NEWEST_TASKS, {"ids": part})
    }


async def deployed(tx: Tx, app_ids: Collection[str]) -> dict[str, Deployed]:
    """Of each of these applications that has something in the cluster. One that cannot be opened hides no other."""
    return {
        row.app_id: Deployed(row.number, _spec(tx, row))
        for part in chunks(app_ids)
        for row in await tx.rows(_DEPLOYED, {"ids": part})
    }


def _spec(tx: Tx, row: Row[Any]) -> Any:
    try:
        return tx.unseal(row.spec, revisions.c.spec, row.app_id, row.number)
    except Unreadable:
        return {"component": []}


async def waiting(tx: Tx, app_ids: Collection[str]) -> dict[str, int]:
    """How many tasks of each of these applications no worker has begun; one without such is left out."""
    return {row.app_id: row.number for part in chunks(app_ids) for row in await tx.rows(_WAITING, {"ids": part})}


class WorkerLeases(NamedTuple):
    """The tasks that a worker holds. ``expired``: leases that it did not renew; others may take these tasks."""

    worker: str
    tasks: int
    expired: int
    since: datetime | None
    leased_until: datetime


class Queue(NamedTuple):
    """Tasks that wait for a worker; ``namespace`` is empty where their application is gone."""

    cluster: str
    namespace: str
    tasks: int
    oldest: datetime


async def workers(tx: Tx, cluster: str | None = None) -> list[WorkerLeases]:
    """Those that hold a task, or one of this cluster, by name; one that has nothing to do is in no row of the database.

    Of a cluster only its tasks are counted.
    """
    held = select(
        tasks.c.lease_owner.label("worker"),
        func.count().label("tasks"),
        func.min(tasks.c.claimed_at).label("since"),
        func.min(tasks.c.lease_expires_at).label("until"),
    ).where(tasks.c.lease_owner.is_not(None), tasks.c.lease_expires_at > _NONE_YET, _in(cluster))
    late = select(tasks.c.lease_owner.label("worker"), func.count().label("tasks")).where(
        tasks.c.lease_owner.is_not(None), past(tasks.c.lease_expires_at), _in(cluster)
    )
    expired = {row.worker: row.tasks for row in await tx.rows(late.group_by(tasks.c.lease_owner))}
    rows = await tx.rows(held.group_by(tasks.c.lease_owner).order_by(tasks.c.lease_owner))
    return [WorkerLeases(row.worker, row.tasks, expired.get(row.worker, 0), row.since, row.until) for row in rows]


async def queues(tx: Tx, sight: Sight = None, cluster: str | None = None) -> list[Queue]:
    """What waits of what is seen, by cluster, or in this one, and namespace; the longest queue first."""
    namespace = applications.c.namespace
    statement = (
        select(tasks.c.cluster, namespace, func.count().label("tasks"), func.min(tasks.c.created_at).label("oldest"))
        .outerjoin_from(tasks, applications, applications.c.id == tasks.c.app_id)
        .where(tasks.c.status == TaskStatus.WAITING, _in(cluster))
        .group_by(tasks.c.cluster, namespace)
    )
    if sight is not None:
        statement = statement.where(seen_tasks(sight))
    found = [Queue(row.cluster, row.namespace or "", row.tasks, row.oldest) for row in await tx.rows(statement)]
    return sorted(found, key=lambda one: (-one.tasks, one.cluster, one.namespace))


async def incomplete(tx: Tx, limit: int, sight: Sight = None, cluster: str | None = None) -> tuple[list[Task], int]:
    """The tasks of what is seen, or of this cluster of it, whose cleanup is incomplete: the newest, and how many."""
    is_so = and_(tasks.c.cleanup == Cleanup.INCOMPLETE, _in(cluster))
    rows = await tx.rows(of_seen_tasks(BRIEF.where(is_so), sight).order_by(tasks.c.seq.desc()).limit(limit))
    counted = of_seen_tasks(select(func.count()).select_from(tasks).where(is_so), sight)
    total = len(rows) if len(rows) < limit else await tx.scalar(counted)
    return [to_task(tx, row) for row in rows], total


def _in(cluster: str | None) -> ColumnElement[bool]:
    return true() if cluster is None else tasks.c.cluster == cluster
