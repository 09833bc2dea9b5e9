"""The transitions of design §3: each is one conditional UPDATE that reports whether it landed.

A function with an ``epoch`` changes the row only for the worker that holds the lease with this epoch. Terminal states
never change again.
"""

import sys
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, bindparam, case, func, not_, or_, select, update

from kubemin.spec.states import Cleanup, CleanupPolicy, TaskStatus, TaskType
from kubemin.store import outbox, revisions
from kubemin.store.clock import after, now
from kubemin.store.columns import among
from kubemin.store.holdings import tell_again
from kubemin.store.tables import tasks
from kubemin.store.tasks import commits
from kubemin.store.tasks.reads import OPEN, UNSETTLED, brief, lock_application
from kubemin.store.tasks.record import Task
from kubemin.store.transaction import Tx

_GOING_FORWARD = (TaskStatus.QUEUED, TaskStatus.RUNNING)
_ROLLED_BACK = (TaskStatus.FAILED, TaskStatus.TIMEOUT, TaskStatus.CANCELLED)
_NO_HOLDER: dict[str, Any] = {"active_app": None, "lease_owner": None, "lease_expires_at": None}
"""Nothing is left to do: no worker needs to hold the task, and the application's next task may start."""


_FIRST, _WAS_INCOMPLETE = range(1, 2), range(1, sys.maxsize)
"""A cleanup may be tried again for ever: one message is enough, and one when it is done after all."""


_HELD = and_(tasks.c.lease_epoch == bindparam("of_epoch"), *commits.KNOWN, tasks.c.lease_owner.is_not(None))
_IS_GOING_FORWARD = among(tasks.c.status, _GOING_FORWARD)


def _transition(*conditions: ColumnElement[bool], **values: Any) -> Update:
    return update(tasks).where(tasks.c.id == bindparam("of_id"), *conditions).values(**values, updated_at=now())


async def _land(tx: Tx, task_id: str, transition: Update, **values: Any) -> bool:
    landed = await tx.write(transition, {"of_id": task_id, **values}) == 1
    if landed:
        tx.locked.add(task_id)
    return landed


_OF_TASK = select(tasks.c.app_id, tasks.c.revision, tasks.c.type).where(tasks.c.id == bindparam("of_id"))
_START = _transition(
    _HELD,
    tasks.c.lease_expires_at > now(),
    _IS_GOING_FORWARD,
    status=TaskStatus.RUNNING,
    started_at=func.coalesce(tasks.c.started_at, now()),
)
_FINISH = _transition(_HELD, _IS_GOING_FORWARD, ended_at=now())
_FINISH_FOR_GOOD = _FINISH.values(_NO_HOLDER)
_CANCEL = _transition(
    among(tasks.c.status, OPEN),
    status=TaskStatus.CANCELLED,
    cleanup=case((tasks.c.lease_epoch == 0, str(Cleanup.NONE)), else_=str(Cleanup.PENDING)),
    cancel_requested_at=now(),
    ended_at=now(),
)
_CANCEL_OF = _CANCEL.where(tasks.c.app_id == bindparam("of_app"))
_PROMOTE = _transition(tasks.c.status == TaskStatus.RUNNING, tasks.c.promoted_hold < bindparam("hold"))
_LOCK_RUNNING = _transition(tasks.c.status == TaskStatus.RUNNING)
_CLEANUP = _transition(_HELD, not_(among(tasks.c.status, OPEN)), among(tasks.c.cleanup, UNSETTLED))
_CLEANUP_SETTLED = _CLEANUP.values(_NO_HOLDER)
_CLEANUP_INCOMPLETE = _CLEANUP_SETTLED.values(cleanup_attempts=tasks.c.cleanup_attempts + 1)
_CLEANUP_DUE_LATER = _CLEANUP_INCOMPLETE.values(next_cleanup_at=after(bindparam("retry_in")))


async def start(tx: Tx, task_id: str, epoch: int, stored: int = 0) -> bool:
    """``queued → running``; a task that was taken over is ``running`` already, and keeps ``started_at``.

    Only under a lease that has not run out; this and ``stored`` as in `lease.guard`.
    """
    return await _land(tx, task_id, _START, of_epoch=epoch, **commits.known(stored))


async def finish(
    tx: Tx,
    task_id: str,
    epoch: int,
    status: TaskStatus,
    reason: str,
    cleanup: Cleanup,
    code: str | None = None,
    *,
    stored: int = 0,
) -> bool:
    """End a task that goes forward, and say what becomes of its revision.

    With ``cleanup`` ``pending`` or ``running`` it keeps its lease and the application's slot; with ``none`` or ``done``
    it gives both up. ``incomplete`` is set by `set_cleanup`, with the time of the next try.
    ``stored``: as in `lease.guard`.
    """
    if not status.ended or cleanup is Cleanup.INCOMPLETE:
        raise ValueError(f"a task cannot end as {status} with cleanup {cleanup}")
    how = _FINISH if cleanup in UNSETTLED else _FINISH_FOR_GOOD
    ends = {"status": status, "reason": reason, "reason_code": code, "cleanup": cleanup}
    landed = await _land(tx, task_id, how, of_epoch=epoch, **commits.known(stored), **ends)
    if landed:
        of = await tx.row(_OF_TASK, {"of_id": task_id})
        assert of is not None
        await revisions.end(tx, of.app_id, of.revision, TaskType(of.type), status)
        await outbox.tell_of_task(tx, f"task.{status}", task_id)
    return landed


async def cancel(
    tx: Tx,
    task_id: str,
    user: str,
    reason: str,
    policy: CleanupPolicy | None = None,
    *,
    app_id: str | None = None,
    request_id: str | None = None,
) -> Task | None:
    """End a task that has not ended as ``cancelled``, and its revision; returns it (brief).

    None if it had ended, or is not of the application ``app_id`` (read the row then).

    ``cleanup`` is ``none`` if no worker ever held the task, else ``pending``: its worker, or the next one, rolls back
    what ``policy`` says; without one, what the task's options say. ``request_id``: of the call that asks for it.
    """
    asked = {"reason": reason, "cancelled_by": user, "cancel_cleanup": policy, "cancel_request_id": request_id}
    how, of = (_CANCEL, {}) if app_id is None else (_CANCEL_OF, {"of_app": app_id})
    if not await _land(tx, task_id, how, **of, **asked):
        return None
    task = await brief(tx, task_id)
    assert task is not None
    await revisions.end(tx, task.app_id, task.revision, task.type, TaskStatus.CANCELLED)
    await outbox.tell_of_task(tx, f"task.{TaskStatus.CANCELLED}", task_id)
    return task


async def promote(tx: Tx, task_id: str, hold: int) -> bool:
    """Let a hold, by its ``seq``, pass; once. The caller has seen that the task is in it, with `lock_running`."""
    return await _land(tx, task_id, _PROMOTE, hold=hold, promoted_hold=hold)


async def lock_running(tx: Tx, task_id: str) -> bool:
    """Lock a running task's row, before a decision that depends on its jobs; False if it does not run."""
    return await _land(tx, task_id, _LOCK_RUNNING)


async def set_cleanup(
    tx: Tx,
    task_id: str,
    epoch: int,
    state: Cleanup,
    why: str | None = None,
    retry_in: float | None = None,
    *,
    stored: int = 0,
) -> bool:
    """Move the cleanup of an ended task that is ``pending`` or ``running``.

    ``none``, ``done`` and ``incomplete`` give up the lease and the application's slot. ``incomplete`` is tried again in
    ``retry_in`` seconds, or only when asked to (None), and says ``why``. ``stored``: as in `lease.guard`.
    """
    moves: dict[str, Any] = {"of_epoch": epoch, **commits.known(stored), "cleanup": state}
    if state in UNSETTLED:
        return await _land(tx, task_id, _CLEANUP, **moves)
    moves["cleanup_why"] = why or ""
    if state is not Cleanup.INCOMPLETE:
        landed = await _land(tx, task_id, _CLEANUP_SETTLED, **moves)
        if landed and state is Cleanup.DONE:
            await outbox.tell_of_task(tx, "cleanup.done", task_id, _WAS_INCOMPLETE)
        return landed
    if retry_in is None:
        landed = await _land(tx, task_id, _CLEANUP_INCOMPLETE, **moves, next_cleanup_at=None)
    else:
        landed = await _land(tx, task_id, _CLEANUP_DUE_LATER, **moves, retry_in=retry_in)
    if landed:
        await outbox.tell_of_task(tx, "cleanup.incomplete", task_id, _FIRST)
    return landed


async def reopen_cleanup(tx: Tx, task_id: str) -> bool:
    """``done → pending``, or ``none → pending`` for a completed task: the next claim takes it.

    For a late request that landed. ``active_app`` stays empty: the cleanup touches only objects with this task's write
    tokens. The epoch is increased, so that a former holder cannot set ``done`` for this new cleanup.
    """
    done = or_(
        and_(among(tasks.c.status, _ROLLED_BACK), tasks.c.cleanup == Cleanup.DONE),
        and_(tasks.c.status == TaskStatus.COMPLETED, among(tasks.c.cleanup, (Cleanup.DONE, Cleanup.NONE))),
    )
    epoch = tasks.c.lease_epoch + 1
    anew = {"cleanup": Cleanup.PENDING, "cleanup_attempts": 0}
    reopens = _transition(done, **anew, lease_epoch=epoch, lease_owner=None, lease_expires_at=now())
    app_id = await tx.scalar(select(tasks.c.app_id).where(tasks.c.id == task_id))
    if app_id is None:
        return False
    await lock_application(tx, app_id)  # before the task's row, as all do: a run that ends leaves rows untold meanwhile
    landed = await _land(tx, task_id, reopens)
    if landed:
        await tell_again(tx, app_id, task_id)
    return landed


async def abandon_cleanup(tx: Tx, task_id: str, why: str) -> bool:
    """``incomplete → abandoned``: it is not tried again. The epoch is increased, as in `reopen_cleanup`."""
    abandons = _transition(
        tasks.c.cleanup == Cleanup.INCOMPLETE,
        cleanup=Cleanup.ABANDONED,
        next_cleanup_at=None,
        lease_epoch=tasks.c.lease_epoch + 1,
    )
    landed = await _land(tx, task_id, abandons, cleanup_why=why)
    if landed:
        await outbox.tell_of_task(tx, "cleanup.abandoned", task_id)
    return landed


async def retry_cleanup_now(tx: Tx, task_id: str) -> bool:
    """Make an ``incomplete`` cleanup due: the next claim takes it."""
    return await _land(tx, task_id, _transition(tasks.c.cleanup == Cleanup.INCOMPLETE, next_cleanup_at=now()))
