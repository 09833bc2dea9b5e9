"""How many tasks there are, by status and cleanup: for metrics."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import func, select

from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store.clock import past
from kubemin.store.tables import tasks
from kubemin.store.transaction import Tx


class TaskCounts(NamedTuple):
    """Numbers of tasks. Every status and every cleanup state has its number, also 0.

    ``oldest_waiting``: seconds for which the oldest waiting task has waited, 0 if none does. ``leases_held``: tasks
    whose lease is valid; ``leases_expired``: tasks whose worker is gone, and that wait to be taken over.
    """

    statuses: Mapping[TaskStatus, int]
    cleanups: Mapping[Cleanup, int]
    oldest_waiting: float
    leases_held: int
    leases_expired: int


async def count_tasks(tx: Tx) -> TaskCounts:
    """Count all tasks."""
    statuses, cleanups = Counter(dict.fromkeys(TaskStatus, 0)), Counter(dict.fromkeys(Cleanup, 0))
    counted = select(tasks.c.status, tasks.c.cleanup, func.count().label("number"))
    for row in await tx.rows(counted.group_by(tasks.c.status, tasks.c.cleanup)):
        statuses[TaskStatus(row.status)] += row.number
        cleanups[Cleanup(row.cleanup)] += row.number
    oldest = await tx.scalar(select(func.min(tasks.c.created_at)).where(tasks.c.status == TaskStatus.WAITING))
    leased = await tx.scalar(select(func.count(tasks.c.lease_expires_at)))
    expired = await tx.scalar(select(func.count()).select_from(tasks).where(past(tasks.c.lease_expires_at)))
    return TaskCounts(
        statuses,
        cleanups,
        max(0.0, (await tx.now() - oldest).total_seconds()) if oldest else 0.0,
        leased - expired,
        expired,
    )
