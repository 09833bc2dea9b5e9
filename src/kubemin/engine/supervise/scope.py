"""The scope of a running task: it can be stopped from outside, and knows why (design §5)."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Stop(Enum):
    """Why a scope ends before its work does."""

    CANCEL = "cancel"
    LEASE_LOST = "lease lost"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True)
class Reason:
    """The recorded reason. Only a cancel rolls back here; otherwise the task goes on elsewhere."""

    stop: Stop
    text: str = ""


class Scope:
    """Runs the forward part of a task, and ends it at once when asked; the first reason stays."""

    def __init__(self) -> None:
        self.reason: Reason | None = None
        self._work: asyncio.Task[None] | None = None

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work``. Raises what it raises, or `asyncio.CancelledError` where the scope was ended."""
        if self.reason is not None:
            work.close()
            raise asyncio.CancelledError
        self._work = asyncio.create_task(work)
        try:
            await self._work
        except asyncio.CancelledError:
            if not self._work.done():  # the caller itself was cancelled: end the work before leaving
                self._work.cancel()
                await asyncio.wait([self._work])
            raise
        finally:
            self._work = None

    def end(self, stop: Stop, text: str = "") -> None:
        """Record the reason, then end the scope."""
        if self.reason is None or stop is Stop.LEASE_LOST:
            self.reason = Reason(stop, text)
        if self._work is not None:
            self._work.cancel()
