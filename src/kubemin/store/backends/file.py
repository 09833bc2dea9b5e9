"""Connections to an SQLite file.

Only a commit waits for the disk, so only commits run in a thread. Every other statement takes microseconds, less than
a switch to a thread and back, and no cancel can come in the middle. One that is kept is run by the driver itself
(`kept.py`): executed by SQLAlchemy it costs twice as much. Waiting for another process's lock is done here:
SQLite's own wait would block the event loop or, in a thread, could not be cancelled.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Executable, create_engine, event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from kubemin.shield import to_the_end
from kubemin.store.backends.base import Answer
from kubemin.store.backends.kept import Kept, KeptStatements
from kubemin.store.backends.turn import INSIST_AFTER, Turn

T = TypeVar("T")

_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.005
_INSISTENT_PAUSE = 0.002
_NUMBERED = SQLiteDialect_pysqlite(paramstyle="numeric_dollar")
"""Writes parameters with their numbers, as some are put at the end."""


class FileConnection:
    """One connection to the file."""

    def __init__(
        self,
        engine: Engine,
        kept: KeptStatements,
        begin: Sequence[str],
        thread: ThreadPoolExecutor,
        lock_seconds: float,
        turn: Turn | None,
        *,
        urgent: bool,
    ) -> None:
        self._engine = engine
        self._kept = kept
        self._begin = begin
        self._thread = thread
        self._lock_seconds = lock_seconds
        self._turn = turn
        self._place = None if turn is None else turn.place()
        self._urgent = urgent
        self._connection: Connection | None = None
        if urgent:
            self._insist()

    async def begin(self) -> None:
        clock = asyncio.get_running_loop().time
        began, pause = clock(), _FIRST_PAUSE
        await asyncio.sleep(0)  # nothing below waits, so a caller that reads in a loop would block the event loop
        while True:
            waited = clock() - began
            insists = self._urgent or waited >= INSIST_AFTER
            if insists:
                self._insist()
            if insists or self._turn is None or not self._turn.is_taken():
                try:
                    self._begin_now()
                    return
                except (OperationalError, sqlite3.OperationalError) as error:
                    self._roll_back()
                    if not _busy(error) or waited >= self._lock_seconds:
                        raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, _INSISTENT_PAUSE if insists else _LONGEST_PAUSE)

    def _begin_now(self) -> None:
        self._connection = self._engine.connect()
        self._connection.begin()  # for SQLAlchemy only
        # Not by SQLAlchemy, which takes longer for these than for the statement that most transactions are begun for.
        for statement in self._begin:
            self._driver.execute(statement).close()

    def _insist(self) -> None:
        if self._place is not None:
            self._place.insist()

    async def execute(self, statement: Executable, parameters: Any) -> Answer:
        kept = self._kept.find(statement, parameters)
        if kept is None:
            result = self._open.execute(statement, parameters)
            return Answer(result.all() if result.returns_rows else (), result.rowcount)
        if not isinstance(parameters, list):
            return _run(kept, self._driver, parameters or {})
        if len(parameters) == 1:
            return _run(kept, self._driver, parameters[0])
        self._driver.executemany(kept.sql, map(kept.values, parameters)).close()
        return Answer(())

    async def execute_nested(self, statement: Executable, parameters: Any) -> Answer:
        with self._open.begin_nested():
            return await self.execute(statement, parameters)

    async def run_sync(self, function: Callable[[Connection], T]) -> T:
        return function(self._open)

    async def commit(self) -> None:
        # Not cut short by a cancel: nobody may close the connection while the thread commits on it.
        await to_the_end(asyncio.get_running_loop().run_in_executor(self._thread, self._open.commit))

    async def close(self) -> None:
        self._roll_back()
        if self._place is not None:
            self._place.leave()

    def _roll_back(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    async def invalidate(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
        await self.close()

    @property
    def _open(self) -> Connection:
        assert self._connection is not None, "begin() comes first"
        return self._connection

    @property
    def _driver(self) -> sqlite3.Connection:
        driver: sqlite3.Connection = self._open.connection.dbapi_connection  # type: ignore[assignment]
        return driver


def _run(kept: Kept, driver: sqlite3.Connection, given: Mapping[str, Any]) -> Answer:
    with closing(driver.execute(kept.sql, kept.values(given))) as cursor:
        if not kept.reads:
            return Answer((), cursor.rowcount)
        if not kept.is_described:
            kept.describe([(column[0], None) for column in cursor.description])
        return Answer(kept.rows(cursor.fetchall()))


def _busy(error: OperationalError | sqlite3.OperationalError) -> bool:
    origin = error.orig if isinstance(error, OperationalError) else error
    return getattr(origin, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


class FilePool:
    """Connections to one file that begin their transactions with the same statements."""

    def __init__(
        self,
        url: URL,
        size: int,
        lock_seconds: float,
        pragmas: Sequence[str],
        begin: Sequence[str],
        turn: Turn | None = None,
    ) -> None:
        self.size = size
        self.exclusive = turn is not None
        self._lock_seconds = lock_seconds
        self._turn = turn
        self._begin = begin
        self._thread = ThreadPoolExecutor(1, "kubemin-commit")
        self.engine = create_engine(
            url.set(drivername="sqlite+pysqlite"),
            pool_size=size + self.exclusive,
            max_overflow=0,
            pool_reset_on_return=None,  # a closed connection has rolled back
            # We send BEGIN ourselves. The driver would begin a deferred transaction, whose first write
            # may fail at once.
            connect_args={"isolation_level": None, "timeout": 0, "check_same_thread": False},
            hide_parameters=True,
        )
        self.kept = KeptStatements(_NUMBERED, "IN (SELECT value FROM json_each({}))", mark="?", listed=json.dumps)

        def connected(connection: Any, _record: object) -> None:
            for pragma in [*pragmas, "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON"]:
                connection.execute(pragma).close()

        event.listen(self.engine, "connect", connected)

    def connection(self, *, urgent: bool) -> FileConnection:
        return FileConnection(
            self.engine, self.kept, self._begin, self._thread, self._lock_seconds, self._turn, urgent=urgent
        )

    def distrust(self) -> None:
        pass  # a file is always the same one

    async def dispose(self) -> None:
        self._thread.shutdown()
        self.engine.dispose()
        if self._turn is not None:
            self._turn.close()
