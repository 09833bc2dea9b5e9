"""Databases for the tests: an SQLite file, real PostgreSQL and MariaDB servers. A test finds no rows of another one."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kubemin.store import Database, tables
from tests.servers.mariadb import Mariadb, mariadb_or_skip
from tests.servers.postgresql import Postgresql
from tests.waiting import PATIENCE

KINDS = ("sqlite", "postgresql", "mariadb")
_EMPTY = "; ".join(f"DELETE FROM {table.name}" for table in reversed(tables.metadata.sorted_tables))


@dataclass
class Servers:
    """Starts each server when it is first asked for."""

    postgresql_server: Postgresql | None = None
    mariadb_server: Mariadb | None = None
    shared: dict[str, str] = field(default_factory=dict)
    """By server: the database that is emptied for each test. A migration takes longer than most tests."""

    def postgresql(self) -> Postgresql:
        """The PostgreSQL server."""
        if self.postgresql_server is None:
            self.postgresql_server = Postgresql().start()
        return self.postgresql_server

    def mariadb(self) -> Mariadb:
        """The MariaDB server."""
        if self.mariadb_server is None:
            mariadb_or_skip()
            self.mariadb_server = Mariadb().start()
        return self.mariadb_server

    def emptied(self, kind: str) -> str:
        """The plain URL of a server's database with the schema and no rows."""
        server = self.postgresql() if kind == "postgresql" else self.mariadb()
        if kind in self.shared:
            server.sql(_EMPTY, self.shared[kind])
        else:
            self.shared[kind] = server.create_database()
            asyncio.run(_migrate(server.url(self.shared[kind])))
        return server.url(self.shared[kind])

    def of(self, url: str) -> Postgresql | Mariadb | None:
        """The server of a URL; None for SQLite."""
        return {"postgresql": self.postgresql_server, "mariadb": self.mariadb_server}.get(url.partition("://")[0])

    def close(self) -> None:
        """Stop what was started."""
        for server in (self.postgresql_server, self.mariadb_server):
            if server is not None:
                server.close()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The servers of this test run."""
    started = Servers()
    yield started
    started.close()


async def _migrate(url: str) -> None:
    database = await Database.open(url)
    await database.migrate()
    await database.aclose()


def _make(kind: str, servers: Servers, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'kubemin.db'}"
    elif kind == "postgresql":
        postgresql = servers.postgresql()
        name = postgresql.create_database()
        yield postgresql.url(name)
        postgresql.drop_database(name)
    else:
        mariadb = servers.mariadb()
        name = mariadb.create_database()
        yield mariadb.url(name)
        mariadb.drop_database(name)


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[str]:
    """A plain URL of a database without a schema, of each kind in turn."""
    yield from _make(request.param, servers, tmp_path)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path, migrated: Path) -> str:
    """A plain URL of a database with the schema and no rows, of each kind in turn."""
    if request.param != "sqlite":
        return servers.emptied(request.param)
    return f"sqlite:///{shutil.copy(migrated, tmp_path / 'kubemin.db')}"


@pytest.fixture
def postgresql_url(servers: Servers) -> str:
    """The same of PostgreSQL alone."""
    return servers.emptied("postgresql")


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    """A migrated database, of each kind in turn."""
    database = await Database.open(url, answer_seconds=PATIENCE, idle_seconds=PATIENCE)
    yield database
    await database.aclose()


@pytest.fixture
async def sqlite(tmp_path: Path, migrated: Path) -> AsyncIterator[Database]:
    """A migrated SQLite database."""
    database = await Database.open(f"sqlite:///{shutil.copy(migrated, tmp_path / 'kubemin.db')}")
    yield database
    await database.aclose()
