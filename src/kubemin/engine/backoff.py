"""How long to wait before trying again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kubemin.cluster.errors import ClusterError, Throttled

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds for which a cluster that gives no answer is asked again."""


class Backoff:
    """Doubling pauses with jitter, from ``first`` to ``most`` seconds; a server's Retry-After goes first."""

    def __init__(self, first: float = 0.05, most: float = 5.0) -> None:
        self._next = first
        self._most = most

    async def pause(self, error: ClusterError | None = None) -> None:
        """Wait the next pause."""
        seconds = self._next * random.uniform(0.5, 1)  # noqa: S311  jitter, not a secret
        if isinstance(error, Throttled) and error.retry_after:
            seconds = max(seconds, error.retry_after)
        self._next = min(self._next * 2, self._most)
        await asyncio.sleep(seconds)


async def retry_reads(ask: Callable[[], Awaitable[T]], trouble: Callable[[str], None] = lambda _: None) -> T:
    """The answer to a read, asked for again while that may help, for `PATIENCE`. Raises `ClusterError`.

    ``trouble`` takes, for people, why there is no answer yet.
    """
    backoff = Backoff()
    until = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            return await ask()
        except ClusterError as error:
            if not error.retryable or asyncio.get_running_loop().time() > until:
                raise
            trouble(error.message)
            await backoff.pause(error)
