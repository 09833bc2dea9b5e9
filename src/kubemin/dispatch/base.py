"""The doorbell's one promise: to be no more than a doorbell."""

from typing import Protocol


class Doorbell(Protocol):
    """Wakes a worker sooner than its poll. A lost, doubled or late ring does no harm: the database is the queue."""

    async def ring(self) -> None:
        """Tell the workers that there may be something to claim. Never raises: the poll finds it anyway."""

    async def wait(self, seconds: float) -> None:
        """Return at a ring, also one since the last wait, or after ``seconds``."""

    async def aclose(self) -> None:
        """Let go of connections; who waits is woken."""
