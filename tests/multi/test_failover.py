"""A task runs while PostgreSQL goes over to its standby: real servers, asynchronous replication, one address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.entry.sources import Posted
from kubemin.spec.application import parse_application
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import StoreError
from kubesim.server import SimServer
from tests.engine.instance import LIMITS, PATIENT, Instance, conf, web
from tests.multi.fleet import Fleet, gated
from tests.multi.test_databases import instance_on
from tests.servers.postgresql import Postgresql
from tests.servers.proxy import Proxy
from tests.waiting import PATIENCE, until, until_true

pytestmark = pytest.mark.proof

LONG = PATIENT.model_copy(update={"lease_seconds": 100 * PATIENCE})
"""No lease runs out by itself: that a worker stops is due to what the database lost, and to nothing else."""
STEPS = [{"name": "first", "components": ["one", "api"]}, {"name": "second", "components": ["two", "new", "front"]}]
BEFORE = [conf("one", a="1"), web("api"), conf("two", a="1"), web("front")]
THEN = [conf("one", a="2"), gated("api"), conf("two", a="2"), conf("new", a="2"), gated("front", "late")]
"""The first step waits for the ConfigMap ``gate``, the second one for ``late``."""
LOST = {("ConfigMap", "two"), ("ConfigMap", "new"), ("Deployment", "shop-front")}
"""What the second step changes or makes."""


@dataclass
class Pair:
    """A primary, its standby, and the address that leads to the one of them that is meant."""

    primary: Postgresql
    standby: Postgresql
    address: Proxy

    async def catch_up(self) -> None:
        """Wait until the standby has all that the primary has committed by now."""
        at = self.primary.sql("SELECT pg_current_wal_flush_lsn()")
        await until_true(lambda: self.standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{at}'") == "t")

    async def part(self) -> None:
        """From now on the standby gets nothing more."""
        self.standby.sql("ALTER SYSTEM SET primary_conninfo = ''")
        self.standby.sql("SELECT pg_reload_conf()")
        await until_true(lambda: self.standby.sql("SELECT count(*) FROM pg_stat_wal_receiver") == "0")

    def fail_over(self) -> None:
        """The primary dies, and the standby becomes the primary."""
        self.address.lead_to(self.standby.port)
        self.primary.stop()
        self.standby.sql("SELECT pg_promote()")


@dataclass
class Scene:
    """An application that is deployed, and what is in the cluster then."""

    pair: Pair
    fleet: Fleet
    app_id: str
    before: dict[ObjectRef, Manifest]

    @property
    def instance(self) -> Instance:
        return self.fleet.instance

    async def run(self) -> str:
        """A run of what it shall be then: it waits in its first step. Returns its id."""
        then = parse_application({"name": "shop", "component": THEN, "workflow": STEPS})
        task_id = (await self.instance.service.run(Posted(then), ExecOptions(), "ada")).id
        await self.fleet.waits_for(task_id, "api")
        return task_id

    async def second_step(self, task_id: str) -> None:
        """Let it come to its second step, and wait there."""
        self.fleet.open("gate")
        await self.fleet.waits_for(task_id, "front")

    async def fail_over(self) -> None:
        """Let the standby be the primary, and wait until it answers at the address."""

        async def answers() -> bool:
            try:
                await self.instance.db.ping()
                async with self.instance.db.read() as tx:
                    await tx.now()
            except StoreError:
                return False
            return True

        self.pair.fail_over()
        await until(answers)

    async def there(self) -> dict[ObjectRef, Manifest]:
        """What is in the cluster but for what the test opened."""
        found = await self.fleet.snapshot()
        return {ref: one for ref, one in found.items() if ref.name not in ("gate", "late")}

    async def agree(self) -> None:
        """The cluster has what the application says, of one value, and nothing that nobody accounts for."""
        found = await self.there()
        assert found.keys() >= set(await self.instance.objects(self.app_id))
        data = {ref.name: one["data"] for ref, one in found.items() if ref.kind == "ConfigMap" and "data" in one}
        assert [data[name] for name in ("one", "two", "new")] == 3 * [{"a": "2"}]
        assert await Orphans(self.instance.db, self.instance.cluster, LIMITS).find() == []


@pytest.fixture
async def scene(sim: SimServer, tmp_path: Path) -> AsyncIterator[Scene]:
    async with pair() as servers, instance_on(sim, servers.primary.url(port=servers.address.port)) as instance:
        fleet = Fleet(instance, tmp_path, "", None)
        app_id = await fleet.app(*BEFORE)
        async with instance.worker(PATIENT):
            done = await fleet.settled(await fleet.exec(app_id))
        assert (done.status, done.reason) == (TaskStatus.COMPLETED, "")
        yield Scene(servers, fleet, app_id, await fleet.snapshot())


@asynccontextmanager
async def pair() -> AsyncIterator[Pair]:
    with Postgresql() as primary, primary.standby() as standby:
        async with Proxy(primary.port) as address:
            yield Pair(primary, standby, address)


@pytest.mark.parametrize("then", ["goes on", "is cancelled"])
async def test_who_has_lost_commits_stops_and_another_goes_on_by_what_is_known(scene: Scene, then: str) -> None:
    fleet, instance = scene.fleet, scene.instance
    async with instance.worker(LONG, name="first") as engine:
        task_id = await scene.run()
        await scene.pair.catch_up()
        await scene.pair.part()
        await scene.second_step(task_id)
        sent = list(fleet.writes)
        await scene.fail_over()
        fleet.open("late")  # the job ends, and that would be the next commit
        await until_true(lambda: engine.running == 0)
        assert (await fleet.task(task_id)).status is TaskStatus.RUNNING
        assert {row.ref.name for row in await instance.journal(task_id)}.isdisjoint({"two", "new"})
    assert fleet.writes == sent
    await fleet.lapse()
    if then == "is cancelled":
        await instance.service.cancel(scene.app_id, task_id, "ada", "wrong version")
    async with instance.worker(PATIENT, name="second"):
        task = await fleet.settled(task_id)
        if then == "goes on":
            assert (task.status, task.reason, task.lease_epoch) == (TaskStatus.COMPLETED, "", 2)
            await scene.agree()
            return
    assert (task.status, task.reason, task.cleanup) == (TaskStatus.CANCELLED, "wrong version", Cleanup.DONE)
    there = await scene.there()
    differ = {ref for ref in there.keys() | scene.before.keys() if there.get(ref) != scene.before.get(ref)}
    assert {(ref.kind, ref.name) for ref in differ if ref.kind != "ReplicaSet"} == LOST
    assert [one.ref.name for one in await Orphans(instance.db, instance.cluster, LIMITS).find()] == ["new"]


async def test_a_run_of_which_nothing_is_lost_goes_on(scene: Scene) -> None:
    """Its worker is the same, and nothing is sent twice."""
    fleet, instance = scene.fleet, scene.instance
    async with instance.worker(LONG):
        task_id = await scene.run()
        await scene.second_step(task_id)
        await scene.pair.catch_up()
        sent = list(fleet.writes)
        await scene.fail_over()
        fleet.open("late")
        task = await fleet.settled(task_id)
        assert (task.status, task.reason, task.attempt, task.lease_epoch) == (TaskStatus.COMPLETED, "", 1, 1)
        assert fleet.writes == sent
        await scene.agree()
