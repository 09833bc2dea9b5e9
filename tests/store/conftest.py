"""Databases for the tests: an SQLite file, real PostgreSQL and MariaDB servers; one migrated database a test."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kubemin.store import Database
from tests.servers.mariadb import Mariadb, mariadb_or_skip
from tests.servers.postgresql import Postgresql

KINDS = ("sqlite", "postgresql", "mariadb")


@dataclass
class Servers:
    """Starts each server when it is first asked for."""

    postgresql_server: Postgresql | None = None
    mariadb_server: Mariadb | None = None
    migrated: str | None = field(default=None)

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
def url(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[str]:
    """A plain URL of an empty database, of each kind in turn."""
    yield from _make(request.param, servers, tmp_path)


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    """A migrated database, of each kind in turn."""
    database = await Database.open(url)
    await database.migrate()
    yield database
    await database.aclose()


@pytest.fixture
def postgresql_url(servers: Servers, tmp_path: Path) -> Iterator[str]:
    """A plain URL of an empty PostgreSQL database."""
    yield from _make("postgresql", servers, tmp_path)


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated SQLite database."""
    database = await Database.open(f"sqlite:///{tmp_path / 'kubemin.db'}")
    await database.migrate()
    yield database
    await database.aclose()
