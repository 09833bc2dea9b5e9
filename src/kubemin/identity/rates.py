"""How often somebody may ask: token buckets, one a caller, in this process."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST = 10_000
"""Callers that are remembered; the one that was longest quiet is forgotten first, and begins with a full bucket."""


class Buckets:
    """Of each caller ``burst`` requests at once, and ``rate`` a second in the long run."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> int:
        """Count one request: 0 if it may be done, else after how many whole seconds to come again."""
        left = self._now(caller)
        self._left.pop(caller, None)
        self._left[caller] = (left - 1 if left >= 1 else left, self._clock())
        if len(self._left) > _MOST:
            self._left.popitem(last=False)
        return self._wait(left)

    def seconds(self, caller: str) -> int:
        """What `take` would say; nothing is counted."""
        return self._wait(self._now(caller))

    def _now(self, caller: str) -> float:
        now = self._clock()
        left, at = self._left.get(caller, (self._burst, now))
        return min(self._burst, left + (now - at) * self._rate)

    def _wait(self, left: float) -> int:
        return 0 if left >= 1 else max(1, math.ceil((1 - left) / self._rate))
