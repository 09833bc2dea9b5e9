"""From a task's rows to what the wire shows. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from kubemin.api.models.base import unix
from kubemin.api.models.tasks import (
    CleanupReply,
    FieldHistory,
    HoldReply,
    Remaining,
    ResourceChanges,
    ResourceReply,
    StageReply,
    TaskChanges,
    TaskComponent,
    TaskRow,
    TaskStages,
    TaskStatusReply,
)
from kubemin.api.progress import component_status
from kubemin.engine.entry.diffs import RowChange
from kubemin.engine.options import ExecOptions
from kubemin.spec.acting import Identity
from kubemin.spec.reason_codes import advice_for
from kubemin.spec.states import PAUSE_KIND, Cleanup, JobStatus, Purpose, ResourceState, TaskStatus
from kubemin.spec.warnings import warnings_in
from kubemin.store.jobs import JobRow, ref_of
from kubemin.store.journal import Brief, ResourceRow
from kubemin.store.tasks import Task

_OPEN_CLEANUP = (Cleanup.PENDING, Cleanup.RUNNING, Cleanup.INCOMPLETE, Cleanup.ABANDONED)
_ROLLBACK: Mapping[Cleanup, JobStatus] = {
    Cleanup.PENDING: JobStatus.QUEUED,
    Cleanup.RUNNING: JobStatus.RUNNING,
    Cleanup.DONE: JobStatus.COMPLETED,
    Cleanup.INCOMPLETE: JobStatus.FAILED,
    Cleanup.ABANDONED: JobStatus.FAILED,
}


def status(
    task: Task,
    jobs: Sequence[JobRow],
    journal: Sequence[Brief],
    evidence: Sequence[str],
    behind: Sequence[Task],
    last_event_id: int,
    why_it_waits: str | None = None,
) -> TaskStatusReply:
    """A task in full; ``behind`` are those that it waits for."""
    return TaskStatusReply(
        task_id=task.id,
        status=task.status,
        cleanup=_cleanup(task, journal),
        reason=task.reason,
        reason_code=task.reason_code,
        advice=advice_for(task.reason_code),
        cancelled_by=task.cancelled_by or "",
        request_id=task.request_id,
        cancel_request_id=task.cancel_request_id,
        workflow_id=task.workflow_id,
        workflow_name=task.workflow_name,
        app_id=task.app_id,
        app_name=task.app_name,
        cluster=task.cluster,
        type=task.type,
        create_time=int(task.created_at.timestamp()),
        start_time=unix(task.started_at),
        end_time=unix(task.ended_at),
        attempt=task.attempt,
        worker=task.lease_owner or "",
        acting_as=None if task.acting_as is None else Identity.read(task.acting_as).user,
        revision=task.revision,
        queued_behind=[other.id for other in behind],
        waits_because=why_it_waits,
        components=[_component(task, mine) for mine in _by_component(jobs)],
        evidence=list(evidence),
        hold=_hold(task, jobs),
        restore=ExecOptions.read(task.options).restore,
        last_event_id=last_event_id,
    )


def _hold(task: Task, jobs: Sequence[JobRow]) -> HoldReply | None:
    """What the task waits for just now, if it is in a hold."""
    held = next((job for job in jobs if job.kind == PAUSE_KIND and job.status is JobStatus.RUNNING), None)
    if held is None or task.status.ended:
        return None
    since = unix(held.started_at)
    return HoldReply(seq=held.seq, name=held.object_name, component=held.component, info=held.info, since=since)


def _by_component(jobs: Iterable[JobRow]) -> list[list[JobRow]]:
    """The jobs of each component, components in the order of their first job."""
    found: dict[str, list[JobRow]] = {}
    for job in jobs:
        if not job.component:
            continue  # a pause
        found.setdefault(job.component, []).append(job)
    return list(found.values())


def _component(task: Task, jobs: Sequence[JobRow]) -> TaskComponent:
    starts = [job.started_at for job in jobs if job.started_at]
    ends = [job.ended_at for job in jobs if job.ended_at]
    state = component_status(task.status, [job.status for job in jobs])
    ended = len(ends) == len(jobs)
    failed = next((job for job in jobs if job.error), None)
    code = failed.reason_code if failed else None
    return TaskComponent(
        name=jobs[0].component,
        type=jobs[0].component_type,
        status=state,
        error=failed.error if failed else "",
        warnings=[f"{job.kind}/{job.object_name}: {one}" for job in jobs for one in warnings_in(job.info)],
        reason_code=code,
        advice=advice_for(code),
        start_time=unix(min(starts, default=None)),
        end_time=unix(max(ends)) if ended else unix(task.ended_at),
    )


def _cleanup(task: Task, journal: Sequence[Brief]) -> CleanupReply:
    states = [row.state for row in journal]
    left = [row for row in journal if not row.state.settled and row.state is not ResourceState.OBSERVED]
    if task.status is TaskStatus.COMPLETED:
        left = [row for row in left if row.purpose.lets_go]
    incomplete = task.cleanup is Cleanup.INCOMPLETE
    return CleanupReply(
        state=task.cleanup,
        created=sum(_made_by_us(row) for row in journal),
        deleted=states.count(ResourceState.DELETED),
        restored=states.count(ResourceState.RESTORED),
        unchanged=states.count(ResourceState.UNCHANGED),
        kept=states.count(ResourceState.KEPT),
        released=states.count(ResourceState.RELEASED),
        volumes=[_remaining(row) for row in journal if _is_kept_volume(row)],
        remaining=[_remaining(row) for row in left] if task.cleanup in _OPEN_CLEANUP else [],
        abandoned=task.cleanup_why if task.cleanup is Cleanup.ABANDONED else None,
        exceptions=[
            Remaining(kind=row.ref.kind, namespace=row.ref.namespace, name=row.ref.name, why=why)
            for row in (journal if task.cleanup is Cleanup.DONE and task.status is not TaskStatus.COMPLETED else [])
            if (why := _not_as_it_was(row))
        ],
        attempts=task.cleanup_attempts if incomplete else None,
        next_time=unix(task.next_cleanup_at) if incomplete else None,
    )


def _remaining(row: Brief) -> Remaining:
    return Remaining(kind=row.ref.kind, namespace=row.ref.namespace, name=row.ref.name, why=row.why)


def _is_kept_volume(row: Brief) -> bool:
    removed = row.purpose is Purpose.REMOVE and row.state is ResourceState.KEPT
    return removed and row.ref.kind == "PersistentVolumeClaim"


_AS_IT_WAS = (ResourceState.DELETED, ResourceState.RESTORED, ResourceState.UNCHANGED, ResourceState.OBSERVED)


def _not_as_it_was(row: Brief) -> str:
    """Why an object is not as it was before a task whose rollback is done; empty where it is."""
    if row.purpose is Purpose.REMOVE:
        return "it was deleted, which cannot be taken back" if row.state is ResourceState.DELETED else ""
    if row.purpose.lets_go:
        return "it was released, which cannot be taken back" if row.state is ResourceState.RELEASED else ""
    if row.purpose is Purpose.USE or row.state in _AS_IT_WAS:
        return ""
    return row.why or "it is left as it is: the cleanup was to cover the job that failed, and no other"


def _made_by_us(row: Brief) -> bool:
    """The object was not there before: it has a uid of ours, and nothing that it replaced."""
    fate = (ResourceState.CREATED, ResourceState.DELETED, ResourceState.LOST)
    return row.purpose is Purpose.APPLY and row.new and row.uid is not None and row.state in fate


def stages(task: Task, jobs: Sequence[JobRow]) -> TaskStages:
    """One stage a job, and the rollback or removal last, if there is one."""
    shown = [
        StageReply(
            id=job.seq,
            name=job.name,
            type=job.kind,
            step=job.step,
            stage=job.stage,
            component=job.component,
            ref=ref_of(job.kind, job.namespace, job.object_name),
            status=job.status,
            start_time=unix(job.started_at),
            end_time=unix(job.ended_at),
            info=job.info,
            error=job.error,
            reason_code=job.reason_code,
            advice=advice_for(job.reason_code),
        )
        for job in jobs
    ]
    if task.cleanup in _ROLLBACK:
        done, failed = task.cleanup is Cleanup.DONE, _ROLLBACK[task.cleanup] is JobStatus.FAILED
        undoing = "removal" if task.status is TaskStatus.COMPLETED else "rollback"
        shown.append(
            StageReply(
                id=max((job.seq for job in jobs), default=0) + 1,
                name=undoing,
                type=undoing,
                status=_ROLLBACK[task.cleanup],
                start_time=unix(task.ended_at),
                end_time=unix(task.updated_at) if done else None,
                info="" if failed else task.cleanup_why,
                error=task.cleanup_why if failed else "",
            )
        )
    return TaskStages(
        task_id=task.id,
        status=task.status,
        type=task.type,
        workflow_id=task.workflow_id,
        workflow_name=task.workflow_name,
        app_id=task.app_id,
        stages=shown,
    )


def row(task: Task, aliases: Mapping[str, str]) -> TaskRow:
    """A task in a list; ``aliases`` are those of workflows, by id."""
    return TaskRow(
        id=task.id,
        task_id=task.id,
        app_id=task.app_id,
        name=task.app_name,
        cluster=task.cluster,
        status=task.status,
        cleanup=task.cleanup,
        workflow_id=task.workflow_id,
        workflow_name=task.workflow_name,
        workflow_display_name=aliases.get(task.workflow_id) or task.workflow_name,
        type=task.type,
        create_time=task.created_at,
        start_time=task.started_at,
        end_time=task.ended_at,
        update_time=task.updated_at,
    )


def cursor(found: Sequence[Task], size: int) -> str | None:
    """Where a list goes on of which so many are shown; None where no more were found."""
    return str(found[size - 1].seq) if len(found) > size else None


def resource(entry: Brief | ResourceRow) -> ResourceReply:
    """A row of the journal."""
    return ResourceReply(
        seq=entry.seq,
        job=entry.job_seq,
        purpose=entry.purpose,
        kind=entry.ref.kind,
        api_version=entry.ref.api_version,
        namespace=entry.ref.namespace,
        name=entry.ref.name,
        state=entry.state,
        uid=entry.uid or "",
        why=entry.why,
        at=entry.updated_at,
    )


def changes(found: Iterable[RowChange]) -> TaskChanges:
    """What a task changed."""
    return TaskChanges(
        changes=[
            ResourceChanges(
                **resource(one.row).model_dump(by_alias=False),
                fields=[
                    FieldHistory(path=path, before=was, applied=wrote, now=now) for path, was, wrote, now in one.fields
                ],
            )
            for one in found
        ]
    )
