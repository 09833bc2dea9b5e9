"""A kill at every point of a delivery, and a database that fails at each: every message comes, with one id."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.options import Commit
from kubemin.store import Database, outbox
from kubemin.store.errors import Unavailable
from tests.engine.child import Point
from tests.engine.child import run_child as run_worker
from tests.engine.test_points import World
from tests.notifications.child import Script, run_child
from tests.notifications.receiver import Receiver
from tests.notifications.rows import SECRET, all_deliveries, at_work, deliverer, due_now, ended, prepared, target, types
from tests.store.rows import expire
from tests.waiting import until

KILLED = -9
POINTS = [
    "commit:notifications-claim:after",
    "commit:notifications-sent:before",
    *(
        pytest.param(f"commit:notifications-{point}", marks=pytest.mark.proof)
        for point in ("take:before", "take:after", "claim:before", "sent:after")
    ),
]


async def all_delivered(db: Database) -> bool:
    return [str(one.state) for one in await all_deliveries(db)] == ["delivered", "delivered"]


@pytest.mark.parametrize("point", POINTS)
async def test_killed_while_it_delivers(sqlite: Database, receiver: Receiver, tmp_path: Path, point: str) -> None:
    await prepared(sqlite)
    await ended(sqlite, "one")
    await ended(sqlite, "two")
    given = {"name": "ops", "url": receiver.url, "secret": SECRET}
    assert await run_child(Script(f"sqlite:///{tmp_path}/kubemin.db", given, point)) == KILLED
    await due_now(sqlite)
    async with at_work(deliverer(sqlite, target(receiver.url))):
        await until(lambda: all_delivered(sqlite))
    ids = Counter(one.headers["webhook-id"] for one in receiver.got)
    assert len(ids) == 2
    assert len(receiver.got) == (3 if point == "commit:notifications-sent:before" else 2)
    for one in receiver.got:
        assert (
            len({other.body for other in receiver.got if other.headers["webhook-id"] == one.headers["webhook-id"]}) == 1
        )


@pytest.mark.parametrize("step", ["take", "claim", "sent", "keep"])
async def test_while_the_database_is_away_it_goes_on(
    sqlite: Database, receiver: Receiver, tmp_path: Path, step: str
) -> None:
    await prepared(sqlite)
    await ended(sqlite, "one")
    await ended(sqlite, "two")
    failed = 0

    async def away(point: str) -> None:
        nonlocal failed
        if point == f"commit:notifications-{step}:before" and failed < 2:
            failed += 1
            raise Unavailable("the database does not answer")

    db = await Database.open(f"sqlite:///{tmp_path}/kubemin.db", hook=away)

    async def comes() -> bool:
        if step == "sent":
            await due_now(sqlite)
        return await all_delivered(sqlite)

    async with at_work(deliverer(db, target(receiver.url))):
        await until(comes)
    await db.aclose()
    assert failed


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_worker_that_dies_as_its_task_ends_has_it_told_once(
    tmp_path: Path, migrated: Path, moment: str
) -> None:
    """The message is there exactly if the end is: both are one transaction."""
    shutil.copy(migrated, tmp_path / "kubemin.db")
    async with World(tmp_path) as stage:
        async with stage.instance.db.begin("announce") as tx:
            await outbox.announce(tx)
        script = replace(stage.script, kill_at=Point(f"commit:finish:{moment}"))
        assert await run_worker(script) == KILLED
        assert await types(stage.instance.db) == ([] if moment == "before" else ["task.completed"])
        if moment == "before":
            await expire(stage.instance.db, stage.task_id)
        async with stage.instance.worker():
            await stage.instance.settled(stage.task_id)
        assert await types(stage.instance.db) == ["task.completed"]


async def test_a_run_with_a_commit_is_told_from_its_begin(tmp_path: Path, migrated: Path) -> None:
    shutil.copy(migrated, tmp_path / "kubemin.db")
    async with World(tmp_path) as stage:
        async with stage.instance.db.begin("announce") as tx:
            await outbox.announce(tx)
        options = ExecOptions(commit=Commit(repository="octo/shop", sha="a" * 40))
        await stage.instance.exec(stage.app_id, options)
        assert await types(stage.instance.db) == ["task.created"]
