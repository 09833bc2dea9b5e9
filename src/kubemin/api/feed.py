"""The events of all tasks, as one process reads them for all who follow: each once, those of a task in order."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from kubemin.api.follower import Follower, data_of
from kubemin.api.position import Position
from kubemin.store import Database, Tx, events
from kubemin.store.events import AppEventRow

BATCH = 1000
"""What is read at once."""
TURNS = 240
"""After so many polls an id that is still not there never comes.

Two minutes, at two polls a second: database servers end a transaction that is idle for 10 s. Polls are counted, not
seconds: while the database is away, or stands still, its transactions do not grow older.
"""
_LATE_SECONDS = 120.0


class Batch:
    """Some events, lowest id first, and what is sent of each, made once for all streams."""

    def __init__(self, rows: list[AppEventRow]) -> None:
        self.rows = rows
        self.full = len(rows) == BATCH

    @cached_property
    def data(self) -> list[str]:
        """Each event's data."""
        return [data_of(row, taskId=row.task_id, appId=row.app_id) for row in self.rows]


async def unread(tx: Tx, position: Position) -> Batch:
    """What there is that a reader at this position does not have; the first `BATCH` of it."""
    ranges = [(gap.low, gap.high) for gap in position.gaps]
    return Batch(await events.of_all_tasks(tx, position.last, ranges, BATCH))


class Feed:
    """Where this process is, while anybody follows."""

    def __init__(self) -> None:
        self.followers: set[Follower[Batch]] = set()
        self.position: Position | None = None
        self.turn = 0
        """How many polls there were. While the database does not answer there are none."""

    @contextmanager
    def follow(self) -> Iterator[Follower[Batch]]:
        """Get what comes from the feed's position on. Whoever is elsewhere reads up to there by itself."""
        follower = Follower[Batch]()
        self.followers.add(follower)
        try:
            yield follower
        finally:
            self.followers.discard(follower)
            if not self.followers:
                self.position = None

    async def begin(self, db: Database) -> Position:
        """Take a position, if it has none: after all that is there, with gaps for what may still be under way.

        Returns a copy. For whoever follows. Raises `StoreError`.
        """
        if self.position is None:
            async with db.read() as tx:
                ids = await events.recent_ids(tx, _LATE_SECONDS)
            found = Position(ids[0] - 1 if ids else 0)
            for event_id in ids:
                found.add(event_id, self.turn)
            self.position = self.position or found
        return self.position.copy()

    def watch(self, position: Position) -> None:
        """Look for what is missing in a follower's position as well: another process may have seen these gaps."""
        if self.position is not None:
            self.position.watch(position, self.turn)

    async def poll(self, tx: Tx) -> None:
        """Give every follower what is new. Raises `StoreError`; then nothing was given."""
        if self.position is None:
            return
        news = await unread(tx, self.position)
        self.turn += 1
        for row in news.rows:
            self.position.add(row.id, self.turn)
        self.position.forget(self.turn - TURNS)
        for follower in self.followers if news.rows else ():
            follower.give(news)
