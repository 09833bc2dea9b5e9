"""Fixtures of the tests of trouble: those of the engine's, and the API in this process."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from tests.cli.kubemin import Kubemin, Running
from tests.engine.conftest import cluster, db, held, instance, pytest_asyncio_loop_factories, sim
from tests.engine.instance import LIMITS, Instance

__all__ = ["cluster", "db", "held", "instance", "pytest_asyncio_loop_factories", "sim"]


@pytest.fixture
async def http(instance: Instance) -> AsyncIterator[httpx.AsyncClient]:
    deps = Deps(db=instance.db, service=instance.service, limits=LIMITS)
    transport = httpx.ASGITransport(create_app(deps))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:
        yield client


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`kubemin dev`, for the commands: each test uses names of its own."""
    with Kubemin(tmp_path_factory.mktemp("server")).dev(env={"KUBEMIN_CLEANUP_SECONDS": "1"}) as running:
        yield running
