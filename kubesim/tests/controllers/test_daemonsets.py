"""DaemonSets: a Pod on each node."""

from typing import Any

from kubesim.jsondata import Object

from .conftest import World, template


def daemon_set(image: str = "app:1", **spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "log"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(image),
            **spec,
        },
    }


def node(name: str, **spec: Any) -> Object:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"disk": name}}, "spec": spec}


def placed(world: World) -> list[str]:
    return sorted(pod["spec"].get("nodeName", "") for pod in world.all("pods"))


def numbers(world: World) -> tuple[int, int, int, int]:
    found = world.get("daemonsets", "log")
    assert found is not None
    status = found["status"]
    fields = ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    return tuple(status.get(field, 0) for field in fields)


async def test_every_node_that_can_take_one_has_a_pod(world: World) -> None:
    world.create(node("one"))
    world.create(node("tainted", taints=[{"key": "a", "value": "b", "effect": "NoSchedule"}]))
    world.create(daemon_set())
    await world.settled()
    assert placed(world) == ["one", "sim-node"]
    assert numbers(world) == (2, 2, 2, 2)
    world.create(node("two"))
    await world.settled()
    assert placed(world) == ["one", "sim-node", "two"]
    pods = {pod["metadata"]["uid"] for pod in world.all("pods")}
    world.delete("pods", world.names("pods")[0])
    await world.settled()
    assert placed(world) == ["one", "sim-node", "two"]
    assert {pod["metadata"]["uid"] for pod in world.all("pods")} != pods


async def test_a_node_selector_chooses(world: World) -> None:
    world.create(node("one"))
    made = daemon_set()
    made["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "one"}
    world.create(made)
    await world.settled()
    assert placed(world) == ["one"]
    assert numbers(world) == (1, 1, 1, 1)


async def test_a_new_template_is_rolled_out_and_old_pods_go(world: World) -> None:
    world.create(node("one"))
    world.create(daemon_set())
    await world.settled()
    change = {"spec": {"template": template("app:2")}}
    found = world.merge("daemonsets", "log", change)
    await world.settled()
    assert {pod["spec"]["containers"][0]["image"] for pod in world.all("pods")} == {"app:2"}
    assert numbers(world) == (2, 2, 2, 2)
    status = (world.get("daemonsets", "log") or {})["status"]
    assert status["observedGeneration"] == found["metadata"]["generation"]
    assert len(world.names("controllerrevisions")) == 2


async def test_a_rollout_stops_at_a_pod_that_is_not_ready(world: World) -> None:
    world.create(node("one"))
    world.create(daemon_set())
    await world.settled()
    world.merge("daemonsets", "log", {"spec": {"template": template("never:1")}})
    await world.settled()
    images = sorted(pod["spec"]["containers"][0]["image"] for pod in world.all("pods"))
    assert images == ["app:1", "never:1"]
    assert numbers(world) == (2, 2, 1, 1)


async def test_its_pods_go_with_it(world: World) -> None:
    world.create(daemon_set())
    await world.settled()
    world.delete("daemonsets", "log", propagation="Foreground")
    await world.until(lambda: world.get("daemonsets", "log") is None)
    assert world.all("pods") == []
