"""What one stream of events has not read yet."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from pydantic_core import to_json

from kubemin.store.events import EventRow

KEPT = 1000
"""Events that wait for one reader. A slower one reads them from the database again, from where it is."""


def data_of(row: EventRow, **more: str) -> str:
    """An event's data as it is sent: what was stored, when, and what is given beside it."""
    # It is not read: this server may be older than the worker that wrote it.
    return to_json({**row.data, "at": row.at.isoformat().replace("+00:00", "Z"), **more}).decode()


class Rows(Protocol):
    """What a poll brings."""

    @property
    def rows(self) -> Sequence[EventRow]: ...


T = TypeVar("T", bound=Rows)


@dataclass(eq=False)
class Follower(Generic[T]):
    """What one stream has not read yet."""

    awake: asyncio.Event = field(default_factory=asyncio.Event)
    missed: bool = True
    """There is more in the database than in `take`: it has just come, or was too slow."""
    over: bool = False
    """Nothing more comes: the hub stopped, or met with a fault of its own. Whoever listens may come again."""
    _news: deque[T] = field(default_factory=deque)
    _kept: int = 0

    def give(self, news: T) -> None:
        """Keep it until it is read, if there is not too much already."""
        self._kept += len(news.rows)
        if self._kept > KEPT:
            self.missed = True
            self._forget()
        if not self.missed:
            self._news.append(news)
        self.awake.set()

    def take(self) -> list[T]:
        """What came since it was last asked, and forget it."""
        taken = list(self._news)
        self._forget()
        self.awake.clear()
        return taken

    def leave(self) -> None:
        """Nothing more comes."""
        self.over = True
        self.awake.set()

    def _forget(self) -> None:
        self._news.clear()
        self._kept = 0
