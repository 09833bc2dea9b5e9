"""The one poll of a process for the events of all tasks that somebody follows, however many streams there are."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import structlog
from fastapi.sse import format_sse_event
from pydantic_core import to_json

from kubemin.api.codes import ApiCode
from kubemin.api.envelope import ApiError
from kubemin.store import Database, events
from kubemin.store.errors import StoreError
from kubemin.store.events import EventRow, TaskState

log = structlog.get_logger(__name__)

_KEPT = 1000
"""Events that wait for one reader. A slower one reads them from the database again, from where it is."""


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
    # What was stored is sent on as it is, and not read: this server may be older than the worker that wrote it.
    data = {**row.data, "at": row.at.isoformat().replace("+00:00", "Z")}
    return format_sse_event(id=str(row.id), event=row.type, data_str=to_json(data).decode())


@dataclass(eq=False)
class Follower:
    """What one stream has not read yet."""

    awake: asyncio.Event = field(default_factory=asyncio.Event)
    missed: bool = True
    """There is more in the database than in `take`: it has just come, or was too slow."""
    over: bool = False
    """Nothing more comes: the hub stopped, or met with a fault of its own. Whoever listens may come again."""
    _news: deque[News] = field(default_factory=deque)
    _kept: int = 0

    def give(self, news: News) -> None:
        """Keep it until it is read, if there is not too much already."""
        self._kept += len(news.rows)
        if self._kept > _KEPT:
            self.missed = True
            self._forget()
        if not self.missed:
            self._news.append(news)
        self.awake.set()

    def take(self) -> list[News]:
        """What came since it was last asked, and forget it."""
        taken = list(self._news)
        self._forget()
        self.awake.clear()
        return taken

    def _forget(self) -> None:
        self._news.clear()
        self._kept = 0


@dataclass
class _Channel:
    """The followers of one task, and the last event that they were given."""

    last: int
    followers: set[Follower] = field(default_factory=set)


class EventHub:
    """Polls while anybody follows."""

    def __init__(self, db: Database, stopping: asyncio.Event, *, poll_seconds: float, most: int) -> None:
        self._db = db
        self._stopping = stopping
        self._poll_seconds = poll_seconds
        self._most = most
        self._open = 0
        self._channels: dict[str, _Channel] = {}
        self._polling: asyncio.Task[None] | None = None

    def check_free(self) -> None:
        """Raise 503 if there are as many streams as there may be."""
        if self.full:
            message = f"This server has {self._most} event streams already: try again, or ask for the task's status."
            raise ApiError(503, ApiCode.UNAVAILABLE, message, headers={"Retry-After": "5"})

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
    def follow(self, task_id: str, last: int) -> Iterator[Follower]:
        """Get every event of the task that comes; those after ``last`` that are there already have been missed."""
        channel = self._channels.setdefault(task_id, _Channel(last))
        follower = Follower()
        channel.followers.add(follower)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll_all(), name="events")
        try:
            yield follower
        finally:
            channel.followers.discard(follower)
            if not channel.followers:
                del self._channels[task_id]

    async def _poll_all(self) -> None:
        try:
            while self._channels and not self._stopping.is_set():
                try:
                    await self.poll()
                except StoreError as error:
                    log.warning("cannot read events; it tries again", error=str(error))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):
                        await self._stopping.wait()
        finally:
            for channel in self._channels.values():
                for follower in channel.followers:
                    follower.over = True
                    follower.awake.set()

    async def poll(self) -> None:
        """Give each follower what is new. Raises `StoreError`."""
        channels = dict(self._channels)
        async with self._db.read() as tx:  # one state: with the last event of a task comes the task as it is then
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
