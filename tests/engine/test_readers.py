"""Pods that started while what they read was changed: after the rollback none runs on with the task's values."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from tests.engine.instance import Instance, conf, store, web
from tests.engine.test_order import READERS, images, levels, pods, version
from tests.engine.test_points import differences

FROM_SETTINGS = {"envFrom": [{"type": "config", "sourceName": "settings"}]}
"""Reads the ConfigMap ``settings``."""

HANGS = web("hangs", "hangs:never")
"""Keeps the task running until it is cancelled."""


def application(level: str, workload: str = "Deployment", replicas: int = 2) -> list[dict[str, Any]]:
    make = web if workload == "Deployment" else store
    return [conf("settings", LEVEL=level), make("api", "api:1", replicas=replicas, traits=FROM_SETTINGS)]


async def evict(instance: Instance) -> None:
    """All Pods go, as by the loss of their node; their owner makes others, of the same template."""
    gone = {pod["metadata"]["uid"] for pod in pods(instance)}
    for pod in pods(instance):
        instance.sim.registry.delete("pods", "default", pod["metadata"]["name"], grace=0)
    await instance.sim.controllers.settled()
    assert not gone & {pod["metadata"]["uid"] for pod in pods(instance)}


async def restart(instance: Instance) -> None:
    """All containers restart, in the same Pods."""
    for pod in pods(instance):
        for container in pod["spec"]["containers"]:
            if container["image"] == "api:1":
                instance.sim.controllers.restart("default", pod["metadata"]["name"], container["name"])
    await instance.sim.controllers.settled()


def served(instance: Instance) -> int:
    """How many Pods of the first component serve, as a Service sees it."""
    return sum(
        one["conditions"]["ready"]
        for found in instance.sim.registry.scan("endpointslices")
        if found["metadata"]["name"].startswith("svc-api")
        for one in found["endpoints"] or ()
    )


class Watched:
    """Notes the fewest Pods that serve while the context is open."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.fewest = served(instance)
        self._on = False
        instance.sim.registry.subscribe(lambda *_: self._note())

    def __enter__(self) -> "Watched":
        self._on = True
        return self

    def __exit__(self, *_: object) -> None:
        self._on = False

    def _note(self) -> None:
        if self._on:
            self.fewest = min(self.fewest, served(self.instance))


async def cancelled_in_the_middle(
    instance: Instance, app_id: str, update_to: list[dict[str, Any]], meanwhile: Callable[[], Awaitable[None]]
) -> tuple[str, Watched]:
    """An update that hangs; once its values are there something happens; then it is cancelled, and rolled back."""
    await instance.save([*update_to, HANGS], app_id=app_id)
    task_id = await instance.exec(app_id)

    async def hangs() -> bool:
        return "hangs:never" in images(instance)

    await instance.until(hangs)
    await meanwhile()
    watched = Watched(instance)
    with watched:
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
    return task_id, watched


@pytest.mark.parametrize("workload", ["Deployment", "StatefulSet"])
@pytest.mark.parametrize("happens", [evict, restart])
@pytest.mark.parametrize("replicas", [1, 3])
async def test_a_pod_that_started_meanwhile_is_replaced(
    instance: Instance, workload: str, happens: Callable[[Instance], Awaitable[None]], replicas: int
) -> None:
    """Its component is as it was all the time; the Deployment goes on serving, with one replica too."""
    app_id = await instance.save(application("a", workload, replicas))
    async with instance.worker():
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        await instance.sim.controllers.settled()
        before = await instance.snapshot()

        async def meanwhile() -> None:
            await happens(instance)
            assert set(levels(instance)) >= {"b"}

        _, watched = await cancelled_in_the_middle(instance, app_id, application("b", workload, replicas), meanwhile)
    assert differences(before, await instance.snapshot()) == []
    assert images(instance) == ["api:1"] * replicas
    assert levels(instance) == ["a"] * replicas
    assert watched.fewest >= (replicas if workload == "Deployment" else replicas - 1)


@pytest.mark.parametrize("reader", READERS)
async def test_however_it_reads(instance: Instance, reader: str) -> None:
    app_id = await instance.save(version("Deployment", reader, "a", "api:1"))
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        to = version("Deployment", reader, "b", "api:1")
        await cancelled_in_the_middle(instance, app_id, to, lambda: evict(instance))
    assert levels(instance) == ["a"] * 4


async def test_what_was_there_long_before_is_left_alone(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the values changed meanwhile: it has not read them."""
    app_id = await instance.save(application("a"))
    hub = instance.sim.controllers._hub
    assert hub is not None
    async with instance.worker():
        with monkeypatch.context() as long_ago:
            long_ago.setattr(hub, "now", lambda: "2020-01-01T00:00:00Z")
            await instance.settled(await instance.exec(app_id))
        before = {pod["metadata"]["uid"] for pod in pods(instance)}
        await cancelled_in_the_middle(instance, app_id, application("b"), lambda: asyncio.sleep(0))
    assert {pod["metadata"]["uid"] for pod in pods(instance)} == before
    assert levels(instance) == ["a", "a"]


async def test_where_no_value_changed_nothing_is_replaced(instance: Instance) -> None:
    app_id = await instance.save(application("a"))
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        before = {pod["metadata"]["uid"] for pod in pods(instance)}
        task_id, _ = await cancelled_in_the_middle(instance, app_id, application("a"), lambda: asyncio.sleep(0))
    assert {pod["metadata"]["uid"] for pod in pods(instance)} == before
    assert ResourceState.KEPT not in {row.state for row in await instance.journal(task_id)}
