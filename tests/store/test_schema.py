"""Migrations: the schema they build, and running them."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from kubemin.store import Database, SchemaOutdated, schema, tasks
from kubemin.store.tables import metadata
from tests.store.rows import new_task


async def test_the_migrations_build_the_tables(db: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True, "target_metadata": metadata}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with db._writer.link() as link:
        assert await link.run_sync(differences) == []


@pytest.mark.parametrize("revision", schema.revisions())
async def test_up_from_every_revision(url: str, revision: str) -> None:
    db = await Database.open(url)
    async with db._writer.link() as link:
        await link.run_sync(lambda connection: schema.upgrade(connection, db._backend, revision))
    await db.migrate()
    await db.check_schema()
    await db.aclose()


async def test_migrating_twice_keeps_what_is_there(db: Database) -> None:
    async with db.begin("insert") as tx:
        await tasks.insert(tx, new_task("a"))
    await db.migrate()
    await db.check_schema()
    async with db.read() as tx:
        assert await tasks.get(tx, new_task("a").id) is not None


async def test_an_empty_database_is_refused(url: str) -> None:
    db = await Database.open(url)
    with pytest.raises(SchemaOutdated, match="kubemin migrate"):
        await db.check_schema()
    await db.aclose()


@pytest.mark.parametrize(("revision", "fits"), [("v1_9999", True), ("v2_0001", False), ("something", False)])
async def test_a_schema_from_the_future(db: Database, revision: str, fits: bool) -> None:
    async with db.begin("pretend") as tx:
        await tx.write(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    for ask in (db.check_schema, db.migrate):
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


async def test_migrating_from_several_processes_at_once(url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _MIGRATE, url, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(3)
    ]
    for process in processes:
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
