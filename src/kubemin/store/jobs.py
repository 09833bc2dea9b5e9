"""Jobs: one row for each job of a task's plan."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, case, func, insert, select, update

from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import PAUSE_KIND, JobStatus
from kubemin.store.clock import now
from kubemin.store.columns import among
from kubemin.store.tables import jobs
from kubemin.store.transaction import Tx, chunks, fields, values_of

_OPEN = tuple(status for status in JobStatus if not status.ended)
_STARTED = (JobStatus.PREPARE, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to insert, as ``queued``. ``seq`` counts within the task, ``stage`` is that of the plan."""

    seq: int
    stage: int
    step: str
    name: str
    component: str
    component_type: str
    kind: str
    namespace: str
    object_name: str
    status: JobStatus = JobStatus.QUEUED


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job as stored."""

    task_id: str
    seq: int
    stage: int
    step: str
    name: str
    component: str
    component_type: str
    kind: str
    namespace: str
    object_name: str
    status: JobStatus
    info: str
    error: str
    reason_code: str | None
    started_at: datetime | None
    ended_at: datetime | None


class JobChange(NamedTuple):
    """A job's new status. ``info``, ``error`` and ``code`` (that of the reason) stay as they are where None."""

    seq: int
    status: JobStatus
    info: str | None = None
    error: str | None = None
    code: str | None = None


class MadeChange(NamedTuple):
    """A change that was made, and where in its task the job is. ``ref``: its object; empty for a hold."""

    change: JobChange
    step: str
    stage: int
    component: str
    ref: str


_PLACE = (jobs.c.seq, *(jobs.c[name] for name in ("step", "stage", "component", "kind", "namespace", "object_name")))
_MINE = jobs.c.task_id == bindparam("of_task")
_IS_OPEN = among(jobs.c.status, _OPEN)
_INSERT = insert(jobs).values(info="", error="")
_OF_TASK = select(jobs).where(_MINE).order_by(jobs.c.seq)
_GOING = select(*_PLACE).where(_MINE, jobs.c.seq.in_(bindparam("seqs", expanding=True)), _IS_OPEN)
_CHANGE = (
    update(jobs)
    .where(_MINE, jobs.c.seq == bindparam("of_seq"), _IS_OPEN)
    .values(
        status=bindparam("to_status", type_=jobs.c.status.type),
        info=func.coalesce(bindparam("to_info", type_=jobs.c.info.type), jobs.c.info),
        error=func.coalesce(bindparam("to_error", type_=jobs.c.error.type), jobs.c.error),
        reason_code=func.coalesce(bindparam("to_code", type_=jobs.c.reason_code.type), jobs.c.reason_code),
        started_at=case((bindparam("begins"), func.coalesce(jobs.c.started_at, now())), else_=jobs.c.started_at),
        ended_at=case((bindparam("ends"), now()), else_=None),
    )
)
_END_OPEN = update(jobs).where(_MINE, _IS_OPEN).values(ended_at=now())
_UNDONE = (
    select(jobs.c.component)
    .where(
        _MINE, among(jobs.c.status, (JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELLED)), jobs.c.component != ""
    )
    .distinct()
    .order_by(jobs.c.component)
)


_COMPONENTS = select(jobs.c.task_id, jobs.c.seq, jobs.c.component).where(
    jobs.c.task_id.in_(bindparam("ids", expanding=True))
)


async def insert_many(tx: Tx, task_id: str, new: Sequence[NewJob]) -> None:
    """Store the jobs of a plan. Raises `Duplicate` if a ``seq`` is there already."""
    if not new:
        return
    await tx.write(_INSERT, [{"task_id": task_id, **values_of(job)} for job in new])


async def set_many(tx: Tx, task_id: str, changes: Sequence[JobChange]) -> list[MadeChange]:
    """Make changes in order; returns those that were made. A job that has ended does not change any more.

    The start is stamped when a job first leaves ``queued`` for ``prepare`` or ``running``, the end when it ends.
    """
    if not (made := await _landing(tx, task_id, changes)):
        return []
    await tx.write(_CHANGE, [{"of_task": task_id, **row} for row in _rows([one.change for one in made])])
    return made


def _rows(changes: Sequence[JobChange]) -> list[dict[str, Any]]:
    """One row for each job, with what is left of its changes."""
    rows: dict[int, dict[str, Any]] = {}
    for change in changes:
        row = rows.setdefault(
            change.seq, {"of_seq": change.seq, "to_info": None, "to_error": None, "to_code": None, "begins": False}
        )
        row |= {"to_status": change.status, "ends": change.status.ended}
        row["begins"] = row["begins"] or change.status in _STARTED
        told = {"to_info": change.info, "to_error": change.error, "to_code": change.code}
        row |= {name: value for name, value in told.items() if value is not None}
    return list(rows.values())


async def undo(tx: Tx, task_id: str, seqs: Collection[int], status: JobStatus, why: str) -> list[MadeChange]:
    """End jobs whose step is put back, completed ones too, as ``status``; returns the changes.

    What has failed by itself, or was skipped, stays as it is.
    """
    changed = (*_OPEN, JobStatus.COMPLETED)
    mine = (jobs.c.task_id == task_id, jobs.c.seq.in_(seqs), jobs.c.status.in_(changed))
    found = await tx.rows(select(*_PLACE).where(*mine).order_by(jobs.c.seq))
    await tx.write(update(jobs).where(*mine).values(status=status, error=why, ended_at=now()))
    return [_made(JobChange(row.seq, status, None, why), row) for row in found]


async def undone_components(tx: Tx, task_id: str) -> list[str]:
    """Of a task that goes on, or completed: the components whose step failed, and was put back."""
    return [row.component for row in await tx.rows(_UNDONE, {"of_task": task_id})]


async def components_of(tx: Tx, jobs_of: Collection[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """The components of these jobs, by task and ``seq``; none where a task has no such job."""
    rows: list[Row[Any]] = []
    for part in chunks({task_id for task_id, _ in jobs_of}):
        rows += await tx.rows(_COMPONENTS, {"ids": part})
    found = {(str(row.task_id), int(row.seq)): str(row.component) for row in rows}
    return {job: found[job] for job in jobs_of if job in found}


async def running_for(tx: Tx, task_id: str, seq: int) -> float:
    """For how many seconds a job runs, by the database's clock."""
    began = await tx.scalar(select(jobs.c.started_at).where(jobs.c.task_id == task_id, jobs.c.seq == seq))
    return (await tx.now() - began).total_seconds() if began else 0.0


async def holds_of(tx: Tx, task_id: str) -> list[JobRow]:
    """The holds of a task, in order."""
    held = (jobs.c.task_id == task_id, jobs.c.kind == PAUSE_KIND)
    rows = await tx.rows(select(jobs).where(*held).order_by(jobs.c.seq))
    return [_job(row) for row in rows]


async def _landing(tx: Tx, task_id: str, changes: Sequence[JobChange]) -> list[MadeChange]:
    """The changes, without those of jobs that have ended before."""
    if not changes:
        return []
    seqs = sorted({change.seq for change in changes})
    going = {row.seq: row for row in await tx.rows(_GOING, {"of_task": task_id, "seqs": seqs})}
    landing = []
    for change in changes:
        if change.seq in going:
            landing.append(_made(change, going[change.seq]))
            if change.status.ended:
                del going[change.seq]
    return landing


def _made(change: JobChange, row: Row[Any]) -> MadeChange:
    return MadeChange(change, row.step, row.stage, row.component, ref_of(row.kind, row.namespace, row.object_name))


def ref_of(kind: str, namespace: str, name: str) -> str:
    """A job's object, as ``Kind/namespace/name``; empty for a hold, which has none."""
    return "" if kind == PAUSE_KIND else str(ObjectRef(kind, namespace, name))


async def end_open(tx: Tx, task_id: str, status: JobStatus, error: str = "", code: str | None = None) -> int:
    """End every job of a task that has not ended; returns how many."""
    return await tx.write(_END_OPEN, {"of_task": task_id, "status": status, "error": error, "reason_code": code})


async def of_task(tx: Tx, task_id: str) -> list[JobRow]:
    """A task's jobs in order."""
    return [_job(row) for row in await tx.rows(_OF_TASK, {"of_task": task_id})]


def _job(row: Row[Any]) -> JobRow:
    return JobRow(**{**fields(row), "status": JobStatus(row.status)})
