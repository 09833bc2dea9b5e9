"""An event loop with a clock of its own, which a busy machine does not hurry."""

import asyncio
import selectors
import time
from collections.abc import Mapping
from selectors import SelectorKey

_LONGEST = 0.05
"""Seconds that a wait counts at most which something ended: what is longer was another process's turn."""


class _Selector(selectors.DefaultSelector):
    """Counts the seconds that were waited."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        began = time.monotonic()
        found: list[tuple[SelectorKey, int]] = super().select(timeout)
        passed = time.monotonic() - began
        if found:
            passed = min(passed, _LONGEST)
        self.waited += passed if timeout is None else min(passed, max(timeout, 0))
        return found


class OwnTimeLoop(asyncio.SelectorEventLoop):
    """Its seconds are those in which this process computes or has nothing to do, not those in which others compute.

    So a limit of a second is a second's work, with as many other processes beside it as there are. Clocks of
    databases, and `time.monotonic`, go on as ever.
    """

    def __init__(self) -> None:
        self._waits = _Selector()
        super().__init__(self._waits)

    def time(self) -> float:
        """Seconds."""
        return time.process_time() + self._waits.waited


FACTORIES: Mapping[str, type[OwnTimeLoop]] = {"own time": OwnTimeLoop}
"""What `pytest_asyncio_loop_factories` returns."""
