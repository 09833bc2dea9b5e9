"""The doorbell over PostgreSQL's LISTEN and NOTIFY, for servers that use PostgreSQL."""

import asyncio
from typing import Any

import asyncpg

from kubemin.dispatch.local import LocalDoorbell
from kubemin.signals.absence import Absence

CHANNEL = "kubemin_doorbell"


class PostgresDoorbell:
    """Gets the rings of all processes at this database, over one connection. A broken connection is opened again."""

    def __init__(self, url: str, *, timeout: float = 5) -> None:
        """``url``: the database's URL, with or without SQLAlchemy's driver name. Connects on first use."""
        scheme, _, rest = url.partition("://")
        self._url = f"{scheme.partition('+')[0]}://{rest}"
        self._timeout = timeout
        self._bell = LocalDoorbell()
        self._lock = asyncio.Lock()  # a connection of PostgreSQL does one thing at a time
        self._connection: Any = None
        self._absence = Absence("doorbell")

    async def ring(self) -> None:
        """See Doorbell.ring."""
        self._bell.wake()  # a worker in this process needs no database
        await self._do("SELECT pg_notify($1, '')", CHANNEL)

    def wake(self) -> None:
        """See Doorbell.wake."""
        self._bell.wake()

    async def wait(self, seconds: float) -> None:
        """See Doorbell.wait."""
        deadline = asyncio.get_running_loop().time() + seconds
        await self._do(None)
        await self._bell.wait(max(0, deadline - asyncio.get_running_loop().time()))

    async def aclose(self) -> None:
        """See Doorbell.aclose."""
        self._bell.wake()
        async with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.terminate()

    async def _do(self, statement: str | None, *arguments: str) -> None:
        """Connect and listen, unless that is done, and execute the statement, if there is one."""
        try:
            async with self._lock, asyncio.timeout(self._timeout):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(self._url, timeout=self._timeout)
                    await self._connection.add_listener(CHANNEL, self._hear)
                if statement is not None:
                    await self._connection.execute(statement, *arguments)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            self._absence.begins(f"{type(error).__name__}: {error}")
            if self._connection is not None:
                self._connection.terminate()
                self._connection = None
        else:
            self._absence.ends()

    def _hear(self, *_: object) -> None:
        self._bell.wake()
