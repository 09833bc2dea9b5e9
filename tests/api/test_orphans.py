"""Objects that no task accounts for are found, and deleted only when asked."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kubemin.cluster import Cluster
from kubemin.engine.entry.orphans import Orphans
from kubemin.spec.labels import MANAGED_BY, MANAGER, TASK_ID
from kubemin.spec.limits import Limits
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubemin.store import Database, journal, tasks
from kubesim.server import SimServer
from tests.waiting import PATIENCE

TASK = "m8d2h5s0r4f7j1l9p3u6e0xb"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with SimServer(speed=50) as sim:
        connection = await Cluster.connect(kubeconfig=None, context=None, url=sim.url, timeout=PATIENCE)
        yield connection
        await connection.aclose()


def _config_map(name: str, **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default", "labels": labels},
    }


def _ours(name: str, task_id: str = TASK) -> dict[str, Any]:
    return _config_map(name, **{MANAGED_BY: MANAGER, TASK_ID: task_id})


async def _finished(db: Database, made: dict[str, tuple[str, ResourceState]]) -> None:
    """A completed task whose journal has these ConfigMaps: name → uid and state."""
    async with db.begin("test") as tx:
        new = tasks.NewTask(id=TASK, app_id="a" * 24, app_name="shop", workflow_id="", workflow_name="", spec={})
        await tasks.insert(tx, new)
        task = await tasks.claim_next(tx, "worker", 60, 3)
        assert task is not None
        await journal.add(
            tx,
            TASK,
            [
                journal.NewResource(
                    seq=seq, job_seq=1, ref=ObjectRef("ConfigMap", "default", name), uid=uid, state=state
                )
                for seq, (name, (uid, state)) in enumerate(made.items(), 1)
            ],
        )
        assert await tasks.finish(tx, TASK, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)


async def test_what_is_accounted_for_is_none(db: Database, cluster: Cluster) -> None:
    kept = await cluster.create(_ours("kept"))
    replaced = await cluster.create(_ours("replaced"))
    deleted = await cluster.create(_ours("deleted"))
    await cluster.create(_ours("unknown", "n" * 24))
    await cluster.create(_ours("extra"))
    await cluster.create(_config_map("foreign"))
    await cluster.create(_config_map("labelled", **{TASK_ID: TASK}))
    await _finished(
        db,
        {
            "kept": (kept["metadata"]["uid"], ResourceState.CREATED),
            "replaced": ("another uid", ResourceState.CREATED),
            "deleted": (deleted["metadata"]["uid"], ResourceState.DELETED),
        },
    )
    orphans = Orphans(db, cluster, Limits())
    found = {one.ref.name: one for one in await orphans.find()}
    assert {name: one.why for name, one in found.items()} == {
        "replaced": "its task did not make it",
        "deleted": "its task has recorded it as deleted",
        "unknown": "its task is not known",
        "extra": "its task did not make it",
    }
    assert found["replaced"].uid == replaced["metadata"]["uid"]

    assert {one.ref.name for one in await orphans.delete() if not one.error} == set(found)
    assert await orphans.find() == []
    left = {item["metadata"]["name"] for item in (await cluster.list("ConfigMap", "default")).items}
    assert {"kept", "foreign", "labelled"} <= left
    assert not left & set(found)


async def test_a_task_at_work_accounts_for_its_objects(db: Database, cluster: Cluster) -> None:
    async with db.begin("test") as tx:
        new = tasks.NewTask(id=TASK, app_id="a" * 24, app_name="shop", workflow_id="", workflow_name="", spec={})
        await tasks.insert(tx, new)
    await cluster.create(_ours("fresh"))
    assert await Orphans(db, cluster, Limits()).find() == []
