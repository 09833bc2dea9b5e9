"""Namespaces that tasks made: whether who made one has let go of it, and who is at work in it (design R10)."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, bindparam, select

from kubemin.spec.states import Cleanup, JobStatus, Purpose, ResourceState, TaskStatus
from kubemin.store.columns import among
from kubemin.store.tables import applications, jobs, resources, tasks
from kubemin.store.transaction import Tx, load


@dataclass(frozen=True)
class Made:
    """A Namespace that a task made.

    ``writers``: the tasks that wrote it. ``dependents``: what is known to have been in it at first.
    ``held``: an application that has made it is there, and its removal would remove it. ``let_go``: it is not held, or
    a removal was to remove it. ``under_way``: a task that has to do with it is at work, or tries its cleanup again.
    """

    writers: frozenset[str]
    dependents: dict[str, list[str]]
    held: bool
    let_go: bool
    under_way: bool


async def made(tx: Tx, cluster: str, uid: str) -> Made | None:
    """What is known of the Namespace with this uid; None where no task of this cluster made it."""
    rows = await tx.rows(_ROWS, {"of_cluster": cluster, "of_uid": uid})
    applied = [row for row in rows if row.purpose == Purpose.APPLY]
    makers = [row for row in applied if row.new and row.state in (ResourceState.CREATED, ResourceState.KEPT)]
    if not makers:
        return None
    dependents: dict[str, list[str]] = {}
    for row in rows:
        dependents |= {} if row.dependents is None else load(row.dependents)
    removed = any(row.purpose == Purpose.REMOVE for row in rows)
    held = any(row.state == ResourceState.CREATED and row.app_id is not None for row in makers)
    writers = frozenset(row.task_id for row in applied)
    under_way = any(_is_under_way(row) for row in rows)
    return Made(writers, dependents, held=held, let_go=removed or not held, under_way=under_way)


def _is_under_way(row: Row[Any]) -> bool:
    return not TaskStatus(row.status).ended or row.cleanup in _TO_BE_TRIED


async def at_work_in(tx: Tx, task_id: str, namespace: str) -> str | None:
    """A task of another application of the same cluster that has begun, and has something to bring into a namespace.

    What is not there yet tells nobody in the cluster that the namespace is needed. A task that waits has not looked.
    """
    row = await tx.row(_AT_WORK, {"of_task": task_id, "of_namespace": namespace})
    return None if row is None else str(row.id)


_TO_BE_TRIED = (Cleanup.PENDING, Cleanup.RUNNING, Cleanup.INCOMPLETE)
_ROWS = (
    select(resources.c.task_id, resources.c.purpose, resources.c.state, resources.c.dependents)
    .add_columns(tasks.c.status, tasks.c.cleanup)
    .add_columns(resources.c.before.is_(None).label("new"), applications.c.id.label("app_id"))
    .join_from(resources, tasks, tasks.c.id == resources.c.task_id)
    .join(applications, applications.c.id == tasks.c.app_id, isouter=True)
    .where(resources.c.uid == bindparam("of_uid"), resources.c.kind == "Namespace")
    .where(tasks.c.cluster == bindparam("of_cluster"))
    .order_by(tasks.c.seq, resources.c.seq)
)
_ITSELF = tasks.alias("itself")
_AT_WORK = (
    select(tasks.c.id)
    .join_from(_ITSELF, tasks, and_(tasks.c.cluster == _ITSELF.c.cluster, tasks.c.app_id != _ITSELF.c.app_id))
    .join(jobs, jobs.c.task_id == tasks.c.id)
    .where(_ITSELF.c.id == bindparam("of_task"), among(tasks.c.status, (TaskStatus.QUEUED, TaskStatus.RUNNING)))
    .where(jobs.c.namespace == bindparam("of_namespace"), jobs.c.status != JobStatus.SKIPPED)
    .limit(1)
)
