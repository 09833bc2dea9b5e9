"""The database: opened once a process, handed to whoever needs it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Self

from sqlalchemy import text

from kubemin.shield import to_the_end
from kubemin.store import schema
from kubemin.store.backends import Backend, ConnectionLimits, DbConnection, Hook, Pool, backend_of
from kubemin.store.errors import CommitUnknown, Locked, StoreError
from kubemin.store.transaction import Codec, Translator, Tx


class _PrioritySemaphore:
    """So many at a time; who is urgent goes before those that wait, the others in their order."""

    def __init__(self, free: int) -> None:
        self._free = free
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    async def acquire(self, *, urgent: bool) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._others).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.release()  # it came together with the cancel
            raise

    def release(self) -> None:
        for waiting in (self._urgent, self._others):
            while waiting:
                turn = waiting.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1


class _TransactionPool:
    """Lets as many transactions in at a time as a pool has connections, and takes every connection back."""

    def __init__(self, pool: Pool, translator: Translator, wait_seconds: float) -> None:
        self.pool = pool
        self._semaphore = _PrioritySemaphore(pool.size)
        self._translator = translator
        self._wait_seconds = wait_seconds

    @asynccontextmanager
    async def connection(self, *, urgent: bool = False) -> AsyncIterator[DbConnection]:
        """A connection inside a transaction, which is rolled back at the end unless it was committed."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._semaphore.acquire(urgent=urgent)
        except TimeoutError as error:
            raise Locked(f"no database connection became free within {self._wait_seconds:g} s") from error
        try:
            connection = self.pool.connection()
            try:
                await self._translator.run(connection.begin)
                yield connection
            finally:
                await self._translator.finish(partial(self._close, connection))
        finally:
            self._semaphore.release()

    async def _close(self, connection: DbConnection) -> None:
        try:
            await self._translator.run(connection.close)
        except StoreError:
            await connection.invalidate()  # it is broken: the pool makes another one, the server rolls back


class Database:
    """A database of any supported kind. Every method raises `StoreError` and nothing else of the database's."""

    def __init__(
        self,
        backend: Backend,
        reader: _TransactionPool,
        writer: _TransactionPool,
        translator: Translator,
        codec: Codec | None,
        hook: Hook | None,
    ) -> None:
        self._backend = backend
        self._reader = reader
        self._writer = writer
        self._translator = translator
        self._codec = codec
        self._hook = hook

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        codec: Codec | None = None,
        hook: Hook | None = None,
        connections: int = 8,
        lock_seconds: float = 10,
        answer_seconds: float = 30,
        idle_seconds: float = 10,
    ) -> Self:
        """Prepare for a plain URL; the first transaction connects.

        ``codec`` seals what may hold secrets. ``hook`` is awaited at ``commit:<label>:before`` and ``…:after``.
        ``connections`` for reading and as many for writing (SQLite has one writer). Waits for a lock are bounded by
        ``lock_seconds``, waits for an answer by ``answer_seconds``; a server ends a transaction that is idle for
        ``idle_seconds``. Raises `BadUrl`, `Unavailable`.
        """
        backend, parsed = backend_of(url)
        writer, reader = backend.pools(
            parsed, ConnectionLimits(connections, lock_seconds, answer_seconds, idle_seconds)
        )
        translator = Translator(backend, answer_seconds)
        return cls(
            backend,
            _TransactionPool(reader, translator, answer_seconds),
            _TransactionPool(writer, translator, answer_seconds),
            translator,
            codec,
            hook,
        )

    async def aclose(self) -> None:
        """Close every connection. No transaction may be open."""
        await to_the_end(self._dispose())

    async def _dispose(self) -> None:
        await self._reader.pool.dispose()
        await self._writer.pool.dispose()

    @asynccontextmanager
    async def begin(self, label: str, *, urgent: bool = False) -> AsyncIterator[Tx]:
        """A write transaction: committed at the end of the block, rolled back if it raises.

        An ``urgent`` one goes before those that wait for a connection: leases and cancels are not to wait for them.
        A commit that has begun runs to its end even under a cancel, which is raised afterwards.
        Raises `CommitUnknown` if the commit's answer is lost; with every other `StoreError` nothing is stored.
        SQLite lets one in at a time: a transaction inside another one of the same process waits in vain (`Locked`).
        """
        async with self._writer.connection(urgent=urgent) as connection:
            tx = Tx(connection, self._translator, self._codec)
            yield tx
            tx.check()
            if self._hook is not None:
                await self._hook(f"commit:{label}:before")
            await self._commit(connection)
        if self._hook is not None:
            await self._hook(f"commit:{label}:after")

    async def _commit(self, connection: DbConnection) -> None:
        try:
            await self._translator.run(connection.commit, committing=True)
        except CommitUnknown:
            await self._translator.finish(connection.invalidate)
            raise

    @asynccontextmanager
    async def read(self, *, urgent: bool = False) -> AsyncIterator[Tx]:
        """A transaction that only reads, and sees one state of the database throughout. ``urgent`` as in `begin`."""
        async with self._reader.connection(urgent=urgent) as connection:
            yield Tx(connection, self._translator, self._codec)

    async def ping(self) -> None:
        """Ask the database for an answer. Raises `StoreError` (`Unavailable`, `Locked`) if it has none."""
        async with self.read() as tx:
            await tx.scalar(text("SELECT 1"))

    async def migrate(self) -> None:
        """Bring the schema up to date. Safe to repeat, and from several machines at once.

        Raises `SchemaOutdated` if it is of a later, incompatible version of KubeMin.
        """
        async with self._writer.connection() as connection:
            # As long as it takes, another machine's migration before it included.
            upgrade = partial(schema.upgrade, backend=self._backend)
            await self._translator.run(partial(connection.run_sync, upgrade), patient=True)

    async def check_schema(self) -> None:
        """Raise `SchemaOutdated` unless this version of KubeMin can work on the schema."""
        async with self._reader.connection() as connection:
            await self._translator.run(partial(connection.run_sync, schema.check))
