"""Connections to PostgreSQL whose statements SQLAlchemy writes and asyncpg runs.

SQLAlchemy's own execution costs more than twice what asyncpg needs for a statement. So it is asked once for the SQL of
each statement that is kept (`kept.py`). What is built anew for each call is executed by SQLAlchemy, on the same
connection and in the same transaction.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection, Executable
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from kubemin.store.backends.base import TRUSTED_SECONDS, Answer
from kubemin.store.backends.kept import Kept, KeptStatements
from kubemin.store.backends.remote import execute

T = TypeVar("T")


BROKEN = (asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg raises of a connection that it cannot use. The second one comes where the server has ended it, and the
end is not read yet: the process slept."""


class _Session:
    """A connection to the server. SQLAlchemy opens and closes it, and knows nothing of the transactions between."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.alchemy = engine.connect()
        self.trusted_until = 0.0
        self._driver: asyncpg.Connection | None = None

    async def open(self) -> None:
        await self.alchemy.start()
        self._driver = (await self.alchemy.get_raw_connection()).driver_connection

    @property
    def is_open(self) -> bool:
        return self._driver is not None

    @property
    def driver(self) -> asyncpg.Connection:
        assert self._driver is not None, "begin() comes first"
        return self._driver

    async def answers(self) -> bool:
        """Whether the server is there, and no replica; it is asked after a pause only, as asking is a round trip."""
        if time.monotonic() < self.trusted_until and not self.driver.is_closed():
            return True
        try:
            return not await self.driver.fetchval("SELECT pg_is_in_recovery()")
        except (asyncpg.PostgresError, *BROKEN, OSError):
            return False


class DirectConnection:
    """A connection for one transaction."""

    def __init__(self, pool: "DirectPool") -> None:
        self._pool = pool
        self._session: _Session | None = None
        self._begun = False
        self._lent = False

    async def begin(self) -> None:
        self._session = self._pool.take()
        if self._session is not None and not await self._session.answers():
            await self.invalidate()
        if self._session is None:
            self._session = _Session(self._pool.engine)
            await asyncio.create_task(self._session.open())  # it uses `asyncio.timeout`
        self._begun = True  # also if no answer comes: a rollback where there is nothing to roll back does no harm
        await self._session.driver.execute("BEGIN")

    async def execute(self, statement: Executable, parameters: Any) -> Answer:
        session = self._open
        kept = self._pool.kept.find(statement, parameters)
        if kept is None:
            return await execute(session.alchemy, statement, parameters)
        if not isinstance(parameters, list):
            return await _run(kept, session.driver, parameters or {})
        if len(parameters) == 1:
            return await _run(kept, session.driver, parameters[0])
        await session.driver.executemany(kept.sql, [kept.values(one) for one in parameters])  # in one round trip
        return Answer(())

    async def execute_nested(self, statement: Executable, parameters: Any) -> Answer:
        driver = self._open.driver
        await driver.execute("SAVEPOINT kubemin")  # it ends with the transaction, or is replaced by the next one
        try:
            return await self.execute(statement, parameters)
        except (asyncpg.PostgresError, SQLAlchemyError):
            await driver.execute("ROLLBACK TO SAVEPOINT kubemin")
            raise

    async def run_sync(self, function: Callable[[Connection], T]) -> T:
        if not self._lent:
            await self._roll_back()
            self._lent = True  # from here on the transactions are SQLAlchemy's; afterwards it is closed
            await self._open.alchemy.execution_options(isolation_level="READ COMMITTED")
        return await self._open.alchemy.run_sync(function)

    async def commit(self) -> None:
        if self._lent:
            await self._open.alchemy.commit()
            return
        await self._open.driver.execute("COMMIT")
        self._begun = False

    async def close(self) -> None:
        session = self._session
        if session is None or session.alchemy.sync_connection is None:
            return  # never connected
        if session.alchemy.in_transaction():
            await session.alchemy.rollback()  # tells the driver nothing, unless it was lent
        if session.is_open:
            await self._roll_back()
        self._session = None
        if self._lent or not session.is_open:
            await session.alchemy.close()
        else:
            self._pool.give_back(session)

    async def invalidate(self) -> None:
        session, self._session = self._session, None
        if session is not None and session.alchemy.sync_connection is not None:
            await session.alchemy.invalidate()
            await session.alchemy.close()
        self._pool.distrust()

    async def _roll_back(self) -> None:
        if self._begun:
            await self._open.driver.execute("ROLLBACK")
            self._begun = False

    @property
    def _open(self) -> _Session:
        assert self._session is not None, "begin() comes first"
        return self._session


async def _run(kept: Kept, driver: asyncpg.Connection, given: Mapping[str, Any]) -> Answer:
    if not kept.reads:
        status: str = await driver.execute(kept.sql, *kept.values(given))
        return Answer((), int(status.rpartition(" ")[2]))
    if not kept.is_described:
        columns = (await driver.prepare(kept.sql)).get_attributes()
        kept.describe([(column.name, column.type.oid) for column in columns])
    return Answer(kept.rows(await driver.fetch(kept.sql, *kept.values(given))))


class DirectPool:
    """Connections that stay open between transactions: whoever used one last gives it to the next."""

    exclusive = False

    def __init__(self, url: URL, size: int, **connect_args: Any) -> None:
        self.size = size
        self.engine = create_async_engine(
            url,
            poolclass=NullPool,  # which are open is known here
            isolation_level="AUTOCOMMIT",  # BEGIN and COMMIT are ours
            connect_args=connect_args,
            hide_parameters=True,
        )
        self.kept = KeptStatements(self.engine.dialect, "= ANY({})")
        self._idle: list[_Session] = []

    def connection(self, *, urgent: bool) -> DirectConnection:
        del urgent  # a database server makes nobody wait but for a row
        return DirectConnection(self)

    def take(self) -> _Session | None:
        """One that is open and not in use."""
        return self._idle.pop() if self._idle else None

    def give_back(self, session: _Session) -> None:
        """One whose transaction has ended."""
        session.trusted_until = time.monotonic() + TRUSTED_SECONDS
        self._idle.append(session)

    def distrust(self) -> None:
        """Have each asked before it is used again: what ended one connection may have ended all."""
        for session in self._idle:
            session.trusted_until = 0.0

    async def dispose(self) -> None:
        while self._idle:
            await self._idle.pop().alchemy.close()
        await self.engine.dispose()
