"""Fixtures of the tests of trouble: those of the engine's, with a database that was migrated once."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.store import Database
from tests.cli.kubemin import Kubemin, Running
from tests.engine.conftest import cluster, held, instance, sim
from tests.engine.instance import LIMITS, Instance

__all__ = ["cluster", "held", "instance", "sim"]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the schema."""
    path = tmp_path_factory.mktemp("migrated") / "kubemin.db"

    async def migrate() -> None:
        db = await Database.open(f"sqlite:///{path}")
        await db.migrate()
        await db.aclose()

    asyncio.run(migrate())
    return path


@pytest.fixture
async def db(tmp_path: Path, migrated: Path) -> AsyncIterator[Database]:
    shutil.copy(migrated, tmp_path / "kubemin.db")
    database = await Database.open(f"sqlite:///{tmp_path}/kubemin.db")
    yield database
    await database.aclose()


@pytest.fixture
async def http(instance: Instance) -> AsyncIterator[httpx.AsyncClient]:
    deps = Deps(db=instance.db, service=instance.service, limits=LIMITS, component_states=lambda _: {})
    transport = httpx.ASGITransport(create_app(deps))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:
        yield client


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`kubemin dev`, for the commands: each test uses names of its own."""
    with Kubemin(tmp_path_factory.mktemp("server")).dev(env={"KUBEMIN_CLEANUP_SECONDS": "1"}) as running:
        yield running
