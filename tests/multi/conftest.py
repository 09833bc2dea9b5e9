"""Fixtures: a real PostgreSQL and a real Valkey, a simulated cluster, worker processes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kubemin.cluster import Cluster
from kubemin.dispatch import open_doorbell
from kubemin.engine import TaskService
from kubemin.signals import open_signals
from kubemin.spec.limits import Limits
from kubemin.store import Database
from kubesim.server import SimServer
from tests.engine.instance import Instance
from tests.multi.fleet import Fleet
from tests.servers.postgresql import Postgresql
from tests.servers.valkey import Valkey
from tests.waiting import PATIENCE


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgresql]:
    with Postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: Postgresql) -> str:
    """A database with the schema, to be copied."""
    name = postgres.create_database()

    async def migrate() -> None:
        db = await Database.open(postgres.url(name))
        await db.migrate()
        await db.aclose()

    asyncio.run(migrate())
    return name


@pytest.fixture
def database_name(postgres: Postgresql, template: str) -> Iterator[str]:
    name = postgres.create_database(template)
    yield name
    postgres.drop_database(name)


@pytest.fixture
def database_url(postgres: Postgresql, database_name: str) -> str:
    return postgres.url(database_name)


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    with Valkey() as server:
        yield server


@pytest.fixture
async def sim() -> AsyncIterator[SimServer]:
    async with SimServer(speed=50) as server:
        yield server


@asynccontextmanager
async def fleet_on(sim: SimServer, folder: Path, database_url: str, redis_url: str | None) -> AsyncIterator[Fleet]:
    """A fleet without workers yet."""
    cluster = await Cluster.connect(kubeconfig=None, context=None, url=sim.url, timeout=PATIENCE)
    db = await Database.open(database_url)
    signals, doorbell = await open_signals(redis_url), open_doorbell(redis_url, database_url)
    instance = Instance(db, sim, cluster, TaskService(db, signals, doorbell, Limits()))
    fleet = Fleet(instance, folder, database_url, redis_url)
    try:
        yield fleet
    finally:
        try:
            fleet.close()
        finally:
            await doorbell.aclose()
            await signals.aclose()
            await db.aclose()
            await cluster.aclose()


@pytest.fixture
async def fleet(sim: SimServer, tmp_path: Path, database_url: str, valkey: Valkey) -> AsyncIterator[Fleet]:
    """On PostgreSQL and Valkey."""
    async with fleet_on(sim, tmp_path, database_url, valkey.url) as made:
        yield made


@pytest.fixture
async def plain(sim: SimServer, tmp_path: Path, database_url: str) -> AsyncIterator[Fleet]:
    """On PostgreSQL alone."""
    async with fleet_on(sim, tmp_path, database_url, None) as made:
        yield made
