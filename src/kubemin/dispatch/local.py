"""The doorbell inside one process."""

import asyncio


class LocalDoorbell:
    """Wakes those who wait in this process."""

    def __init__(self) -> None:
        """A bell that has not rung."""
        self._rung = asyncio.Event()

    async def ring(self) -> None:
        """See Doorbell.ring."""
        self.ring_now()

    def ring_now(self) -> None:
        """The same as `ring`, for callers that cannot await."""
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
