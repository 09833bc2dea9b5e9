"""Two machines on one database of each kind: a deploy that completes, one that is cancelled, one whose worker dies."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database
from kubesim.server import SimServer
from tests.engine.instance import conf, secret
from tests.multi.conftest import fleet_on
from tests.multi.fleet import LEASE, Fleet, gated
from tests.servers.mariadb import Mariadb, mariadb_or_skip
from tests.servers.postgresql import Postgresql


@pytest.fixture(scope="module")
def mariadb() -> Iterator[Mariadb]:
    mariadb_or_skip()
    with Mariadb() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A plain URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/kubemin.db"
        return
    server: Postgresql | Mariadb = request.getfixturevalue("postgres" if request.param == "postgresql" else "mariadb")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
async def machines(sim: SimServer, tmp_path: Path, url: str) -> AsyncIterator[Fleet]:
    db = await Database.open(url)
    await db.migrate()
    await db.aclose()
    async with fleet_on(sim, tmp_path, url, None) as made:
        yield made


async def test_two_machines(machines: Fleet) -> None:
    _, first = await machines.deploy(conf("settings", a="1"), secret("keys", k="v"), gated("api"))
    worker = machines.worker(lease_seconds=LEASE)
    await machines.waits_for(first, "api")
    machines.worker(lease_seconds=LEASE)
    await worker.kill()
    await machines.owned(first, 2)
    machines.open()
    done = await machines.settled(first)
    assert (done.status, done.attempt) == (TaskStatus.COMPLETED, 2)
    assert len(machines.made("ConfigMap", "settings")) == 1
    before = await machines.snapshot()

    app_id, second = await machines.deploy(conf("other", a="1"), gated("web", "never"), name="other")
    await machines.waits_for(second, "web")
    await machines.instance.service.cancel(app_id, second, "ada", "wrong version")
    undone = await machines.settled(second)
    assert (undone.status, undone.reason, undone.cleanup) == (TaskStatus.CANCELLED, "wrong version", Cleanup.DONE)
    assert await machines.snapshot() == before
