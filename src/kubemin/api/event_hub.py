"""The one poll of a process for the events that somebody follows, of a task or of all, for all its streams."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import structlog
from fastapi.sse import format_sse_event

from kubemin.api.codes import ApiCode
from kubemin.api.envelope import ApiError
from kubemin.api.feed import Batch, Feed
from kubemin.api.follower import Follower, data_of
from kubemin.repeated import Repeated
from kubemin.store import Database, events
from kubemin.store.errors import StoreError
from kubemin.store.events import EventRow, TaskState
from kubemin.telemetry.tracing import detached

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class News:
    """Events of a task, in order. ``settled``: nothing more was under way then, and no more events were there."""

    rows: list[EventRow]
    settled: bool

    @cached_property
    def frames(self) -> list[bytes]:
        """Each event as it is sent, made once for all streams."""
        return [_frame(row) for row in self.rows]


def _frame(row: EventRow) -> bytes:
    return format_sse_event(id=str(row.id), event=row.type, data_str=data_of(row))


@dataclass
class _Channel:
    """The followers of one task, and the last event that they were given."""

    last: int
    followers: set[Follower[News]] = field(default_factory=set)


class EventHub:
    """Polls while anybody follows."""

    def __init__(
        self, db: Database, stopping: asyncio.Event, *, poll_seconds: float, most: int, most_each: int
    ) -> None:
        """``most`` streams at once, and ``most_each`` of one caller: none takes the places of all others."""
        self._db = db
        self._stopping = stopping
        self._poll_seconds = poll_seconds
        self._most = most
        self._most_each = most_each
        self._open = 0
        self._callers: Counter[str] = Counter()
        self._channels: dict[str, _Channel] = {}
        self.feed = Feed()
        self._polling: asyncio.Task[None] | None = None

    def check_free(self, caller: str | None) -> None:
        """Raise 503 if there are as many streams as there may be, 429 if as many of this caller; None is nobody."""
        if self.full:
            message = f"This server has {self._most} event streams already: try again, or ask for the task's status."
            raise ApiError(503, ApiCode.UNAVAILABLE, message, headers={"Retry-After": "5"})
        if caller is not None and self._callers[caller] >= self._most_each:
            message = f"{caller} has {self._most_each} event streams of this server already: end some, or try again."
            raise ApiError(429, ApiCode.TOO_MANY, message, headers={"Retry-After": "5"})

    @contextmanager
    def share(self, caller: str) -> Iterator[bool]:
        """Count one stream of a caller; whether it may be."""
        self._callers[caller] += 1
        try:
            yield self._callers[caller] <= self._most_each
        finally:
            self._callers[caller] -= 1
            if not self._callers[caller]:
                del self._callers[caller]

    @property
    def full(self) -> bool:
        """Whether there are as many streams as there may be."""
        return self._open >= self._most

    @contextmanager
    def place(self) -> Iterator[None]:
        """Count one stream."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    @contextmanager
    def follow(self, task_id: str, last: int) -> Iterator[Follower[News]]:
        """Get every event of the task that comes; those after ``last`` that are there already have been missed."""
        channel = self._channels.setdefault(task_id, _Channel(last))
        follower = Follower[News]()
        channel.followers.add(follower)
        self._begin()
        try:
            yield follower
        finally:
            channel.followers.discard(follower)
            if not channel.followers:
                del self._channels[task_id]

    @contextmanager
    def follow_all(self) -> Iterator[Follower[Batch]]:
        """Get every event of every task that comes once the feed has begun (`Feed.begin`)."""
        with self.feed.follow() as follower:
            self._begin()
            yield follower

    def _begin(self) -> None:
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll_all(), name="events", context=detached())

    async def _poll_all(self) -> None:
        polls = Repeated(log, "cannot read events; it tries again")
        try:
            while (self._channels or self.feed.followers) and not self._stopping.is_set():
                try:
                    await self.poll()
                except StoreError as error:
                    polls.failed(error)
                else:
                    polls.succeeded()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):
                        await self._stopping.wait()
        finally:
            for channel in self._channels.values():
                for follower in channel.followers:
                    follower.leave()
            for listener in self.feed.followers:
                listener.leave()

    async def poll(self) -> None:
        """Give each follower what is new. Raises `StoreError`."""
        channels = dict(self._channels)
        async with self._db.read() as tx:  # one state: with the last event of a task comes the task as it is then
            await self.feed.poll(tx)
            if not channels:
                return
            states = await events.states(tx, list(channels))
            behind = {task_id: one.last for task_id, one in channels.items() if task_id in states}
            found = await events.since_each(
                tx, {task_id: last for task_id, last in behind.items() if states[task_id].last > last}
            )
        for task_id, channel in channels.items():
            if rows := found.get(task_id, []):
                channel.last = rows[-1].id
            if rows or task_id not in states:  # a task that is gone says no more
                news = News(rows, _is_all(rows, states.get(task_id)))
                for follower in channel.followers:
                    follower.give(news)


def _is_all(rows: Sequence[EventRow], state: TaskState | None) -> bool:
    """Whether no event comes after these; a task without a state is gone."""
    return state is None or (state.settled and bool(rows) and rows[-1].id >= state.last)
