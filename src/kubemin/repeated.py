"""What fails again and again while a server is away: said at once, then seldom, and once more when it is over."""

import time
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

EVERY_SECONDS = 60.0


class Repeated:
    """One thing that is tried again until it succeeds."""

    def __init__(
        self, log: FilteringBoundLogger, what: str, *, clock: Callable[[], float] = time.monotonic, **details: object
    ) -> None:
        """``what``: the line that says that it failed; ``details`` are in each line."""
        self._log = log
        self._what = what
        self._clock = clock
        self._details = details
        self._times = 0
        self._began = self._said = 0.0

    def failed(self, error: object) -> None:
        """Log the first failure, and then one line a minute with how many there were."""
        now = self._clock()
        self._times += 1
        if self._times == 1:
            self._began = self._said = now
            self._log.warning(self._what, error=str(error), **self._details)
        elif now - self._said >= EVERY_SECONDS:
            self._said = now
            self._log.warning(self._what, error=str(error), **self._details, **self._so_far(now))

    def succeeded(self) -> None:
        """Log that, if it failed before."""
        if self._times:
            self._log.info("works again", before=self._what, **self._details, **self._so_far(self._clock()))
            self._times = 0

    def _so_far(self, now: float) -> dict[str, float]:
        return {"times": self._times, "for_seconds": round(now - self._began, 1)}
