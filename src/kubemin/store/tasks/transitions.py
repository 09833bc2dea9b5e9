"""The transitions of design §3: each is one conditional UPDATE that reports whether it landed.

A function with an ``epoch`` changes the row only for the worker that holds the lease with this epoch. Terminal states
never change again.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, update

from kubemin.spec.states import Cleanup, CleanupPolicy, TaskStatus
from kubemin.store import revisions
from kubemin.store.clock import after, now
from kubemin.store.tables import tasks
from kubemin.store.tasks.reads import OPEN, UNSETTLED, brief
from kubemin.store.tasks.record import Task
from kubemin.store.transaction import Tx

_GOING_FORWARD = (TaskStatus.QUEUED, TaskStatus.RUNNING)
_ROLLED_BACK = (TaskStatus.FAILED, TaskStatus.TIMEOUT, TaskStatus.CANCELLED)
_NO_HOLDER: dict[str, Any] = {"active_app": None, "lease_owner": None, "lease_expires_at": None}
"""Nothing is left to do: no worker needs to hold the task, and the application's next task may start."""


async def _land(tx: Tx, task_id: str, *conditions: ColumnElement[bool], **values: Any) -> bool:
    statement = update(tasks).where(tasks.c.id == task_id, *conditions).values(**values, updated_at=now())
    landed = await tx.write(statement) == 1
    if landed:
        tx.locked.add(task_id)
    return landed


def _held(epoch: int) -> ColumnElement[bool]:
    return and_(tasks.c.lease_epoch == epoch, tasks.c.lease_owner.is_not(None))


async def start(tx: Tx, task_id: str, epoch: int) -> bool:
    """``queued → running``; a task that was taken over is ``running`` already, and keeps ``started_at``."""
    return await _land(
        tx,
        task_id,
        _held(epoch),
        tasks.c.status.in_(_GOING_FORWARD),
        status=TaskStatus.RUNNING,
        started_at=func.coalesce(tasks.c.started_at, now()),
    )


async def finish(
    tx: Tx, task_id: str, epoch: int, status: TaskStatus, reason: str, cleanup: Cleanup, code: str | None = None
) -> bool:
    """End a task that goes forward, and say what becomes of its revision.

    With ``cleanup`` ``pending`` or ``running`` it keeps its lease and the application's slot; with ``none`` or ``done``
    it gives both up. ``incomplete`` is set by `set_cleanup`, with the time of the next try.
    """
    if not status.ended or cleanup is Cleanup.INCOMPLETE:
        raise ValueError(f"a task cannot end as {status} with cleanup {cleanup}")
    landed = await _land(
        tx,
        task_id,
        _held(epoch),
        tasks.c.status.in_(_GOING_FORWARD),
        status=status,
        reason=reason,
        reason_code=code,
        cleanup=cleanup,
        ended_at=now(),
        **({} if cleanup in UNSETTLED else _NO_HOLDER),
    )
    if landed:
        await revisions.end(tx, task_id, status)
    return landed


async def cancel(tx: Tx, task_id: str, user: str, reason: str, policy: CleanupPolicy | None = None) -> Task | None:
    """End a task that has not ended as ``cancelled``, and its revision; returns it (brief).

    None if it had ended (read the row then).

    ``cleanup`` is ``none`` if no worker ever held the task, else ``pending``: its worker, or the next one, rolls back
    what ``policy`` says; without one, what the task's options say.
    """
    landed = await _land(
        tx,
        task_id,
        tasks.c.status.in_(OPEN),
        status=TaskStatus.CANCELLED,
        reason=reason,
        cleanup=case((tasks.c.lease_epoch == 0, str(Cleanup.NONE)), else_=str(Cleanup.PENDING)),
        cancelled_by=user,
        cancel_requested_at=now(),
        cancel_cleanup=policy,
        ended_at=now(),
    )
    if not landed:
        return None
    await revisions.end(tx, task_id, TaskStatus.CANCELLED)
    return await brief(tx, task_id)


async def promote(tx: Tx, task_id: str, hold: int) -> bool:
    """Let a hold, by its ``seq``, pass; once. The caller has seen that the task is in it, with `lock_running`."""
    later = tasks.c.promoted_hold < hold
    return await _land(tx, task_id, tasks.c.status == TaskStatus.RUNNING, later, promoted_hold=hold)


async def lock_running(tx: Tx, task_id: str) -> bool:
    """Lock a running task's row, before a decision that depends on its jobs; False if it does not run."""
    return await _land(tx, task_id, tasks.c.status == TaskStatus.RUNNING)


async def set_cleanup(
    tx: Tx, task_id: str, epoch: int, state: Cleanup, why: str | None = None, retry_in: float | None = None
) -> bool:
    """Move the cleanup of an ended task that is ``pending`` or ``running``.

    ``none``, ``done`` and ``incomplete`` give up the lease and the application's slot. ``incomplete`` is tried again in
    ``retry_in`` seconds, or only when asked to (None), and says ``why``.
    """
    values: dict[str, Any] = {"cleanup": state}
    if state not in UNSETTLED:
        values |= {**_NO_HOLDER, "cleanup_why": why or ""}
    if state is Cleanup.INCOMPLETE:
        values["cleanup_attempts"] = tasks.c.cleanup_attempts + 1
        values["next_cleanup_at"] = None if retry_in is None else after(retry_in)
    return await _land(
        tx,
        task_id,
        _held(epoch),
        tasks.c.status.not_in(OPEN),
        tasks.c.cleanup.in_(UNSETTLED),
        **values,
    )


async def reopen_cleanup(tx: Tx, task_id: str) -> bool:
    """``done → pending``, or ``none → pending`` for a completed task: the next claim takes it.

    For a late request that landed. ``active_app`` stays empty: the cleanup touches only objects with this task's write
    tokens. The epoch is increased, so that a former holder cannot set ``done`` for this new cleanup.
    """
    return await _land(
        tx,
        task_id,
        or_(
            and_(tasks.c.status.in_(_ROLLED_BACK), tasks.c.cleanup == Cleanup.DONE),
            and_(tasks.c.status == TaskStatus.COMPLETED, tasks.c.cleanup.in_((Cleanup.DONE, Cleanup.NONE))),
        ),
        cleanup=Cleanup.PENDING,
        lease_epoch=tasks.c.lease_epoch + 1,
        lease_owner=None,
        lease_expires_at=now(),
    )


async def abandon_cleanup(tx: Tx, task_id: str, why: str) -> bool:
    """``incomplete → abandoned``: it is not tried again. The epoch is increased, as in `reopen_cleanup`."""
    return await _land(
        tx,
        task_id,
        tasks.c.cleanup == Cleanup.INCOMPLETE,
        cleanup=Cleanup.ABANDONED,
        cleanup_why=why,
        next_cleanup_at=None,
        lease_epoch=tasks.c.lease_epoch + 1,
    )


async def retry_cleanup_now(tx: Tx, task_id: str) -> bool:
    """Make an ``incomplete`` cleanup due: the next claim takes it."""
    return await _land(tx, task_id, tasks.c.cleanup == Cleanup.INCOMPLETE, next_cleanup_at=now())
