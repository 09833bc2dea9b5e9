"""What the engine costs beside plain API calls: deploy and rollback of the same 200 objects, in the same run.

Both sides begin with the application as it was written: whoever deploys renders it. The plain side makes the same
requests with the same client, in the same stages and as many at once, and waits for the same workloads by the same
watches; it keeps no journal. The sides alternate; the simulated cluster is a process of its
own. A deploy is measured from the call of `exec` to the task's end, a rollback from the call of `cancel` to the end of
its cleanup: then nothing is left in the cluster.
"""

import asyncio
import gc
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from bench.application import COMPONENTS, NEVER_READY, OBJECTS, application, plan_of
from bench.managed import Ends, Managed, database, managed
from bench.plain import Plain
from bench.report import median, quiet, rounds_asked_for, show
from bench.simulated import COLLECTOR, SPEED, Simulated, simulated
from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.plan import Plan
from kubemin.spec.application import Application
from kubemin.spec.objects import Manifest
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database

DEPLOY, FIRST_ASKED, ROLLBACK = "deploy", "deploy after a pre-flight", "rollback"
Stored = tuple[Database, Ends]
Side = Callable[["Meter", Stored, Cluster], Awaitable[None]]
TARGETS = {DEPLOY: 1.3, ROLLBACK: 1.5}


@dataclass(frozen=True)
class Cost:
    """Seconds of wall clock, of this process's processors, and of the simulated cluster's."""

    wall: float
    cpu: float
    cluster_cpu: float


class Meter:
    """Measures one piece of work at a time."""

    def __init__(self, cluster: Simulated) -> None:
        self._cluster = cluster
        self.costs: dict[str, Cost] = {}

    async def measure(self, what: str, work: Callable[[], Awaitable[object]]) -> None:
        """Run ``work`` and keep what it cost."""
        gc.collect()
        wall, cpu, cluster = time.perf_counter(), time.process_time(), self._cluster.cpu()
        await work()
        self.costs[what] = Cost(time.perf_counter() - wall, time.process_time() - cpu, self._cluster.cpu() - cluster)


async def deploy_plainly(meter: Meter, plain: Plain, planned: Callable[[], Plan]) -> None:
    """Measure a deploy from its planning on, and remove it."""
    made: list[Manifest] = []

    async def deploy() -> None:
        made.extend(await plain.deploy(planned()))

    await meter.measure(DEPLOY, deploy)
    await plain.delete(made)


async def deploy_as_task(
    meter: Meter, engine: Managed, deployed: Application, what: str = DEPLOY, *, preflight: bool = False
) -> None:
    """Measure a task from its `exec` to its end, and remove what it deployed."""
    app_id = await engine.save(deployed)

    async def deploy() -> None:
        task = await engine.settled(await engine.exec(app_id, preflight=preflight))
        assert task.status is TaskStatus.COMPLETED, task.reason

    await meter.measure(what, deploy)
    _, left = await engine.service.delete_resources(app_id, delete_volumes=True)
    assert not left, left


async def plain_side(meter: Meter, _: Stored, cluster: Cluster) -> None:
    """Deploy, and delete what a rollback would delete."""
    broken = plan_of(application(last_image=NEVER_READY))
    async with aclosing(Informers(cluster)) as informers:
        plain = Plain(cluster, informers)
        await plain.begin()
        await deploy_plainly(meter, plain, lambda: plan_of(application()))
        made = await plain.deploy(broken, unready=[job.ref for job in broken.jobs if NEVER_READY in str(job.manifest)])
        await meter.measure(ROLLBACK, lambda: plain.delete(made))


async def engine_side(meter: Meter, stored: Stored, cluster: Cluster) -> None:
    """Deploy, with and without asking first; and roll back a deploy of which all but the last object is ready."""
    for what in (DEPLOY, FIRST_ASKED):
        async with managed(stored, cluster) as engine:
            await deploy_as_task(meter, engine, application(), what, preflight=what is FIRST_ASKED)
    async with managed(stored, cluster) as engine:
        app_id = await engine.save(application(last_image=NEVER_READY))
        task_id = await engine.exec(app_id)
        await engine.waits_for_the_last(task_id)

        async def roll_back() -> None:
            await engine.service.cancel(app_id, task_id, "bench", "measured")
            task = await engine.settled(task_id)
            assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why

        await meter.measure(ROLLBACK, roll_back)


SIDES = {"plain": plain_side, "engine": engine_side}


async def measure(
    rounds: int, sides: Mapping[str, Side], collector: float = 0.0
) -> Mapping[tuple[str, str], list[Cost]]:
    """Costs by what was done and by side; the sides take turns in going first, and the first round warms up."""
    costs: defaultdict[tuple[str, str], list[Cost]] = defaultdict(list)
    with simulated(collector=collector) as server:
        async with database() as stored:
            for number in range(rounds + 1):
                for side in sorted(sides, reverse=number % 2 == 0):
                    meter = Meter(server)
                    cluster = await Cluster.connect(kubeconfig=None, context=None, url=server.url, timeout=30)
                    async with aclosing(cluster):
                        await sides[side](meter, stored, cluster)
                        assert not (left := await what_is_left(cluster)), f"{side} left {left}"
                    if number:
                        for what, cost in meter.costs.items():
                            costs[what, side].append(cost)
    return costs


async def what_is_left(cluster: Cluster) -> list[str]:
    """What somebody forgot to remove."""
    kinds = ("Deployment", "StatefulSet", "PersistentVolumeClaim", "Pod", "ConfigMap", "Ingress", "Role")
    found = [item["metadata"]["name"] for kind in kinds for item in (await cluster.list(kind, "default")).items]
    return [name for name in found if name != "kube-root-ca.crt"]


def report(costs: Mapping[tuple[str, str], list[Cost]], rounds: int) -> None:
    """Print the table."""
    rows = []
    for (what, side), measured in sorted(costs.items(), key=lambda item: (item[0][0], item[0][1] != "plain")):
        ratios = ["", ""]
        if side == "engine":
            plain = costs[DEPLOY if what is FIRST_ASKED else what, "plain"]
            target = f" (≤ {TARGETS[what]:g})" if what in TARGETS else ""
            ratios = [f"{_wall(measured) / _wall(plain):.2f}{target}", f"{_cpu(measured) / _cpu(plain):.2f}"]
        walls = [cost.wall for cost in measured]
        numbers = [_wall(measured), min(walls), max(walls)]
        numbers += [median([cost.cpu for cost in measured]), median([cost.cluster_cpu for cost in measured])]
        rows.append((f"{what}, {side}", *(f"{number:.2f}" for number in numbers), *ratios))
    show(
        f"Engine and plain API calls: {COMPONENTS} components, {OBJECTS} objects, one DAG step; {rounds} rounds",
        ("medians", "wall s", "least", "most", "own CPU s", "cluster CPU s", "wall ratio", "CPU ratio"),
        rows,
        [
            f"SQLite on disk, synchronous=FULL; simulated cluster in a process of its own, speed {SPEED:g},",
            f"its garbage collector takes {COLLECTOR:g} s for a turn of an object, 20 turns side by side",
            "CPU ratio: own and cluster's together; what the wall ratio tends to where other work fills the machine",
        ],
    )


def _wall(costs: Sequence[Cost]) -> float:
    return median([cost.wall for cost in costs])


def _cpu(costs: Sequence[Cost]) -> float:
    return median([cost.cpu + cost.cluster_cpu for cost in costs])


if __name__ == "__main__":
    rounds = rounds_asked_for(__doc__, 7)
    quiet()
    report(asyncio.run(measure(rounds, SIDES, COLLECTOR)), rounds)
