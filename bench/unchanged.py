"""What an apply costs that changes nothing: 100 objects, beside the LISTs and GETs that it needs, in the same run.

The plain side reads the application's objects as the engine does, with the same client and as many at once, and asks
for the autoscalers; it renders and compares nothing, keeps no journal and waits for nothing. The engine's side is a run
with its pre-flight, from the call of `exec` to the task's end. Each side counts its requests; none may write.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from bench.application import smaller
from bench.managed import Managed, database, managed
from bench.report import median, quiet, rounds_asked_for, show
from bench.simulated import SPEED, Simulated, simulated
from kubemin.cluster import Cluster
from kubemin.cluster.requests import Request
from kubemin.engine.objects.live import read_many
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import TaskStatus
from kubemin.store import journal
from kubemin.store.tasks import Task

OBJECTS = 100
TARGET = 1.5
PLAIN, ENGINE = "plain", "engine"


class Counting(Cluster):
    """Counts its requests, watches aside."""

    reads = 0
    writes = 0
    """Dry runs are among them."""

    async def _ask(self, request: Request) -> dict[str, object]:
        if request.method == "GET":
            self.reads += 1
        else:
            self.writes += 1
        return await super()._ask(request)

    def reset(self) -> None:
        """Begin to count anew."""
        self.reads = self.writes = 0


@dataclass(frozen=True)
class Cost:
    """Seconds of wall clock, of this process's processors and of the simulated cluster's; and requests."""

    wall: float
    cpu: float
    cluster_cpu: float
    reads: int
    writes: int


async def plain(cluster: Counting, refs: Sequence[ObjectRef], app_id: str) -> None:
    """Read all that an apply has to know."""
    await asyncio.gather(
        read_many(cluster, refs, app_id),
        *(cluster.list("HorizontalPodAutoscaler", namespace) for namespace in {ref.namespace for ref in refs}),
    )


async def applied(engine: Managed, app_id: str) -> Task:
    """Run the application, with its pre-flight."""
    task = await engine.settled(await engine.exec(app_id, preflight=True))
    assert task.status is TaskStatus.COMPLETED, task.reason
    return task


async def objects_of(engine: Managed, task: Task) -> list[ObjectRef]:
    """What the task has brought."""
    async with engine.db.read() as tx:
        rows = await journal.of_task(tx, task.id)
    assert len(rows) == OBJECTS
    return [row.ref for row in rows]


async def measure(rounds: int) -> dict[str, list[Cost]]:
    """Costs by side; the sides take turns in going first, and the first round warms up."""
    costs: dict[str, list[Cost]] = {PLAIN: [], ENGINE: []}
    with simulated() as server:
        async with database() as stored:
            cluster = await Counting.connect(kubeconfig=None, context=None, url=server.url, timeout=30)
            async with aclosing(cluster), managed(stored, cluster) as engine:
                app_id = await engine.save(smaller())
                refs = await objects_of(engine, await applied(engine, app_id))
                sides: dict[str, Callable[[], Awaitable[object]]] = {
                    PLAIN: lambda: plain(cluster, refs, app_id),
                    ENGINE: lambda: applied(engine, app_id),
                }
                for number in range(rounds + 1):
                    for side in sorted(sides, reverse=number % 2 == 0):
                        cluster.reset()
                        cost = await _timed(server, cluster, sides[side])
                        assert cost.writes == 0, f"{side} sent {cost.writes} writes"
                        if number:
                            costs[side].append(cost)
    return costs


async def _timed(server: Simulated, cluster: Counting, work: Callable[[], Awaitable[object]]) -> Cost:
    gc.collect()
    wall, cpu, theirs = time.perf_counter(), time.process_time(), server.cpu()
    await work()
    spent = time.perf_counter() - wall, time.process_time() - cpu, server.cpu() - theirs
    return Cost(*spent, cluster.reads, cluster.writes)


def report(costs: Mapping[str, Sequence[Cost]], rounds: int) -> None:
    """Print the table."""
    rows = []
    for side, measured in costs.items():
        walls = [cost.wall for cost in measured]
        numbers = [median(walls), min(walls), max(walls), median([cost.cpu for cost in measured])]
        numbers.append(median([cost.cluster_cpu for cost in measured]))
        reads = median([cost.reads for cost in measured])
        ratios = ["", ""]
        if side == ENGINE:
            needed = costs[PLAIN]
            ratios = [f"{reads / median([cost.reads for cost in needed]):.2f} (≤ {TARGET:g})"]
            ratios.append(f"{median(walls) / median([cost.wall for cost in needed]):.2f}")
        counts = (f"{reads:g}", f"{max(cost.writes for cost in measured)}")
        rows.append((side, *counts, ratios[0], *(f"{number:.2f}" for number in numbers), ratios[1]))
    show(
        f"An apply of {OBJECTS} objects that changes nothing; {rounds} rounds",
        ("medians", "reads", "writes", "ratio", "wall s", "least", "most", "own CPU", "its CPU", "wall ratio"),
        rows,
        [f"SQLite on disk, synchronous=FULL; simulated cluster in a process of its own, speed {SPEED:g}"],
    )


if __name__ == "__main__":
    rounds = rounds_asked_for(__doc__, 7)
    quiet()
    report(asyncio.run(measure(rounds)), rounds)
