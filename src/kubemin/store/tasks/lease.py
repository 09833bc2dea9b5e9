"""Leases: claim, renew, guard, release. Each statement compares with the database's clock.

``lease_expires_at`` is set exactly while a task needs a worker: it is ``queued`` or ``running``, or has ended and its
cleanup is ``pending`` or ``running``. So a task whose lease has expired is to be taken over: no other column is needed
to find it.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select, and_, bindparam, case, func, or_, select, tuple_, union_all, update

from kubemin.spec.names import DEFAULT_CLUSTER
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store.clock import after, now, past
from kubemin.store.columns import among
from kubemin.store.errors import Duplicate, LeaseLost
from kubemin.store.tables import tasks
from kubemin.store.tasks import commits
from kubemin.store.tasks.record import CLAIMED, Task, to_claimed
from kubemin.store.transaction import Tx

_CANDIDATES = 64
"""How many tasks one claim reads. It skips rows that other workers have locked, so this should exceed their number."""


async def claim_next(
    tx: Tx, worker: str, lease_seconds: float, max_attempts: int, clusters: Collection[str] = (DEFAULT_CLUSTER,)
) -> Task | None:
    """Take one task as `claim` does; None if none needs a worker."""
    return next(iter(await claim(tx, worker, lease_seconds, max_attempts, 1, clusters)), None)


async def claim(
    tx: Tx,
    worker: str,
    lease_seconds: float,
    max_attempts: int,
    most: int,
    clusters: Collection[str] = (DEFAULT_CLUSTER,),
    but: Collection[int] = (),
) -> list[Task]:
    """Take up to ``most`` tasks of these clusters that need a worker, each with a lease and an epoch of its own.

    First those that have lost their worker. If one goes forward, its ``attempt`` is increased, to at most
    ``max_attempts`` + 1: the worker that gets it with more attempts than allowed fails it and rolls it back. If it has
    ended and its cleanup is not settled, or due again, the cleanup becomes ``running``, and ``attempt`` stays.

    Then waiting tasks, which become ``queued``: the oldest one of each application without an active task. Of several
    applications the one comes first whose last task was claimed the longest time ago.

    Tasks with a ``seq`` in ``but`` are passed over. Raises `UnreadableTask`: then the transaction is to be rolled back.
    """
    of = {"clusters": list(clusters)}
    seqs = await _take_over(tx, worker, lease_seconds, max_attempts, most, of, but)
    if len(seqs) < most:
        seqs += await _take_waiting(tx, worker, lease_seconds, most - len(seqs), of, but)
    if not seqs:
        return []
    rows = {row.seq: row for row in await tx.rows(_CLAIMED, {"seqs": seqs})}
    tx.locked |= {row.id for row in rows.values()}
    return [to_claimed(tx, rows[seq]) for seq in seqs]


async def _take_over(
    tx: Tx,
    worker: str,
    lease_seconds: float,
    max_attempts: int,
    most: int,
    of: Mapping[str, list[str]],
    but: Collection[int],
) -> list[int]:
    # Candidates are read without locks, so that claims do not wait for each other. Each is then locked, with SKIP
    # LOCKED, and checked again: another worker may have claimed it in between. Sorted: the same order everywhere,
    # oldest first.
    taken: list[int] = []
    for (seq,) in sorted(await tx.rows(_WITHOUT_WORKER, of)):
        if len(taken) == most:
            break
        if seq in but:
            continue
        row = await tx.row(_LOCK_WITHOUT_WORKER, {"of_seq": seq})
        if row is None:
            continue
        lease = {"of_seq": seq, **_new_lease(worker, lease_seconds)}
        if TaskStatus(row.status).ended:
            await tx.write(_TAKE_CLEANUP, lease)
        else:
            await tx.write(_TAKE_FORWARD, {**lease, "attempt": min(row.attempt, max_attempts) + 1})
        taken.append(seq)
    return taken


async def _take_waiting(
    tx: Tx, worker: str, lease_seconds: float, most: int, of: Mapping[str, list[str]], but: Collection[int]
) -> list[int]:
    left = [seq for (seq,) in await tx.rows(_OLDEST_WAITING, of) if seq not in but]
    taken: list[int] = []
    while left and len(taken) < most:
        wanted = most - len(taken)
        part, left = left[:wanted], left[wanted:]
        locked = {seq for (seq,) in await tx.rows(_LOCK_WAITING, {"seqs": part})}
        taken += await _queue(tx, [seq for seq in part if seq in locked], worker, lease_seconds)
    return taken


async def _queue(tx: Tx, seqs: list[int], worker: str, lease_seconds: float) -> list[int]:
    """Those of these waiting tasks, of different applications and locked, that could be taken."""
    if not seqs:
        return []
    try:
        await tx.tentative(_TAKE_WAITING, {"seqs": seqs, **_new_lease(worker, lease_seconds)})
    except Duplicate:
        # The unique ``active_app`` decides, not the SELECT before: another task of one of the applications has become
        # active since. Only this statement is undone; one by one the others are taken.
        if len(seqs) == 1:
            return []
        return [one for seq in seqs for one in await _queue(tx, [seq], worker, lease_seconds)]
    return seqs


def _new_lease(worker: str, seconds: float) -> dict[str, Any]:
    return {"lease_owner": worker, "seconds": seconds, "lease_commits": commits.first()}


_OF_CLUSTERS = tasks.c.cluster.in_(bindparam("clusters", expanding=True))


def _oldest_waiting() -> Select[tuple[int]]:
    """The oldest waiting task of each application without an active one, the least recently served one first."""
    head = (
        select(tasks.c.app_id, func.min(tasks.c.seq).label("seq"))
        .where(tasks.c.status == TaskStatus.WAITING, _OF_CLUSTERS)
        .group_by(tasks.c.app_id)
        .subquery()
    )
    holder, former = tasks.alias("holder"), tasks.alias("former")
    # An application's tasks are claimed in their order, so its last claim is that of the one before the oldest waiting.
    claimed = select(former.c.claimed_at).where(
        former.c.app_id == head.c.app_id, former.c.seq < head.c.seq, former.c.claimed_at.is_not(None)
    )
    served = claimed.order_by(former.c.seq.desc()).limit(1).scalar_subquery()
    return (
        select(head.c.seq)
        # "is not null" lets the planner use the index of the few active tasks instead of joining all tasks.
        .outerjoin(holder, and_(holder.c.active_app == head.c.app_id, holder.c.active_app.is_not(None)))
        .where(holder.c.seq.is_(None))
        .order_by(func.coalesce(served, 0.0), head.c.seq)
        .limit(_CANDIDATES)
    )


# Built once: building the statement takes longer than running it.
_OLDEST_WAITING = _oldest_waiting()
_NEEDS_WORKER = or_(past(tasks.c.lease_expires_at), past(tasks.c.next_cleanup_at))
_WITHOUT_WORKER = union_all(
    select(tasks.c.seq).where(past(tasks.c.lease_expires_at), _OF_CLUSTERS),
    select(tasks.c.seq).where(past(tasks.c.next_cleanup_at), _OF_CLUSTERS),
).limit(_CANDIDATES)


_ONE = tasks.c.seq == bindparam("of_seq")
_SEVERAL = tasks.c.seq.in_(bindparam("seqs", expanding=True))
_CLAIMED = CLAIMED.where(_SEVERAL)
# SQLite has only one writer: there "for update" does nothing.
_LOCK_WITHOUT_WORKER = select(tasks.c.status, tasks.c.attempt).where(_ONE, _NEEDS_WORKER)
_LOCK_WITHOUT_WORKER = _LOCK_WITHOUT_WORKER.with_for_update(skip_locked=True)
_LOCK_WAITING = select(tasks.c.seq).where(_SEVERAL, tasks.c.status == TaskStatus.WAITING)
_LOCK_WAITING = _LOCK_WAITING.with_for_update(skip_locked=True)

_EXTENDED = after(bindparam("seconds"))
_LEASE = {"lease_epoch": tasks.c.lease_epoch + 1, "lease_expires_at": _EXTENDED, "updated_at": now()}
"""Executed with `_new_lease`."""
_TAKE_CLEANUP = update(tasks).where(_ONE).values(_LEASE | {"cleanup": Cleanup.RUNNING, "next_cleanup_at": None})
_TAKE_FORWARD = update(tasks).where(_ONE).values(_LEASE | {"claimed_at": now()})
_TAKE_WAITING = update(tasks).where(_SEVERAL)
_TAKE_WAITING = _TAKE_WAITING.values(
    _LEASE
    | {
        "status": TaskStatus.QUEUED,
        "active_app": tasks.c.app_id,
        "attempt": tasks.c.attempt + 1,
        "claimed_at": now(),
    }
)

_LIVING = tasks.c.lease_expires_at > now()
_RENEWED = (
    tuple_(tasks.c.id, tasks.c.lease_epoch).in_(bindparam("held", expanding=True)),
    tasks.c.lease_owner == bindparam("of_worker"),
    _LIVING,
)
_RENEW = update(tasks).where(*_RENEWED).values(lease_expires_at=_EXTENDED)
_OURS = select(tasks.c.id).where(*_RENEWED)
_GUARD = (
    update(tasks)
    .where(tasks.c.id == bindparam("of_id"), tasks.c.lease_epoch == bindparam("of_epoch"), *commits.KNOWN, _LIVING)
    .values(updated_at=now(), lease_commits=commits.HIGHEST)
)


async def renew(tx: Tx, worker: str, held: Mapping[str, int], lease_seconds: float) -> set[str]:
    """Extend the leases of ``held`` (task id → epoch); returns the ids that are still ours.

    An expired lease is not extended.
    """
    if not held:
        return set()
    ours = {"held": list(held.items()), "of_worker": worker}
    await tx.write(_RENEW, {**ours, "seconds": lease_seconds})
    return {row.id for row in await tx.rows(_OURS, ours)}


async def guard(tx: Tx, task_id: str, epoch: int, stored: int = 0, number: int = 0) -> None:
    """The first statement of a transaction that needs the lease (design R1).

    ``number``: of this commit, counted from the claim's ``lease_commits``. ``stored``: the highest one that is known to
    be stored; 0: no matter. Raises `LeaseLost` if we no longer hold it, or the row was set back, and lacks ``stored``.
    """
    # A SELECT would not be enough. The UPDATE locks the row until the commit, so no other worker can take it over
    # before.
    mine = {"of_id": task_id, "of_epoch": epoch, "number": number, **commits.known(stored)}
    if await tx.write(_GUARD, mine) != 1:
        raise LeaseLost(task_id, epoch)
    tx.locked.add(task_id)


async def release(tx: Tx, task_id: str, epoch: int, *, count: bool = True) -> bool:
    """Give a task up: the next worker that claims gets it. Without ``count`` this attempt is not counted."""
    back = 0 if count else case((among(tasks.c.status, (TaskStatus.QUEUED, TaskStatus.RUNNING)), 1), else_=0)
    statement = (
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.lease_epoch == epoch, tasks.c.lease_owner.is_not(None))
        .values(lease_owner=None, lease_expires_at=now(), attempt=tasks.c.attempt - back, updated_at=now())
    )
    landed = await tx.write(statement) == 1
    if landed:
        tx.locked.add(task_id)
    return landed
