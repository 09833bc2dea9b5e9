"""Connections over a network, through SQLAlchemy's asyncio."""

import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from kubemin.store.backends.base import TRUSTED_SECONDS, Answer
from kubemin.store.errors import Unavailable

T = TypeVar("T")


class RemoteConnection:
    """One connection of an async engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._connection: AsyncConnection = engine.connect()

    async def begin(self) -> None:
        await self._connection.start()
        await self._connection.begin()

    async def execute(self, statement: Executable, parameters: Any) -> Answer:
        return await execute(self._connection, statement, parameters)

    async def execute_nested(self, statement: Executable, parameters: Any) -> Answer:
        async with self._connection.begin_nested():
            return await execute(self._connection, statement, parameters)

    async def run_sync(self, function: Callable[[Connection], T]) -> T:
        return await self._connection.run_sync(function)

    async def commit(self) -> None:
        await self._connection.commit()

    async def close(self) -> None:
        if self._connection.sync_connection is None:
            return  # never connected
        if self._connection.in_transaction():
            await self._connection.rollback()
        await self._connection.close()

    async def invalidate(self) -> None:
        if self._connection.sync_connection is not None:
            await self._connection.invalidate()
            await self._connection.close()


async def execute(connection: AsyncConnection, statement: Executable, parameters: Any) -> Answer:
    """Have SQLAlchemy execute a statement."""
    result = await connection.execute(statement, parameters)
    return Answer(result.all() if result.returns_rows else (), result.rowcount)


class RemotePool:
    """The connections of an async engine."""

    exclusive = False

    def __init__(
        self,
        url: URL,
        size: int,
        isolation: Any,
        *,
        is_replica: str,
        has_ended: Callable[[Any], bool],
        **connect_args: Any,
    ) -> None:
        """``is_replica``: the question to the server whether it can only be read.

        ``has_ended``: whether the driver has seen that the server ended this connection of its.
        """
        self.size = size
        self._is_replica = is_replica
        self._has_ended = has_ended
        self._distrusted_at = -math.inf
        self.engine = create_async_engine(
            url,
            pool_size=size,
            max_overflow=0,
            pool_reset_on_return=None,  # RemoteConnection.close rolls back
            isolation_level=isolation,
            connect_args=connect_args,
            hide_parameters=True,
        )
        event.listen(self.engine.sync_engine, "checkin", self._checked_in)
        event.listen(self.engine.sync_engine, "checkout", self._checked_out)
        event.listen(self.engine.sync_engine, "invalidate", self._invalidated)

    @staticmethod
    def _checked_in(connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    def _invalidated(self, connection: Any, record: ConnectionPoolEntry, error: BaseException | None) -> None:
        """Have each asked before it is used again: what ended one connection may have ended all."""
        self._distrusted_at = time.monotonic()

    def _checked_out(self, connection: Any, record: ConnectionPoolEntry, proxy: object) -> None:
        """Ask over a connection that is new, was idle for long, or is in doubt: to ask each time costs a round trip.

        One whose end was seen is not used, however short ago it answered.
        """
        idle_since = record.info.get("idle_since")
        if idle_since is not None and self._has_ended(connection.driver_connection):
            raise DisconnectionError("the server has ended the connection")  # the pool opens another one
        if idle_since is not None and idle_since > max(self._distrusted_at, time.monotonic() - TRUSTED_SECONDS):
            return
        try:
            cursor = connection.cursor()
            cursor.execute(self._is_replica)
            (only_read,) = cursor.fetchone()
            cursor.close()
        except self.engine.dialect.loaded_dbapi.Error as error:
            if idle_since is None:
                raise
            raise DisconnectionError(str(error)) from error  # the pool opens another one
        if only_read and idle_since is None:
            raise Unavailable("the database server is a replica, which can only be read")
        if only_read:
            raise DisconnectionError("it can only be read")

    def connection(self, *, urgent: bool) -> RemoteConnection:
        del urgent  # a database server makes nobody wait but for a row
        return RemoteConnection(self.engine)

    def distrust(self) -> None:
        """Have each asked before it is used again."""
        self._distrusted_at = time.monotonic()

    async def dispose(self) -> None:
        await self.engine.dispose()
