"""The doorbell without a server for it: inside one process, and between a server and the workers that it started."""

import asyncio
from collections.abc import Callable


class LocalDoorbell:
    """Wakes those who wait in this process."""

    def __init__(self, tell: Callable[[], None] | None = None) -> None:
        """A bell that has not rung. ``tell`` passes a ring on to other processes; it must not block or raise."""
        self._rung = asyncio.Event()
        self._tell = tell

    async def ring(self) -> None:
        """See Doorbell.ring."""
        self.wake()
        if self._tell is not None:
            self._tell()

    def wake(self) -> None:
        """See Doorbell.wake."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """See Doorbell.wait."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()

    async def aclose(self) -> None:
        """See Doorbell.aclose."""
        self._rung.set()
