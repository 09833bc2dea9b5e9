"""What sealing costs: the processor time of a deploy of 100 objects with a key, beside one without, in turns.

Both are in this process, with a worker and an SQLite file of their own each; the time is this process's, from the call
of `exec` to the task's end, and so is that of its rollback of nothing. Below: one value alone, by its size.
"""

import asyncio
import gc
import secrets
import time
from contextlib import AsyncExitStack

from bench.application import smaller
from bench.managed import Managed, database, managed
from bench.report import median, quiet, rounds_asked_for, show
from bench.simulated import simulated
from kubemin.cluster import Cluster
from kubemin.sealing.sealer import Sealer
from kubemin.spec.states import TaskStatus

PLAIN, SEALED = "plain", "sealed"
SIZES = (200, 4_000, 100_000, 1_000_000)


async def _deploy(engine: Managed, app_id: str) -> float:
    gc.collect()
    began = time.process_time()
    task = await engine.settled(await engine.exec(app_id))
    assert task.status is TaskStatus.COMPLETED, task.reason
    return time.process_time() - began


async def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds of a first deploy by side; the first round warms up."""
    costs: dict[str, list[float]] = {PLAIN: [], SEALED: []}
    for turn in range(rounds + 1):
        for side in (PLAIN, SEALED) if turn % 2 else (SEALED, PLAIN):
            async with AsyncExitStack() as stack:
                server = stack.enter_context(simulated())
                codec = Sealer({"a": secrets.token_bytes(32)}) if side == SEALED else None
                stored = await stack.enter_async_context(database(codec))
                cluster = await Cluster.connect(kubeconfig=None, context=None, url=server.url, timeout=30)
                stack.push_async_callback(cluster.aclose)
                engine = await stack.enter_async_context(managed(stored, cluster))
                seconds = await _deploy(engine, await engine.save(smaller()))
                costs[side] += [seconds] if turn else []
    return costs


def _alone(size: int) -> list[str]:
    """Microseconds to seal and to open a text of this size."""
    sealer, text = Sealer({"a": secrets.token_bytes(32)}), secrets.token_hex(size // 2)
    times = max(5, 2_000_000 // max(size, 2_000))
    stored = sealer.seal(text, "tasks.plan/x")
    found = []
    for sealing in (True, False):
        began = time.process_time()
        for _ in range(times):
            sealer.seal(text, "tasks.plan/x") if sealing else sealer.unseal(stored, "tasks.plan/x")
        found.append(f"{(time.process_time() - began) / times * 1e6:,.0f} µs")
    return [f"{size:,} bytes", *found]


def main() -> None:
    """Measure, and print the tables."""
    quiet()
    costs = asyncio.run(measure(rounds_asked_for(__doc__, 5)))
    plain, sealed = (median(costs[side]) for side in (PLAIN, SEALED))
    rows = [[side, f"{median(costs[side]) * 1000:.0f} ms", f"{min(costs[side]) * 1000:.0f} ms"] for side in costs]
    show("CPU of a deploy of 100 objects", ["", "median", "least"], rows, [f"sealed / plain: {sealed / plain:.2f}"])
    show("One value", ["", "seal", "open"], [_alone(size) for size in SIZES])


if __name__ == "__main__":
    main()
