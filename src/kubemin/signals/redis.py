"""Signals over Redis, for several workers and servers (design §5)."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import structlog

from kubemin.signals.absence import Absence
from kubemin.signals.address import Address
from kubemin.signals.base import MARKER_SECONDS, Cancelled, Mode, OnSignal, TakenOver
from kubemin.signals.errors import SignalError
from kubemin.signals.redis_client import RedisClient
from kubemin.signals.script import (
    CANCEL,
    CHANNEL,
    MARK,
    PREFIX,
    REFRESH,
    RELEASE,
    KeyRefresh,
    KeyState,
    key_of,
    new_token,
    read_reply,
    refresh_arguments,
    sentinel_of,
)
from kubemin.signals.subscription import Subscription

_log = structlog.get_logger(__name__)
_jitter = secrets.SystemRandom()

_EXTEND_AFTER = 1 / 3
"""A key is extended after this part of its time to live, so two extensions may fail before it expires."""


@dataclass(eq=False, slots=True)
class _Watch:
    task_id: str
    epoch: int
    on_signal: OnSignal
    token: str = field(init=False)
    held: bool = False
    refreshed: float | None = None
    """When the last refresh that succeeded was sent. The key lives at least a TTL after that."""

    def __post_init__(self) -> None:
        self.token = new_token(self.epoch)


class _Together:
    """Does for many callers at once what each asks for: those that come while another exchange is under way."""

    def __init__(self, lock: asyncio.Lock, work: Callable[[Sequence[_Watch]], Awaitable[None]]) -> None:
        """``work`` is called with the lock held."""
        self._lock = lock
        self._work = work
        self._asked: list[_Watch] = []

    async def do(self, watch: _Watch) -> None:
        """Returns once it is done."""
        self._asked.append(watch)
        async with self._lock:
            asked, self._asked = self._asked, []
            if asked:
                try:
                    await self._work(asked)
                except asyncio.CancelledError:
                    self._asked[:0] = asked  # whoever else waits does it
                    raise


class RedisSignals:
    """Polls the keys of all watched tasks in one round trip, and at once when a message says that a task is cancelled.

    When Redis cannot be reached, this is logged once, ``healthy`` is False, and tasks go on. The next poll that gets
    through writes their keys again. The worker finds a cancel in between in the task's row, which it reads too.
    """

    def __init__(
        self,
        url: str,
        *,
        poll: float = 1,
        ttl: float = 30,
        timeout: float = 2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Parse the URL (see kubemin.signals.address; raises SignalError). `open` also connects.

        ``poll``: seconds between two polls, a little less at random. ``ttl``: how long a dead worker's key lives.
        ``timeout``: how long to wait for a reply.
        """
        self._redis = RedisClient(Address.parse(url), timeout=timeout)
        self._poll = poll
        self._ttl = ttl
        self._clock = clock
        self._watches: dict[str, _Watch] = {}
        self._announced: set[str] = set()
        self._wake = asyncio.Event()
        # One exchange at a time. If it times out, those that waited for the lock see that it is away and do not try
        # Redis again.
        self._lock = asyncio.Lock()
        self._entering = _Together(self._lock, self._refresh_now)
        self._leaving = _Together(self._lock, self._release_now)
        self._absence = Absence("signals")
        self._policy_known = False
        self._tasks: list[asyncio.Task[None]] = []
        self.subscription = Subscription(self._redis, CHANNEL, self._on_message)

    @classmethod
    async def open(cls, url: str, *, poll: float = 1, ttl: float = 30) -> Self:
        """Connect and start watching. Raises SignalError if the URL is invalid, not if Redis cannot be reached."""
        signals = cls(url, poll=poll, ttl=ttl)
        await signals.start()
        return signals

    async def start(self) -> None:
        """Poll once and check Redis's settings, then poll and listen in the background until `aclose`."""
        await self.poll()
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self.subscription.run())]

    @property
    def mode(self) -> Mode:
        """``database`` while Redis does not answer."""
        return Mode.REDIS if self.healthy else Mode.DATABASE

    @property
    def healthy(self) -> bool:
        """Whether Redis answered the last time."""
        return not self._absence.away

    async def watch(self, task_id: str, epoch: int, on_signal: OnSignal) -> None:
        """See Signals.watch."""
        watch = _Watch(task_id, epoch, on_signal)
        former = self._watches.get(task_id)
        self._watches[task_id] = watch
        if former is not None:
            former.on_signal(TakenOver())
        await self._entering.do(watch)

    async def unwatch(self, task_id: str) -> None:
        """See Signals.unwatch."""
        watch = self._watches.pop(task_id, None)
        if watch is not None:
            await self._leaving.do(watch)

    async def cancel(self, task_id: str, reason: str) -> None:
        """See Signals.cancel."""
        argv = [MARK + reason, str(MARKER_SECONDS * 1000), CHANNEL, f"{task_id} {MARK}{reason}"]
        try:
            [reply] = await self._redis.evaluate(CANCEL, [([key_of(task_id)], argv)])
            if isinstance(reply, Exception):
                raise SignalError(f"Redis at {self._redis.address} refused the cancel mark: {reply}")
        except SignalError:
            # A task that runs in this process can be cancelled without Redis.
            watch = self._watches.pop(task_id, None)
            if watch is not None:
                watch.on_signal(Cancelled(reason))
            raise

    async def poll(self) -> None:
        """Refresh the keys of all watched tasks, in one round trip."""
        await self._refresh(list(self._watches.values()), whole=True)
        if not self._absence.away and not self._policy_known:
            await self._check_policy()

    async def aclose(self) -> None:
        """See Signals.aclose. Deletes the keys too."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        watches = list(self._watches.values())
        self._watches.clear()
        async with self._lock:
            await self._release_now(watches)
        await self._redis.aclose()

    def _on_message(self, text: str) -> None:
        """A message is a cancel by itself: to read the key would take two turns more, behind all that goes on.

        One without a mark, as somebody may send by hand, says only that the key is to be read.
        """
        task_id, _, mark = text.partition(" ")
        watch = self._watches.get(task_id)
        if watch is None:
            return
        if mark.startswith(MARK):
            self._end(watch, Cancelled(mark.removeprefix(MARK)))
        else:
            self._announced.add(task_id)
            self._wake.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(due):
                    await self._wake.wait()
            except TimeoutError:
                due = loop.time() + self._poll * _jitter.uniform(0.8, 1)
                await self.poll()
            else:
                self._wake.clear()
                announced, self._announced = self._announced, set()
                await self._refresh([self._watches[task_id] for task_id in announced if task_id in self._watches])

    async def _refresh(self, watches: Sequence[_Watch], *, whole: bool = False) -> None:
        """Write or extend these keys, and call ``on_signal`` where a key shows a cancel or another worker.

        An absent key means a cancel only if it cannot have expired or been evicted. Where it can, the key proves
        nothing. Such keys are written anew in a second exchange, which finds them with ``refreshed`` set to None.
        """
        async with self._lock:
            await self._refresh_now(watches, whole=whole)

    async def _refresh_now(self, watches: Sequence[_Watch], *, whole: bool = False) -> None:
        if self._absence.away and not whole:
            return  # Only the poll tries a server that is away: everyone else would wait for its timeout.
        unproven = await self._exchange(watches)
        if unproven:
            await self._exchange(unproven)

    async def _exchange(self, watches: Sequence[_Watch]) -> list[_Watch]:
        """One round trip. Returns the watches whose absent keys prove nothing, and have to be written again."""
        watches = [watch for watch in watches if self._is_current(watch)]
        batches = [watches[at : at + self._redis.batch] for at in range(0, len(watches), self._redis.batch)]
        # The time before sending: a key lives at least a TTL from then, however long the reply takes.
        sent = self._clock()
        calls = [refresh_arguments([self._key_refresh(watch, sent) for watch in batch], self._ttl) for batch in batches]
        try:
            if calls:
                replies = await self._redis.evaluate_often(REFRESH, calls)
            else:
                await self._redis.ping()
                replies = []
        except SignalError as error:
            self._set_away(error)
            return []
        self._set_away(next((reply for reply in replies if isinstance(reply, Exception)), None))
        heard = [
            (watch, element)
            for batch, reply in zip(batches, replies, strict=True)
            if not isinstance(reply, Exception)
            for watch, element in zip(batch, reply, strict=True)
        ]
        return [watch for watch, element in heard if await self._handle(watch, element, sent)]

    def _is_current(self, watch: _Watch) -> bool:
        return self._watches.get(watch.task_id) is watch

    def _key_refresh(self, watch: _Watch, now: float) -> KeyRefresh:
        fresh, due = self._is_fresh(watch, now), not self._is_fresh(watch, now, _EXTEND_AFTER)
        return KeyRefresh(watch.task_id, watch.token, watch.epoch, watch.held, fresh, due)

    def _is_fresh(self, watch: _Watch, now: float, share: float = 1) -> bool:
        """Whether less than this ``share`` of the time to live has passed since the last refresh.

        With the whole of it: whether the key cannot have expired by itself.
        """
        return watch.refreshed is not None and now - watch.refreshed < share * self._ttl

    async def _handle(self, watch: _Watch, element: int | bytes, sent: float) -> bool:
        """Act on one element of the reply. True if the key has to be written again."""
        found = read_reply(element)
        if not self._is_current(watch) or found is KeyState.KEPT:
            return False
        if found is KeyState.OURS:
            watch.held, watch.refreshed = True, sent
        elif found is KeyState.TAKEN:
            self._end(watch, TakenOver())
        elif isinstance(found, str):
            self._end(watch, Cancelled(found))
        # KeyState.GONE. The clock is read again: the key may have expired while the request was on its way.
        elif not self._is_fresh(watch, self._clock()) or await self._evicts(watch.task_id):
            watch.refreshed = None
            return True
        elif self._is_current(watch):
            self._end(watch, Cancelled("the signal key was deleted"))
        return False

    async def _release_now(self, watches: Sequence[_Watch]) -> None:
        """Delete the keys that are still ours, in one round trip. If that fails, they expire."""
        calls = [([key_of(watch.task_id), sentinel_of(watch.task_id)], [watch.token]) for watch in watches]
        if calls and not self._absence.away:
            try:
                await self._redis.evaluate(RELEASE, calls)
            except SignalError as error:
                self._set_away(error)

    def _end(self, watch: _Watch, signal: Cancelled | TakenOver) -> None:
        del self._watches[watch.task_id]
        watch.on_signal(signal)

    async def _evicts(self, task_id: str) -> bool:
        """Whether the server of this key ever evicted keys to save memory. Then an absent key proves nothing."""
        try:
            stats = await self._redis.info("stats", key_of(task_id))
        except SignalError:
            return False
        return int(stats.get("evicted_keys", 0)) > 0

    async def _check_policy(self) -> None:
        """Log a warning if this server may evict keys. Checked once after each reconnect."""
        self._policy_known = True
        try:
            policy = (await self._redis.info("memory", PREFIX)).get("maxmemory_policy", "unknown")
        except SignalError:
            policy = "unknown"
        if policy != "noeviction":
            advice = "set maxmemory-policy noeviction: an evicted cancel mark is found late, from the database"
            _log.warning("cancel marks may be evicted", server=str(self._redis.address), policy=policy, advice=advice)

    def _set_away(self, error: Exception | None) -> None:
        """Note whether Redis can be reached, and log each change once."""
        details = {"server": str(self._redis.address), "tasks": len(self._watches)}
        if error is None:
            self._absence.ends(**details)
        elif self._absence.begins(error, **details):
            self._policy_known = False
