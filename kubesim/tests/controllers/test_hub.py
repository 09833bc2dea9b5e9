"""The queue: an error is tried again, a bug is told, and the work grows with the cluster, not with its square."""

from collections.abc import Callable

import pytest

from controllers.conftest import World, deployment
from controllers.test_deployment import rolled_out
from kubesim.controllers import Controllers
from kubesim.controllers.hub import Taken
from kubesim.controllers.replicaset import ReplicaSetController
from kubesim.jsondata import Object
from kubesim.problems import Problem
from kubesim.registry import Registry


async def test_an_error_is_tried_again(world: World) -> None:
    refusals = 0

    def refuse(plural: str, obj: Object, send: object) -> Taken | None:
        nonlocal refusals
        refusals += plural == "pods"
        return "lost" if plural == "pods" and refusals <= 3 else None

    assert world.controllers._hub is not None
    world.controllers._hub.intercept = refuse
    world.create(deployment())
    await rolled_out(world)
    assert refusals == 4


async def test_a_controller_waits_for_an_answer_that_is_slow(world: World) -> None:
    """Whatever changes meanwhile, it does not create another."""
    slow: list[Callable[[], Object]] = []

    def delay(plural: str, obj: Object, send: Callable[[], Object]) -> Taken | None:
        if plural != "pods":
            return None
        slow.append(send)
        return "slow"

    assert world.controllers._hub is not None
    world.controllers._hub.intercept = delay
    world.create(deployment(replicas=1))
    await world.settled()
    (made,) = world.all("replicasets")
    world.registry.update(
        "replicasets",
        "default",
        made["metadata"]["name"],
        {**made, "spec": {**made["spec"], "minReadySeconds": 1}},
        manager="test",
    )
    await world.settled()
    assert len(slow) == 1
    slow[0]()
    await rolled_out(world)
    assert len(slow) == len(world.all("pods")) == 1


async def test_a_bug_is_told_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry()
    registry.create("namespaces", "", {"metadata": {"name": "default"}}, manager="test")
    controllers = Controllers(registry, speed=1000.0)
    await controllers.start()

    def break_(self: ReplicaSetController, key: tuple[str, ...]) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ReplicaSetController, "sync", break_)
    world = World(registry, controllers)
    world.create(deployment())
    await world.settled()
    with pytest.raises(ZeroDivisionError):
        await controllers.stop()


async def test_objects_from_before_the_start_are_taken_up() -> None:
    registry = Registry()
    registry.create("namespaces", "", {"metadata": {"name": "default"}}, manager="test")
    controllers = Controllers(registry, speed=1000.0)
    world = World(registry, controllers)
    world.create(deployment())
    await controllers.start()
    await rolled_out(world)
    await controllers.stop()
    world.merge("deployments", "web", {"spec": {"replicas": 3}})
    assert (world.get("deployments", "web") or {})["status"]["observedGeneration"] == 1


async def test_the_work_grows_with_the_cluster_only(world: World) -> None:
    """Two hundred objects with fifty Deployments: each costs as many writes as one alone, and as few syncs."""

    async def cost(first: int, count: int) -> tuple[int, int]:
        assert hub is not None
        writes, syncs = world.registry.storage.revision, hub.syncs
        for number in range(first, first + count):
            name = f"web-{number}"
            world.create(deployment(name))
            for kind, body in (
                ("ConfigMap", {"data": {"a": "1"}}),
                ("Secret", {"data": {}}),
                ("Service", {"spec": {"selector": {"app": name}, "ports": [{"port": 80}]}}),
            ):
                world.create({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **body})
        for number in range(first, first + count):
            await rolled_out(world, f"web-{number}")
        await world.settled()
        return world.registry.storage.revision - writes, hub.syncs - syncs

    hub = world.controllers._hub
    one, many = await cost(0, 1), await cost(1, 50)
    assert many[0] <= 50 * one[0] * 1.5  # on a busy machine a status is written in more steps
    assert many[1] <= 50 * one[1] * 1.5


async def test_nothing_is_done_in_a_cluster_at_rest(world: World) -> None:
    world.create(deployment(replicas=3))
    await rolled_out(world)
    await world.settled()
    before = world.registry.storage.revision
    await world.settled()
    assert world.controllers._hub is not None
    assert world.controllers._hub.idle()
    assert world.registry.storage.revision == before


async def test_a_problem_is_not_a_bug(world: World) -> None:
    def refuse(plural: str, obj: Object, send: object) -> Taken | None:
        raise Problem(403, "Forbidden", "no")

    assert world.controllers._hub is not None
    world.controllers._hub.intercept = refuse
    world.create(deployment())
    await world.settled()
    assert world.all("replicasets") == []
    assert world.controllers._hub.bugs == []
