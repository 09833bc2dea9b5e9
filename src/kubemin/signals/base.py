"""What every kind of cancel signals can do for the worker and the API."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

MARKER_SECONDS = 3600
"""How long the mark of a cancel is kept, for a task that no worker watches yet."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Someone cancelled the task, for this ``reason``."""

    reason: str


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Another worker holds the task with a later epoch: stop, and write nothing more."""


class Mode(StrEnum):
    """How a cancel comes to a worker."""

    REDIS = "redis"
    """At once, by Redis."""
    LOCAL = "local"
    """At once, inside the process or from the server that has started it."""
    DATABASE = "database"
    """Within a second, as the worker reads its tasks' rows: there is no Redis, or it does not answer."""


Signal = Cancelled | TakenOver
OnSignal = Callable[[Signal], None]


class Signals(Protocol):
    """Sends a cancel to the worker that runs the task. It only saves time: the worker also reads the task's row."""

    @property
    def healthy(self) -> bool:
        """Whether the last exchange with Redis succeeded."""

    @property
    def mode(self) -> Mode:
        """How a cancel comes to this process now."""

    async def watch(self, task_id: str, epoch: int, on_signal: OnSignal) -> None:
        """Write the task's key with this lease epoch, and call ``on_signal`` once when a signal comes.

        If there is a cancel mark already, or a higher epoch, ``on_signal`` is called before this returns. It must not
        block or raise. If Redis cannot be reached, this is no error: the key is written when Redis is back.
        """

    async def unwatch(self, task_id: str) -> None:
        """Delete the task's key, but not a cancel mark. Does nothing if the task is not watched."""

    async def cancel(self, task_id: str, reason: str) -> None:
        """Write a cancel mark, kept for an hour, and notify the watcher. Raises SignalError if it cannot be written."""

    async def aclose(self) -> None:
        """Stop watching all tasks, and close the connections."""
