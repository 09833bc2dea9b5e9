"""Running to the end under a cancel: a sent write or commit is never cut short (design R1, traps 28)."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from functools import partial
from typing import Any, Generic, TypeVar

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


async def round_trip(work: Coroutine[Any, Any, T], grace: float | None = None, limit: float | None = None) -> T:
    """The same as `to_the_end`, in the caller's own task: a third of the CPU, and one turn of the loop instead of four.

    A cancel that waits for its turn behind other work waits once for each round trip. Nothing in ``work`` may stop
    itself by a cancel of the current task, as `asyncio.timeout` and `asyncio.TaskGroup` do: it would not be cancelled.
    """
    uncut = _Uncut(work, grace)
    timer = None if limit is None else asyncio.get_running_loop().call_later(limit, uncut.expire)
    error: BaseException | None = None
    try:
        result = await uncut
    except BaseException as raised:  # noqa: BLE001  it is raised below
        error = raised
    finally:
        uncut.close()
        if timer is not None:
            timer.cancel()
    if isinstance(error, GeneratorExit):  # the loop has ended
        raise error
    if uncut.cancelled is not None:
        raise uncut.cancelled from (None if isinstance(error, asyncio.CancelledError) else error)
    if error is None:
        return result
    if uncut.expired and isinstance(error, asyncio.CancelledError):
        raise TimeoutError from error
    raise error


class _Uncut(Generic[T]):
    """Runs a coroutine in the task that awaits this, and keeps cancels of the task from it."""

    def __init__(self, work: Coroutine[Any, Any, T], grace: float | None) -> None:
        self.cancelled: asyncio.CancelledError | None = None
        self.expired = False
        self._work = work
        self._grace = grace
        self._timer: asyncio.TimerHandle | None = None
        self._awaited: asyncio.Future[Any] | None = None
        self._stopped = False

    def __await__(self) -> Generator[Any, None, T]:
        while True:
            try:
                if self._stopped:
                    self._stopped = False
                    self._awaited = self._work.throw(asyncio.CancelledError())
                else:
                    self._awaited = self._work.send(None)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            try:
                # None: it lets others have a turn.
                yield None if self._awaited is None else _Awaited(self._awaited, self.cancel)
            except GeneratorExit:
                self._work.close()
                raise
            except BaseException as error:  # noqa: BLE001  what it awaited tells it by itself
                if self._awaited is None and isinstance(error, asyncio.CancelledError):
                    self.cancel(*error.args)

    def cancel(self, msg: Any = None) -> bool:
        """Keep a cancel until the work has ended; it then has the time of grace left."""
        if self.cancelled is None and self._grace is not None:
            self._timer = asyncio.get_running_loop().call_later(self._grace, self._stop)
        self.cancelled = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
        return True

    def expire(self) -> None:
        """The time is over."""
        self.expired = True
        self._stop()

    def close(self) -> None:
        """The work has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def _stop(self) -> None:
        if self._awaited is None or not self._awaited.cancel():
            self._stopped = True


class _Awaited:
    """What asyncio's tasks take for a future (see `asyncio.isfuture`): done when the real one is, and not cancelled."""

    def __init__(self, future: asyncio.Future[Any], cancel: Callable[[Any], bool]) -> None:
        self._asyncio_future_blocking = True
        self._future = future
        self._cancel = cancel

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._future.get_loop()

    def add_done_callback(self, wake: Callable[[Any], object], *, context: Context) -> None:
        self._future.add_done_callback(wake, context=context)

    def cancel(self, msg: Any = None) -> bool:
        return self._cancel(msg)
