"""The arithmetic of rollouts, and the cluster as a whole, under whatever may come."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controllers.conftest import World, claim, deployment, stateful
from kubesim.controllers import Controllers
from kubesim.controllers.rollout import bounds, new_size, old_sizes, proportions, replicas_of, wanted
from kubesim.jsondata import Object
from kubesim.problems import Problem
from kubesim.registry import Registry

SHARES = st.one_of(st.integers(0, 12), st.integers(0, 100).map(lambda percent: f"{percent}%"))


def replica_set(name: str, size: int, available: int, maximum: int = 0) -> Object:
    annotations = {"deployment.kubernetes.io/max-replicas": str(maximum)} if maximum else {}
    return {
        "metadata": {"name": name, "annotations": annotations, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"replicas": size},
        "status": {"replicas": size, "availableReplicas": available},
    }


@given(replicas=st.integers(0, 12), surge=SHARES, unavailable=SHARES, healthy=st.integers(0, 12), data=st.data())
def test_a_rollout_keeps_its_bounds_and_ends(
    replicas: int, surge: int | str, unavailable: int | str, healthy: int, data: st.DataObject
) -> None:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    whole: Object = {"spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}
    limits = bounds(whole)
    assert limits.surge + limits.unavailable > 0 or replicas == 0
    old = replica_set("old", replicas, min(healthy, replicas))
    new = replica_set("new", 0, 0)
    for _ in range(20 * (replicas + 1)):
        served = wanted([]) + old["status"]["availableReplicas"] + new["status"]["availableReplicas"]
        size = new_size(whole, [old, new], new)
        if size != replicas_of(new):
            assert wanted([old]) + size <= replicas + limits.surge
            new["spec"]["replicas"] = size
        elif sizes := old_sizes(whole, [old], new):
            assert sizes["old"] < replicas_of(old)
            lost = max(0, old["status"]["availableReplicas"] - sizes["old"])
            assert lost == 0 or served - lost >= replicas - limits.unavailable
            old["spec"]["replicas"] = sizes["old"]
            old["status"]["availableReplicas"] = min(old["status"]["availableReplicas"], sizes["old"])
        elif new["status"]["availableReplicas"] < replicas_of(new):
            coming = data.draw(st.integers(1, replicas_of(new) - new["status"]["availableReplicas"]))
            new["status"]["availableReplicas"] += coming
        else:
            break
    assert (replicas_of(old), replicas_of(new)) == (0, replicas)


@given(before=st.integers(1, 20), after=st.integers(0, 20), surge=st.integers(0, 5), split=st.integers(0, 20))
def test_scaling_in_the_middle_spreads_all_there_is_to_spread(before: int, after: int, surge: int, split: int) -> None:
    whole: Object = {
        "spec": {"replicas": after, "strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": 1}}}
    }
    first = min(split, before)
    parts = [replica_set("a", first, first, before), replica_set("b", before - first, before - first, before)]
    active = [found for found in parts if replicas_of(found)]
    sizes = proportions(whole, active)
    assert all(size >= 0 for size in sizes.values())
    assert sum(sizes.values()) == (after + surge if after else 0)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["deploy", "update", "scale", "delete", "orphan", "foreground", "kill", "wait"]),
        st.integers(0, 2),
        st.sampled_from(["app:1", "app:2", "app:never", "app:crash", "app:pull", "app:slow-2"]),
        st.integers(0, 3),
    ),
    max_size=12,
)


def run(check: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        registry = Registry()
        registry.create("namespaces", "", {"metadata": {"name": "default"}}, manager="test")
        controllers = Controllers(registry, speed=10_000.0)
        await controllers.start()
        await check(World(registry, controllers))
        await controllers.stop()

    asyncio.run(main())


def step(world: World, action: str, index: int, image: str, number: int) -> None:
    plural, name = [("deployments", "web"), ("deployments", "api"), ("statefulsets", "db")][index]
    make: Callable[..., Object] = stateful if plural == "statefulsets" else deployment
    policy = {"orphan": "Orphan", "foreground": "Foreground"}.get(action, "Background")
    if action == "deploy":
        world.create(make(name, image, number))
    elif action == "update":
        change: Any = {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}
        world.merge(plural, name, {"spec": change})
    elif action == "scale":
        world.merge(plural, name, {"spec": {"replicas": number}})
    elif action == "kill":
        for pod in world.names("pods")[:number]:
            world.delete("pods", pod)
    elif action in ("delete", "orphan", "foreground"):
        world.delete(plural, name, propagation=policy)


@given(steps=STEPS)
def test_whatever_happened_the_cluster_settles_and_can_be_emptied(steps: list[tuple[str, int, str, int]]) -> None:
    async def check(world: World) -> None:
        world.create(claim())
        for action, index, image, number in steps:
            if action == "wait":
                await world.settled()
                continue
            try:
                step(world, action, index, image, number)
            except Problem as problem:
                if problem.code not in (404, 409):
                    raise
        await world.settled()
        for found in world.all("deployments"):
            sets = [owned for owned in world.all("replicasets") if owned["metadata"].get("ownerReferences")]
            mine = [o for o in sets if o["metadata"]["ownerReferences"][0]["uid"] == found["metadata"]["uid"]]
            assert wanted(mine) >= replicas_of(found)
            assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
            good = found["spec"]["template"]["spec"]["containers"][0]["image"] in ("app:1", "app:2", "app:slow-2")
            if good:
                assert found["status"].get("availableReplicas", 0) == replicas_of(found)
                assert found["status"].get("updatedReplicas", 0) == replicas_of(found)
        for plural in ("deployments", "statefulsets", "replicasets"):
            for name in world.names(plural):
                if world.get(plural, name):
                    world.delete(plural, name)
        await world.settled()
        for name in world.names("pods"):
            world.delete("pods", name)
        await world.settled()
        for plural in ("pods", "replicasets", "controllerrevisions"):
            left = [
                o for o in world.all(plural) if plural != "controllerrevisions" or "ownerReferences" in o["metadata"]
            ]
            assert left == []
        for name in world.names("persistentvolumeclaims"):
            world.delete("persistentvolumeclaims", name)
        await world.settled()
        assert world.all("persistentvolumeclaims") == []
        assert world.all("persistentvolumes", "") == []

    run(check)
