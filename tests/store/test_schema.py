"""Migrations: the schema they build, and running them."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, delete, insert, inspect, select, text

from kubemin.store import Database, SchemaOutdated, schema, tasks
from kubemin.store.tables import metadata
from tests.store import released
from tests.store.conftest import Servers
from tests.store.rows import id_of, new_task


def _differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "compare_server_default": True, "target_metadata": metadata}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def test_the_migrations_build_the_tables(db: Database) -> None:
    async with db._writer.connection() as connection:
        assert await connection.run_sync(_differences) == []


def test_the_names_of_the_files_are_their_revisions_in_order() -> None:
    scripts = ScriptDirectory.from_config(schema.config()).walk_revisions()
    assert schema.revisions() == tuple(script.revision for script in scripts)[::-1]


@pytest.mark.parametrize("revision", schema.revisions())
async def test_up_from_every_revision(empty_url: str, revision: str) -> None:
    db = await Database.open(empty_url)
    async with db._writer.connection() as connection:
        await connection.run_sync(lambda connection: schema.upgrade(connection, db._backend, revision))
    await db.migrate()
    await db.check_schema()
    await db.aclose()


@pytest.mark.parametrize("revision", released.revisions())
async def test_up_from_what_was_released(empty_url: str, servers: Servers, revision: str) -> None:
    """What is there stays as it is, and code of that release can work on: nothing that it knows has changed."""
    await asyncio.to_thread(released.load, servers.of(empty_url), empty_url, revision)
    db = await Database.open(empty_url)
    async with db._writer.connection() as connection:
        before = await connection.run_sync(_everything)
    assert before.pop("alembic_version").rows == [(revision,)]
    await db.migrate()
    await db.check_schema()
    async with db._writer.connection() as connection:
        assert await connection.run_sync(_differences) == []
        after = await connection.run_sync(_everything)
        await connection.run_sync(lambda connection: _write_as_before(connection, before))
    for name, table in before.items():
        now = after[name]
        assert table.unique == now.unique
        assert table.columns.items() <= now.columns.items(), f"{name}: a column is gone, or another one"
        known = [list(now.columns).index(column) for column in table.columns]
        assert [tuple(row[at] for at in known) for row in now.rows] == table.rows
    async with db.read() as tx:
        states = [(task.app_name, task.status, task.cleanup) for task in await tasks.page(tx)]
        assert (await tasks.get(tx, id_of("other-1"))) is not None
    assert sorted(states) == [
        ("other", "cancelled", "pending"),
        ("other", "waiting", "none"),
        ("shop", "completed", "none"),
        ("shop", "waiting", "none"),
        ("third", "running", "none"),
        ("third", "waiting", "none"),
    ]
    await db.aclose()


class _Table(NamedTuple):
    columns: dict[str, tuple[str, bool]]
    """Type, and whether it may be absent."""
    unique: set[tuple[str, ...]]
    rows: list[tuple[Any, ...]]


def _everything(connection: Connection) -> dict[str, _Table]:
    looked = inspect(connection)
    found = {}
    for name in looked.get_table_names():
        columns = {one["name"]: (str(one["type"]), bool(one["nullable"])) for one in looked.get_columns(name)}
        unique = {tuple(one["column_names"]) for one in looked.get_unique_constraints(name)}
        key = looked.get_pk_constraint(name)["constrained_columns"]
        of = Table(name, MetaData(), autoload_with=connection)
        rows = connection.execute(select(of).order_by(*(of.c[column] for column in key)))
        found[name] = _Table(columns, unique, [tuple(row) for row in rows])
    return found


def _write_as_before(connection: Connection, before: dict[str, _Table]) -> None:
    """Delete every row and insert it again as that release did, which knows no newer columns."""
    all_ = MetaData()
    all_.reflect(connection)
    for table in reversed(all_.sorted_tables):
        if table.name != "alembic_version":
            connection.execute(delete(table))
    for table in all_.sorted_tables:
        if rows := before[table.name].rows if table.name in before else []:
            connection.execute(insert(table), [dict(zip(before[table.name].columns, row, strict=True)) for row in rows])


async def test_migrating_twice_keeps_what_is_there(db: Database) -> None:
    async with db.begin("insert") as tx:
        await tasks.insert(tx, new_task("a"))
    await db.migrate()
    await db.check_schema()
    async with db.read() as tx:
        assert await tasks.get(tx, new_task("a").id) is not None


async def test_an_empty_database_is_refused(empty_url: str) -> None:
    db = await Database.open(empty_url)
    with pytest.raises(SchemaOutdated, match="kubemin migrate"):
        await db.check_schema()
    await db.aclose()


@pytest.fixture
async def own(empty_url: str) -> AsyncIterator[Database]:
    """A migrated database whose schema the test may change."""
    database = await Database.open(empty_url)
    await database.migrate()
    yield database
    await database.aclose()


async def test_a_database_from_before_the_first_release_is_refused(own: Database) -> None:
    async with own.begin("as before") as tx:
        await tx.write(text("DROP TABLE revisions"))
    for ask in (own.check_schema, own.migrate):
        with pytest.raises(SchemaOutdated, match="begin with an empty one"):
            await ask()


@pytest.mark.parametrize(("revision", "fits"), [("v1_9999", True), ("v2_0001", False), ("something", False)])
async def test_a_schema_from_the_future(own: Database, revision: str, fits: bool) -> None:
    async with own.begin("pretend") as tx:
        await tx.write(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    for ask in (own.check_schema, own.migrate):
        if fits:
            await ask()
        else:
            with pytest.raises(SchemaOutdated):
                await ask()


_MIGRATE = """
import asyncio, sys
from kubemin.store import Database

async def main():
    db = await Database.open(sys.argv[1])
    await db.migrate()
    await db.check_schema()
    await db.aclose()

asyncio.run(main())
"""


async def test_migrating_from_several_processes_at_once(empty_url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _MIGRATE, empty_url, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(2)
    ]
    for process in processes:
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
