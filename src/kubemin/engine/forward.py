"""The forward part of a deploy: its stages one after another, the jobs of a stage together (design §2)."""

import asyncio
from collections.abc import Collection

from kubemin.engine.errors import StatusError, TimedOut
from kubemin.engine.job import JobContext, run_job
from kubemin.plan import Job, Plan, Stage
from kubemin.spec.states import JobStatus

_NAMED = 5
"""How many jobs a timeout names."""


async def run_stages(plan: Plan, done: Collection[int], context: JobContext, seconds: float | None) -> None:
    """Run all stages, but for the jobs that are ``done`` already (by a predecessor).

    Raises the first failure as `StatusError`; `TimedOut` where the whole takes longer than ``seconds``.
    """
    waits: dict[int, str] = {}
    try:
        async with asyncio.timeout(seconds):
            for stage in plan.stages:
                await _run_stage(stage, done, context, waits)
    except TimeoutError:
        jobs = {job.seq: job for job in plan.jobs}
        named = "; ".join(f"{jobs[seq].ref}: {message}" for seq, message in sorted(waits.items())[:_NAMED])
        raise TimedOut(
            f"the task was not complete within {seconds:g} s{named and f'; it waited for {named}'}"
        ) from None


async def _run_stage(stage: Stage, done: Collection[int], context: JobContext, waits: dict[int, str]) -> None:
    slots = asyncio.Semaphore(stage.concurrency or max(len(stage.jobs), 1))
    notes: set[asyncio.Task[None]] = set()

    async def run(job: Job) -> None:
        def report(message: str) -> None:
            waits[job.seq] = message
            note = asyncio.create_task(context.journal.job(job.seq, JobStatus.RUNNING, message))
            notes.add(note)
            note.add_done_callback(notes.discard)

        async with slots:
            try:
                await run_job(job, context, report)
                waits.pop(job.seq, None)
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
