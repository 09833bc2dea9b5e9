"""Holds: a run waits until somebody promotes it, or for some seconds."""

import asyncio

from kubemin.engine.deploy.job import JobContext
from kubemin.engine.errors import TimedOut
from kubemin.plan import Hold
from kubemin.spec.states import JobStatus


async def wait_out(hold: Hold, context: JobContext) -> None:
    """Wait until the hold is over, and commit that it is.

    The time that it has taken counts from its first beginning, by the database's clock: a successor goes on waiting.
    Raises `TimedOut` where nobody promoted it in time.
    """
    journal, promotions, activity = context.journal, context.promotions, context.activity
    if not promotions.passed(hold.seq):
        journal.job_begins(hold.seq, hold.waits)
        activity.suspend(hold.seq, suspended=True)  # it waits for a person, which is no want of activity
        try:
            await _until_over(hold, context)
        finally:
            activity.suspend(hold.seq, suspended=False)
    journal.job(hold.seq, JobStatus.COMPLETED, None if promotions.passed(hold.seq) else "")


async def _until_over(hold: Hold, context: JobContext) -> None:
    seconds = hold.timeout_seconds if hold.seconds is None else hold.seconds
    held = await context.journal.held_for(hold.seq)
    try:
        async with asyncio.timeout(None if seconds is None else max(0.0, seconds - held)):
            await context.promotions.until(hold.seq)
    except TimeoutError:
        if hold.seconds is not None:
            return
        why = f"nobody promoted {hold.name!r} within {seconds:g} s"
        if await context.journal.time_out_hold(hold.seq, why):
            raise TimedOut(why) from None
        context.promotions.set(hold.seq)
