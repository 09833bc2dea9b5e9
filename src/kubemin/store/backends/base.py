"""What differs between databases, behind one interface."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from kubemin.store.errors import StoreError


@dataclass(frozen=True, slots=True)
class Limits:
    """``connections`` for reading and for writing, each; how long to wait for a lock and for an answer, in seconds."""

    connections: int
    lock_seconds: float
    answer_seconds: float


@dataclass(frozen=True, slots=True)
class Engines:
    """``writer`` begins write transactions, ``reader`` reads one snapshot; ``writers`` and ``readers`` at a time."""

    writer: AsyncEngine
    writers: int
    reader: AsyncEngine
    readers: int


class Backend(Protocol):
    """One kind of database."""

    raised: tuple[type[Exception], ...]
    """What the driver raises by itself, beside SQLAlchemy's errors, ``OSError`` and ``TimeoutError``."""

    remote: bool
    """Whether an answer may never come. If not, every wait has an end of its own, and no statement is left behind."""

    def engines(self, url: URL, limits: Limits) -> Engines:
        """Engines for a plain URL; connects to nothing yet."""

    def classify(self, error: BaseException, *, committing: bool) -> StoreError | None:
        """What a driver's error means; None if this kind of database knows nothing special about it."""

    def duplicate(self, error: BaseException, statement: str) -> str | None:
        """The name of the unique constraint that a driver's error says ``statement`` violates."""

    def lock_schema(self, connection: Connection) -> Callable[[], None]:
        """Hold the schema against another machine's migration; returns what lets it go after the commit."""


Probe = Callable[[str], Awaitable[None]]
"""Test hook: awaited at named points."""
