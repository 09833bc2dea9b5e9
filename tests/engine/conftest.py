"""Fixtures of the engine's tests."""

import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from kubemin.cluster import Cluster
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import TaskService
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.labels import MANAGED_BY, MANAGER
from kubemin.spec.objects import Manifest
from kubemin.store import Database
from kubesim.server import SimServer
from tests.engine.held import Held, hold, new_task
from tests.engine.instance import LIMITS, Instance
from tests.own_time import FACTORIES, OwnTimeLoop
from tests.render.schemas import VERSIONS, is_known, wrong_with
from tests.waiting import PATIENCE


def pytest_asyncio_loop_factories() -> Mapping[str, type[OwnTimeLoop]]:
    """What runs out in a test is a time of its own."""
    return FACTORIES


@pytest.fixture
async def sim() -> AsyncIterator[SimServer]:
    """A cluster. What KubeMin has written to it is what the newest Kubernetes takes, by its published schemas."""
    wrong: list[str] = []

    def check(_kind: str, obj: Manifest, _before: Manifest | None) -> None:
        if obj["metadata"].get("labels", {}).get(MANAGED_BY) == MANAGER and is_known(obj, VERSIONS[-1]):
            wrong.extend(wrong_with(obj, VERSIONS[-1]))

    async with SimServer(speed=50) as server:
        server.registry.subscribe(check)
        yield server
    assert wrong == []


@pytest.fixture
async def cluster(sim: SimServer) -> AsyncIterator[Cluster]:
    connection = await Cluster.connect(kubeconfig=None, context=None, url=sim.url, timeout=PATIENCE)
    yield connection
    await connection.aclose()


@pytest.fixture
async def db(tmp_path: Path, migrated: Path) -> AsyncIterator[Database]:
    shutil.copy(migrated, tmp_path / "kubemin.db")
    database = await Database.open(f"sqlite:///{tmp_path}/kubemin.db")
    yield database
    await database.aclose()


@pytest.fixture
async def held(db: Database, cluster: Cluster, sim: SimServer) -> Held:
    task_id = await new_task(db)
    return Held(db, cluster, sim, task_id, await hold(db, task_id), {})


@pytest.fixture
async def instance(db: Database, cluster: Cluster, sim: SimServer) -> Instance:
    hub = LocalHub()
    service = TaskService(db, LocalSignals(hub), LocalDoorbell(), LIMITS)
    return Instance(db, sim, cluster, service, hub)
