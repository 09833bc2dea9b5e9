"""Reading tasks."""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple

from sqlalchemy import bindparam, func, not_, or_, select, union_all, update

from kubemin.spec.ids import ID_LENGTH
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store.clock import past
from kubemin.store.columns import among
from kubemin.store.sight import Sight, of_seen_tasks
from kubemin.store.tables import applications, tasks, workflows
from kubemin.store.tasks import commits
from kubemin.store.tasks.record import BRIEF, HASHED, WHOLE, Task, to_task
from kubemin.store.transaction import Tx, chunks

OPEN = tuple(status for status in TaskStatus if not status.ended)
UNSETTLED = (Cleanup.PENDING, Cleanup.RUNNING)
UNDER_WAY = or_(among(tasks.c.status, OPEN), among(tasks.c.cleanup, UNSETTLED))
"""The task has not ended, or its cleanup is not settled."""

_BY_ID = tasks.c.id == bindparam("of_id")
_WHOLE_BY_ID = WHOLE.where(_BY_ID)
_PROJECT = select(applications.c.project).where(applications.c.id == tasks.c.app_id).scalar_subquery()
_BRIEF_BY_ID = BRIEF.with_only_columns(
    *(column for column in BRIEF.selected_columns if column.key != "project"),
    func.coalesce(_PROJECT, tasks.c.project).label("project"),
).where(_BY_ID)
_OF_APP = tasks.c.app_id == bindparam("of_app")
# Two questions, each with an index of its own: as one it would read all tasks that the application ever had.
_ACTIVE_OF = union_all(
    BRIEF.where(_OF_APP, among(tasks.c.status, OPEN)),
    BRIEF.where(_OF_APP, among(tasks.c.cleanup, UNSETTLED), not_(among(tasks.c.status, OPEN))),
)
_CLUSTER_OF = select(tasks.c.cluster).where(_BY_ID)
_LOCK_APPLICATION = (
    update(applications).where(applications.c.id == bindparam("of_app")).values(id=applications.c.id)
)  # a write that changes nothing locks the row on all three databases
_BY_KEY = HASHED.where(
    tasks.c.caller == bindparam("of_caller"),
    tasks.c.app_id == bindparam("of_app"),
    tasks.c.idempotency_key == bindparam("of_key"),
)
_STATUSES = select(
    *(tasks.c[name] for name in ("id", "status", "lease_epoch", "reason", "promoted_hold", "lease_commits"))
).where(tasks.c.id.in_(bindparam("ids", expanding=True)))

_UNDER_WAY_OF = select(tasks.c.id).where(tasks.c.id.in_(bindparam("ids", expanding=True)), UNDER_WAY)


_LEFT = select(tasks.c.id).where(_BY_ID, or_(past(tasks.c.lease_expires_at), past(tasks.c.next_cleanup_at)))


class LeaseStatus(NamedTuple):
    """What a worker reads of its tasks every second."""

    status: TaskStatus
    lease_epoch: int
    reason: str
    promoted_hold: int
    lease_commits: int

    def is_of(self, epoch: int, stored: int) -> bool:
        """Whether the row is of this claim, and knows this commit of it: else it was taken over, or set back."""
        return self.lease_epoch == epoch and commits.is_known(stored, self.lease_commits)


async def get(tx: Tx, task_id: str) -> Task | None:
    """One task, with ``spec`` and ``plan``."""
    row = await tx.row(_WHOLE_BY_ID, {"of_id": task_id})
    return None if row is None else to_task(tx, row)


async def brief(tx: Tx, task_id: str) -> Task | None:
    """One task, without ``spec`` and ``plan``: they may be large.

    ``project`` is the one that its application is in now; of an application that is gone, the one that it was in.
    """
    row = await tx.row(_BRIEF_BY_ID, {"of_id": task_id})
    return None if row is None else to_task(tx, row)


async def lock_application(tx: Tx, app_id: str) -> bool:
    """Lock the application's row until the end of the transaction; False if there is none.

    To be called before a decision about an application that depends on its other tasks.
    """
    return await tx.write(_LOCK_APPLICATION, {"of_app": app_id}) == 1


async def active_of(tx: Tx, app_id: str) -> list[Task]:
    """The application's tasks that have not ended, or whose cleanup is not settled; oldest first."""
    found = [to_task(tx, row) for row in await tx.rows(_ACTIVE_OF, {"of_app": app_id})]
    return sorted(found, key=lambda task: task.seq)


async def by_idempotency_key(tx: Tx, caller: str, app_id: str, key: str) -> Task | None:
    """The task that a caller's key made."""
    row = await tx.row(_BY_KEY, {"of_caller": caller, "of_app": app_id, "of_key": key})
    return None if row is None else to_task(tx, row)


async def beginning_with(tx: Tx, text: str, limit: int, sight: Sight = None) -> list[str]:
    """Ids of tasks of what is seen that begin with the text; of many only some."""
    # The range is for the index: which LIKE may use it depends on the database's collation.
    ranged = tasks.c.id.between(text, text.ljust(ID_LENGTH, "z"))
    statement = select(tasks.c.id).where(ranged, tasks.c.id.startswith(text, autoescape=True)).order_by(tasks.c.id)
    statement = of_seen_tasks(statement, sight)
    return [row.id for row in await tx.rows(statement.limit(limit))]


async def statuses(tx: Tx, ids: Collection[str]) -> dict[str, LeaseStatus]:
    """What a worker goes by, of each of these tasks that exists."""
    return {
        row.id: LeaseStatus(TaskStatus(row.status), row.lease_epoch, row.reason, row.promoted_hold, row.lease_commits)
        for row in await tx.rows(_STATUSES, {"ids": list(ids)})
    }


async def promoted_hold(tx: Tx, task_id: str) -> int:
    """The ``seq`` of the last hold of a task that somebody promoted, 0 if nobody did."""
    return int(await tx.scalar(select(tasks.c.promoted_hold).where(tasks.c.id == task_id)))


async def is_left(tx: Tx, task_id: str) -> bool:
    """Whether a task has begun and needs a worker that takes it up: its last one is gone, or its cleanup is due."""
    return await tx.row(_LEFT, {"of_id": task_id}) is not None


async def under_way(tx: Tx, ids: Collection[str]) -> set[str]:
    """Those of these tasks that have not ended, or whose cleanup is not settled."""
    found: set[str] = set()
    for part in chunks(ids):
        found |= {row.id for row in await tx.rows(_UNDER_WAY_OF, {"ids": part})}
    return found


async def page(
    tx: Tx,
    *,
    status: str | None = None,
    app_id: str | None = None,
    cluster: str | None = None,
    since: datetime | None = None,
    after: int | None = None,
    limit: int = 1000,
    offset: int = 0,
    sight: Sight = None,
) -> list[Task]:
    """Tasks of what is seen, newest first: of a status, of an application, of a cluster, created at ``since`` or later.

    ``after`` is the ``seq`` of the last one that is known: what comes after it costs the same on each page, where
    ``offset`` tasks are read to be left out.

    Of a cluster with few tasks the newest of all are read until there are enough: with an index of theirs, SQLite
    claims tasks by that one, and then a claim reads the whole history.
    """
    statement = BRIEF.order_by(tasks.c.seq.desc()).limit(limit).offset(offset or None)
    if status is not None:
        # As a word of the statement: which index is read depends on how many tasks have this very status.
        statement = statement.where(among(tasks.c.status, [TaskStatus(status)]))
    if app_id is not None:
        statement = statement.where(tasks.c.app_id == app_id)
    if cluster is not None:
        statement = statement.where(tasks.c.cluster == cluster)
    if after is not None:
        statement = statement.where(tasks.c.seq < after)
    found = [to_task(tx, row) for row in await tx.rows(of_seen_tasks(statement, sight))]
    # They were created in their order: as a condition, the database would read all older ones to find no more.
    return list(takewhile(lambda task: since is None or task.created_at >= since, found))


async def cluster_of(tx: Tx, task_id: str) -> str | None:
    """The cluster of a task that exists."""
    found: str | None = await tx.scalar(_CLUSTER_OF, {"of_id": task_id})
    return found


async def latest_of_workflows(tx: Tx, app_id: str) -> Mapping[str, Task]:
    """The newest task of each of an application's workflows that are there, by workflow id."""
    mine = (tasks.c.workflow_id == workflows.c.id, tasks.c.app_id == workflows.c.app_id)
    newest = select(tasks.c.seq).where(*mine).order_by(tasks.c.seq.desc()).limit(1)
    seqs = select(newest.correlate(workflows).scalar_subquery()).where(workflows.c.app_id == app_id)
    found = [seq for (seq,) in await tx.rows(seqs) if seq is not None]
    rows = await tx.rows(BRIEF.where(tasks.c.seq.in_(found))) if found else []
    return {row.workflow_id: to_task(tx, row) for row in rows}
