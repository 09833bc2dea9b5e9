"""Rows to put in."""

from typing import Any

from sqlalchemy import update

from kubemin.store import Database, applications, tables, tasks


def id_of(name: str) -> str:
    """An id of 24 characters that tells its name."""
    return name.ljust(24, ".")


def new_task(name: str, app: str = "shop", **fields: Any) -> tasks.NewTask:
    """A task called ``name`` of the application ``app``."""
    values: dict[str, Any] = {
        "id": id_of(name),
        "app_id": id_of(app),
        "app_name": app,
        "workflow_id": id_of("flow"),
        "workflow_name": "flow",
        "spec": {"of": name},
        **fields,
    }
    return tasks.NewTask(**values)


async def add_tasks(db: Database, *names: str, app: str = "shop") -> None:
    """Insert tasks, each in its own transaction."""
    for name in names:
        async with db.begin("insert") as tx:
            await tasks.insert(tx, new_task(name, app))


async def add_application(db: Database, name: str = "shop", **fields: Any) -> None:
    """Insert an application."""
    async with db.begin("insert") as tx:
        await applications.insert(tx, applications.NewApplication(id=id_of(name), name=name, **fields))


async def read_task(db: Database, name: str) -> tasks.Task:
    """The task called ``name``."""
    async with db.read() as tx:
        task = await tasks.get(tx, id_of(name))
    assert task is not None
    return task


async def claim(db: Database, worker: str = "w", seconds: float = 60, max_attempts: int = 3) -> tasks.Task | None:
    """Claim the next task."""
    async with db.begin("claim") as tx:
        return await tasks.claim_next(tx, worker, seconds, max_attempts)


async def expire(db: Database, name: str) -> None:
    """Let a task's lease have run out long ago, by the database's clock."""
    async with db.begin("expire") as tx:
        changed = update(tables.tasks).where(tables.tasks.c.id == id_of(name)).values(lease_expires_at=1.0)
        assert await tx.write(changed) == 1


async def tick(db: Database) -> None:
    """Return when the database's clock shows another time than before."""
    async with db.read() as tx:
        before = await tx.now()
        while await tx.now() == before:
            pass
