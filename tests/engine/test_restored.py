"""A database that is restored under running workers: whoever runs a task that it knows otherwise stops by itself.

That is no licence to do so (docs/how-to/backup.md); it is what keeps a worker that was forgotten from going on.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from kubemin.dispatch import LocalDoorbell
from kubemin.engine import ExecOptions, TaskService
from kubemin.engine.entry.sources import Posted
from kubemin.engine.errors import Stopped
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.application import parse_application
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import ResourceState, TaskStatus
from kubemin.store import Database, tables
from tests.engine.held import Held, config_map
from tests.engine.instance import LIMITS, QUICK, Instance, conf, web
from tests.waiting import PATIENCE

LONG = QUICK.model_copy(update={"lease_seconds": 100 * PATIENCE})
"""No lease runs out, and none is renewed: the look at the rows has to find it."""

_NO_LEASE = {"lease_owner": None, "lease_expires_at": None, "active_app": None}
_BEFORE_ITS_CLAIM = {"status": "waiting", "lease_epoch": 0, "attempt": 0, **_NO_LEASE}
_ANOTHERS = {"lease_owner": "another", "lease_commits": 5 << 32}
"""Of a claim that was made since, and was given the same epoch."""
_RESOURCES = select(func.count()).select_from(tables.resources)


async def begun(instance: Instance) -> str:
    """A task of which objects are in the cluster, and which waits for Pods that never come."""
    task_id = await instance.exec(await instance.save([conf("one", a="1"), web("api", "never")]))

    async def waits() -> bool:
        rows = {row.ref.kind: row.state for row in await instance.journal(task_id)}
        return all(rows.get(kind) is ResourceState.CREATED for kind in ("ConfigMap", "Deployment", "Service"))

    await instance.until(waits)
    return task_id


async def restore(instance: Instance, task_id: str, row: Mapping[str, Any] | None) -> None:
    """Let the database know nothing of what the task did, and its row like this; None: not at all."""
    async with instance.db.begin("restore") as tx:
        await tx.write(delete(tables.resources).where(tables.resources.c.task_id == task_id))
        mine = tables.tasks.c.id == task_id
        if row is None:
            await tx.write(delete(tables.tasks).where(mine))
        elif row:
            await tx.write(update(tables.tasks).where(mine).values(**row))


async def recorded(instance: Instance, task_id: str) -> int:
    """How many rows its journal has."""
    async with instance.db.read() as tx:
        return int(await tx.scalar(_RESOURCES.where(tables.resources.c.task_id == task_id)))


@pytest.mark.parametrize("row", [None, _ANOTHERS], ids=["not known", "another's, in the same epoch"])
async def test_a_worker_stops_once_the_database_knows_its_task_otherwise(
    instance: Instance, row: Mapping[str, Any] | None
) -> None:
    async with instance.worker(LONG) as engine:
        task_id = await begun(instance)
        await restore(instance, task_id, row)

        async def lets_go() -> bool:
            return engine.running == 0

        await instance.until(lets_go)
        assert [(row.ref.kind, row.state, row.seq) for row in await instance.journal(task_id)] == []
    names = {one["metadata"]["name"] for one in (await instance.cluster.list("ConfigMap", "default")).items}
    assert "one" in names  # nothing was undone by a worker that the task does not belong to


async def test_a_worker_begins_a_task_anew_that_the_database_gives_out_again(instance: Instance) -> None:
    """With the epoch that this worker has already: its former run goes on neither beside nor in place of the new."""
    async with instance.worker(LONG):
        task_id = await begun(instance)
        before = await recorded(instance, task_id)
        await restore(instance, task_id, _BEFORE_ITS_CLAIM)

        async def is_recorded_anew() -> bool:
            return await recorded(instance, task_id) == before

        await instance.until(is_recorded_anew)


async def set_back(db: Database, task_id: str) -> None:
    """Let the task's row be as it was at its claim: the same worker's, in the same epoch, under a lease that lives."""
    async with db.begin("restore") as tx:
        mine = tables.tasks.c.id == task_id
        at_last = await tx.scalar(select(tables.tasks.c.lease_commits).where(mine))
        await tx.write(update(tables.tasks).where(mine).values(lease_commits=at_last >> 32 << 32))


async def test_a_worker_stops_once_its_task_is_known_as_it_was_before(instance: Instance) -> None:
    """While it waits, too: it is the same claim, in the same epoch, and only what it committed since is not there."""
    async with instance.worker(LONG) as engine:
        task_id = await begun(instance)
        await restore(instance, task_id, {})
        await set_back(instance.db, task_id)

        async def lets_go() -> bool:
            return engine.running == 0

        await instance.until(lets_go)
        assert await recorded(instance, task_id) == 0
    task = await instance.task(task_id)
    assert task.status is TaskStatus.RUNNING  # it is left to whoever goes by what the database has


async def test_nothing_is_sent_upon_a_row_that_was_set_back(held: Held) -> None:
    """Its journal is not whole; so not even the next request leaves."""
    await held.ensure(config_map(a="1"))
    await held.journal.flush()
    await set_back(held.db, held.task_id)
    with pytest.raises(Stopped):
        await held.ensure(config_map("other", a="1"), job=2)
    assert await held.look(config_map("other")) is None


async def test_nothing_is_sent_in_an_epoch_that_was_given_out_again(held: Held) -> None:
    await held.journal.flush()
    async with held.db.begin("restore") as tx:
        await tx.write(update(tables.tasks).where(tables.tasks.c.id == held.task_id).values(**_ANOTHERS))
    with pytest.raises(Stopped):
        await held.ensure(config_map(a="1"))
    assert await held.look(config_map()) is None


async def test_a_step_that_is_put_back_takes_nothing_that_was_there_before_the_database_was_lost(
    instance: Instance, tmp_path: Path, migrated: Path
) -> None:
    """No revision has the component, and no task that is known had it; a run without it lets go of it, as ever."""
    refs = {ObjectRef("Deployment", "default", "shop-api"), ObjectRef("Service", "default", "shop-api")}
    async with instance.worker():
        task = await instance.settled(await instance.exec(await instance.save([conf("one", a="1"), web("api")])))
        assert task.status is TaskStatus.COMPLETED, task.reason
    before = {ref: obj["metadata"]["uid"] for ref, obj in (await instance.snapshot()).items() if ref in refs}
    shutil.copy(migrated, tmp_path / "lost.db")
    db, hub = await Database.open(f"sqlite:///{tmp_path}/lost.db"), LocalHub()
    service = TaskService(db, LocalSignals(hub), LocalDoorbell(), LIMITS)
    anew = Instance(db, instance.sim, instance.cluster, service, hub)
    steps = [{"name": "rest", "components": ["one"]}, {"name": "api", "components": ["api"], "onFailure": "continue"}]
    parts = [conf("one", a="1"), web("api", "web:pull")]
    broken = parse_application({"name": "shop", "component": parts, "workflow": steps})
    without = parse_application({"name": "shop", "component": [conf("one", a="1")]})
    async with anew.worker():
        for application, stays in ((broken, True), (without, False)):
            options = ExecOptions(hopeless_after_seconds=0.01)
            task = await anew.settled((await anew.service.run(Posted(application), options, "ada")).id)
            assert task.status is TaskStatus.COMPLETED, task.reason
            now = {ref: obj["metadata"]["uid"] for ref, obj in (await instance.snapshot()).items() if ref in refs}
            assert now == (before if stays else {})
    await db.aclose()
