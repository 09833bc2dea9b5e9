"""The driver under SQLAlchemy for SQLite: what waits for others runs in a thread, what only computes does not.

Beginning waits for the writer's lock and a commit for the disk. In between a statement takes microseconds, less than
handing it to a thread and back, three times over, as aiosqlite does. SQLAlchemy's dialect is aiosqlite's: this has as
much of its interface as that uses.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

_WAITS = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")


class Cursor:
    """A cursor of a `Connection`."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._cursor = connection.raw.cursor()

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        """Columns of the result, None where there is none."""
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        """How many rows a write matched."""
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The key of the row that was inserted last."""
        return self._cursor.lastrowid

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement."""
        if operation.startswith(_WAITS):
            await self._connection.wait(lambda: self._cursor.execute(operation, parameters))
        else:
            self._cursor.execute(operation, parameters)

    async def executemany(self, operation: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each row of parameters."""
        self._cursor.executemany(operation, parameters)

    async def fetchall(self) -> list[Any]:
        """The rows that are left."""
        return self._cursor.fetchall()

    async def close(self) -> None:
        """Let go of the statement."""
        self._cursor.close()


class Connection:
    """A connection, and the one thread in which it waits."""

    def __init__(self, raw: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self.raw = raw
        self._connection: sqlite3.Connection | None = raw  # the dialect asks whether it is still open
        self._thread = thread

    @classmethod
    async def open(cls, path: str, *, timeout: float) -> Self:
        """Open the file. ``timeout``: seconds to wait for a lock."""
        thread = ThreadPoolExecutor(1, "sqlite")

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)

        return cls(await asyncio.get_running_loop().run_in_executor(thread, connect), thread)

    async def wait(self, work: Callable[[], object]) -> None:
        """Run what may wait."""
        await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def cursor(self) -> Cursor:
        """A new cursor."""
        return Cursor(self)

    async def create_function(self, *arguments: Any, **options: Any) -> None:
        """Teach SQLite a function."""
        self.raw.create_function(*arguments, **options)

    async def commit(self) -> None:
        """Commit: on the disk when it returns."""
        await self.wait(self.raw.commit)

    async def rollback(self) -> None:
        """Roll back."""
        await self.wait(self.raw.rollback)

    async def close(self) -> None:
        """Close. Again is harmless."""
        await self.wait(self.raw.close)
        self.stop()

    def stop(self) -> None:
        """Close without waiting."""
        self._connection = None
        self._thread.shutdown(wait=False)
