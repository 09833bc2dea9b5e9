"""What a task costs does not grow with history: each statement of its life reads as much with few as with many."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kubemin.store import Database, applications, audit, database, workflows
from kubemin.store.applications import Filter
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


async def test_no_statement_of_a_task_does_more_with_a_longer_history(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PLAIN_SECONDS", 0.0)  # else what is asked depends on the time
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


async def test_no_list_does_more_with_more_that_it_does_not_show(sqlite: Database) -> None:
    """Of applications by name, or in a namespace, and of calls of one kind: the others are not read."""
    work = Work()
    work.watch_sqlite(sqlite)

    async def asked(others: range) -> dict[str, float]:
        for number in others:
            await add_application(sqlite, f"app-{number}")
        async with sqlite.begin("calls") as tx:
            await audit.append(tx, [(_call("apply_application", f"r{number}"), 0.0) for number in others], None)
        work.read.clear()
        work.executed.clear()
        async with sqlite.read() as tx:
            for wanted in (Filter(name="shop"), Filter(namespace="rare")):
                assert len(await applications.page(tx, wanted, limit=10)) == 1
                assert await applications.count(tx, wanted) == 1
            for wanted_calls in (audit.Wanted(operation="create_token"), audit.Wanted(cluster="rare")):
                assert len(await audit.newest(tx, wanted_calls, before=None, limit=10)) == 1
            await audit.with_clusters(tx, [_call("apply_application", "r0")])
        return work.each()

    await add_application(sqlite, namespace="rare")
    async with sqlite.begin("calls") as tx:
        await audit.append(tx, [(_call("create_token", "first", cluster="rare"), 0.0)], None)
    few, many = await asked(range(20)), await asked(range(20, 400))
    assert few.keys() == many.keys()
    assert {statement: steps for statement, steps in many.items() if steps > 1.2 * few[statement] + 60} == {}


def _call(operation: str, request_id: str, cluster: str = "") -> audit.Call:
    about = dict.fromkeys(("authenticated", "address", "target", "app", "task"), "")
    told = {"caller": "ada", "method": "POST", "operation": operation, "request_id": request_id}
    return audit.Call(**told, **about, cluster=cluster, status=200, code=0)


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
