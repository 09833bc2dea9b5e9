"""Two processes that write to one SQLite file: who may not wait goes first.

Two `Database` are two processes here: locks belong to open files.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kubemin.store import Database
from kubemin.store.backends import file
from kubemin.store.backends.turn import Turn
from tests.waiting import PATIENCE, until_true


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Database, Database]]:
    url = f"sqlite:///{tmp_path / 'kubemin.db'}"
    both = await Database.open(url), await Database.open(url)
    await both[0].migrate()
    yield both
    for db in both:
        await db.aclose()


@pytest.mark.parametrize("holder", ["its own process", "the other one"])
async def test_what_is_urgent_goes_before_the_writers_of_both_processes(
    pair: tuple[Database, Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holder: str
) -> None:
    monkeypatch.setattr(file, "INSIST_AFTER", 3600)
    api, worker = pair
    turn = Turn(tmp_path / "kubemin.db-turn")
    order = list[str]()

    async def write(db: Database, name: str, *, urgent: bool = False) -> None:
        async with db.begin(name, urgent=urgent):
            order.append(name)

    first = (api if holder == "its own process" else worker).begin("first")
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group, first:
        for _ in range(3):
            group.create_task(write(worker, "work"))
            group.create_task(write(api, "exec"))
        group.create_task(write(api, "cancel", urgent=True))
        group.create_task(write(worker, "renewal", urgent=True))
        await until_true(turn.is_taken)
    assert set(order[:2]) == {"cancel", "renewal"}
    assert sorted(order[2:]) == ["exec"] * 3 + ["work"] * 3
    assert not turn.is_taken()
    turn.close()


async def test_one_that_insists_and_stands_still_holds_up_nobody(
    pair: tuple[Database, Database], tmp_path: Path
) -> None:
    turn = Turn(tmp_path / "kubemin.db-turn")
    stopped = turn.place()
    stopped.insist()
    assert turn.is_taken()
    async with asyncio.timeout(PATIENCE):
        for db in pair:
            async with db.begin("work"):
                pass
    stopped.leave()
    turn.close()
