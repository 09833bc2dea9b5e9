"""Informers and readiness together, against the simulated cluster and its faults."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import pytest

from kubemin.cluster import Cluster, Informers
from kubemin.cluster.cached_readiness import events_about, last_log_lines, pod_states, readiness_from_cache, restarts
from kubemin.cluster.readiness import Verdict
from kubemin.spec.kinds import kind_of
from kubemin.spec.labels import APP_ID, COMPONENT_ID, MANAGED_BY
from kubemin.spec.objects import Manifest, ObjectRef
from kubesim import SimServer
from kubesim.faults import Action, Fault
from tests.waiting import PATIENCE

LABELS = {MANAGED_BY: "kubemin", APP_ID: "app", COMPONENT_ID: "1"}


@dataclass
class World:
    server: SimServer
    cluster: Cluster
    informers: Informers

    async def verdict(self, made: Manifest, state: str) -> Verdict:
        def check(item: Manifest | None) -> Verdict | None:
            found = readiness_from_cache(self.informers, item)
            return found if found.state == state else None

        ref = ObjectRef.of(made)
        version = made["metadata"]["resourceVersion"]
        async with asyncio.timeout(PATIENCE):
            return await self.informers.until(
                ref.kind, ref.namespace, ref.name, check, kind_of(ref.kind).told_by, since=version
            )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with SimServer(speed=20) as server:
        cluster = await Cluster.connect(kubeconfig=None, context=None, url=server.url)
        async with contextlib.aclosing(Informers(cluster)) as informers:
            yield World(server, cluster, informers)
        await cluster.aclose()


def workload(kind: str, image: str, replicas: int = 2) -> Manifest:
    spec: dict[str, Any] = {
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "app", "image": image}]}},
    }
    if kind == "Job":
        spec["backoffLimit"] = 0
        spec["template"]["spec"]["restartPolicy"] = "Never"
    else:
        spec |= {"replicas": replicas, "selector": {"matchLabels": {APP_ID: "app"}}}
    return {
        "apiVersion": "batch/v1" if kind == "Job" else "apps/v1",
        "kind": kind,
        "metadata": {"name": "web", "namespace": "default", "labels": LABELS},
        "spec": spec,
    }


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "Job"])
async def test_a_workload_is_waited_for_until_it_is_ready(world: World, kind: str) -> None:
    made = await world.cluster.create(workload(kind, "app:1"))
    verdict = await world.verdict(made, "ready")
    assert verdict.ready == verdict.desired == (1 if kind == "Job" else 2)


@pytest.mark.parametrize(
    ("kind", "image", "said"),
    [
        ("Deployment", "pull", "ImagePull"),
        ("Deployment", "crash", "CrashLoopBackOff: it ended with exit code"),
        ("StatefulSet", "pull", "ImagePull"),
        ("StatefulSet", "crash", "CrashLoopBackOff: it ended with exit code"),
        ("Job", "pull", "ImagePull"),
        ("Job", "crash", "BackoffLimitExceeded"),
    ],
)
async def test_a_hopeless_one_says_why(world: World, kind: str, image: str, said: str) -> None:
    made = await world.cluster.create(workload(kind, f"app-{image}:1"))
    assert said in (await world.verdict(made, "hopeless")).message


@pytest.mark.parametrize(("image", "speaks"), [("app-crash:1", True), ("app-pull:1", False)])
async def test_the_last_words_of_a_crashing_container(world: World, image: str, speaks: bool) -> None:
    made = await world.cluster.create(workload("Deployment", image))
    await world.verdict(made, "hopeless")
    assert bool(await last_log_lines(world.cluster, world.informers, made)) is speaks


async def test_a_change_is_not_judged_by_what_was_before_it(world: World) -> None:
    """Ready before, hopeless after, ready again on the way back, never mistaken for one another."""
    made = await world.cluster.create(workload("Deployment", "app:1"))
    await world.verdict(made, "ready")
    for image, state in (
        ("app-pull:2", "hopeless"),
        ("app:1", "ready"),
        ("app-crash:3", "hopeless"),
        ("app:4", "ready"),
    ):
        patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]
        changed = await world.cluster.patch(ObjectRef.of(made), patch)
        await world.verdict(changed, state)
        now = await world.cluster.get(ObjectRef.of(made))
        assert now["status"]["observedGeneration"] == now["metadata"]["generation"]


@pytest.mark.parametrize("action", ["cut", "expire", "status"])
async def test_watches_that_break_all_the_time_delay_but_miss_nothing(world: World, action: Action) -> None:
    armed = world.server.faults.add(Fault(action, verb="watch", times=10, seconds=0.01))
    made = await world.cluster.create(workload("StatefulSet", "app-slow-2:1", replicas=5))
    assert (await world.verdict(made, "ready")).ready == 5
    assert armed.strikes > 1


async def test_deletion_is_seen_at_once(world: World) -> None:
    made = await world.cluster.create(workload("Deployment", "app:1"))
    await world.verdict(made, "ready")
    ref = ObjectRef.of(made)
    gone = asyncio.create_task(
        world.informers.until(ref.kind, ref.namespace, ref.name, lambda item: "gone" if item is None else None)
    )
    await world.cluster.delete(ref, uid=made["metadata"]["uid"])
    async with asyncio.timeout(PATIENCE):
        assert await gone == "gone"


async def test_many_that_wait_ask_for_events_as_one_does(world: World) -> None:
    """Whose events tell nothing is asked about once, together; who has trouble is asked about by name."""
    asked: list[Mapping[str, str]] = []
    get_or_none = Fault("call", verb="list", resource="events", times=None, call=lambda info: asked.append(info.query))
    made = [workload("Deployment", "never:1", 1) for _ in range(20)]
    for n, item in enumerate(made):
        item["metadata"] = {**item["metadata"], "name": f"web-{n}", "uid": f"uid-{n}"}
    world.server.faults.add(get_or_none)
    found = await asyncio.gather(*(events_about(world.cluster, world.informers, item) for item in made))
    assert len(asked) == 1
    assert not any(found)
    meta = made[0]["metadata"]
    about = {"kind": "Deployment", "name": meta["name"], "namespace": "default", "uid": meta["uid"]}
    warning = {"metadata": {"name": "e"}, "involvedObject": about, "type": "Warning", "reason": "FailedCreate"}
    world.server.registry.create("events", "default", warning, manager="test")
    warning_events = Informers(world.cluster)
    found = await asyncio.gather(*(events_about(world.cluster, warning_events, item) for item in made))
    assert [len(events) for events in found] == [1] + [0] * 19
    assert len(asked) == 3, "once for all, and for the one"
    await warning_events.aclose()


async def test_events_that_cannot_be_read_are_none(world: World) -> None:
    made = workload("Deployment", "never:1", 1)
    made["metadata"] = {**made["metadata"], "uid": "uid"}
    world.server.faults.add(Fault("status", verb="list", resource="events", code=403, times=None))
    assert await events_about(world.cluster, world.informers, made) == []


@dataclass
class Cached:
    """Informers that have seen one Pod with one container."""

    container: dict[str, Any]

    def snapshot(self, *_: object) -> list[Manifest]:
        status = {"phase": "Running", "containerStatuses": [{"name": "app", **self.container}]}
        return [{"metadata": {"uid": "uid"}, "status": status}]


ENDED: dict[str, Any] = {"terminated": {"exitCode": 1, "reason": "Error"}}
STATES: tuple[dict[str, Any], ...] = (
    {"running": {}},
    ENDED,
    {"waiting": {"reason": "CrashLoopBackOff"}},
    {"waiting": {"reason": "ErrImagePull"}},
)


def seen(state: Mapping[str, Any], **more: Any) -> tuple[Any, bool]:
    item = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "default"}}
    found = pod_states(cast("Informers", Cached({"state": state, **more})), item)
    return found, restarts(found)


def test_a_container_moves_until_it_has_ended_once_and_again_when_it_is_ready() -> None:
    first = [seen(state, ready=False) for state in STATES]
    loop = [seen(state, ready=False, lastState=ENDED, restartCount=n) for n, state in enumerate(STATES)]
    ready = seen(STATES[0], ready=True, lastState=ENDED)
    assert len(set(loop)) == 1
    assert len({*first, *loop, ready}) == len(STATES) + 2
    assert [moves for _, moves in (*first, loop[0], ready)] == [*[False] * len(STATES), True, False]
