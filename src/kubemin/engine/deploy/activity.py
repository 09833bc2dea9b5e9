"""Whether anything of a task still moves: the limit on how long nothing may (``noActivitySeconds``)."""

import asyncio

from kubemin.engine.deploy.ready import Count


class Activity:
    """Ends what runs under ``limit`` by `TimeoutError` once nothing has moved for so many seconds; None: never.

    Time does not count while a job is suspended: somebody holds it back on purpose.
    """

    def __init__(self, seconds: float | None) -> None:
        self.limit = asyncio.timeout(seconds)
        self.seconds = seconds
        self._suspended: set[int] = set()
        self._waits: dict[int, tuple[str, Count | None]] = {}

    def moved(self) -> None:
        """Something moved: a job's status, a ready count, a message, the state of a Pod."""
        if self.seconds is None or self.limit.expired():
            return
        until = None if self._suspended else asyncio.get_running_loop().time() + self.seconds
        self.limit.reschedule(until)

    def waits(self, job: int, message: str, count: Count | None, *, restarts: bool) -> None:
        """Note what a job waits for. While a container restarts only its count shows that something moves."""
        said, counted = self._waits.get(job, ("", None))
        self._waits[job] = message, count
        if count != counted or (message != said and not restarts):
            self.moved()

    def suspend(self, job: int, *, suspended: bool) -> None:
        """Note whether a job is suspended."""
        if suspended is not (job in self._suspended):
            self._suspended ^= {job}
            self.moved()
