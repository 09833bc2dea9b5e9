"""Servers forget old tasks: one at a time, and each until it stops."""

import asyncio
import contextlib

from kubemin.cli.forgetting import forget_in_background, sweep
from kubemin.store import Database
from tests.store.rows import add_application
from tests.store.test_retention import ended, left
from tests.waiting import until


async def with_history(db: Database, *names: str) -> None:
    async with db.begin("history") as tx:
        for name in names:
            await ended(tx, name)


async def test_of_all_servers_one_forgets(sqlite: Database) -> None:
    await add_application(sqlite)
    await with_history(sqlite, "a", "b")
    assert await sweep(sqlite, 0, "one server") == 1
    await with_history(sqlite, "c")
    assert await sweep(sqlite, 0, "another server") == 0
    assert await sweep(sqlite, 3600, "one server") == 0
    assert await left(sqlite) == ["b", "c"]
    assert await sweep(sqlite, 0, "one server") == 1


async def test_a_server_forgets_until_it_stops(sqlite: Database) -> None:
    await add_application(sqlite)
    await with_history(sqlite, "a", "b")
    forgetting = asyncio.create_task(forget_in_background(sqlite, 1e-9))

    async def forgotten() -> bool:
        return await left(sqlite) == ["b"]

    await until(forgotten)
    forgetting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await forgetting
