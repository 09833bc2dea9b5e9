"""What Redis has to do while tasks wait: `python -m bench.commands`.

Commands a second, counted by the server itself (INFO) over some seconds in which no task begins or ends. Those that
workers send must grow with the workers, not with the tasks; those that scripts execute inside the server, which its
statistics count as well, are few a task and cost no round trip.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from bench.fleet import Fleet, fleet
from bench.report import show

OURS = ("info", "client", "config", "hello")
"""Commands of whoever counts."""


async def measure(counts: Sequence[int], workers: Sequence[int], seconds: float) -> list[tuple[str, ...]]:
    """A row for each number of tasks and of workers; fewer workers hold what the others handed over."""
    async with fleet() as made:
        rows = []
        for count in counts:
            running = [await made.worker(most=-(-count // max(workers))) for _ in range(max(workers))]
            await made.grow(count)
            await made.held_by(max(workers))
            for number in sorted(workers, reverse=True):
                # Whoever is to hold more is another process, that may.
                if number != len(running):
                    former, running = running, [await made.worker(most=-(-count // number)) for _ in range(number)]
                    await asyncio.gather(*(worker.stop() for worker in former))
                    await made.held_by(number)
                    await made.all_wait(count)
                rows.append(await _row(made, count, number, seconds))
            await asyncio.gather(*(worker.stop() for worker in running))
        return rows


async def _row(made: Fleet, count: int, workers: int, seconds: float) -> tuple[str, ...]:
    await asyncio.sleep(3)  # what the handover took comes to rest
    before, already_requested = _calls(made), time.monotonic()
    await asyncio.sleep(seconds)
    calls, lasted = _calls(made) - before, time.monotonic() - already_requested
    # A script's own commands are counted as if they were sent.
    sent = Counter({name: n for name, n in calls.items() if name in ("evalsha", "eval", "ping", "publish")})
    inside = calls - sent
    return (
        f"{count:,}",
        str(workers),
        f"{sent.total() / lasted:.2f}",
        f"{sent.total() / lasted / workers:.2f}",
        f"{inside.total() / lasted:.1f}",
        f"{inside.total() / lasted / count:.2f}",
        ", ".join(f"{name} {n / lasted:.1f}" for name, n in sorted(inside.items())),
    )


def _calls(made: Fleet) -> Counter[str]:
    stats = made.valkey.run("INFO", "commandstats")
    calls = {name.removeprefix("cmdstat_"): int(one["calls"]) for name, one in stats.items()}
    return Counter({name: n for name, n in calls.items() if name.partition("|")[0] not in OURS})


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    rows = asyncio.run(measure(arguments.tasks, arguments.workers, arguments.seconds))
    show(
        "Redis commands a second while tasks wait",
        ("tasks", "workers", "sent", "a worker", "inside scripts", "a task", "which"),
        rows,
    )


if __name__ == "__main__":
    main()
