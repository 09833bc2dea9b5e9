"""What is delivered, how often, and in which order, on each database."""

import asyncio
from contextlib import suppress

from kubemin.spec.states import TaskStatus
from kubemin.store import Database
from tests.notifications.receiver import Receiver
from tests.notifications.rows import deliverer, ended, prepared, target
from tests.store.rows import id_of


async def test_what_ends_is_delivered_once(db: Database, receiver: Receiver) -> None:
    await prepared(db)
    await ended(db, "one")
    running = asyncio.create_task(deliverer(db, target(receiver.url)).run())
    (got,) = await receiver.has(1)
    assert got.json["type"] == "task.failed"
    assert got.json["data"]["taskId"] == id_of("one")
    await ended(db, "two", TaskStatus.COMPLETED, reason="")
    assert [one.json["type"] for one in await receiver.has(2)] == ["task.failed", "task.completed"]
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
