"""Two machines on one database of each kind: a deploy that completes, one that is cancelled, one whose worker dies."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from kubemin.cluster import Cluster
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import EngineSettings, ExecOptions, TaskService
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.entry.sources import Former
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database, workflows
from kubemin.store.tables import metadata
from kubesim.server import SimServer
from tests.engine.instance import EVERYTHING, LIMITS, Instance, conf, secret, web
from tests.engine.test_revisions import completed, current, data, posted, states
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
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Gives plain URLs of empty databases, of each kind in turn."""
    number = count()
    if request.param == "sqlite":
        yield lambda: f"sqlite:///{tmp_path}/kubemin{next(number)}.db"
        return
    server: Postgresql | Mariadb = request.getfixturevalue("postgres" if request.param == "postgresql" else "mariadb")
    made: list[str] = []

    def create() -> str:
        made.append(server.create_database())
        return server.url(made[-1])

    yield create
    for name in made:
        server.drop_database(name)


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """A plain URL of an empty database."""
    return new_url()


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
    machines.worker()
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


@asynccontextmanager
async def instance_on(sim: SimServer, url: str) -> AsyncIterator[Instance]:
    """An engine on an empty database."""
    db = await Database.open(url)
    await db.migrate()
    cluster = await Cluster.connect(kubeconfig=None, context=None, url=sim.url, timeout=5)
    hub = LocalHub()
    try:
        yield Instance(db, sim, cluster, TaskService(db, LocalSignals(hub), LocalDoorbell(), LIMITS), hub)
    finally:
        await cluster.aclose()
        await db.aclose()


async def test_after_the_database_was_lost_the_same_file_goes_on_with_what_is_there(
    sim: SimServer, new_url: Callable[[], str]
) -> None:
    """The same objects, no second copy, and none that nothing accounts for."""
    found: list[dict[ObjectRef, str]] = []
    for _ in range(2):
        async with instance_on(sim, new_url()) as instance, instance.worker():
            task = await instance.settled(await instance.exec(await instance.save(EVERYTHING)))
            assert (task.status, task.reason) == (TaskStatus.COMPLETED, "")
            assert await Orphans(instance.db, instance.cluster, LIMITS).find() == []
            found.append({ref: obj["metadata"]["uid"] for ref, obj in (await instance.snapshot()).items()})
    assert found[0] == found[1]


async def test_of_two_applications_in_each_other_s_way_the_second_is_refused_by_name(
    sim: SimServer, new_url: Callable[[], str]
) -> None:
    """`aa-b` with the component `c`, and `aa` with `b-c`: both would have the Deployment `aa-b-c`."""
    async with instance_on(sim, new_url()) as instance, instance.worker():
        first = await instance.exec(await instance.save([web("c")], name="aa-b"))
        assert (await instance.settled(first)).status is TaskStatus.COMPLETED
        before = await instance.snapshot()
        second = await instance.settled(await instance.exec(await instance.save([web("b-c")], name="aa")))
        assert second.status is TaskStatus.FAILED
        assert "refused before anything was written" in second.reason
        assert "another application (aa-b" in second.reason
        assert await instance.journal(second.id) == []
        assert await instance.snapshot() == before


async def test_two_servers_apply_the_same_new_application_at_once(sim: SimServer, new_url: Callable[[], str]) -> None:
    """Each gets a revision of its own; they run one after the other, and what the last one says is there."""
    url = new_url()
    async with instance_on(sim, url) as instance:
        second = await Database.open(url)
        other = TaskService(second, LocalSignals(instance.hub), LocalDoorbell(), LIMITS)
        services = (instance.service, other, instance.service, other)
        runs = [
            service.run(posted(conf("settings", a=str(n))), ExecOptions(), "ada") for n, service in enumerate(services)
        ]
        found = await asyncio.gather(*runs)
        await second.aclose()
        app_id = found[0].app_id
        assert sorted(task.revision or 0 for task in found) == [1, 2, 3, 4]
        async with instance.db.read() as tx:
            assert len(await workflows.of_application(tx, app_id)) == 1
        async with instance.worker():
            for task in found:
                assert (await instance.settled(task.id)).status is TaskStatus.COMPLETED
        last = await current(instance, app_id)
        assert last is not None
        assert last.number == 4
        assert await data(instance) == last.spec["component"][0]["properties"]["conf"]


async def test_apply_while_its_rollback_runs(sim: SimServer, new_url: Callable[[], str]) -> None:
    """It waits for it, and is the current one at the end."""
    async with instance_on(sim, new_url()) as instance, instance.worker():
        task = await completed(instance, web("api", "api:1"))
        await completed(instance, web("api", "api:slow-20"))
        back = await instance.service.run(Former(task.app_id), ExecOptions(), "ada")
        forth = await instance.service.run(posted(web("api", "api:3")), ExecOptions(), "bob")
        assert (await instance.settled(back.id)).status is TaskStatus.COMPLETED
        assert (await instance.settled(forth.id)).status is TaskStatus.COMPLETED
        assert await states(instance, task.app_id) == {4: "current", 3: "superseded", 2: "superseded", 1: "superseded"}
        found = await current(instance, task.app_id)
        assert found is not None
        assert found.spec["component"][0]["image"] == "api:3"


async def test_a_pruned_history_holds_no_secret_in_any_table(sim: SimServer, new_url: Callable[[], str]) -> None:
    """`tests/engine/test_revisions.py` reads the bytes of an SQLite file; of a server's database these are the rows."""
    async with instance_on(sim, new_url()) as instance, instance.worker():
        settings = EngineSettings(keep_revisions=2)
        instance.service = TaskService(instance.db, LocalSignals(instance.hub), LocalDoorbell(), LIMITS, settings)
        for n in range(4):
            task = await completed(instance, secret("keys", token=f"hush-{n}-hush"))
        assert list(await states(instance, task.app_id)) == [4, 3]
        assert await _secrets_in(instance.db, 4) == {2, 3}
        gone = await instance.service.delete_application(task.app_id, "ada")
        await instance.settled(gone.id)
        assert await _secrets_in(instance.db, 4) == set()


async def _secrets_in(db: Database, count: int) -> set[int]:
    async with db.read() as tx:
        rows = [str(row) for table in metadata.sorted_tables for row in await tx.rows(select(table))]
    text = "\n".join(rows)
    values = {n: f"hush-{n}-hush" for n in range(count)}
    return {n for n, value in values.items() if value in text or base64.b64encode(value.encode()).decode() in text}
