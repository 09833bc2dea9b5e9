"""Whether anything of a task still moves: the limit on how long nothing may (``noActivitySeconds``)."""

import asyncio


class Activity:
    """Ends what runs under ``limit`` by `TimeoutError` once nothing has moved for so many seconds; None: never.

    Time does not count while a job is suspended: somebody holds it back on purpose.
    """

    def __init__(self, seconds: float | None) -> None:
        self.limit = asyncio.timeout(seconds)
        self.seconds = seconds
        self._suspended: set[int] = set()

    def moved(self) -> None:
        """Something moved: a job's status, a ready count, a message, the state of a Pod."""
        if self.seconds is None or self.limit.expired():
            return
        until = None if self._suspended else asyncio.get_running_loop().time() + self.seconds
        self.limit.reschedule(until)

    def suspend(self, job: int, *, suspended: bool) -> None:
        """Note whether a job is suspended."""
        if suspended is not (job in self._suspended):
            self._suspended ^= {job}
            self.moved()
