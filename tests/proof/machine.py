"""A worker's machine, which can die or fall asleep at any point: its only ways out are its commits and its requests."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from kubemin.cluster import Cluster
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import Engine, EngineSettings
from kubemin.signals import LocalHub, LocalSignals
from kubemin.store import Database
from tests.waiting import PATIENCE

OPTIONS = EngineSettings(
    lease_seconds=PATIENCE,  # a script says when it runs out
    poll_seconds=0.15,
    hopeless_after_seconds=0.3,
    job_timeout_seconds=20,
    cleanup_seconds=5,
)


class Dead(Exception):
    """Raised at every door of a machine that died: nothing more is committed, and no request leaves."""


@dataclass
class Machine:
    """One process with a worker, a reaper and informers; its connections are its own."""

    name: str
    db: Database
    cluster: Cluster
    engine: Engine
    at_point: Callable[["Machine", str], Awaitable[None]]
    dead: bool = False
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    calls: int = 0
    running: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls, name: str, database: str, url: str, hub: LocalHub, at_point: Callable[["Machine", str], Awaitable[None]]
    ) -> "Machine":
        """Boot it."""
        made: list[Machine] = []

        async def hook(point: str) -> None:
            await made[0]._hook(point)

        db = await Database.open(database, hook=hook)
        cluster = await Cluster.connect(kubeconfig=None, context=None, url=url, timeout=4, hook=hook)
        machine = cls(
            name, db, cluster, Engine(db, [cluster], LocalSignals(hub), LocalDoorbell(), OPTIONS, name), at_point
        )
        machine.awake.set()
        made.append(machine)
        machine.running = asyncio.create_task(machine.engine.run(), name=f"machine {name}")
        return machine

    async def _hook(self, point: str) -> None:
        if self.dead:
            raise Dead(point)
        if point.startswith("call:"):
            self.calls += 1 if point.endswith(":before") else -1
        await self.at_point(self, point)
        # A process that sleeps inside a transaction would keep SQLite's only writer: it falls asleep after it.
        if not self.awake.is_set() and not (point.startswith("commit:") and point.endswith(":before")):
            await self.awake.wait()
        if self.dead:
            raise Dead(point)

    @property
    def idle(self) -> bool:
        """Whether it holds no task, and none of its requests is under way."""
        return self.dead or (self.engine.running == 0 and self.calls == 0)

    def forget_leases(self) -> None:
        """What time does to a holder's own clock."""
        for held in self.engine._worker._held.values():
            held.run.lease.deadline = 0

    def die(self) -> None:
        """From now on nothing leaves it."""
        self.dead = True
        self.awake.set()
        if self.running is not None:
            self.running.cancel()

    async def aclose(self) -> None:
        """Switch it off."""
        self.awake.set()
        assert self.running is not None
        if not self.dead:
            await self.engine.stop()
        else:
            self.running.cancel()
        done, _ = await asyncio.wait([self.running], timeout=60)
        assert done, f"machine {self.name} does not stop"
        if not self.dead:
            self.running.result()
        else:
            with contextlib.suppress(BaseException):
                self.running.result()
        await self.cluster.aclose()
        await self.db.aclose()
