"""Databases with a long history: the sample, copied under new ids, so that all tables have rows in real proportion.

`python -m bench.load.filling 100000 [--postgresql]` makes one, and says where. Copies differ from the sample in ids,
names of applications, and times: each is a minute older than the next. The audit is a chain, as the server makes it.
"""

import argparse
import asyncio
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Table, insert, select

from bench.load.sample import APPLICATIONS, TASKS, folder, sample
from kubemin.spec.ids import application_id, new_id
from kubemin.store import Database, audit, tables
from kubemin.store.audit import Call
from tests.servers.postgresql import Postgresql, binaries

Execute = Callable[[str, Sequence[Sequence[Any]]], Awaitable[object]]
"""One statement, with rows of parameters ``$1``, ``$2``, …, or none."""

_SHIFT = 60
_OWN = "k"
"""The new id of the row's own key."""

_COPIED: dict[str, tuple[str, dict[str, str]]] = {
    "applications": ("id", {"id": "k.new", "name": "s.name || '-' || k.n"}),
    "components": ("app_id", {"app_id": "k.new"}),
    "revisions": ("app_id", {"app_id": "k.new", "task_id": "@task_id"}),
    "workflows": ("id", {"id": "k.new", "app_id": "@app_id"}),
    "tasks": (
        "id",
        {"id": "k.new", "app_id": "@app_id", "app_name": "s.app_name || '-' || k.n", "workflow_id": "@workflow_id"},
    ),
    "jobs": ("task_id", {"task_id": "k.new"}),
    "resources": ("task_id", {"task_id": "k.new", "holder": "@holder", "uid": "s.uid || '.' || k.n"}),
    "writes": (
        "task_id",
        {
            "task_id": "k.new",
            "token": "k.new || substr(s.token, 25)",
            "base_version": "s.base_version || '.' || k.n",
        },
    ),
    "events": ("task_id", {"task_id": "k.new"}),
    "evidence": ("task_id", {"task_id": "k.new"}),
    "outbox": ("id", {"id": "k.new", "seq": "s.seq + k.n * {stride}", "app_id": "@app_id", "task_id": "@task_id"}),
    "deliveries": ("app_id", {"seq": "s.seq + k.n * {stride}", "app_id": "k.new"}),
}
"""By table, which column says whose a row is, and the columns in which a copy differs; ``@x``: the new id of ``x``."""
_GENERATED = {"tasks": "seq", "events": "id", "deliveries": "id"}
_TIMES = (
    "created_at",
    "updated_at",
    "started_at",
    "ended_at",
    "claimed_at",
    "at",
    "answered_at",
    "taken_at",
    "tried_at",
)


async def copy(execute: Execute, ids: dict[str, tuple[str, str, str] | None], copies: int, stride: int) -> None:
    """Copy the sample that is in the database. ``ids``: of the sample, of applications with what names them."""
    if copies == 1:
        return
    await execute("CREATE TABLE fill_ids (n INTEGER, old VARCHAR(64), new VARCHAR(64), PRIMARY KEY (n, old))", ())
    rows = [(n, old, _new(old, named, n)) for n in range(1, copies) for old, named in ids.items()]
    await execute("INSERT INTO fill_ids VALUES ($1, $2, $3)", rows)
    statements = []
    for name, (owner, changed) in _COPIED.items():
        await execute(f"CREATE TABLE fill_{name} AS SELECT * FROM {name}", ())
        statements.append(_statement(tables.metadata.tables[name], owner, changed, stride))
    for n in range(1, copies):
        for statement in statements:
            await execute(statement.format(n=n, ago=(copies - n) * _SHIFT), ())
    for name in ("ids", *_COPIED):
        await execute(f"DROP TABLE fill_{name}", ())


def _new(old: str, named: tuple[str, str, str] | None, n: int) -> str:
    if named is None:
        return new_id()
    namespace, name, cluster = named
    return application_id(namespace, f"{name}-{n}", cluster)


def _statement(table: Table, owner: str, changed: dict[str, str], stride: int) -> str:
    columns = [column.name for column in table.c if column.name != _GENERATED.get(table.name)]
    joins, values = "", []
    for column in columns:
        value = changed.get(column, f"s.{column}").replace("{stride}", str(stride))
        if value.startswith("@"):
            other = f"o_{column}"
            joins += f' LEFT JOIN fill_ids {other} ON {other}.n = k.n AND {other}.old = s."{column}"'
            value = f"coalesce({other}.new, s.{column})"
        elif column in _TIMES:
            value = f"s.{column} - {{ago}}"
        values.append(value)
    names = ", ".join(f'"{column}"' for column in columns)
    order = next(iter(table.primary_key.columns)).name
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {', '.join(values)} FROM fill_{table.name} s "
        f'JOIN fill_ids k ON k.n = {{n}} AND k.old = s."{owner}"{joins} ORDER BY s."{order}"'
    )


async def _ids(db: Database) -> tuple[dict[str, tuple[str, str, str] | None], int]:
    """The ids that are copied, and how far apart the numbers of the outbox have to be."""
    found: dict[str, tuple[str, str, str] | None] = {}
    apps, tasks = tables.applications.c, tables.tasks.c
    async with db.read() as tx:
        for row in await tx.rows(select(tasks.app_id, tasks.namespace, tasks.app_name, tasks.cluster).distinct()):
            found[row.app_id] = (row.namespace, row.app_name, row.cluster)
        for row in await tx.rows(select(apps.id, apps.namespace, apps.name, apps.cluster)):
            found[row.id] = (row.namespace, row.name, row.cluster)
        for table in (tables.tasks, tables.workflows, tables.outbox):
            found |= dict.fromkeys((row.id for row in await tx.rows(select(table.c.id))), None)
        seqs = [row.seq for row in await tx.rows(select(tables.outbox.c.seq))]
    return found, max(seqs, default=0) + 1


async def _chain(db: Database, copies: int) -> None:
    """The calls of the sample, once more for each copy."""
    async with db.read() as tx:
        calls: list[Call] = [row.call for row in await audit.oldest(tx, audit.Wanted(), after=0, limit=10_000)]
    for n in range(1, copies):
        async with db.begin("fill") as tx:
            await audit.append(tx, [(call, float((copies - n) * _SHIFT)) for call in calls], None)


async def sqlite_with(tasks: int) -> Path:
    """A file with so many tasks of a tenth as many applications; copy it before it is written to."""
    made = await sample(min(TASKS, tasks), max(1, min(APPLICATIONS, tasks // 10)))
    kept = folder() / f"history-{tasks}.db"
    copies = max(1, tasks // TASKS)
    if not kept.exists():
        new = Path(f"{kept}.new")
        shutil.copy(made, new)
        db = await Database.open(f"sqlite:///{new}")
        ids, stride = await _ids(db)
        await _chain(db, copies)
        await db.aclose()
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-400000"):
                connection.execute(f"PRAGMA {pragma}")

            async def execute(statement: str, rows: Sequence[Sequence[Any]]) -> None:
                if rows:
                    connection.executemany(statement.replace("$1, $2, $3", "?, ?, ?"), rows)
                else:
                    connection.execute(statement)

            connection.execute("BEGIN")
            await copy(execute, ids, copies, stride)
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await asyncio.to_thread(new.rename, kept)
    return kept


async def postgresql_with(tasks: int) -> Path:
    """The folder of a PostgreSQL server with so many tasks, of which one may begin with a copy."""
    made = await sample(min(TASKS, tasks), max(1, min(APPLICATIONS, tasks // 10)))
    kept = folder() / f"history-{tasks}-postgresql"
    copies = max(1, tasks // TASKS)
    if not kept.exists():
        with Postgresql() as server:
            db = await Database.open(server.url())
            await db.migrate()
            await _bring(made, db)
            ids, stride = await _ids(db)
            await _chain(db, copies)
            connection = await asyncpg.connect(server.url())
            await connection.execute("SET session_replication_role = replica")  # foreign keys hold as in the sample

            async def execute(statement: str, rows: Sequence[Sequence[Any]]) -> None:
                await (connection.executemany(statement, rows) if rows else connection.execute(statement))

            await _go_on(connection)
            await copy(execute, ids, copies, stride)
            await _go_on(connection)
            await connection.execute("VACUUM ANALYZE")  # as the server itself would have done by then
            await connection.close()
            await db.aclose()
            await asyncio.to_thread(_keep, server, kept)
    return kept


async def _go_on(connection: asyncpg.Connection) -> None:
    """Have generated keys go on after those that are there."""
    for name, column in {**_GENERATED, "outbox": "seq"}.items():
        place = f"pg_get_serial_sequence('{name}', '{column}')"
        await connection.execute(f"SELECT setval({place}, (SELECT coalesce(max({column}), 1) FROM {name}))")


def _keep(server: Postgresql, kept: Path) -> None:
    """Stop a server in order, and copy its data."""
    data, new = server.folder / "data", kept.with_name(f"{kept.name}.new")
    server.run_once(binaries() / "pg_ctl", "stop", "-D", data, "-m", "fast")
    subprocess.run(["rm", "-rf", str(new)], check=True)
    subprocess.run(["cp", "-a", str(data), str(new)], check=True)
    new.rename(kept)


async def _bring(file: Path, db: Database) -> None:
    """All rows of an SQLite file."""
    source = await Database.open(f"sqlite:///{file}")
    async with source.read() as tx:
        found = {table: await tx.rows(select(table)) for table in tables.metadata.sorted_tables}
    await source.aclose()
    async with db.begin("fill") as tx:
        for table, rows in found.items():
            if rows:
                await tx.write(insert(table), [dict(row._mapping) for row in rows])  # noqa: SLF001  (its public name)


def main() -> None:
    """Make one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", type=int)
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    began = time.monotonic()
    made = asyncio.run((postgresql_with if given.postgresql else sqlite_with)(given.tasks))
    size = sum(file.stat().st_size for file in ([made] if made.is_file() else made.rglob("*")) if file.is_file())
    print(f"{made}: {given.tasks:,} tasks, {size / 2**20:.0f} MiB, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
