"""Forgetting tasks: one that tells nothing more is deleted some time after its end, with its jobs, journal and events.

A task is kept, however old it is,

- while it has not ended, its cleanup is not done, or a person gave that up: objects may be there that only it names;
- while another task of its application is under way, or has a cleanup to do: that may bring back what it found;
- while one of its requests has no answer: it may land yet, and only its token tells whose it is (design R2);
- while a revision is its own;
- while a row of its journal tells what an application has (`holdings`);
- as the newest one of its application.

What is deleted is what nobody asks for any more: `tests/store/test_retention.py`. In half of its scripts the random
proof (`tests/proof`) deletes after each round all that may be deleted, and then goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, delete, exists, select

from kubemin.spec.states import Cleanup, TaskStatus, WriteKind
from kubemin.store import holdings
from kubemin.store.clock import ago
from kubemin.store.columns import among
from kubemin.store.journal import TELLS
from kubemin.store.tables import applications, resources, revisions, tasks, writes
from kubemin.store.tasks.reads import OPEN, lock_application
from kubemin.store.transaction import Tx

PAGE = 1000
"""So many tasks are looked at at once."""
TOGETHER = 100
"""So many are deleted by one transaction: SQLite has one writer, which others wait for."""


@dataclass(frozen=True)
class Old:
    """A task that may be forgotten; ``gone``: its application is."""

    id: str
    app_id: str
    gone: bool


@dataclass(frozen=True)
class Page:
    """What was found among some tasks, oldest first. ``last``: where to go on; None where no older ones are left."""

    old: Sequence[Old]
    last: int | None


_newer = tasks.alias()
_ENDED = and_(
    among(tasks.c.status, [status for status in TaskStatus if status.ended]),
    among(tasks.c.cleanup, (Cleanup.NONE, Cleanup.DONE)),
)
_SPAN = (
    select(tasks.c.seq, (tasks.c.created_at <= ago(bindparam("seconds"))).label("old"))
    .where(tasks.c.seq > bindparam("after"))
    .order_by(tasks.c.seq)
    .limit(bindparam("most"))
)
_BUSY = (
    select(tasks.c.app_id).where(among(tasks.c.status, OPEN)).distinct(),
    select(tasks.c.app_id)
    .where(among(tasks.c.cleanup, (Cleanup.PENDING, Cleanup.RUNNING, Cleanup.INCOMPLETE)))
    .distinct(),
)
_OLD = (
    select(tasks.c.id, tasks.c.app_id, applications.c.id.is_(None).label("gone"))
    .join_from(tasks, applications, applications.c.id == tasks.c.app_id, isouter=True)
    .where(
        tasks.c.seq > bindparam("after"),
        tasks.c.seq <= bindparam("until"),
        _ENDED,
        tasks.c.ended_at <= ago(bindparam("seconds")),
        ~exists().where(revisions.c.app_id == tasks.c.app_id, revisions.c.task_id == tasks.c.id),
        ~exists().where(
            writes.c.task_id == tasks.c.id, writes.c.answer.is_(None), writes.c.kind != WriteKind.DELETE
        ),  # a DELETE names the very object and its version
        applications.c.id.is_(None)
        | (
            exists().where(_newer.c.app_id == tasks.c.app_id, _newer.c.seq > tasks.c.seq)
            & ~exists().where(resources.c.task_id == tasks.c.id, TELLS)
        ),
    )
    .order_by(tasks.c.seq)
)
_TELLING = (
    select(resources.c.task_id).where(resources.c.task_id.in_(bindparam("ids", expanding=True)), TELLS).distinct()
)
_FORGET = delete(tasks).where(tasks.c.id.in_(bindparam("ids", expanding=True)), _ENDED)


async def page(tx: Tx, seconds: float, after: int = 0) -> Page:
    """Look at some tasks, from ``seq`` on, for those that ended so long ago and may be forgotten."""
    span = await tx.rows(_SPAN, {"after": after, "seconds": seconds, "most": PAGE})
    seqs = [row.seq for row in span if row.old]
    if not seqs:
        return Page([], None)
    busy = {row.app_id for statement in _BUSY for row in await tx.rows(statement)}
    rows = await tx.rows(_OLD, {"after": after, "until": seqs[-1], "seconds": seconds})
    old = [Old(row.id, row.app_id, bool(row.gone)) for row in rows if row.app_id not in busy]
    return Page(old, seqs[-1] if len(seqs) == len(span) == PAGE else None)


async def forget(tx: Tx, old: Sequence[Old]) -> int:
    """Delete those of these tasks, at most `TOGETHER`, that still tell nothing; how many.

    The last task of an application leaves rows that tell of objects which went after it ended: they are told here.
    """
    for app_id in sorted({one.app_id for one in old if one.gone}):
        await lock_application(tx, app_id)
        await holdings.tell_no_more(tx, app_id)
    ids = [one.id for one in old]
    telling = {row.task_id for row in await tx.rows(_TELLING, {"ids": ids})}
    return await tx.write(_FORGET, {"ids": [task_id for task_id in ids if task_id not in telling]})
