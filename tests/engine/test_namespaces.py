"""A Namespace that a run makes (design R10) and then dies: its successor finds it, and takes nothing along with it."""

import pytest

from kubemin.cluster.errors import ClusterError
from kubemin.engine.cleanup.rollback import Rollback
from kubemin.engine.deploy.namespaces import already_requested, create
from kubemin.spec.labels import FENCE, MANAGED_BY, MANAGER
from kubemin.spec.objects import Manifest
from kubemin.spec.states import ResourceState
from kubesim.faults import Fault
from tests.engine.held import Held

SPACE: Manifest = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "team", "labels": {MANAGED_BY: MANAGER}},
}


async def died(held: Held) -> Held:
    """The successor of a worker that made a Namespace, and died before it knew."""
    held.sim.faults.add(Fault("drop", verb="create", resource="namespaces", when="after"))
    with pytest.raises(ClusterError):
        await held.tracker(0).create(SPACE, {})
    await held.sim.controllers.settled()
    return await held.successor()


def there(held: Held) -> bool:
    return held.sim.registry.peek("namespaces", "", "team") is not None


def furnish(held: Held) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}}
    held.sim.registry.create("configmaps", "team", config, manager="kubectl")


async def test_a_successor_records_what_its_predecessor_made(held: Held) -> None:
    successor = await died(held)
    assert already_requested(successor.journal) == ["team"]
    await create(successor.tracker(0), already_requested(successor.journal))
    (row,) = successor.journal.resources.values()
    assert row.state is ResourceState.CREATED
    assert row.uid == held.sim.registry.get("namespaces", "", "team")["metadata"]["uid"]
    assert not any(write.open for write in row.writes.values())


@pytest.mark.parametrize("furnished", [False, True])
async def test_what_others_put_into_it_meanwhile_keeps_it(held: Held, *, furnished: bool) -> None:
    successor = await died(held)
    if furnished:
        furnish(held)
    await create(successor.tracker(0), already_requested(successor.journal))
    assert await successor.roll_back() == []
    assert there(held) is furnished


@pytest.mark.parametrize("furnished", [False, True])
async def test_one_that_landed_late_goes_only_while_it_is_empty(held: Held, *, furnished: bool) -> None:
    """Of a task that completed: it may be in use by then, also by that task."""
    successor = await died(held)
    if furnished:
        furnish(held)
    rows = list(successor.journal.resources.values())
    assert await Rollback(successor.journal, held.cluster, {}).run_late(rows, 20) == []
    assert there(held) is furnished


async def test_a_deletion_that_lands_late_takes_nothing_of_others_along(held: Held) -> None:
    """It was sent while the Namespace was empty, and nobody knows whether it will land: by then others are in it."""
    await create(held.tracker(0), ["team"])
    late = held.sim.faults.add(Fault("late", verb="delete", resource="namespaces", times=None))
    assert [row.ref.name for row in await held.roll_back(seconds=1)] == ["team"]
    furnish(held)
    successor = await held.successor()
    assert await successor.roll_back() == []
    (row,) = successor.journal.resources.values()
    assert (row.state, row.why) == (ResourceState.KEPT, "it holds what is not ours: ConfigMap/theirs")
    await late.release()
    await held.sim.controllers.settled()
    assert there(held)
    live = held.sim.registry.get("namespaces", "", "team")
    assert "deletionTimestamp" not in live["metadata"]
    assert FENCE not in live["metadata"].get("annotations", {})
