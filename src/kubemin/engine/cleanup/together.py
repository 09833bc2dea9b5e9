"""Rows that are about to ask the same wait for each other, so that one LIST answers for all."""

import asyncio
import contextlib
from collections.abc import Iterator

_MOST = 0.25
"""Seconds for which one waits for the others."""


class Together:
    """What many rows of a pass do before they ask. Those that are done with it wait for those that are not."""

    def __init__(self) -> None:
        self._busy = 0
        self._nobody_busy = asyncio.Event()
        self._nobody_busy.set()

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Whoever is in here will ask soon."""
        self._busy += 1
        self._nobody_busy.clear()
        try:
            yield
        finally:
            self._busy -= 1
            if not self._busy:
                self._nobody_busy.set()

    async def others(self) -> None:
        """Wait until nobody is busy, a moment at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_MOST):
                while self._busy:
                    await self._nobody_busy.wait()
