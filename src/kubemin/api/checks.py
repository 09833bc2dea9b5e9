"""How the parts are that a process stands on: for ``/readyz``, of a server and of a worker."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping

from kubemin.api.models.health import CheckReply
from kubemin.store import Database
from kubemin.store.errors import Locked, StoreError
from kubemin.store.sealing_keys import MissingKeys

Health = Callable[[], Awaitable[str | None]]
"""Asks a part of the system how it is: None when it is well, else a sentence. Does not raise."""

_CHECK_SECONDS = 3


class DatabaseHealth:
    """A `Health`: whether the schema fits, no key is missing and, once in ``seconds``, something can be written."""

    def __init__(self, db: Database, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._seconds = seconds
        self._clock = clock
        self._missing_keys = MissingKeys(db)
        self._written_at = -math.inf
        self._wrong: str | None = None
        self._lock = asyncio.Lock()

    async def __call__(self) -> str | None:
        try:
            await self._db.check_schema()
        except StoreError as error:
            return str(error).rstrip(".")
        if (missing := await self._missing_keys()) is not None:
            return missing
        async with self._lock:
            if self._clock() - self._written_at >= self._seconds:
                self._wrong = await self._write()
                self._written_at = self._clock()
            return self._wrong

    async def _write(self) -> str | None:
        try:
            await self._db.probe_writing()
        except Locked:
            return None  # somebody else writes just now
        except StoreError as error:
            return f"nothing can be written: {str(error).rstrip('.')}"
        return None


async def check_all(database: Health, others: Mapping[str, Health]) -> list[CheckReply]:
    """Ask all at once; the database comes first. Takes seconds at most, and does not raise."""
    return await asyncio.gather(_check("database", database), *(_check(name, ask) for name, ask in others.items()))


async def _check(name: str, ask: Health) -> CheckReply:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            wrong = await ask()
    except TimeoutError:
        wrong = f"the {name} did not answer within {_CHECK_SECONDS} seconds"
    return CheckReply(name=name, status="down" if wrong else "ok", message=wrong or "")
