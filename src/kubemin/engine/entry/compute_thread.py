"""Where long computations are done, so that the loop, which renews leases, goes on meanwhile."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kubemin.engine.errors import Busy
from kubemin.spec.reading import is_large

T = TypeVar("T")


class ComputeThread:
    """One thread, one computation after the other; ``most`` are taken at a time, the one being done included.

    Threads of Python share one processor: a second one would only take more of the loop's turns.
    """

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._taken = 0
        self._thread = ThreadPoolExecutor(1, "kubemin-compute")

    async def do_if_large(self, work: Callable[[], T], data: object) -> T:
        """As `do` where ``data``, which ``work`` reads, is large; else at once: a thread would cost more."""
        return await self.do(work) if is_large(data) else work()

    async def do(self, work: Callable[[], T]) -> T:
        """What ``work`` returns or raises. Raises `Busy` where too many wait already."""
        if self._taken >= self._most:
            raise Busy
        self._taken += 1
        doing = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(doing)
        finally:
            doing.add_done_callback(self._done)  # also where nobody waits for it any more

    def _done(self, doing: asyncio.Future[T]) -> None:
        self._taken -= 1
        if not doing.cancelled():
            doing.exception()  # seen, if nobody else sees it
