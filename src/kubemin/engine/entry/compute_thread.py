"""Where long computations are done, so that the loop, which renews leases, goes on meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TypeVar

from kubemin.engine.errors import Busy, BusyForCaller
from kubemin.spec.reading import is_large

T = TypeVar("T")
_caller: ContextVar[str | None] = ContextVar("kubemin_computing_for", default=None)


@contextmanager
def computing_for(caller: str | None) -> Iterator[None]:
    """What the block has computed is the caller's; None is nobody's in particular, and then there is no share."""
    before = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(before)


class ComputeThread:
    """One thread, one computation after the other; ``most`` are taken at a time, the one being done included.

    Of one caller (`computing_for`) no more than ``most_each``: the places that are left are the others'.

    Threads of Python share one processor: a second one would only take more of the loop's turns.
    """

    def __init__(self, most: int = 16, most_each: int = 4) -> None:
        self._most = most
        self._most_each = most_each
        self._taken = 0
        self._callers: Counter[str] = Counter()
        self._thread = ThreadPoolExecutor(1, "kubemin-compute")

    async def do_if_large(self, work: Callable[[], T], data: object) -> T:
        """As `do` where ``data``, which ``work`` reads, is large; else at once: a thread would cost more."""
        return await self.do(work) if is_large(data) else work()

    async def do(self, work: Callable[[], T]) -> T:
        """What ``work`` returns or raises. Raises `Busy` where too many wait already, `BusyForCaller` of theirs."""
        caller = _caller.get()
        if self._taken >= self._most:
            raise Busy
        if caller is not None and self._callers[caller] >= self._most_each:
            raise BusyForCaller(caller, self._most_each)
        self._taken += 1
        if caller is not None:
            self._callers[caller] += 1
        doing = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(doing)
        finally:
            if doing.done():  # at once: whoever has waited for it may compute more
                self._done(caller, doing)
            else:  # nobody waits for it any more
                doing.add_done_callback(partial(self._done, caller))

    def _done(self, caller: str | None, doing: asyncio.Future[T]) -> None:
        self._taken -= 1
        if caller is not None:
            self._callers[caller] -= 1
            if not self._callers[caller]:
                del self._callers[caller]
        if not doing.cancelled():
            doing.exception()  # seen, if nobody else sees it
