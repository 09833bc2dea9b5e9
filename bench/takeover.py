"""How soon a killed worker's tasks are another's: `python -m bench.takeover`.

Two real `kubemin worker` processes; the one that holds all tasks is killed, and the clock runs until the other holds
them all. Its leases have to run out first.
"""

import argparse
import asyncio
import time

from bench.fleet import Fleet, fleet
from bench.managed import until
from bench.report import show

LEASE = 15
"""Seconds: the default."""

LIMIT = LEASE + 2


async def measure(count: int) -> tuple[str, ...]:
    """A row: seconds from the kill to the first task's takeover, and to the last one's."""
    async with fleet() as made:
        first = await made.worker(most=count)
        await made.grow(count)
        await made.worker(most=count)
        former = made.postgres.sql("SELECT DISTINCT lease_owner FROM tasks WHERE status = 'running'")
        first.process.kill()
        killed = time.monotonic()
        await until(lambda: _taken(made, former, 1))
        soonest = time.monotonic() - killed
        await until(lambda: _taken(made, former, count))
        last = time.monotonic() - killed
        return f"{count}", f"{soonest:.1f}", f"{last:.1f} (≤ {LIMIT})"


async def _taken(made: Fleet, former: str, count: int) -> bool:
    asked = f"SELECT count(*) FROM tasks WHERE status = 'running' AND lease_owner <> '{former}'"
    return int(await asyncio.to_thread(made.postgres.sql, asked)) >= count


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=200)
    row = asyncio.run(measure(parser.parse_args().tasks))
    show(f"A worker is killed; leases of {LEASE} s", ("tasks", "first after s", "last after s"), [row], [])


if __name__ == "__main__":
    main()
