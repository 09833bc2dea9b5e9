"""A task's events as Server-Sent Events, read from the events table: the same for every listener and every process."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterator

from fastapi.sse import format_sse_event

from kubemin.api.deps import Deps
from kubemin.api.event_hub import News
from kubemin.api.follower import Follower
from kubemin.store import events

_BATCH = 500
_RETRY_MILLISECONDS = 2000


async def stream(deps: Deps, task_id: str, after: int) -> AsyncGenerator[bytes, None]:
    """The events after the given id, then each as it comes, until ``end``; a comment where nothing came for a while.

    ``end`` is sent once nothing more is under way: one that was followed by a further try of the cleanup is passed
    over. A listener that comes back after it is not kept waiting, and one too many is told to come back. Raises what
    the store raises.
    """
    yield format_sse_event(retry=_RETRY_MILLISECONDS)
    if deps.event_hub.full:
        return
    with deps.event_hub.place():
        reader = _Reader(deps, task_id, after)
        if await reader.is_over():
            return
        while not deps.stopping.is_set():  # what is there already, in large steps: the hub need not read it
            news = await reader.stored()
            for frame in reader.frames(news):
                yield frame
            if reader.ended:
                return
            if len(news.rows) < _BATCH:
                break
        with deps.event_hub.follow(task_id, reader.last) as follower:
            while not (deps.stopping.is_set() or follower.over):
                for news in await reader.next(follower):
                    for frame in reader.frames(news):
                        yield frame
                    if reader.ended:
                        return
                if reader.quiet():
                    yield format_sse_event(comment="heartbeat")


class _Reader:
    """How far one listener is."""

    def __init__(self, deps: Deps, task_id: str, last: int) -> None:
        self._deps = deps
        self._task_id = task_id
        self.last = last
        self.ended = False
        self._quiet_since = time.monotonic()

    async def is_over(self) -> bool:
        """Whether it has heard all that will come. One from the future is put back to the last event."""
        async with self._deps.db.read() as tx:
            state = (await events.states(tx, [self._task_id])).get(self._task_id)
        if state is None or (self.last >= state.last and state.settled):
            return True
        self.last = min(self.last, state.last)
        return False

    async def stored(self) -> News:
        """What the database has after the last event, as much as is read at once."""
        async with self._deps.db.read() as tx:
            rows = await events.since(tx, self._task_id, self.last, _BATCH)
            ended = bool(rows) and rows[-1].is_end
            state = (await events.states(tx, [self._task_id])).get(self._task_id) if ended else None
        return News(rows, settled=state is not None and state.settled and rows[-1].id >= state.last)

    async def next(self, follower: Follower[News]) -> list[News]:
        """What came meanwhile; none if nothing came until a heartbeat is due, or the server stops."""
        if follower.missed:
            follower.missed = False
            news = await self.stored()
            follower.missed = follower.missed or len(news.rows) == _BATCH
            return [news]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._heartbeat_at()):
                await follower.awake.wait()
        return follower.take()

    def frames(self, news: News) -> Iterator[bytes]:
        """What is new of it to this listener, and fit to be sent."""
        for row, frame in zip(news.rows, news.frames, strict=True):
            if row.id <= self.last:
                continue
            self.last, self._quiet_since = row.id, time.monotonic()
            is_last = news.settled and row is news.rows[-1]
            if not row.is_end or is_last:
                yield frame
            self.ended = row.is_end and is_last
        self.ended = self.ended or (news.settled and not news.rows)

    def quiet(self) -> bool:
        """Whether a heartbeat is due; begins to wait for the next."""
        if time.monotonic() - self._quiet_since < self._deps.heartbeat_seconds:
            return False
        self._quiet_since = time.monotonic()
        return True

    def _heartbeat_at(self) -> float:
        left = self._quiet_since + self._deps.heartbeat_seconds - time.monotonic()
        return asyncio.get_running_loop().time() + left
