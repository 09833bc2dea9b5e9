"""The events of all tasks as Server-Sent Events, one stream for whoever shows more than a task."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterator
from typing import NamedTuple

from fastapi.sse import format_sse_event

from kubemin.api.deps import Deps
from kubemin.api.feed import TURNS, Batch, unread
from kubemin.api.follower import Follower
from kubemin.api.position import Position
from kubemin.store import events
from kubemin.store.events import AppEventRow
from kubemin.store.sight import Sight

_RETRY_MILLISECONDS = 2000


class Wanted(NamedTuple):
    """Which events somebody wants to hear; all where nothing is said."""

    app_id: str | None = None
    types: frozenset[str] = frozenset()
    cluster: str | None = None
    sight: Sight = None

    def has(self, row: AppEventRow) -> bool:
        """Whether this is one of them."""
        if self.app_id not in (None, row.app_id) or self.cluster not in (None, row.cluster):
            return False
        if self.types and row.type not in self.types:
            return False
        return self.sight is None or any(
            one.has(row.cluster, row.namespace, row.project, row.app_name) for one in self.sight
        )


async def stream_all(deps: Deps, after: str | None, wanted: Wanted) -> AsyncGenerator[bytes, None]:
    """Those after the position ``after``, or from now on; a comment where nothing came for a while. It has no end.

    The first thing that is sent is the position: what is committed after that is told. One too many is told to come
    back. Raises what the store raises.
    """
    yield format_sse_event(retry=_RETRY_MILLISECONDS)
    hub = deps.event_hub
    if hub.full:
        return
    with hub.place(), hub.follow_all() as follower:
        start = await hub.feed.begin(deps.db)
        if after is not None:
            start = await _known(deps, Position.read(after, hub.feed.turn))
        reader = _Reader(deps, start, wanted)
        yield format_sse_event(comment="from here", id=str(start))
        while not (deps.stopping.is_set() or follower.over):
            behind = follower.missed
            for news in await (reader.stored(follower) if behind else reader.next(follower)):
                for frame in reader.frames(news):
                    yield frame
            if behind and not follower.missed:
                hub.feed.watch(reader.position)
            if reader.quiet():
                yield format_sse_event(comment="heartbeat", id=str(reader.position))


async def _known(deps: Deps, position: Position) -> Position:
    """The position, or the last event where it lies behind that: the database was put back to an earlier state."""
    async with deps.db.read() as tx:
        newest = await events.newest(tx)
    return position if position.last <= newest else Position(newest)


class _Reader:
    """Where one listener is."""

    def __init__(self, deps: Deps, position: Position, wanted: Wanted) -> None:
        self._deps = deps
        self._feed = deps.event_hub.feed
        self._wanted = wanted
        self.position = position
        self._quiet_since = time.monotonic()

    async def stored(self, follower: Follower[Batch]) -> list[Batch]:
        """What the database has that this listener does not, as much as is read at once."""
        follower.missed = False  # before it is read: what comes meanwhile is kept
        async with self._deps.db.read() as tx:
            found = await unread(tx, self.position)
        follower.missed = follower.missed or found.full
        return [found]

    async def next(self, follower: Follower[Batch]) -> list[Batch]:
        """What came meanwhile; none if nothing came until a heartbeat is due, or the server stops."""
        left = self._quiet_since + self._deps.heartbeat_seconds - time.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0, left)):
                await follower.awake.wait()
        return follower.take()

    def frames(self, news: Batch) -> Iterator[bytes]:
        """What is new of it to this listener, and wanted."""
        turn = self._feed.turn
        self.position.forget(turn - TURNS)
        for row, data in zip(news.rows, news.data, strict=True):
            if self.position.add(row.id, turn) and self._wanted.has(row):
                self._quiet_since = time.monotonic()
                yield format_sse_event(id=str(self.position), event=row.type, data_str=data)

    def quiet(self) -> bool:
        """Whether a heartbeat is due; begins to wait for the next."""
        if time.monotonic() - self._quiet_since < self._deps.heartbeat_seconds:
            return False
        self._quiet_since = time.monotonic()
        return True
