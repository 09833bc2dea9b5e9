"""A database that is restored under running workers: whoever runs a task that it knows otherwise stops by itself.

That is no licence to do so (docs/how-to/backup.md); it is what keeps a worker that was forgotten from going on.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from kubemin.spec.states import ResourceState
from kubemin.store import tables
from tests.engine.instance import QUICK, Instance, conf, web
from tests.waiting import PATIENCE

LONG = QUICK.model_copy(update={"lease_seconds": 100 * PATIENCE})
"""No lease runs out, and none is renewed: the look at the rows has to find it."""

_NO_LEASE = {"lease_owner": None, "lease_expires_at": None, "active_app": None}
_BEFORE_ITS_CLAIM = {"status": "waiting", "lease_epoch": 0, "attempt": 0, **_NO_LEASE}
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
        else:
            await tx.write(update(tables.tasks).where(mine).values(**row))


async def recorded(instance: Instance, task_id: str) -> int:
    """How many rows its journal has."""
    async with instance.db.read() as tx:
        return int(await tx.scalar(_RESOURCES.where(tables.resources.c.task_id == task_id)))


@pytest.mark.parametrize("row", [None, {"lease_owner": "another"}], ids=["not known", "another's, in the same epoch"])
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
