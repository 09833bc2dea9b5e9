"""How many tasks are under way, by status and cleanup: for metrics. Of what is over there may be very much."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store.clock import past
from kubemin.store.columns import among
from kubemin.store.tables import applications, tasks
from kubemin.store.tasks.reads import OPEN
from kubemin.store.transaction import Tx

_LEFT = (Cleanup.PENDING, Cleanup.RUNNING, Cleanup.INCOMPLETE, Cleanup.ABANDONED)
_BY_STATUS = (
    select(tasks.c.status, func.count().label("number")).where(among(tasks.c.status, OPEN)).group_by(tasks.c.status)
)
_BY_CLEANUP = (
    select(tasks.c.cleanup, func.count().label("number")).where(among(tasks.c.cleanup, _LEFT)).group_by(tasks.c.cleanup)
)
_OLDEST = select(func.min(tasks.c.created_at)).where(tasks.c.status == TaskStatus.WAITING)
_OLDEST_BY_CLUSTER = (
    select(tasks.c.cluster, func.min(tasks.c.created_at).label("oldest"))
    .where(tasks.c.status == TaskStatus.WAITING)
    .group_by(tasks.c.cluster)
)
_NAMESPACES = 20
_OLDEST_BY_NAMESPACE = (
    select(applications.c.namespace, func.min(tasks.c.created_at).label("oldest"))
    .join(applications, applications.c.id == tasks.c.app_id)
    .where(tasks.c.status == TaskStatus.WAITING)
    .group_by(applications.c.namespace)
    .order_by(func.min(tasks.c.created_at), applications.c.namespace)
    .limit(_NAMESPACES)
)
_LEASED = select(func.count()).select_from(tasks).where(tasks.c.lease_expires_at > 0)
_EXPIRED = select(func.count()).select_from(tasks).where(past(tasks.c.lease_expires_at))


class TaskCounts(NamedTuple):
    """Numbers of tasks, also where they are 0.

    ``statuses`` are those of tasks that have not ended, ``cleanups`` those that are under way or left something.
    ``oldest_waiting``: seconds for which the oldest waiting task has waited, 0 if none does;
    ``oldest_by_cluster``: the same for each cluster whose tasks wait; ``oldest_by_namespace``: for the namespaces that
    wait longest, 20 at most. ``leases_held``: tasks whose lease is valid; ``leases_expired``: tasks whose worker is
    gone, and that wait to be taken over.
    """

    statuses: Mapping[TaskStatus, int]
    cleanups: Mapping[Cleanup, int]
    oldest_waiting: float
    oldest_by_cluster: Mapping[str, float]
    oldest_by_namespace: Mapping[str, float]
    leases_held: int
    leases_expired: int


async def count_tasks(tx: Tx) -> TaskCounts:
    """Count the tasks that are not over."""
    statuses, cleanups = dict.fromkeys(OPEN, 0), dict.fromkeys(_LEFT, 0)
    statuses |= {TaskStatus(row.status): row.number for row in await tx.rows(_BY_STATUS)}
    cleanups |= {Cleanup(row.cleanup): row.number for row in await tx.rows(_BY_CLEANUP)}
    oldest, leased, expired = [await tx.scalar(one) for one in (_OLDEST, _LEASED, _EXPIRED)]
    by_cluster = await tx.rows(_OLDEST_BY_CLUSTER) if oldest else ()
    by_namespace = await tx.rows(_OLDEST_BY_NAMESPACE) if oldest else ()
    now = await tx.now()

    def age(of: datetime) -> float:
        return max(0.0, (now - of).total_seconds())

    return TaskCounts(
        statuses,
        cleanups,
        age(oldest) if oldest else 0.0,
        {row.cluster: age(row.oldest) for row in by_cluster},
        {row.namespace: age(row.oldest) for row in by_namespace},
        leased - expired,
        expired,
    )
