"""What differs between databases, behind one interface."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.engine import URL

from kubemin.store.errors import StoreError

T = TypeVar("T")

Hook = Callable[[str], Awaitable[None]]
"""Test hook: awaited at named points."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """``connections`` for reading and for writing, each; how long to wait for a lock and for an answer, in seconds.

    ``idle_seconds``: after how long a server ends a transaction in which nothing happens. A process that sleeps, or
    whose machine is gone, would else hold its locks, and so keep its tasks from being taken over.
    """

    connections: int
    lock_seconds: float
    answer_seconds: float
    idle_seconds: float


class DbConnection(Protocol):
    """A connection in the hands of one transaction."""

    async def begin(self) -> None:
        """Connect, if need be, and begin the transaction."""

    async def execute(self, statement: Executable, parameters: Any) -> CursorResult[Any]:
        """Run a statement; its rows are there when it returns."""

    async def execute_nested(self, statement: Executable) -> CursorResult[Any]:
        """Run a statement of which nothing is left if it fails."""

    async def run_sync(self, function: Callable[[Connection], T]) -> T:
        """Run what wants SQLAlchemy's plain connection."""

    async def commit(self) -> None:
        """Commit the transaction."""

    async def close(self) -> None:
        """Roll back unless committed, and give the connection back. Harmless if `begin` failed."""

    async def invalidate(self) -> None:
        """Throw the connection away: nobody knows its state."""


class Pool(Protocol):
    """Connections of one purpose, ``size`` at most; who takes more must wait elsewhere."""

    size: int

    def connection(self) -> DbConnection:
        """A link to begin a transaction with."""

    async def dispose(self) -> None:
        """Close all connections."""


class Backend(Protocol):
    """One kind of database."""

    raised: tuple[type[Exception], ...]
    """What the driver raises by itself, beside SQLAlchemy's errors, ``OSError`` and ``TimeoutError``."""

    remote: bool
    """Whether an answer may never come, and a statement may have to be left behind unanswered."""

    def pools(self, url: URL, limits: ConnectionLimits) -> tuple[Pool, Pool]:
        """Pools to write and to read with. Connects to nothing yet."""

    def classify(self, error: BaseException, *, committing: bool) -> StoreError | None:
        """What a driver's error means; None if this kind of database knows nothing special about it."""

    def duplicate(self, error: BaseException, statement: str) -> str | None:
        """The name of the unique constraint that a driver's error says ``statement`` violates."""

    def lock_schema(self, connection: Connection) -> Callable[[], None]:
        """Hold the schema against another machine's migration; returns what lets it go after the commit."""
