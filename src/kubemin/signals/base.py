"""What a worker and the API need of cancel signals, whoever carries them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MARKER_SECONDS = 3600
"""How long a cancel mark is kept for a task that nobody watches yet."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Someone cancelled the task; ``reason`` is what they said."""

    reason: str


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Another worker holds the task under a later claim: touch nothing more."""


Signal = Cancelled | TakenOver
OnSignal = Callable[[Signal], None]


class Signals(Protocol):
    """Carries a cancel to the worker that runs the task. A shortcut only: the task's row is the truth."""

    @property
    def healthy(self) -> bool:
        """Whether the last exchange with the carrier went well."""

    async def watch(self, task_id: str, epoch: int, on_signal: OnSignal) -> None:
        """Claim the task's key under this lease epoch and call ``on_signal``, at most once, when a signal comes.

        If a cancel mark is there already, or a higher epoch, the call is made before this returns. ``on_signal``
        must not block nor raise. A carrier that is away is no error: the key is claimed when it is back.
        """

    async def unwatch(self, task_id: str) -> None:
        """Give the key up; a cancel mark stays. Harmless when the task is not watched."""

    async def cancel(self, task_id: str, reason: str) -> None:
        """Leave a cancel mark, kept for an hour, and tell the watcher. Raises SignalError if it could not be left."""

    async def aclose(self) -> None:
        """Stop watching everything and let go of connections."""
