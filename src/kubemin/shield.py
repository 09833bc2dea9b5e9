"""Running to the end under a cancel: a sent write or commit is never cut short (design R1, traps 28)."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T] | asyncio.Future[T], grace: float | None = None) -> T:
    """Run ``work`` to its end, whatever happens to the caller meanwhile; return its result or raise its error.

    A cancel that arrives meanwhile is raised when ``work`` has ended, never before: a statement torn in the middle
    leaves a connection in a state nobody knows, and a commit whose outcome nobody waited for. With ``grace``, ``work``
    is given so many seconds after the cancel, and is cancelled then.

    Do not wrap one coroutine in another as ``work``: if the loop ends before the outer one has begun, nobody awaits the
    inner one. Hand a function on instead.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task}, timeout=None if cancelled is None else grace)
        except asyncio.CancelledError as error:
            cancelled = error
        else:
            if not task.done():
                task.cancel()
    if cancelled is not None:
        cause = None if task.cancelled() else task.exception()
        raise cancelled from cause
    return task.result()
