"""However many runs are asked for at once, few of them share the loop: a cancel does not wait behind all."""

import asyncio
from dataclasses import dataclass

import pytest

from kubemin.dispatch import LocalDoorbell
from kubemin.engine import ExecOptions, TaskService
from kubemin.engine.entry.sources import Basis, Wanted
from kubemin.engine.errors import AppNotFound
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.ids import new_id
from kubemin.spec.limits import Limits
from kubemin.store import Database, Tx
from tests.waiting import PATIENCE


@dataclass
class Two:
    """Counts who looks; nobody goes on before there are two."""

    pair: asyncio.Barrier
    now: int = 0
    most: int = 0


class Gone:
    """A source whose application is not there any more."""

    sent = None

    def __init__(self, two: Two) -> None:
        self.app_id = new_id()
        self._two = two

    async def look(self, tx: Tx) -> Basis:
        self._two.now += 1
        self._two.most = max(self._two.most, self._two.now)
        await self._two.pair.wait()
        await tx.now()
        self._two.now -= 1
        raise AppNotFound(self.app_id)

    def read(self, basis: Basis, limits: Limits) -> Wanted:
        raise NotImplementedError


async def test_two_runs_at_a_time_are_computed_and_recorded(postgresql_url: str) -> None:
    db = await Database.open(postgresql_url)
    service = TaskService(db, LocalSignals(LocalHub()), LocalDoorbell(), Limits())
    two = Two(asyncio.Barrier(2))

    async def run() -> None:
        with pytest.raises(AppNotFound):
            await service.run(Gone(two), ExecOptions(), "ada")

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(run())
    assert two.most == 2
    await db.aclose()
