"""How far a task is promoted."""

import asyncio


class Promotions:
    """The ``seq`` of the last hold that somebody let pass, as the database has it."""

    def __init__(self, seq: int = 0) -> None:
        self._seq = seq
        self._news = asyncio.Event()

    def set(self, seq: int) -> None:
        """Take over what the database says by now."""
        if seq > self._seq:
            self._seq = seq
            self._news.set()

    def passed(self, seq: int) -> bool:
        """Whether somebody let this hold pass."""
        return self._seq >= seq

    async def until(self, seq: int) -> None:
        """Wait until somebody lets this hold pass."""
        while not self.passed(seq):
            self._news.clear()
            await self._news.wait()
