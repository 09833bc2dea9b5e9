"""R5 with deletions in the background: done means that nothing is left of what controllers made, however they lag.

The garbage collector takes its time here, as a real one does. What is left is told by the simulated cluster at the
very moment at which a rollback says that it is done.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.engine.cleanup.removal import Removal, removal_of
from kubemin.engine.cleanup.rollback import Rollback
from kubemin.engine.journal.rows import Resource
from kubemin.spec.labels import APP_ID
from kubemin.spec.objects import Manifest
from kubemin.spec.states import ResourceState
from kubemin.store import Database
from kubesim import Fault, Pace
from kubesim.faults import RequestInfo
from kubesim.jsondata import Object
from kubesim.server import SimServer
from tests.engine.held import APP, Held, deployment, hold, new_task, stateful_set
from tests.waiting import PATIENCE, until, until_true

MADE = ("deployments", "statefulsets", "replicasets", "pods", "controllerrevisions", "jobs")
SPEED = 50
SLOW = Pace(seconds=0.1 * SPEED, workers=2)
BOTH = pytest.mark.parametrize("watched", [True, False], ids=["watched", "asked"])


@asynccontextmanager
async def world(db: Database, pace: Pace = SLOW) -> AsyncIterator[Held]:
    """A task in a cluster whose garbage collector has this pace."""
    async with SimServer(speed=SPEED, collector=pace) as sim:
        cluster = await Cluster.connect(kubeconfig=None, context=None, url=sim.url, timeout=PATIENCE)
        task_id = await new_task(db)
        try:
            yield Held(db, cluster, sim, task_id, await hold(db, task_id), {})
        finally:
            await cluster.aclose()


@asynccontextmanager
async def watches(held: Held, watched: bool) -> AsyncIterator[Informers | None]:
    """The watches of a worker; a deployed application has them synced already."""
    informers = Informers(held.cluster)
    try:
        if watched:
            await asyncio.gather(
                *(informers.watch(kind) for kind in ("Deployment", "StatefulSet", "ReplicaSet", "Pod"))
            )
        yield informers if watched else None
    finally:
        await informers.aclose()


async def roll_back(held: Held, informers: Informers | None, seconds: float = PATIENCE) -> list[Resource]:
    rows = list(held.journal.resources.values())
    return await Rollback(held.journal, held.cluster, held.manifests, informers=informers).run(rows, seconds)


def left(held: Held) -> list[str]:
    """What is there of what a task or a controller makes."""
    return [f"{plural}/{obj['metadata']['name']}" for plural in MADE for obj in held.sim.registry.scan(plural)]


def labelled(manifest: Manifest) -> Manifest:
    """With a selector that names the application, as rendered ones have it."""
    manifest["spec"]["selector"]["matchLabels"][APP_ID] = APP
    return manifest


async def deploy(held: Held, manifests: list[Manifest], pods: int) -> None:
    """Create them, and wait until so many Pods are there."""
    for job, manifest in enumerate(manifests, start=1):
        await held.ensure(labelled(manifest), job=job)
    await until_true(lambda: len(list(held.sim.registry.scan("pods"))) == pods)


@BOTH
@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.proof) for seed in range(3, 30))])
async def test_done_means_that_nothing_of_it_is_there(db: Database, watched: bool, seed: int) -> None:
    """Whatever the pace of the collector, and whichever Pod or ReplicaSet is created when its owner has gone."""
    drawn = random.Random(seed)
    pace = Pace(drawn.uniform(0.0, 0.15) * SPEED, drawn.randint(1, 4))
    async with world(db, pace) as held, watches(held, watched) as informers:
        for resource in drawn.choices(["pods", "replicasets"], k=drawn.randint(0, 3)):
            seconds = drawn.uniform(0.0, 0.3)
            held.sim.faults.add(Fault("lag", resource=resource, seconds=seconds, skip=drawn.randint(0, 2)))
        manifests = [deployment(f"web-{number}", replicas=drawn.randint(0, 3)) for number in range(2)]
        for job, manifest in enumerate([*manifests, stateful_set(replicas=2)], start=1):
            await held.ensure(labelled(manifest), job=job)
        await asyncio.sleep(drawn.uniform(0.0, 0.2))  # a rollback comes at any time
        assert await roll_back(held, informers) == []
        assert left(held) == []
        assert {row.state for row in held.journal.resources.values()} == {ResourceState.DELETED}


def deletions(held: Held, act: Callable[[int], None]) -> None:
    """Call ``act`` with the number of each step of a deletion: a workload or what it made terminates, or is gone."""
    count = 0

    def changed(event: str, obj: Object, old: Object | None) -> None:
        nonlocal count
        kinds = ("Deployment", "StatefulSet", "ReplicaSet", "Pod", "ControllerRevision")
        began = "deletionTimestamp" in obj["metadata"] and "deletionTimestamp" not in (old or obj)["metadata"]
        if obj["kind"] in kinds and (event == "DELETED" or began):
            count += 1
            act(count)

    held.sim.registry.subscribe(changed)


STEPS = 12
"""The first object is gone …, the last Pod is gone: of a Deployment and a StatefulSet of two Pods each."""


@BOTH
@pytest.mark.parametrize(
    "step", [1, 4, *(pytest.param(n, marks=pytest.mark.proof) for n in range(1, STEPS + 1) if n not in (1, 4))]
)
async def test_a_successor_waits_on(db: Database, watched: bool, step: int) -> None:
    """A worker dies at a step of the deletion; the next one knows from the journal for what it has to wait."""
    async with world(db) as held, watches(held, watched) as informers:
        await deploy(held, [deployment(replicas=2), stateful_set(replicas=2)], pods=4)
        await held.journal.flush()
        dying = asyncio.create_task(roll_back(held, informers))
        died = asyncio.Event()

        def die(number: int) -> None:
            if number == step:
                dying.cancel()
                died.set()

        deletions(held, die)
        async with asyncio.timeout(PATIENCE):
            await died.wait()
        with contextlib.suppress(asyncio.CancelledError):
            await dying
        successor = await held.successor()
        assert await roll_back(successor, informers) == []
        assert left(held) == []


async def test_there_are_as_many_steps(db: Database) -> None:
    async with world(db, Pace(0.01 * SPEED)) as held:
        await deploy(held, [deployment(replicas=2), stateful_set(replicas=2)], pods=4)
        steps: list[int] = []
        deletions(held, steps.append)
        assert await roll_back(held, None) == []
        assert len(steps) >= STEPS


@BOTH
async def test_another_of_the_name_is_not_waited_for_but_what_ours_left_is(db: Database, watched: bool) -> None:
    """An operator makes the object again at once: its Pods stay, and ours are waited for."""
    async with world(db) as held, watches(held, watched) as informers:
        await deploy(held, [deployment(replicas=2)], pods=2)
        ours = {pod["metadata"]["uid"] for pod in held.sim.registry.scan("pods")}
        made: list[Object] = []

        def again(event: str, obj: Object, _: Object | None) -> None:
            if event == "DELETED" and obj["kind"] == "Deployment":
                meta = {"name": obj["metadata"]["name"], "labels": obj["metadata"]["labels"]}
                made.append(
                    held.sim.registry.create(
                        "deployments", "default", {"metadata": meta, "spec": obj["spec"]}, manager="ada"
                    )
                )

        held.sim.registry.subscribe(again)
        successor = held
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.05):  # a worker dies as soon as the other one is there
                await roll_back(held, informers)
        successor = await held.successor()
        assert await roll_back(successor, informers) == []
        now = {pod["metadata"]["uid"] for pod in held.sim.registry.scan("pods")}
        assert not now & ours
        assert len(made) == 1


@BOTH
async def test_pods_that_somebody_let_go_are_deleted_all_the_same(db: Database, watched: bool) -> None:
    """`kubectl delete --cascade=orphan` in the middle of a task: its Pods would stay for ever.

    The collector has not come to it yet: once it has, nobody can tell whose they were.
    """
    async with world(db, Pace(0.5 * SPEED)) as held, watches(held, watched) as informers:
        await deploy(held, [deployment(replicas=2)], pods=2)
        held.sim.registry.delete("deployments", "default", "api", propagation="Orphan")
        assert await roll_back(held, informers) == []
        assert left(held) == []


@BOTH
async def test_a_removal_says_done_when_nothing_is_there(db: Database, watched: bool) -> None:
    """R11, also by a successor that finds the Deployment gone."""
    async with world(db) as held, watches(held, watched) as informers:
        await deploy(held, [deployment(replicas=2)], pods=2)
        live = await held.cluster.list("Deployment", "default")
        rows = await held.journal.record_removals([removal_of(obj) for obj in live.items])
        await held.journal.flush()
        first = asyncio.create_task(Removal(held.journal, held.cluster, APP, informers).run(rows, PATIENCE))

        def die(_: int) -> None:
            first.cancel()

        deletions(held, die)
        with contextlib.suppress(asyncio.CancelledError):
            await first
        successor = await held.successor()
        rows = [row for row in successor.journal.resources.values() if row.purpose.lets_go]
        assert await Removal(successor.journal, held.cluster, APP, informers).run(rows, PATIENCE) == []
        assert left(held) == []


@BOTH
async def test_what_keeps_a_pod_is_named(db: Database, watched: bool) -> None:
    async with world(db, Pace(0.0)) as held, watches(held, watched) as informers:
        await deploy(held, [deployment()], pods=1)
        (pod,) = held.sim.registry.scan("pods")
        name, merge = pod["metadata"]["name"], "application/merge-patch+json"
        hold_it = {"metadata": {"finalizers": ["example.com/hold"]}}
        held.sim.registry.patch("pods", "default", name, merge, hold_it, manager="ada")
        (row,) = await roll_back(held, informers, seconds=1)
        assert row.why == f"is being deleted; waits for Pod {name} (example.com/hold)"
        assert row.state is ResourceState.CREATED
        held.sim.registry.patch("pods", "default", name, merge, {"metadata": {"finalizers": None}}, manager="ada")
        assert await roll_back(await held.successor(), informers) == []


async def lists(db: Database, tmp_path: Path, number: int) -> dict[str, int]:
    """How many LISTs, by resource, the rollback of so many workloads sends."""
    counted: dict[str, int] = {}

    def count(info: RequestInfo) -> None:
        counted[info.resource] = counted.get(info.resource, 0) + 1

    async with world(db, Pace(0.02 * SPEED)) as held, watches(held, True) as informers:
        half = number // 2
        manifests = [deployment(f"web-{one}") for one in range(half)] + [
            stateful_set(f"db-{one}") for one in range(half)
        ]
        await deploy(held, manifests, pods=2 * half)

        async def all_made() -> bool:
            sets = [*held.sim.registry.scan("deployments"), *held.sim.registry.scan("statefulsets")]
            return all(one.get("status", {}).get("readyReplicas") == 1 for one in sets)

        await until(all_made)
        held.sim.faults.add(Fault("call", verb="list", times=None, call=count))
        assert await roll_back(held, informers) == []
    return counted


@pytest.mark.parametrize("number", [8, pytest.param(60, marks=pytest.mark.proof)])
async def test_lists_grow_with_kinds_and_not_with_objects(db: Database, tmp_path: Path, number: int) -> None:
    counted = await lists(db, tmp_path, number)
    assert max(counted.values()) <= 12, counted
