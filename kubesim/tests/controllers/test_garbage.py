"""Garbage collection by ownerReferences."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from controllers.conftest import World, deployment, stateful
from controllers.test_deployment import rolled_out
from controllers.test_jobs import job
from controllers.test_namespaces import service
from kubesim.controllers import Controllers, Pace
from kubesim.controllers.garbage import GarbageCollector
from kubesim.controllers.hub import Key
from kubesim.jsondata import Object
from kubesim.registry import Registry


def config(name: str, *owners: Object, **meta: Any) -> Object:
    refs = {"ownerReferences": list(owners)} if owners else {}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **refs, **meta}}


def ref(owner: Object, *, block: bool = False) -> Object:
    meta = owner["metadata"]
    found = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"]}
    return {**found, "blockOwnerDeletion": True} if block else found


def left(world: World) -> list[str]:
    return [name for name in world.names("configmaps") if name != "kube-root-ca.crt"]


async def test_background(world: World) -> None:
    world.create(deployment(replicas=2))
    await rolled_out(world)
    world.delete("deployments", "web")
    assert world.get("deployments", "web") is None
    await world.until(lambda: not world.all("pods"))
    assert world.all("replicasets") == []


async def test_foreground_waits_for_the_pods(world: World) -> None:
    world.create(deployment(replicas=2))
    await rolled_out(world)
    gone = world.delete("deployments", "web", propagation="Foreground")
    assert gone["metadata"]["finalizers"] == ["foregroundDeletion"]
    order: list[str] = []
    world.registry.subscribe(
        lambda kind, obj, old: order.append(obj["kind"]) if kind == "DELETED" and obj["kind"] != "Event" else None
    )
    await world.until(lambda: world.get("deployments", "web") is None)
    assert order == ["Pod", "Pod", "ReplicaSet", "Deployment"]


@pytest.mark.parametrize("plural", ["statefulsets", "services", "jobs"])
async def test_foreground_ends_for_every_kind(world: World, plural: str) -> None:
    bodies = {"statefulsets": stateful(replicas=2), "services": service(), "jobs": job("task:never")}
    made = world.create(bodies[plural])
    world.create(deployment())
    await rolled_out(world)
    await world.settled()
    name = made["metadata"]["name"]
    world.delete(plural, name, propagation="Foreground")
    await world.until(lambda: world.get(plural, name) is None)
    await world.settled()
    for left_over in ("controllerrevisions", "endpointslices", "endpoints"):
        assert world.all(left_over) == []
    assert all(pod["metadata"]["labels"].get("app") == "web" for pod in world.all("pods"))


async def test_orphan(world: World) -> None:
    world.create(deployment())
    await rolled_out(world)
    world.delete("deployments", "web", propagation="Orphan")
    await world.until(lambda: world.get("deployments", "web") is None)
    await world.settled()
    (owned,) = world.all("replicasets")
    assert "ownerReferences" not in owned["metadata"]
    assert len(world.all("pods")) == 1


async def test_an_absent_owner(world: World) -> None:
    owner = world.create(config("owner"))
    world.delete("configmaps", "owner")
    world.create(config("late", ref(owner)))
    await world.until(lambda: left(world) == [])


async def test_an_owner_of_the_name_but_another_uid_is_absent(world: World) -> None:
    owner = world.create(config("owner"))
    world.create(config("child", {**ref(owner), "uid": "00000000-0000-0000-0000-000000000000"}))
    await world.until(lambda: left(world) == ["owner"])


async def test_an_owner_in_another_namespace_is_absent(world: World) -> None:
    owner = world.create(config("owner", namespace="kube-system"))
    world.create(config("child", ref(owner)))
    await world.until(lambda: left(world) == [])


async def test_one_of_two_owners_is_enough(world: World) -> None:
    first, second = world.create(config("first")), world.create(config("second"))
    world.create(config("child", ref(first), ref(second)))
    world.delete("configmaps", "first")
    await world.settled()
    child = world.get("configmaps", "child")
    assert child is not None
    assert [owner["name"] for owner in child["metadata"]["ownerReferences"]] == ["second"]
    world.delete("configmaps", "second")
    await world.until(lambda: left(world) == [])


async def test_foreground_waits_only_for_those_that_block(world: World) -> None:
    owner = world.create(config("owner"))
    world.create(config("blocks", ref(owner, block=True), finalizers=["example.com/wait"]))
    world.create(config("does-not", ref(owner), finalizers=["example.com/wait"]))
    world.delete("configmaps", "owner", propagation="Foreground")
    await world.settled()
    assert left(world) == ["blocks", "does-not", "owner"]
    world.merge("configmaps", "blocks", {"metadata": {"finalizers": None}})
    await world.until(lambda: left(world) == ["does-not"])


async def test_letting_go_of_an_owner_that_waits_frees_it(world: World) -> None:
    owner = world.create(config("owner"))
    world.create(config("child", ref(owner, block=True), finalizers=["example.com/wait"]))
    world.delete("configmaps", "owner", propagation="Foreground")
    await world.settled()
    world.merge("configmaps", "child", {"metadata": {"ownerReferences": None}})
    await world.until(lambda: left(world) == ["child"])


async def test_a_cluster_scoped_owner(world: World) -> None:
    owner = world.create(
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": []}
    )
    world.create(config("child", ref(owner)))
    await world.settled()
    assert left(world) == ["child"]
    world.delete("clusterroles", "r", "")
    await world.until(lambda: left(world) == [])


async def test_a_reference_that_cannot_be_followed_collects_nothing(world: World) -> None:
    owner = world.create(config("owner"))
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": []}
    world.create({**role, "metadata": {"name": "r", "ownerReferences": [ref(owner)]}})
    world.create(config("child", {"apiVersion": "example.com/v1", "kind": "Gadget", "name": "g", "uid": "1-2-3"}))
    world.delete("configmaps", "owner")
    await world.settled()
    assert world.get("clusterroles", "r", "") is not None
    assert left(world) == ["child"]


@pytest.fixture
async def slow(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[World, list[Key]]]:
    """A cluster whose collector takes turns, and the turns that it took."""
    turns: list[Key] = []
    collect = GarbageCollector._collect

    def counted(collector: GarbageCollector, key: Key) -> None:
        turns.append(key)
        assert len(collector._busy) <= 2
        collect(collector, key)

    monkeypatch.setattr(GarbageCollector, "_collect", counted)
    registry = Registry()
    registry.create("namespaces", "", {"metadata": {"name": "default"}}, manager="test")
    controllers = Controllers(registry, speed=1000.0, collector=Pace(seconds=1.0, workers=2))
    await controllers.start()
    yield World(registry, controllers), turns
    await controllers.stop()


@pytest.mark.parametrize(("propagation", "own"), [("Foreground", 2), ("Background", 0)])
async def test_a_collector_that_takes_turns(slow: tuple[World, list[Key]], propagation: str, own: int) -> None:
    world, turns = slow
    for name in "abc":
        world.create(deployment(name, replicas=2))
    for name in "abc":
        await rolled_out(world, name)
    await world.settled()
    turns.clear()
    for name in "abc":
        world.delete("deployments", name, propagation=propagation)
    assert turns == []  # not yet
    await world.until(lambda: not world.all("pods") and not world.all("deployments") and not world.all("replicasets"))
    for name in "abc":
        assert sum(key == ("deployments", "default", name) for key in turns) == own
    dependents = {key for key in turns if key[0] in ("pods", "replicasets")}
    assert len(dependents) == 9  # three ReplicaSets, six Pods
