"""The event loop of the processes that serve or work."""

import asyncio
import errno
import math
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger(__name__)

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_MINUTE = 60.0


def run_in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, in uvloop where it is installed (the extra ``fast``): it is faster, and behaves the same."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.get_loop().set_exception_handler(_Complaints())
        return runner.run(work)


class _Complaints:
    """What the loop has to say that nobody awaits.

    While no file can be opened, it says so with a traceback for each connection that it tries to accept: once a minute
    and in one line is enough. It then waits a second by itself. A driver that closes a connection whose other side is
    gone says so too; whoever used the connection has been told already.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said_at = -math.inf

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError):
            loop.default_exception_handler(context)
        elif error.errno not in _EXHAUSTED:
            log.warning("a connection broke that nobody waits for", error=f"{type(error).__name__}: {error}")
        elif self._clock() - self._said_at >= _MINUTE:
            self._said_at = self._clock()
            log.warning("connections wait: this process can open no more files", error=error.strerror)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
