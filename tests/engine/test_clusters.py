"""Several clusters: each has its own applications, watches, orphans and late writes; one being away harms no other."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from kubemin.cluster import Cluster
from kubemin.engine import ExecOptions
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.objects.ownership import application_of
from kubemin.engine.supervise import presence as watching
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, TaskStatus
from kubemin.store import presence, tables, tasks
from kubesim.server import SimServer
from tests.engine.child import Point, Script, run_child
from tests.engine.instance import LIMITS, PATIENT, QUICK, Instance, conf, web
from tests.engine.test_points import KILLED
from tests.engine.test_sharing import shared
from tests.servers.proxy import Proxy

SETTINGS = ObjectRef("ConfigMap", "default", "settings")
LATE = ObjectRef("ConfigMap", "default", "late")


@dataclass
class Edge:
    """A second cluster, with what stands between it and us."""

    sim: SimServer
    cluster: Cluster
    between: Proxy


@pytest.fixture
async def edge(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Edge]:
    monkeypatch.setattr(watching, "_EVERY_SECONDS", 0.1)
    monkeypatch.setattr(watching, "_SOON_SECONDS", 0.05)
    async with SimServer(speed=50) as sim, Proxy(int(sim.url.rpartition(":")[2])) as between:
        url = f"http://127.0.0.1:{between.port}"
        connection = await Cluster.connect(kubeconfig=None, context=None, url=url, timeout=5, name="edge")
        yield Edge(sim, connection, between)
        await connection.aclose()


async def data_of(cluster: Cluster, ref: ObjectRef) -> dict[str, str]:
    found: dict[str, str] = (await cluster.get(ref))["data"]
    return found


async def names_in(cluster: Cluster) -> set[str]:
    found = (await cluster.list("ConfigMap", "default")).items
    return {one["metadata"]["name"] for one in found} - {"kube-root-ca.crt"}


async def test_one_name_is_an_application_in_each(instance: Instance, edge: Edge) -> None:
    """What one deploys, changes, cancels and removes touches nothing of the other, which has the same names."""
    here = await instance.save([conf("settings", of="default")])
    there = await instance.save([conf("settings", of="edge")], cluster="edge")
    assert here != there
    async with instance.worker(QUICK, instance.cluster, edge.cluster):
        for app_id in (here, there):
            assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        assert await data_of(instance.cluster, SETTINGS) == {"of": "default"}
        assert await data_of(edge.cluster, SETTINGS) == {"of": "edge"}

        before = await instance.snapshot()
        await instance.save([conf("settings", of="new"), web("slow", "slow:never")], app_id=there, cluster="edge")
        going = await instance.exec(there)

        async def changed() -> bool:
            return await data_of(edge.cluster, SETTINGS) == {"of": "new"}

        await instance.until(changed)
        await instance.service.cancel(there, going, "ada", "no")
        assert (await instance.settled(going)).cleanup is Cleanup.DONE
        assert await data_of(edge.cluster, SETTINGS) == {"of": "edge"}
        assert await instance.snapshot() == before

        removal = await instance.service.delete_application(there, "ada")
        assert (await instance.settled(removal.id)).status is TaskStatus.COMPLETED
        assert await names_in(edge.cluster) == set()
        assert await instance.snapshot() == before


async def test_one_that_is_away_holds_up_no_other(instance: Instance, edge: Edge) -> None:
    """The other deploys, rolls back, reaps; what is of the one that is away waits, says why, and then comes."""
    edge.between.refuse()
    there = await instance.save([conf("settings", of="edge")], cluster="edge")
    async with instance.worker(QUICK, instance.cluster, edge.cluster) as engine:
        await instance.until(lambda: _is(not engine._presence.answers("edge")))
        waiting = await instance.exec(there)
        here = await instance.save([conf("settings", a="1")])
        assert (await instance.settled(await instance.exec(here))).status is TaskStatus.COMPLETED
        failing = await instance.save([conf("made", a="1"), web("late", "late:never")], name="failing")
        failed = await instance.settled(await instance.exec(failing, ExecOptions(timeout_seconds=1)))
        assert (failed.status, failed.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE)
        assert (await instance.task(waiting)).status is TaskStatus.WAITING

        async def said() -> str | None:
            async with instance.db.read() as tx:
                return await presence.why_it_waits(tx, "edge")

        assert "does not answer" in str(await instance.until(said))
        edge.between.heal()
        assert (await instance.settled(waiting)).status is TaskStatus.COMPLETED
    assert await data_of(edge.cluster, SETTINGS) == {"of": "edge"}


async def _is(true: bool) -> bool:
    return true


async def test_what_waits_for_one_that_is_away_takes_no_place_of_others(instance: Instance, edge: Edge) -> None:
    """A worker with one place holds a task of a cluster that answers no more, and goes on with those of others."""
    gated = web("gated", traits={"envFrom": [{"type": "configMap", "sourceName": "gate"}]})
    there = await instance.save([conf("settings", of="edge"), gated], cluster="edge")
    here = await instance.save([conf("settings", of="default")])
    settings = PATIENT.model_copy(update={"max_concurrent_tasks": 1})
    async with instance.worker(settings, instance.cluster, edge.cluster):
        hanging = await instance.exec(there)

        async def made() -> bool:
            return "settings" in {one["metadata"]["name"] for one in edge.sim.registry.list("configmaps", "default")}

        await instance.until(made)
        edge.between.stall()
        assert (await instance.settled(await instance.exec(here))).status is TaskStatus.COMPLETED
        assert not (await instance.task(hanging)).status.ended
        edge.between.heal()
        gate = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "gate"}, "data": {"a": "1"}}
        edge.sim.registry.create("configmaps", "default", gate, manager="ops")
        assert (await instance.settled(hanging)).status is TaskStatus.COMPLETED


async def test_a_worker_runs_and_takes_over_only_what_it_serves(instance: Instance, edge: Edge) -> None:
    parts = [conf("settings", a="1"), web("slow", "slow:never")]
    here, there = await instance.save(parts), await instance.save(parts, cluster="edge")
    async with instance.db.read() as tx:
        assert await presence.why_it_waits(tx, "edge") == "no worker serves the cluster edge now"
    async with instance.worker(QUICK, instance.cluster, edge.cluster):
        begun = [await instance.exec(here), await instance.exec(there)]
        for task_id in begun:
            await instance.until(partial(_runs, instance, task_id))
    # The worker has handed both over.
    async with instance.worker(QUICK, edge.cluster, name="of edge"):
        await instance.until(lambda: _runs(instance, begun[1]))
        for app_id, task_id in zip((here, there), begun, strict=True):
            await instance.service.cancel(app_id, task_id, "ada", "no")
        assert (await instance.settled(begun[1])).cleanup is Cleanup.DONE
        assert (await instance.task(begun[0])).cleanup is Cleanup.PENDING
        assert (await names_in(edge.cluster), await names_in(instance.cluster)) == (set(), {"settings"})
    async with instance.worker(QUICK, instance.cluster, name="of default"):
        assert (await instance.settled(begun[0])).cleanup is Cleanup.DONE
    assert await names_in(instance.cluster) == set()


async def _runs(instance: Instance, task_id: str) -> bool:
    task = await instance.task(task_id)
    return task.lease_owner is not None and any(job.status is JobStatus.RUNNING for job in await instance.jobs(task_id))


async def test_a_copy_in_another_cluster_is_nobody_s(instance: Instance, edge: Edge) -> None:
    """With labels, token and all: its reaper opens no cleanup, and its orphans name it; those of the first do not."""
    app_id = await instance.save([conf("settings", a="1")])
    async with instance.worker(QUICK, instance.cluster, edge.cluster) as engine:
        done = await instance.exec(app_id)
        await instance.settled(done)
        copy: Any = await instance.cluster.get(SETTINGS)
        meta = copy["metadata"]
        kept = {key: meta[key] for key in ("name", "namespace", "labels", "annotations")}
        edge.sim.registry.create("configmaps", "default", {**copy, "metadata": kept}, manager="kubemin")
        reaper = next(one for one in engine._reapers if one._cluster.name == "edge")
        seen = set[ObjectRef]()
        judge = reaper._judge

        async def noted(what: Any) -> None:
            await judge(what)
            seen.update(what)

        reaper._judge = noted  # type: ignore[method-assign, assignment]
        edge.sim.registry.create(
            "configmaps", "default", {**copy, "metadata": {**kept, "name": "more"}}, manager="kubemin"
        )
        await instance.until(lambda: _is(ObjectRef("ConfigMap", "default", "more") in seen and not reaper._seen))
        assert (await instance.task(done)).cleanup is Cleanup.NONE
    orphans = await Orphans(instance.db, edge.cluster, LIMITS).find()
    assert {(one.ref.name, one.why) for one in orphans} == {
        ("settings", "its task was one of cluster default"),
        ("more", "its task was one of cluster default"),
    }
    assert await Orphans(instance.db, instance.cluster, LIMITS).find() == []


async def test_what_is_shared_is_shared_within_a_cluster(instance: Instance, edge: Edge) -> None:
    parts = [shared(conf("settings", a="1"))]
    ids = [
        await instance.save(parts, name=name, cluster=cluster)
        for cluster in ("default", "edge")
        for name in ("first", "second")
    ]
    async with instance.worker(QUICK, instance.cluster, edge.cluster):
        done = [await instance.settled(await instance.exec(one)) for one in ids]
        jobs = [(await instance.jobs(task.id))[0].status for task in done]
        assert jobs == [JobStatus.COMPLETED, JobStatus.SKIPPED] * 2
        removal = await instance.service.delete_application(ids[0], "ada")
        assert (await instance.settled(removal.id)).status is TaskStatus.COMPLETED
    live = [await one.get(SETTINGS) for one in (instance.cluster, edge.cluster)]
    assert [application_of(one) for one in live] == [ids[1], ids[2]]


async def test_a_late_write_is_undone_where_it_landed(instance: Instance, edge: Edge) -> None:
    """A create that lands after the rollback, in the second of two clusters."""
    there = await instance.save([conf("late", a="1"), web("slow", "slow:never")], cluster="edge")
    async with instance.worker(QUICK, instance.cluster, edge.cluster):
        going = await instance.exec(there)

        async def made() -> Any:
            found = (await edge.cluster.list("ConfigMap", "default")).items
            return next((one for one in found if one["metadata"]["name"] == "late"), None)

        applied = await instance.until(made)
        meta = {key: applied["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
        await instance.service.cancel(there, going, "ada", "no")
        assert (await instance.settled(going)).cleanup is Cleanup.DONE
        for sim in (instance.sim, edge.sim):
            sim.registry.create("configmaps", "default", {**applied, "metadata": meta}, manager="kubemin")

        async def gone() -> bool:
            return await names_in(edge.cluster) == set()

        await instance.until(gone)
        assert (await instance.settled(going)).cleanup is Cleanup.DONE
    assert await names_in(instance.cluster) == {"late"}
    async with instance.db.read() as tx:
        assert await tasks.cluster_of(tx, going) == "edge"


@pytest.mark.parametrize("cancelled", [False, True], ids=["killed", "killed in its rollback"])
async def test_killed_in_one_while_the_other_goes_on(
    instance: Instance, edge: Edge, tmp_path: Path, *, cancelled: bool
) -> None:
    """A worker of both dies in the middle; the next one ends each task where it is."""
    parts = [conf("first", a="1"), conf("second", a="1")]
    here, there = await instance.save(parts), await instance.save(parts, cluster="edge")
    before = await instance.snapshot()
    task_id, other = await instance.exec(there), await instance.exec(here)
    script = Script(
        f"sqlite:///{tmp_path}/kubemin.db",
        instance.sim.url,
        there,
        task_id,
        str(tmp_path / "points"),
        cancel_at=Point("call:create:ConfigMap/*:after", 2) if cancelled else None,
        kill_at=Point("call:delete:ConfigMap/*:after" if cancelled else "call:create:ConfigMap/*:after"),
        edge=edge.sim.url,
    )
    assert await run_child(script) == KILLED
    async with instance.db.begin("expire") as tx:
        held = tables.tasks.c.lease_expires_at.is_not(None)
        await tx.write(update(tables.tasks).where(held).values(lease_expires_at=1.0))
    async with instance.worker(QUICK, instance.cluster, edge.cluster):
        ended = [await instance.settled(one) for one in (task_id, other)]
    assert ended[0].status is (TaskStatus.CANCELLED if cancelled else TaskStatus.COMPLETED)
    assert await names_in(edge.cluster) == (set() if cancelled else {"first", "second"})
    assert ended[1].status is TaskStatus.COMPLETED
    assert await names_in(instance.cluster) == {"first", "second"}
    assert before.keys() <= (await instance.snapshot()).keys()
