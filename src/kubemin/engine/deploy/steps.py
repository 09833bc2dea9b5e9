"""The steps of a workflow: the stages of each one after another, and what becomes of a step that fails."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from kubemin.cluster.errors import ClusterError
from kubemin.cluster.reasons import code_of
from kubemin.engine.deploy.hold import wait_out
from kubemin.engine.deploy.job import JobContext, run_job
from kubemin.engine.deploy.ready import Count
from kubemin.engine.deploy.unchanged import Unchanged
from kubemin.engine.errors import JobFailed, StatusError, TimedOut, deciding
from kubemin.engine.objects.live import Snapshot
from kubemin.plan import Job, Stage
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import JobStatus
from kubemin.spec.workflow import OnFailure
from kubemin.store.jobs import JobRow
from kubemin.telemetry.tracing import span

log = structlog.get_logger(__name__)

FAILED = (JobStatus.FAILED, JobStatus.TIMEOUT)
"""What a job has come to that makes its step fail."""


@dataclass
class Steps:
    """Runs steps. A job, a hold or a step that a former worker has ended is not run again."""

    context: JobContext
    snapshot: Snapshot
    """What was there when the task began."""
    unchanged: Unchanged
    waits: dict[int, str]
    """What each job waits for, for people."""
    done: set[int]
    """The jobs and holds that are over, by ``seq``."""
    failed: Mapping[int, JobRow]
    """The jobs and holds that have failed under a former worker."""

    async def run(self, stages: Sequence[Stage]) -> None:
        """Run the stages of one step. Where it fails, and is to ``continue``, it is put back.

        Raises `StatusError` or `ClusterError` where the task is to fail.
        """
        error = self._failed_before(stages) or await self._failure(stages)
        if error is None:
            return
        if stages[0].on_failure is OnFailure.STOP:
            raise error
        await self._put_back(stages, error)

    def _failed_before(self, stages: Sequence[Stage]) -> StatusError | None:
        """Why the step has failed under a former worker, if it has: a job that has ended is not run again."""
        row = next((self.failed[seq] for stage in stages for seq in stage.seqs if seq in self.failed), None)
        if row is None:
            return None
        code = ReasonCode(row.reason_code) if row.reason_code else ReasonCode.INVALID
        return (TimedOut if row.status is JobStatus.TIMEOUT else JobFailed)(row.error, code)

    async def _failure(self, stages: Sequence[Stage]) -> StatusError | ClusterError | None:
        """Run the stages; returns what failed, if anything did."""
        seconds = stages[0].timeout_seconds
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                for stage in stages:
                    with span("stage", {"kubemin.step": stage.step, "kubemin.stage": stage.index}):
                        await self._run_stage(stage)
        except TimeoutError:
            late = [seq for stage in stages for seq in stage.seqs if seq not in self.done]
            if not limit.expired():
                raise
            return self._timed_out(stages[0].step, seconds or 0.0, late) if late else None
        except (StatusError, ClusterError, BaseExceptionGroup) as error:
            cause = deciding(error)
            if isinstance(cause, StatusError | ClusterError):
                return cause
            raise
        return None

    def _timed_out(self, step: str, seconds: float, late: Sequence[int]) -> TimedOut:
        waited = "; ".join(self.waits[seq] for seq in late if seq in self.waits)
        error = TimedOut(f"step {step!r} was not complete within {seconds:g} s{waited and f'; it waited for {waited}'}")
        for seq in late:
            self.context.journal.job(seq, JobStatus.TIMEOUT, None, error.cause, code=error.code)
        return error

    async def _run_stage(self, stage: Stage) -> None:
        slots = asyncio.Semaphore(stage.concurrency or max(len(stage.jobs), 1))
        async with asyncio.TaskGroup() as group:  # the first failure stops its siblings
            for job in stage.jobs:
                if job.seq not in self.done:
                    group.create_task(self._run_job(job, slots))
        if stage.hold is not None and stage.hold.seq not in self.done:
            self.waits[stage.hold.seq] = f"{stage.hold.name!r}: {stage.hold.waits}"
            await wait_out(stage.hold, self.context)
            self._over(stage.hold.seq)

    async def _run_job(self, job: Job, slots: asyncio.Semaphore) -> None:
        journal = self.context.journal

        def report(
            message: str, count: Count | None = None, *, suspended: bool = False, restarts: bool = False
        ) -> None:
            self.waits[job.seq] = message
            journal.job(job.seq, JobStatus.RUNNING, message, count=count)

        async with slots:
            began, status = time.monotonic(), JobStatus.CANCELLED  # where neither of the below says more
            try:
                with span("job", {"kubemin.object": str(job.ref), "kubemin.component": job.component}):
                    await run_job(job, self.context, self.snapshot, self.unchanged, report)
                self._over(job.seq)
                status = JobStatus.COMPLETED
            except StatusError as error:
                status = JobStatus(error.status)
                journal.job(job.seq, status, None, error.cause, code=error.code)
                raise
            except ClusterError as error:
                status = JobStatus.FAILED
                journal.job(job.seq, status, None, error.message, code=code_of(error))
                raise
            finally:
                self.context.job_ended(job.ref.kind, status, time.monotonic() - began)

    def _over(self, seq: int) -> None:
        self.done.add(seq)
        self.waits.pop(seq, None)

    async def _put_back(self, stages: Sequence[Stage], error: StatusError | ClusterError) -> None:
        """Undo what the step did. It is committed before that it failed, so that a successor does not go on with it.

        Raises `JobFailed` where some of it cannot be undone yet.
        """
        context = self.context
        seqs = [seq for stage in stages for seq in stage.seqs]
        cause = error.cause if isinstance(error, StatusError) else error.message
        said = f"step {stages[0].step!r} failed"
        await context.journal.undo_jobs(seqs, JobStatus.CANCELLED, f"{said}, and is put back: {cause}")
        for seq in seqs:
            self.waits.pop(seq, None)
            context.activity.suspend(seq, suspended=False)
        log.warning("a step failed, and is put back", task=context.journal.lease.task_id, step=stages[0].step)
        context.activity.suspend(seqs[0], suspended=True)  # a rollback has a time limit of its own
        left = await context.put_back({job.ref for stage in stages for job in stage.jobs})
        context.activity.suspend(seqs[0], suspended=False)
        if left:
            named = "; ".join(f"{row.ref}: {row.why}" for row in left)
            code = error.code if isinstance(error, StatusError) else code_of(error)
            raise JobFailed(f"{said} ({cause}), and is not put back completely: {named}", code)
