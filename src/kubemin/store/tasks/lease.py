"""Holding a task: claim, renew, guard, release. The database's clock decides, inside each statement.

``lease_expires_at`` is set exactly while a task needs a holder: ``queued``, ``running``, or ended with its cleanup
``pending`` or ``running``. So whatever has an expired lease is to be taken over, and nothing else is looked at.
"""

from collections.abc import Mapping

from sqlalchemy import Select, and_, case, func, or_, select, tuple_, union_all, update

from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store.clock import after, now, past
from kubemin.store.errors import Duplicate, LeaseLost
from kubemin.store.tables import tasks
from kubemin.store.tasks.record import WHOLE, Task, to_task
from kubemin.store.transaction import Tx

_CANDIDATES = 64
"""How many tasks a claimer looks at. The others' rows are skipped, so it should exceed the number of claimers."""


async def claim_next(tx: Tx, worker: str, lease_seconds: float, max_attempts: int) -> Task | None:
    """Take one task that needs a worker, with a lease and an epoch of its own; None if none does.

    First what has lost its holder: a task going forward (``attempt`` + 1, at most ``max_attempts`` + 1: whoever gets a
    task with more attempts than allowed fails it and rolls it back), or an ended one whose cleanup is unsettled or due
    again (``cleanup`` becomes ``running``, ``attempt`` stays). Else the oldest waiting task (→ ``queued``) of the
    application, among those without an active task, that was served least recently.
    """
    seq = await _take_over(tx, worker, lease_seconds, max_attempts)
    if seq is None:
        seq = await _take_waiting(tx, worker, lease_seconds)
    if seq is None:
        return None
    row = await tx.row(WHOLE.where(tasks.c.seq == seq))
    assert row is not None
    tx.locked.add(row.id)
    return to_task(tx, row)


async def _take_over(tx: Tx, worker: str, lease_seconds: float, max_attempts: int) -> int | None:
    for (seq,) in sorted(await tx.rows(_WITHOUT_WORKER)):
        row = await tx.row(_locking(select(tasks.c.status, tasks.c.attempt).where(tasks.c.seq == seq, _NEEDS_WORKER)))
        if row is None:
            continue
        if TaskStatus(row.status).ended:
            progress: dict[str, object] = {"cleanup": Cleanup.RUNNING, "next_cleanup_at": None}
        else:
            progress = {"attempt": min(row.attempt, max_attempts) + 1, "claimed_at": now()}
        await tx.write(update(tasks).where(tasks.c.seq == seq).values(**progress, **_lease(worker, lease_seconds)))
        return int(seq)
    return None


async def _take_waiting(tx: Tx, worker: str, lease_seconds: float) -> int | None:
    for (seq,) in await tx.rows(_OLDEST_WAITING):
        row = await tx.row(
            _locking(select(tasks.c.seq).where(tasks.c.seq == seq, tasks.c.status == TaskStatus.WAITING))
        )
        if row is None:
            continue
        claim = update(tasks).where(tasks.c.seq == seq)
        claim = claim.values(
            status=TaskStatus.QUEUED,
            active_app=tasks.c.app_id,
            attempt=tasks.c.attempt + 1,
            claimed_at=now(),
            **_lease(worker, lease_seconds),
        )
        try:
            await tx.tentative(claim)
        except Duplicate:
            continue  # another task of the application became active since we looked
        return int(seq)
    return None


def _oldest_waiting() -> Select[tuple[int]]:
    """The oldest waiting task of each application without an active one, the least recently served one first."""
    head = (
        select(tasks.c.app_id, func.min(tasks.c.seq).label("seq"))
        .where(tasks.c.status == TaskStatus.WAITING)
        .group_by(tasks.c.app_id)
        .subquery()
    )
    holder, former = tasks.alias("holder"), tasks.alias("former")
    served = select(func.max(former.c.claimed_at)).where(former.c.app_id == head.c.app_id).scalar_subquery()
    return (
        select(head.c.seq)
        # "is not null" tells the planner that holders are few, whatever the number of tasks.
        .outerjoin(holder, and_(holder.c.active_app == head.c.app_id, holder.c.active_app.is_not(None)))
        .where(holder.c.seq.is_(None))
        .order_by(func.coalesce(served, 0.0), head.c.seq)
        .limit(_CANDIDATES)
    )


# Built once: it takes longer to build than to run.
_OLDEST_WAITING = _oldest_waiting()
_NEEDS_WORKER = or_(past(tasks.c.lease_expires_at), past(tasks.c.next_cleanup_at))
_WITHOUT_WORKER = union_all(
    select(tasks.c.seq).where(past(tasks.c.lease_expires_at)), select(tasks.c.seq).where(past(tasks.c.next_cleanup_at))
).limit(_CANDIDATES)


def _locking(statement: Select[*tuple[object, ...]]) -> Select[*tuple[object, ...]]:
    return statement.with_for_update(skip_locked=True)  # nothing on SQLite, which has one writer


def _lease(worker: str, seconds: float) -> dict[str, object]:
    return {
        "lease_owner": worker,
        "lease_epoch": tasks.c.lease_epoch + 1,
        "lease_expires_at": after(seconds),
        "updated_at": now(),
    }


async def renew(tx: Tx, worker: str, held: Mapping[str, int], lease_seconds: float) -> set[str]:
    """Extend the leases of ``held`` (task id → epoch); returns the ids still ours. An expired one is lost."""
    if not held:
        return set()
    ours = (
        tuple_(tasks.c.id, tasks.c.lease_epoch).in_(list(held.items())),
        tasks.c.lease_owner == worker,
        tasks.c.lease_expires_at > now(),
    )
    await tx.write(update(tasks).where(*ours).values(lease_expires_at=after(lease_seconds)))
    return {row.id for row in await tx.rows(select(tasks.c.id).where(*ours))}


async def guard(tx: Tx, task_id: str, epoch: int) -> None:
    """Begin a transaction that relies on the lease (design R1). Raises `LeaseLost` unless it is ours and living."""
    # A SELECT would be no fence: the write holds the row until the commit, so that no takeover comes between.
    living = (tasks.c.id == task_id, tasks.c.lease_epoch == epoch, tasks.c.lease_expires_at > now())
    if await tx.write(update(tasks).where(*living).values(updated_at=now())) != 1:
        raise LeaseLost(task_id, epoch)
    tx.locked.add(task_id)


async def release(tx: Tx, task_id: str, epoch: int, *, count: bool = True) -> bool:
    """Hand a task over: whoever asks next gets it. Unless ``count``, the attempt that ends so counts for nothing."""
    back = 0 if count else case((tasks.c.status.in_((TaskStatus.QUEUED, TaskStatus.RUNNING)), 1), else_=0)
    statement = (
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.lease_epoch == epoch, tasks.c.lease_owner.is_not(None))
        .values(lease_owner=None, lease_expires_at=now(), attempt=tasks.c.attempt - back, updated_at=now())
    )
    landed = await tx.write(statement) == 1
    if landed:
        tx.locked.add(task_id)
    return landed
