"""Running to the end under a cancel: a sent write or commit is never cut short (design R1, traps 28)."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(
    work: Coroutine[Any, Any, T] | asyncio.Future[T], grace: float | None = None, limit: float | None = None
) -> T:
    """Run ``work`` to its end, whatever happens to the caller meanwhile; return its result or raise its error.

    A cancel that arrives meanwhile is raised when ``work`` has ended, never before: a statement torn in the middle
    leaves a connection in a state nobody knows, and a commit whose outcome nobody waited for. With ``grace``, ``work``
    is given so many seconds after the cancel, and is cancelled then. After ``limit`` seconds in all it is cancelled
    too, and `TimeoutError` raised.

    Do not wrap one coroutine in another as ``work``: if the loop ends before the outer one has begun, nobody awaits the
    inner one. Hand a function on instead.
    """
    # Each statement comes through here: `asyncio.wait` and `asyncio.timeout` would cost more than its own task.
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    expired = False

    def expire() -> None:
        nonlocal expired
        expired = True
        task.cancel()

    timers = [] if limit is None else [loop.call_later(limit, expire)]
    try:
        while not task.done():
            ended = loop.create_future()
            task.add_done_callback(partial(_wake, ended))
            try:
                await ended
            except asyncio.CancelledError as error:
                if cancelled is None and grace is not None:
                    timers.append(loop.call_later(grace, task.cancel))
                cancelled = error
    finally:
        for timer in timers:
            timer.cancel()
    if cancelled is not None:
        cause = None if task.cancelled() else task.exception()
        raise cancelled from cause
    try:
        return task.result()
    except asyncio.CancelledError as error:
        if expired:
            raise TimeoutError from error
        raise


def _wake(ended: asyncio.Future[None], _: object) -> None:
    if not ended.done():
        ended.set_result(None)
