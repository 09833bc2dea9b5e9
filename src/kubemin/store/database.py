"""The database: opened once in a process, and given to every part that needs it."""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from secrets import token_hex
from typing import Self

from sqlalchemy import delete, insert, select, text

from kubemin.shield import to_the_end
from kubemin.spec.ids import new_id
from kubemin.store import schema
from kubemin.store.backends import Backend, ConnectionLimits, DbConnection, Hook, Pool, backend_of
from kubemin.store.errors import CommitUnknown, KeyInUse, Locked, StoreError, Unavailable
from kubemin.store.tables import sealing_keys, write_probes
from kubemin.store.transaction import Codec, Sealing, Translator, Tx

_URGENT_OF_8 = 3
"""Of 8 connections so many are for leases and cancels only: requests that wait for locks cannot hold up a renewal."""
PLAIN_SECONDS = 5.0
"""So long after another process has said that it seals, one without a key may still store plain text."""
_KEY = select(sealing_keys.c.id).limit(1)
_PROBE_BYTES = 8192
"""More than a page has left: a database without space has none for it."""


class _PrioritySemaphore:
    """A semaphore with two queues: urgent waiters go first, each queue in its order.

    The others leave ``kept`` free: they may hold theirs for long, such as while each waits for one row's lock.
    """

    def __init__(self, free: int, kept: int = 0) -> None:
        self._free = free
        self._kept = kept
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    def acquired(self, *, urgent: bool) -> bool:
        """Acquire it, if that needs no waiting."""
        if self._free <= (0 if urgent else self._kept):
            return False
        self._free -= 1
        return True

    async def acquire(self, *, urgent: bool) -> None:
        if self.acquired(urgent=urgent):
            return
        turn = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._others).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.release()  # the turn and the cancel came together: the next waiter gets the turn
            raise

    def release(self) -> None:
        self._free += 1
        for waiting, kept in ((self._urgent, 0), (self._others, self._kept)):
            while waiting and self._free > kept:
                turn = waiting.popleft()
                if not turn.done():
                    self._free -= 1
                    turn.set_result(None)


class _TransactionPool:
    """Gives each transaction a connection of a pool, and closes it at the end.

    Transactions wait here and not in SQLAlchemy's pool: here leases and cancels can go first, the wait is bounded, and
    a cancel during the wait loses no connection.
    """

    def __init__(self, pool: Pool, translator: Translator, wait_seconds: float) -> None:
        self.pool = pool
        self.others: Pool | None = None
        """That of the connections for the other purpose, to the same server."""
        self._semaphore = _PrioritySemaphore(pool.size, pool.size * _URGENT_OF_8 // 8)
        # An urgent one must not wait behind one that waits for another process.
        self._urgent = _PrioritySemaphore(1) if pool.exclusive else self._semaphore
        self._translator = translator
        self._wait_seconds = wait_seconds

    @asynccontextmanager
    async def connection(self, *, urgent: bool = False) -> AsyncIterator[DbConnection]:
        """A connection inside a transaction, which is rolled back at the end unless it was committed."""
        semaphore = self._urgent if urgent else self._semaphore
        connection = self.pool.connection(urgent=urgent)  # other processes hold back for an urgent one from now on
        its_turn = False
        try:
            await self._acquire(semaphore, urgent=urgent)
            its_turn = True
            await self._translator.run(connection.begin)
            yield connection
        except Unavailable:
            # The server has ended, or is a replica by now. Where it was reached it may be another one that is meant.
            await self._translator.finish(connection.invalidate)
            self.pool.distrust()
            if self.others is not None:
                self.others.distrust()
            raise
        finally:
            try:
                await self._translator.finish(partial(self._close, connection))
            finally:
                if its_turn:
                    semaphore.release()

    async def _acquire(self, semaphore: _PrioritySemaphore, *, urgent: bool) -> None:
        if semaphore.acquired(urgent=urgent):
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await semaphore.acquire(urgent=urgent)
        except TimeoutError as error:
            raise Locked(f"no database connection became free within {self._wait_seconds:g} s") from error

    async def _close(self, connection: DbConnection) -> None:
        try:
            await self._translator.run(connection.close)
        except StoreError:
            await connection.invalidate()  # it is broken: the server rolls back, and the pool opens another one


class Database:
    """A database of any supported kind. No method raises another exception of the database than `StoreError`."""

    def __init__(
        self,
        backend: Backend,
        reader: _TransactionPool,
        writer: _TransactionPool,
        translator: Translator,
        codec: Codec | None,
        hook: Hook | None,
        address: str,
    ) -> None:
        self._backend = backend
        self.address = address
        """Its URL without the password."""
        self._reader = reader
        self._writer = writer
        reader.others, writer.others = writer.pool, reader.pool
        self._translator = translator
        self.sealing = Sealing(codec)
        self._looked_for_keys = -math.inf
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
        """Open the database at a plain URL. The first transaction connects.

        ``codec`` encrypts what may hold secrets. ``hook`` is awaited at ``commit:<label>:before`` and ``…:after``.
        There are ``connections`` for reading and as many for writing (SQLite has one writer). A transaction waits
        ``lock_seconds`` for a lock and ``answer_seconds`` for an answer. The server ends one that is idle for
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
            parsed.render_as_string(hide_password=True),
        )

    @property
    def codec(self) -> Codec | None:
        """What seals; None: what may hold secrets is stored in plain text."""
        return self.sealing.codec

    async def aclose(self) -> None:
        """Close every connection. No transaction may be open."""
        await to_the_end(self._dispose())

    async def _dispose(self) -> None:
        await self._reader.pool.dispose()
        await self._writer.pool.dispose()

    @asynccontextmanager
    async def begin(self, label: str, *, urgent: bool = False) -> AsyncIterator[Tx]:
        """A write transaction: committed at the end of the block, rolled back if it raises.

        An ``urgent`` one (a lease, a cancel) gets a connection before the others that wait for one.
        A commit that has begun runs to its end even under a cancel, which is raised afterwards.
        Raises `KeyInUse` if it would store secrets in plain text although others seal them.
        Raises `CommitUnknown` if the commit's answer is lost; with every other `StoreError` nothing is stored.
        On SQLite only one runs at a time: one that is begun inside another one ends with `Locked`.
        """
        async with self._writer.connection(urgent=urgent) as connection:
            tx = Tx(connection, self._translator, self.sealing)
            yield tx
            await self._refuse_plain(tx)
            tx.check()
            if self._hook is not None:
                await self._hook(f"commit:{label}:before")
            await self._commit(connection)
        if self._hook is not None:
            await self._hook(f"commit:{label}:after")

    async def _refuse_plain(self, tx: Tx) -> None:
        """Raise `KeyInUse` where plain text would be stored although others seal: they would refuse it later."""
        now = time.monotonic()
        if not tx.wrote_plain or now - self._looked_for_keys < PLAIN_SECONDS:
            return
        key_id = await tx.scalar(_KEY)
        if key_id is not None:
            raise KeyInUse(str(key_id))
        self._looked_for_keys = now

    async def _commit(self, connection: DbConnection) -> None:
        try:
            await self._translator.run(connection.commit, committing=True)
        except CommitUnknown:
            await self._translator.finish(connection.invalidate)
            raise

    @asynccontextmanager
    async def read(self, *, urgent: bool = False) -> AsyncIterator[Tx]:
        """A transaction that only reads. All its statements see the same state. ``urgent`` as in `begin`."""
        async with self._reader.connection(urgent=urgent) as connection:
            yield Tx(connection, self._translator, self.sealing)

    async def ping(self) -> None:
        """Ask the database for an answer. Raises `StoreError` (`Unavailable`, `Locked`) if it has none."""
        async with self.read() as tx:
            await tx.scalar(text("SELECT 1"))

    async def probe_writing(self) -> None:
        """Write as a task would, and leave nothing behind. Raises `StoreError` if that cannot be done: `Full`, …"""
        probe = new_id()
        async with self.begin("probe", urgent=True) as tx:
            await tx.write(insert(write_probes).values(id=probe, filler=token_hex(_PROBE_BYTES // 2)))
            await tx.write(delete(write_probes).where(write_probes.c.id == probe))

    async def migrate(self) -> None:
        """Bring the schema up to date. May be repeated, and several machines may do it at once.

        Raises `SchemaOutdated` if it is of a later, incompatible version of KubeMin.
        """
        async with self._writer.connection() as connection:
            # Without a time limit: it may wait for another machine's migration, and both may take long.
            upgrade = partial(schema.upgrade, backend=self._backend)
            await self._translator.run(partial(connection.run_sync, upgrade), patient=True)

    async def check_schema(self) -> None:
        """Raise `SchemaOutdated` unless this version of KubeMin can work on the schema."""
        async with self._reader.connection() as connection:
            await self._translator.run(partial(connection.run_sync, schema.check))
