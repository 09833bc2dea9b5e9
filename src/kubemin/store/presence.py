"""Which workers run the tasks of which clusters: each says so anew while it does."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, bindparam, delete, func, insert, select, update

from kubemin.spec.scope import Scope
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store.clock import after, now
from kubemin.store.columns import among
from kubemin.store.sight import of_seen_tasks
from kubemin.store.tables import cluster_workers, tasks
from kubemin.store.tasks.reads import OPEN
from kubemin.store.transaction import Tx

FRESH_SECONDS = 30.0
"""A worker that has said nothing for so long counts as gone."""

_OF_WORKER = and_(
    cluster_workers.c.cluster == bindparam("of_cluster"), cluster_workers.c.worker == bindparam("of_worker")
)
_SAY = update(cluster_workers).where(_OF_WORKER).values(seen_at=now())
_FRESH = cluster_workers.c.seen_at > after(-FRESH_SECONDS)
_SERVED = select(cluster_workers).where(_FRESH).order_by(cluster_workers.c.cluster, cluster_workers.c.worker)
_LEFT = (Cleanup.PENDING, Cleanup.RUNNING, Cleanup.INCOMPLETE)
_BY_STATUS = (
    select(tasks.c.cluster, tasks.c.status, func.count().label("number"))
    .where(among(tasks.c.status, OPEN))
    .group_by(tasks.c.cluster, tasks.c.status)
)
_BY_CLEANUP = (
    select(tasks.c.cluster, func.count().label("number")).where(among(tasks.c.cleanup, _LEFT)).group_by(tasks.c.cluster)
)


class Sight(NamedTuple):
    """What a worker says of a cluster: its version; ``away`` says why it does not answer, empty where it does."""

    version: str
    away: str


class Serving(NamedTuple):
    """A worker that runs the tasks of a cluster."""

    cluster: str
    worker: str
    version: str
    away: str
    seen_at: datetime


class ClusterTasks(NamedTuple):
    """How many tasks of a cluster have not ended, and how many cleanups are not settled, or are incomplete."""

    waiting: int
    running: int
    cleanups: int


async def say(tx: Tx, worker: str, sights: Mapping[str, Sight]) -> None:
    """Record that the worker serves these clusters, and what it sees of each."""
    for cluster, sight in sights.items():
        seen = {"version": sight.version, "away": sight.away}
        if not await tx.write(_SAY, {"of_cluster": cluster, "of_worker": worker, **seen}):
            await tx.write(delete(cluster_workers).where(cluster_workers.c.seen_at < after(-100 * FRESH_SECONDS)))
            new = insert(cluster_workers).values(cluster=cluster, worker=worker, seen_at=now(), **seen)
            await tx.tentative(new)


async def leave(tx: Tx, worker: str) -> None:
    """Record that the worker serves none any more."""
    await tx.write(delete(cluster_workers).where(cluster_workers.c.worker == worker))


async def served(tx: Tx, cluster: str | None = None) -> list[Serving]:
    """The workers that serve clusters now, or this one; by cluster and name."""
    statement = _SERVED if cluster is None else _SERVED.where(cluster_workers.c.cluster == cluster)
    return [Serving(row.cluster, row.worker, row.version, row.away, row.seen_at) for row in await tx.rows(statement)]


async def why_it_waits(tx: Tx, cluster: str) -> str | None:
    """Why tasks of a cluster wait although their turn has come; None where a worker can take them up."""
    found = await served(tx, cluster)
    if not found:
        return f"no worker serves the cluster {cluster} now"
    away = [one for one in found if one.away]
    return f"the cluster {cluster} does not answer: {away[0].away}" if len(away) == len(found) else None


async def tasks_by_cluster(tx: Tx, sight: Collection[Scope] | None = None) -> dict[str, ClusterTasks]:
    """Of each cluster that has such, those of what is seen."""
    found: dict[str, ClusterTasks] = {}
    for row in await tx.rows(of_seen_tasks(_BY_STATUS, sight)):
        so_far = found.get(row.cluster, NO_TASKS)
        field = "waiting" if row.status == TaskStatus.WAITING else "running"
        found[row.cluster] = so_far._replace(**{field: getattr(so_far, field) + row.number})
    for row in await tx.rows(of_seen_tasks(_BY_CLEANUP, sight)):
        found[row.cluster] = found.get(row.cluster, NO_TASKS)._replace(cleanups=row.number)
    return found


NO_TASKS = ClusterTasks(0, 0, 0)
