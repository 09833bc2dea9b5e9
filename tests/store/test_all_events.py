"""One stream over all tasks: each event once, those of a task in order, however writers commit, wherever it resumes."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from itertools import count

import pytest

from kubemin.api import feed, follower
from kubemin.api.all_events import Wanted, stream_all
from kubemin.api.deps import Deps
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import TaskService
from kubemin.signals import LocalSignals
from kubemin.spec.events import JobEvent
from kubemin.spec.limits import Limits
from kubemin.spec.states import JobStatus
from kubemin.store import Database, events
from kubemin.store.transaction import Tx
from tests.store.rows import add_tasks, id_of
from tests.waiting import PATIENCE

NEVER = 3600.0
"""Seconds between two polls: the tests poll themselves."""
TASKS = ("one", "two", "three", "four")


class _Undone(Exception):
    pass


@dataclass
class Writers:
    """Transactions that are open at once, each of a task of its own."""

    db: Database
    numbers: "count[int]" = field(default_factory=count)
    open: dict[str, tuple[AsyncExitStack, Tx, list[int]]] = field(default_factory=dict)
    told: dict[str, list[int]] = field(default_factory=lambda: {task: [] for task in TASKS})
    """What was committed."""

    async def append(self, task: str) -> None:
        """In the task's transaction, which is begun where there is none."""
        if task not in self.open:
            stack = AsyncExitStack()
            self.open[task] = (stack, await stack.enter_async_context(self.db.begin("test")), [])
        _, tx, new = self.open[task]
        new.append(next(self.numbers))
        await events.append_many(tx, id_of(task), [JobEvent(job=new[-1], status=JobStatus.RUNNING)])

    async def commit(self, task: str) -> None:
        """End the task's transaction."""
        stack, _, new = self.open.pop(task)
        await stack.aclose()
        self.told[task] += new

    async def undo(self, task: str) -> None:
        """Roll it back."""
        stack, _, _ = self.open.pop(task)
        with suppress(_Undone):
            await stack.__aexit__(_Undone, _Undone(), None)


@dataclass
class Listener:
    """Hears what one server after the other sends, and resumes where it was."""

    servers: list[Deps]
    heard: list[tuple[str, int]] = field(default_factory=list)
    last: str = "0"
    source: AsyncGenerator[bytes, None] | None = None
    listening: "asyncio.Task[None] | None" = None

    async def connect(self, server: int) -> None:
        """Leave the former server, if there is one."""
        await self.leave()
        self.listening = asyncio.create_task(self._listen(self.servers[server]))

    async def leave(self) -> None:
        """Break the connection, wherever it is."""
        if self.listening is not None:
            self.listening.cancel()
            await asyncio.wait([self.listening])

    async def _listen(self, server: Deps) -> None:
        source = stream_all(server, self.last, Wanted())
        try:
            async for frame in source:
                said = dict(line.split(": ", 1) for line in frame.decode().splitlines() if ": " in line)
                if "data" in said:
                    data = json.loads(said["data"])
                    self.heard.append((data["taskId"], data["job"]))
                self.last = said.get("id", self.last)
        finally:
            await source.aclose()


def of(db: Database) -> Deps:
    """A server that never polls by itself but once."""
    limits = Limits()
    service = TaskService(db, LocalSignals(), LocalDoorbell(), limits)
    return Deps(db=db, service=service, limits=limits, event_poll_seconds=NEVER)


async def story(db: Database, at_once: int, seed: int) -> None:
    """Writers commit in some order while a listener comes and goes; at the end it has heard all."""
    chance = random.Random(seed)
    writers, listener = Writers(db), Listener([of(db), of(db)])
    async with db.read() as tx:
        listener.last = str(await events.newest(tx))  # what former stories told lies behind it
    await listener.connect(0)

    async def poll() -> None:
        for server in listener.servers:
            await server.event_hub.poll()

    for _ in range(60):
        task = chance.choice(TASKS)
        match chance.choice(("append", "append", "commit", "commit", "undo", "poll", "poll", "reconnect")):
            case "append" if task in writers.open or len(writers.open) < at_once:
                await writers.append(task)
            case "commit" if task in writers.open:
                await writers.commit(task)
            case "undo" if task in writers.open:
                await writers.undo(task)
            case "poll":
                await poll()
            case "reconnect":
                await listener.connect(chance.randrange(2))
            case _:
                await asyncio.sleep(0)
    for task in list(writers.open):
        await writers.commit(task)
    whole = Counter((id_of(task), number) for task, numbers in writers.told.items() for number in numbers)
    async with asyncio.timeout(PATIENCE):
        while len(listener.heard) < whole.total():
            await poll()
    await listener.leave()
    for server in listener.servers:
        server.stopping.set()
    assert Counter(listener.heard) == whole
    for task, numbers in writers.told.items():
        assert [number for task_id, number in listener.heard if task_id == id_of(task)] == numbers


async def _stories(db: Database, url: str, seeds: range) -> None:
    await add_tasks(db, *TASKS)
    for seed in seeds:
        await story(db, 1 if url.startswith("sqlite") else len(TASKS), seed)


async def test_every_event_is_heard_once_and_in_order(db: Database, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where more comes than is kept for a listener, and than is read at once."""
    monkeypatch.setattr(follower, "KEPT", 2)
    monkeypatch.setattr(feed, "BATCH", 3)
    await _stories(db, url, range(3))


@pytest.mark.proof
async def test_every_event_is_heard_once_and_in_order_in_many_stories(db: Database, url: str) -> None:
    await _stories(db, url, range(3, 30))
