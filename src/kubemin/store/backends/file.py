"""Connections to an SQLite file.

Only a commit waits for the disk, so only it runs in a thread. Any other statement takes microseconds, much less than a
thread needs to answer a busy event loop; nor can a cancel come in between. Waiting for another process's lock is done
here and not in SQLite, where it would block the loop or, in a thread, could not be cancelled.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Engine, Executable, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from kubemin.shield import to_the_end

T = TypeVar("T")

_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.05


class FileConnection:
    """One connection to the file."""

    def __init__(self, engine: Engine, thread: ThreadPoolExecutor, lock_seconds: float) -> None:
        self._engine = engine
        self._thread = thread
        self._lock_seconds = lock_seconds
        self._connection: Connection | None = None

    async def begin(self) -> None:
        clock = asyncio.get_running_loop().time
        give_up, pause = clock() + self._lock_seconds, _FIRST_PAUSE
        await asyncio.sleep(0)  # nothing below waits: who reads in a loop would keep everybody else waiting
        while True:
            try:
                self._connection = self._engine.connect()
                self._connection.begin()
                return
            except OperationalError as error:
                await self.close()
                if not _busy(error) or clock() >= give_up:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def execute(self, statement: Executable, parameters: Any) -> CursorResult[Any]:
        return self._open.execute(statement, parameters)

    async def execute_nested(self, statement: Executable) -> CursorResult[Any]:
        with self._open.begin_nested():
            return self._open.execute(statement)

    async def run_sync(self, function: Callable[[Connection], T]) -> T:
        return function(self._open)

    async def commit(self) -> None:
        # Whatever is cancelled, also by a loop that ends: nobody may close the connection beside the thread's commit.
        await to_the_end(asyncio.get_running_loop().run_in_executor(self._thread, self._open.commit))

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()  # rolls back

    async def invalidate(self) -> None:
        self._open.invalidate()
        await self.close()

    @property
    def _open(self) -> Connection:
        assert self._connection is not None, "begin() comes first"
        return self._connection


def _busy(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


class FilePool:
    """Connections to a file that begin their transactions alike."""

    def __init__(self, url: URL, size: int, lock_seconds: float, pragmas: Sequence[str], begin: Sequence[str]) -> None:
        self.size = size
        self._lock_seconds = lock_seconds
        self._thread = ThreadPoolExecutor(1, "kubemin-commit")
        self.engine = create_engine(
            url.set(drivername="sqlite+pysqlite"),
            pool_size=size,
            max_overflow=0,
            pool_reset_on_return=None,  # a closed connection has rolled back
            # The driver begins nothing by itself: it would begin deferred, and an upgrade to a write fails at once.
            connect_args={"isolation_level": None, "timeout": 0, "check_same_thread": False},
            hide_parameters=True,
        )

        def connected(connection: Any, _record: object) -> None:
            for pragma in [*pragmas, "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON"]:
                connection.execute(pragma).close()

        def began(connection: Connection) -> None:
            for statement in begin:
                connection.exec_driver_sql(statement).close()

        event.listen(self.engine, "connect", connected)
        event.listen(self.engine, "begin", began)

    def connection(self) -> FileConnection:
        return FileConnection(self.engine, self._thread, self._lock_seconds)

    async def dispose(self) -> None:
        self._thread.shutdown()
        self.engine.dispose()
