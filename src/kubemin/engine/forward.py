"""The forward part of a deploy: its stages one after another, the jobs of a stage together (design §2)."""

import asyncio
from collections.abc import Collection

from kubemin.engine.errors import StatusError, TimedOut
from kubemin.engine.job import JobContext, run_job
from kubemin.plan import Job, Plan, Stage
from kubemin.spec.states import JobStatus


async def run_stages(plan: Plan, done: Collection[int], context: JobContext, seconds: float | None) -> None:
    """Run all stages, but for the jobs that are ``done`` already (by a predecessor).

    Raises the first failure as `StatusError`; `TimedOut` where the whole takes longer than ``seconds``.
    """
    try:
        async with asyncio.timeout(seconds):
            for stage in plan.stages:
                await _run_stage(stage, done, context)
    except TimeoutError:
        raise TimedOut(f"the task was not complete within {seconds:g} s") from None


async def _run_stage(stage: Stage, done: Collection[int], context: JobContext) -> None:
    slots = asyncio.Semaphore(stage.concurrency or max(len(stage.jobs), 1))
    notes: set[asyncio.Task[None]] = set()

    async def run(job: Job) -> None:
        def report(message: str) -> None:
            note = asyncio.create_task(context.journal.job(job.seq, JobStatus.RUNNING, message))
            notes.add(note)
            note.add_done_callback(notes.discard)

        async with slots:
            try:
                await run_job(job, context, report)
            except StatusError as error:
                await context.journal.job(job.seq, JobStatus(error.status), None, error.cause)
                raise

    try:
        async with asyncio.TaskGroup() as group:  # the first failure stops its siblings
            for job in stage.jobs:
                if job.seq not in done:
                    group.create_task(run(job))
    finally:
        if notes:
            await asyncio.wait(notes)
