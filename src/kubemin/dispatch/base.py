"""What every doorbell can do."""

from typing import Protocol


class Doorbell(Protocol):
    """Wakes workers before their next poll. A lost, double or late ring does no harm: the database is the queue."""

    async def ring(self) -> None:
        """Tell the workers that there may be a task to claim. Never raises: the workers' poll finds the task anyway."""

    def wake(self) -> None:
        """Wake those who wait in this process, and nobody else."""

    async def wait(self, seconds: float) -> None:
        """Return at a ring, at once if one came since the last wait, or after ``seconds``."""

    async def aclose(self) -> None:
        """Close the connections, and wake those who wait."""
