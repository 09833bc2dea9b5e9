"""Whether those who listen to a stream may still do so: credentials end while streams go on."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager

import structlog

from kubemin.identity.principal import Principal
from kubemin.store.errors import StoreError

log = structlog.get_logger(__name__)

Ask = Callable[[Collection[str]], Awaitable[Collection[str]]]
"""Which of these credentials are valid now. Raises `StoreError`."""


class Watch:
    """Asks the database every few seconds, once for all streams of the process, while there are any."""

    def __init__(self, ask: Ask, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._ask = ask
        self._seconds = seconds
        self._clock = clock
        self._listening: dict[asyncio.Event, Principal] = {}
        self._polling: asyncio.Task[None] | None = None

    @contextmanager
    def of(self, principal: Principal) -> Iterator[asyncio.Event]:
        """An event that is set once the caller's credential has ended."""
        ended = asyncio.Event()
        self._listening[ended] = principal
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll(), name="credentials")
        try:
            yield ended
        finally:
            del self._listening[ended]
            if not self._listening and self._polling is not None:
                self._polling.cancel()
                self._polling = None  # it has not ended yet, and asks for nobody who comes now

    async def _poll(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(self._seconds)
                try:
                    await self.look()
                except StoreError as error:
                    log.warning("cannot look whether credentials are still valid; it tries again", error=str(error))

    async def look(self) -> None:
        """End the streams of credentials that have ended. Raises `StoreError`."""
        listening = dict(self._listening)
        valid = await self._ask({one.credential for one in listening.values() if one.credential})
        for ended, one in listening.items():
            over = one.expires_at is not None and one.expires_at.timestamp() <= self._clock()
            if over or (one.credential and one.credential not in valid):
                ended.set()
