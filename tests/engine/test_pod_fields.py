"""A component with every field of Pods, containers, ports and Services: deployed, changed, put back, left alone."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from tests.engine.instance import Instance, web
from tests.engine.test_unchanged import Writes, applied

Json = dict[str, Any]

GOLDEN = Path(__file__).parents[1] / "render" / "golden"


def everything() -> list[Json]:
    """The golden cases in one application."""
    known, newer = (
        yaml.safe_load((GOLDEN / f"{name}.in.yaml").read_text())["component"]
        for name in ("pod-fields", "pod-fields-newer")
    )
    for part in known:  # the simulated cluster has no cards, and load balancers without a class
        part["properties"].get("service", {}).pop("loadBalancerClass", None)
        resources = part.get("traits", {}).get("resources", {})
        for side in resources.keys() & {"requests", "limits"}:
            resources[side].pop("nvidia.com/gpu")
    return [*known, *({**part, "name": "newer"} for part in newer)]


def changed(components: list[Json]) -> list[Json]:
    """The same with none of it in two components: their Pods and their Service become plain ones."""
    plain = copy.deepcopy(components)
    for part in plain:
        if part["name"] in ("api", "newer"):
            part["properties"] = {"ports": [{"port": 80}]}
            part["traits"] = {"rbac": part["traits"]["rbac"]} if "rbac" in part["traits"] else {}
    return plain


@pytest.mark.parametrize("forward", [True, False])
async def test_a_cancelled_change_puts_it_back(instance: Instance, forward: bool) -> None:
    """From all fields to none, and from none to all."""
    versions = [everything(), changed(everything())]
    first, second = versions if forward else reversed(versions)
    app_id = await instance.save(first)
    async with instance.worker():
        await applied(instance, app_id)
        before = await at_rest(instance)
        writes = Writes(instance)
        await applied(instance, app_id)
        assert writes.seen == []
        await instance.save([*second, web("late", "web:never")], app_id=app_id)
        task_id = await instance.exec(app_id)

        async def written() -> bool:
            return any("deployments/shop-late" in one and "dry run" not in one for one in writes.seen)

        await instance.until(written)
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
        assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE)
        assert await at_rest(instance) == before


async def test_what_was_given_up_can_be_had_again(instance: Instance) -> None:
    app_id = await instance.save(everything())
    async with instance.worker():
        await applied(instance, app_id)
        before = specs(await at_rest(instance))
        for version in (changed(everything()), everything()):
            await instance.save(version, app_id=app_id)
            await applied(instance, app_id)
        assert specs(await at_rest(instance)) == before


async def at_rest(instance: Instance) -> dict[ObjectRef, Manifest]:
    """What is there once the controllers have nothing more to do, that of the load balancers too."""
    await instance.sim.controllers.settled()
    return await instance.snapshot()


def specs(objects: Mapping[ObjectRef, Manifest]) -> dict[ObjectRef, Any]:
    """What the objects say, without what tells of the tasks that wrote them, and without what was free just then."""
    kinds = ("Deployment", "Service", "StatefulSet")
    return {ref: _without_allocated(one["spec"]) for ref, one in objects.items() if ref.kind in kinds}


def _without_allocated(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_allocated(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_allocated(item) for key, item in value.items() if key not in _ALLOCATED}
    return value


_ALLOCATED = ("clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort")
