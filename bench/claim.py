"""How fast 1, 2, 4 and 8 workers claim and finish tasks on PostgreSQL: `python -m bench.claim [--database URL]`.

Each worker is a process of its own that claims up to eight tasks in one transaction, as a worker does, then starts and
finishes each in transactions of their own, until none is left: what the database has to do for a task that does
nothing. Without a URL a PostgreSQL of its own is started, whose commits reach the disk.
"""

import argparse
import asyncio
import sys
import time

from kubemin.spec.ids import new_id
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database, tasks
from tests.servers.postgresql import Postgresql

APPLICATIONS = 100
TASKS_EACH = 5
BATCH = 8


async def _fill(db: Database) -> None:
    apps = [new_id() for _ in range(APPLICATIONS)]
    async with db.begin("fill") as tx:
        for n in range(APPLICATIONS * TASKS_EACH):
            new = tasks.NewTask(
                id=new_id(), app_id=apps[n % APPLICATIONS], app_name="app", workflow_id="", workflow_name="", spec={}
            )
            await tasks.insert(tx, new)


async def _work(url: str, name: str) -> None:
    """Say that we are ready; on a line of input, run tasks until there are none, and say how many and how long."""
    db = await Database.open(url)
    await db.ping()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    done, misses, claiming = 0, 0, 0.0
    while misses < 3:
        already_requested = time.perf_counter()
        async with db.begin("claim") as tx:
            claimed = await tasks.claim(tx, name, 60, 3, BATCH)
        claiming += time.perf_counter() - already_requested
        misses = 0 if claimed else misses + 1
        for task in claimed:
            async with db.begin("start") as tx:
                await tasks.start(tx, task.id, task.lease_epoch)
            async with db.begin("finish") as tx:
                await tasks.finish(tx, task.id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)
            done += 1
    print(done, claiming, flush=True)
    await db.aclose()


async def _measure(url: str, workers: int) -> tuple[float, float]:
    """(tasks a second, milliseconds a claim) with so many worker processes."""
    db = await Database.open(url)
    await db.migrate()
    await _fill(db)
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bench.claim", "--database", url, "--worker", f"w{n}"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for n in range(workers)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    already_requested = time.perf_counter()
    answers = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    seconds = time.perf_counter() - already_requested
    done = [int(output.split()[0]) for output, _ in answers]
    claiming = [float(output.split()[1]) for output, _ in answers]
    async with db.read() as tx:
        left = await tasks.page(tx, status="waiting", limit=1)
    await db.aclose()
    assert not left
    assert sum(done) == APPLICATIONS * TASKS_EACH, f"{sum(done)} of {APPLICATIONS * TASKS_EACH} tasks were claimed"
    return sum(done) / seconds, 1000 * sum(claiming) / sum(done)


async def _all(url: str) -> None:
    print(f"{APPLICATIONS * TASKS_EACH} tasks of {APPLICATIONS} applications: claim, start, finish")
    print(f"{'workers':>8} {'tasks/s':>8} {'ms/claim':>9}")
    for workers in (1, 2, 4, 8):
        rate, milliseconds = await _measure(url, workers)
        print(f"{workers:>8} {rate:>8.0f} {milliseconds:>9.2f}", flush=True)


def main() -> None:
    """Run the benchmark, or be one of its workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="a PostgreSQL URL; its tasks are not kept apart from others' there")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        asyncio.run(_work(arguments.database, arguments.worker))
    elif arguments.database:
        asyncio.run(_all(arguments.database))
    else:
        with Postgresql(durable=True) as server:
            asyncio.run(_all(server.url()))


if __name__ == "__main__":
    main()
