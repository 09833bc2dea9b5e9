"""What a task costs does not grow with history: each statement of its life reads as much with few as with many."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kubemin.store import Database, workflows
from tests.servers.postgresql import Postgresql
from tests.store.conftest import Servers
from tests.store.history import APP, KEPT, Work, fill, live
from tests.store.rows import add_application, id_of

_LIVES = KEPT + 2
"""Before what is measured: so many revisions are there that each further run forgets one."""


@pytest.fixture
async def postgresql(postgresql_url: str) -> AsyncIterator[Database]:
    """A migrated PostgreSQL database."""
    db = await Database.open(postgresql_url)
    yield db
    await db.aclose()


async def _begin(db: Database) -> None:
    await add_application(db)
    await add_application(db, "blog")
    async with db.begin("flow") as tx:
        await workflows.insert(tx, workflows.NewWorkflow(id=id_of("flow"), app_id=APP, name="flow"))
    for number in range(_LIVES):
        await live(db, f"before-{number}")


async def _lived(db: Database, work: Work, name: str) -> dict[str, float]:
    work.read.clear()
    work.executed.clear()
    await live(db, name)
    return work.each()


async def test_no_statement_of_a_task_does_more_with_a_longer_history(sqlite: Database) -> None:
    await _begin(sqlite)
    work = Work()
    work.watch_sqlite(sqlite)
    await fill(sqlite, "before-0", 20, "few")
    few = await _lived(sqlite, work, "first")
    await fill(sqlite, "before-0", 400, "many")
    many = await _lived(sqlite, work, "second")
    assert len(many) > 60
    assert few.keys() == many.keys()
    grown = {
        statement: (few[statement], steps) for statement, steps in many.items() if steps > 1.2 * few[statement] + 60
    }
    assert grown == {}


async def test_no_statement_of_a_task_reads_many_rows_of_a_long_history(
    postgresql: Database, postgresql_url: str, servers: Servers
) -> None:
    """PostgreSQL reads a small table as a whole; what counts is a large one, whose statistics it knows."""
    await _begin(postgresql)
    await fill(postgresql, "before-0", 2000, "many")
    server = servers.of(postgresql_url)
    assert isinstance(server, Postgresql)
    await asyncio.to_thread(server.sql, "ANALYZE", postgresql_url.rpartition("/")[2])
    work = Work()
    work.watch_postgresql(postgresql)
    read = await _lived(postgresql, work, "measured")
    assert len(read) > 60
    assert {statement: rows for statement, rows in read.items() if rows > 60} == {}
