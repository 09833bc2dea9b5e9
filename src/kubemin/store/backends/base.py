"""What differs between databases, behind one interface."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection, Executable, Row
from sqlalchemy.engine import URL

from kubemin.store.errors import StoreError

T = TypeVar("T")

TRUSTED_SECONDS = 5.0
"""A connection that was used so recently is not checked before use."""

Hook = Callable[[str], Awaitable[None]]
"""For tests: awaited with the name of each point that is reached."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections, for reading and as many for writing; how many seconds to wait for a lock and for an answer.

    ``idle_seconds``: after this time the server ends a transaction that does nothing. Otherwise a process that sleeps,
    or whose machine is gone, would keep its locks, and its tasks could not be taken over.
    """

    connections: int
    lock_seconds: float
    answer_seconds: float
    idle_seconds: float


class Answer(NamedTuple):
    """What came of a statement."""

    rows: Sequence[Row[Any]]
    matched: int = -1
    """How many rows a write matched; of several executions at once that is not known."""


class DbConnection(Protocol):
    """A connection that one transaction uses."""

    async def begin(self) -> None:
        """Connect, if need be, and begin the transaction."""

    async def execute(self, statement: Executable, parameters: Any) -> Answer:
        """Run a statement; its rows are there when it returns."""

    async def execute_nested(self, statement: Executable, parameters: Any) -> Answer:
        """Run a statement in a savepoint: if it fails, only its own changes are undone."""

    async def run_sync(self, function: Callable[[Connection], T]) -> T:
        """Run a function that needs SQLAlchemy's synchronous connection."""

    async def commit(self) -> None:
        """Commit the transaction."""

    async def close(self) -> None:
        """Roll back unless committed, and return the connection to its pool. May be called if `begin` failed."""

    async def invalidate(self) -> None:
        """Close the connection for good, because its state is unknown."""


class Pool(Protocol):
    """Connections for one purpose, ``size`` at most. The caller does not ask for more at a time."""

    size: int
    exclusive: bool
    """Only one transaction runs at a time, in all processes; it has one connection more, for one that is urgent."""

    def connection(self, *, urgent: bool) -> DbConnection:
        """A connection for one transaction; an ``urgent`` one goes before those of other processes too, if it can."""

    def distrust(self) -> None:
        """Have each connection asked before its next use: its server may be gone, or a replica of another one."""

    async def dispose(self) -> None:
        """Close all connections."""


class Backend(Protocol):
    """One kind of database."""

    raised: tuple[type[Exception], ...]
    """The driver's own exceptions, which SQLAlchemy does not always wrap."""

    remote: bool
    """Whether the database is behind a network, so that an answer may never come."""

    needs_task: bool
    """Whether what is sent to it needs a task of its own, as it uses `asyncio.timeout` (see `shield.round_trip`)."""

    def pools(self, url: URL, limits: ConnectionLimits) -> tuple[Pool, Pool]:
        """Pools to write and to read with. Connects to nothing yet."""

    def classify(self, error: BaseException, *, committing: bool) -> StoreError | None:
        """What a driver's error means; None if this kind of database knows nothing special about it."""

    def duplicate(self, error: BaseException, statement: str) -> str | None:
        """The name of the unique constraint that a driver's error says ``statement`` violates."""

    def lock_schema(self, connection: Connection) -> Callable[[], None]:
        """Keep other machines from migrating; returns the function that unlocks the schema after the commit."""
