"""Where calls wait until they are in the database: all that wait are stored by one transaction, in the order they came.

A call that is recorded is never waited for here, and none is lost while the process lives: where the database cannot
store it, the log says so at once, and it is stored later.
"""

import asyncio
import contextvars
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from kubemin.identity.rates import Buckets
from kubemin.settings.audit import AuditSettings
from kubemin.store import Database, StoreError, audit
from kubemin.store.anew import begun_anew
from kubemin.store.audit import AuditRow, Call
from kubemin.store.errors import CommitUnknown

LOGGER = "kubemin.audit"
log = structlog.get_logger(LOGGER)

MOST_AT_ONCE = 500
MOST_WAITING = 20_000
"""Calls that wait for a database that is away. Those that come then are in the log alone."""
UNKNOWN = "-"
"""The caller of a call whose sender nobody knows."""
UNKNOWN_RATE, UNKNOWN_BURST = 1.0, 600
"""Rows of such calls: so many a second in the long run, and at once; else whoever reaches the port could fill the disk.
"""
ADDRESS_RATE, ADDRESS_BURST = 0.5, 100
"""And so many from one address, so that none hides another's."""
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_PRUNE_SECONDS = 3600.0
_PRUNED_AT_ONCE = 1000
_LAST_SECONDS = 3.0
"""For what waits when the process ends."""


@dataclass(slots=True, eq=False)
class _Waiting:
    call: Call
    answered: float
    stored: asyncio.Future[None]
    said: bool = False
    """Whether the log has it, as one that is not stored."""


@dataclass(eq=False)
class AuditLog:
    """The audit of one process."""

    db: Database
    registry: CollectorRegistry
    settings: AuditSettings = field(default_factory=AuditSettings)
    first_pause: float = _FIRST_PAUSE

    def __post_init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._storing: asyncio.Task[None] | None = None
        self._unknown: list[AuditRow] = []
        """What a commit may have stored, as its answer was lost."""
        self._away = False
        self._key = self.settings.audit_key or None
        self._rows = Counter(
            "kubemin_audit_rows",
            "Calls that this process has recorded in the audit: stored at once, late (the database was away), lost, or "
            "unknown (too many came from senders that nobody knows); the last two are in the log alone.",
            ("how",),
            registry=self.registry,
        )
        self._of_unknown = Buckets(UNKNOWN_RATE, UNKNOWN_BURST)
        self._of_address = Buckets(ADDRESS_RATE, ADDRESS_BURST)
        for how in ("stored", "late", "lost", "unknown"):
            self._rows.labels(how)
        waiting = Gauge(
            "kubemin_audit_waiting",
            "Calls that wait to be stored in the audit; it grows while the database cannot store them.",
            registry=self.registry,
        )
        waiting.set_function(lambda: len(self._waiting))

    def record(self, call: Call) -> asyncio.Future[None]:
        """Have it stored. The future is done once it is; or will not be, as too many wait."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        too_many = call.caller == UNKNOWN and (self._of_address.take(call.address) or self._of_unknown.take(UNKNOWN))
        if too_many or len(self._waiting) >= MOST_WAITING:
            self._rows.labels("unknown" if too_many else "lost").inc()
            _say(_wire(call), stored=False)
            stored.set_result(None)
            return stored
        one = _Waiting(call, time.monotonic(), stored)
        self._waiting.append(one)
        if self._away:
            self._say_waits(one)
        if self._storing is None or self._storing.done():
            # A context of its own: what it logs is of no single request.
            self._storing = asyncio.create_task(self._store_all(), name="audit", context=contextvars.Context())
        return stored

    async def wait(self, stored: asyncio.Future[None]) -> None:
        """Until it is stored, but not for long; not at all while the database is known to be away."""
        if not stored.done() and not self._away and self.settings.audit_wait_seconds:
            await asyncio.wait({stored}, timeout=self.settings.audit_wait_seconds)

    async def prune_regularly(self) -> None:
        """Delete what is older than it is kept, for ever. Returns at once where all is kept."""
        if not self.settings.audit_keep_days:
            return
        while True:
            gone = 0
            try:
                gone = await self.prune()
            except StoreError as error:
                log.warning("cannot delete old rows of the audit; it tries again", error=type(error).__name__)
            await asyncio.sleep(0 if gone == _PRUNED_AT_ONCE else _PRUNE_SECONDS)

    async def prune(self) -> int:
        """Delete some of what is older than it is kept; how many. Raises `StoreError`."""
        async with self.db.begin("audit-prune") as tx:
            return await audit.prune(tx, self.settings.audit_keep_days * 86400, self._key, _PRUNED_AT_ONCE)

    async def aclose(self) -> None:
        """Store what waits, if that can be done within a few seconds."""
        if self._storing is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_SECONDS):
                    await asyncio.shield(self._storing)
            self._storing.cancel()
            with suppress(asyncio.CancelledError):
                await self._storing
        if self._waiting:
            self._rows.labels("lost").inc(len(self._waiting))
            log.error("the audit lacks calls, which only this log has", calls=len(self._waiting))
            for one in self._waiting:
                self._say_waits(one)

    async def _store_all(self) -> None:
        pause = self.first_pause
        while self._waiting:
            try:
                await self._store()
            except StoreError as error:
                # The kind alone: what a driver says may quote the values that it was given.
                if not self._away:
                    log.error("the audit cannot be stored; it tries again", error=type(error).__name__)
                self._away = True
                for one in self._waiting:
                    self._say_waits(one)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._away, pause = False, self.first_pause

    @begun_anew
    async def _store(self) -> None:
        """Store those that wait longest, in one transaction. Raises `StoreError`."""
        part = [self._waiting[place] for place in range(min(len(self._waiting), MOST_AT_ONCE))]
        unless = self._unknown[-1].place if self._unknown else None
        rows: list[AuditRow] = []
        try:
            async with self.db.read() as tx:  # before the chain is locked
                said = await audit.with_clusters(tx, [one.call for one in part])
            async with self.db.begin("audit") as tx:
                now = time.monotonic()
                calls = [(call, now - one.answered) for call, one in zip(said, part, strict=True)]
                made = await audit.append(tx, calls, self._key, unless=unless)
                rows = self._unknown if made is None else made
        except CommitUnknown:
            self._unknown = rows
            raise
        self._unknown = []
        for row in rows:
            one = self._waiting.popleft()
            self._rows.labels("late" if one.said else "stored").inc()
            _say(row.wire(), stored=True)
            if not one.stored.done():
                one.stored.set_result(None)

    def _say_waits(self, one: _Waiting) -> None:
        if not one.said:
            one.said = True
            _say(_wire(one.call), stored=False)
            if not one.stored.done():
                one.stored.set_result(None)


def _wire(call: Call) -> dict[str, Any]:
    return {"requestId" if name == "request_id" else name: value for name, value in asdict(call).items()}


def _say(fields: dict[str, Any], *, stored: bool) -> None:
    log.info("audit", logger=LOGGER, stored=stored, **fields)
