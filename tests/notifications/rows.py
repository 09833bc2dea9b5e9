"""What happens in the tests: tasks that end, and targets that are told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import select, update

from kubemin.notifications.deliverer import Deliverer
from kubemin.notifications.sending import Sender
from kubemin.notifications.targets import Target
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database, applications, deliveries, outbox, tables, tasks
from kubemin.store.deliveries import Delivery
from tests.store.rows import claim, id_of, new_task

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
PUBLIC = "https://kubemin.example"


def target(url: str, name: str = "ops", **more: Any) -> Target:
    """A target as the operator writes it."""
    signs = {"secret": SECRET} if more.get("template", "standard") == "standard" else {}
    return Target.model_validate({"name": name, "url": url, **signs, **more})


def deliverer(db: Database, *targets: Target, sender: Sender | None = None, poll_seconds: float = 0.01) -> Deliverer:
    """What delivers to them."""
    return Deliverer(db, targets, sender or Sender(PUBLIC), CollectorRegistry(), poll_seconds)


@asynccontextmanager
async def at_work(*those: Deliverer) -> AsyncIterator[None]:
    """They deliver while the context is open."""
    running = [asyncio.create_task(one.run()) for one in those]
    try:
        yield
    finally:
        for one in running:
            one.cancel()
        for one in running:
            with suppress(asyncio.CancelledError):
                await one


async def prepared(db: Database, *apps: str) -> None:
    """Let there be somebody to tell, and applications."""
    async with db.begin("prepare") as tx:
        await outbox.announce(tx)
        for app in apps or ("shop",):
            new = applications.NewApplication(id=id_of(app), name=app, namespace="prod", project="retail")
            await applications.insert(tx, new)


async def ended(
    db: Database,
    name: str,
    status: TaskStatus = TaskStatus.FAILED,
    *,
    app: str = "shop",
    reason: str = "no luck",
    cleanup: Cleanup = Cleanup.NONE,
    **fields: Any,
) -> tasks.Task:
    """A task that was claimed and has ended so."""
    async with db.begin("insert") as tx:
        await tasks.insert(tx, new_task(name, app, caller="ada", **fields))
    task = await claim(db)
    assert task is not None
    assert task.id == id_of(name)
    async with db.begin("finish") as tx:
        assert await tasks.finish(tx, task.id, task.lease_epoch, status, reason, cleanup, "TIMEOUT")
    return task


async def all_deliveries(db: Database) -> list[Delivery]:
    """The oldest first."""
    async with db.read() as tx:
        return (await deliveries.page(tx, limit=1000))[::-1]


async def due_now(db: Database) -> None:
    """Let the time come that everything waits for."""
    async with db.begin("due") as tx:
        await tx.write(update(tables.deliveries).where(tables.deliveries.c.next_at.is_not(None)).values(next_at=1.0))


async def types(db: Database) -> list[str]:
    """Of all that was written down, the oldest first."""
    async with db.read() as tx:
        return [row.type for row in await tx.rows(select(tables.outbox.c.type).order_by(tables.outbox.c.seq))]
