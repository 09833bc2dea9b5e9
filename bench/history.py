"""What a task costs with few and with very many tasks in history: `python -m bench.history [--tasks 10 1000 ...]`.

One application of four objects is deployed, another image each time, by a worker as `kubemin dev` has it. Half of the
history is of this very application, half of another one: copies of its first deploy, as they are kept.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from bench.managed import Managed, database, managed
from bench.report import median, quiet, show
from bench.simulated import simulated
from kubemin.cluster import Cluster
from kubemin.spec.application import Application, parse_application
from kubemin.spec.states import TaskStatus
from kubemin.store import Database, components, tables, tasks

WARM_UP, ROUNDS = 15, 20
_OTHER = "another-application-0000"
_CHANGED: dict[str, dict[str, str]] = {
    "tasks": {"app_id": f"CASE WHEN i % 2 THEN app_id ELSE '{_OTHER}' END", "plan": "NULL"},
    "resources": {"applied": "NULL", "before": "NULL", "holder": "NULL"},
    "writes": {"token": "token || i", "base_version": "base_version || '.' || i"},
}
"""In which a copy differs: of old tasks most is forgotten."""


@dataclass
class Cost:
    """Of one task; of pages and metrics the milliseconds of the processor too."""

    history: int
    cpu: float
    wall: float
    statements: float
    commits: float
    asked: float
    resident: float


def _application(image: int) -> Application:
    web = {"name": "web", "type": "webservice", "image": f"web:{image}", "properties": {"ports": [{"port": 80}]}}
    settings = {"name": "conf", "type": "config", "properties": {"conf": {"level": str(image)}}}
    return parse_application({"name": "bench", "component": [{**web, "name": "api"}, settings, web]})


async def _deploy(engine: Managed, app_id: str, number: int) -> str:
    async with engine.db.begin("save") as tx:
        await components.replace_components(tx, app_id, _application(number).component)
    task = await engine.settled(await engine.exec(app_id))
    assert task.status is TaskStatus.COMPLETED, task.reason
    return task.id


async def _fill(db: Database, task_id: str, first: int, last: int) -> None:
    """Tasks of history with these numbers."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last) "
    own = "printf('history%017d', i)"
    async with db.begin("fill") as tx:
        for table in (tables.tasks, tables.jobs, tables.events, tables.resources, tables.writes):
            changed = {"id" if table is tables.tasks else "task_id": own, **_CHANGED.get(table.name, {})}
            generated = {"tasks": "seq", "events": "id"}.get(table.name)
            columns = [f'"{column.name}"' for column in table.c if column.name != generated]
            values = [changed.get(column.strip('"'), column) for column in columns]
            of = "id" if table is tables.tasks else "task_id"
            copy = f"{numbers} SELECT {', '.join(values)} FROM n, {table.name} WHERE {of} = :task_id"
            insert = text(f"INSERT INTO {table.name} ({', '.join(columns)}) {copy}")
            await tx.write(insert, {"first": first, "last": last, "task_id": task_id})


async def _ask(db: Database) -> None:
    """What pages and metrics ask."""
    async with db.read() as tx:
        page = await tasks.page(tx, limit=50)
        await tasks.page(tx, limit=50, after=page[-1].seq)
        await tasks.page(tx, limit=50, status="failed")
        await tasks.count_tasks(tx)


def _resident() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _counted(db: Database) -> Counter[str]:
    """Statements and commits from now on."""
    done: Counter[str] = Counter()

    def executed(*_: Any) -> None:
        done["statements"] += 1

    def committed(*_: Any) -> None:
        done["commits"] += 1

    for pool in (db._reader.pool, db._writer.pool):  # noqa: SLF001  (what is measured is what it does)
        event.listen(pool.engine, "before_cursor_execute", executed)  # type: ignore[attr-defined]
        event.listen(pool.engine, "commit", committed)  # type: ignore[attr-defined]
    return done


async def measure(sizes: Sequence[int]) -> list[Cost]:
    """The cost for each size of history."""
    costs = []
    with simulated() as server:
        async with database() as stored:
            cluster = await Cluster.connect(kubeconfig=None, context=None, url=server.url, timeout=30)
            async with aclosing(cluster), managed(stored, cluster) as engine:
                app_id = await engine.save(_application(0))
                first = await _deploy(engine, app_id, 0)
                for number in range(1, WARM_UP):
                    await _deploy(engine, app_id, number)
                done, there, number = _counted(engine.db), WARM_UP, WARM_UP
                for size in sizes:
                    if size > there:
                        await _fill(engine.db, first, there, size - 1)
                        there = size
                    costs.append(await _measured(engine, app_id, done, size, number))
                    number += ROUNDS
    return costs


async def _measured(engine: Managed, app_id: str, done: Counter[str], size: int, number: int) -> Cost:
    await _deploy(engine, app_id, number)  # the pages of the file that the fill has pushed out come back
    cpus, walls = [], []
    done.clear()
    for one in range(1, ROUNDS):
        cpu, wall = time.process_time(), time.perf_counter()
        await _deploy(engine, app_id, number + one)
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    statements, commits = (done[what] / (ROUNDS - 1) for what in ("statements", "commits"))
    cpu = time.process_time()
    for _ in range(ROUNDS):
        await _ask(engine.db)
    asked = (time.process_time() - cpu) / ROUNDS
    return Cost(size, median(cpus), median(walls), statements, commits, asked, _resident())


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="+", default=[10, 1000, 10_000, 100_000])
    sizes = parser.parse_args().tasks
    quiet()
    costs = asyncio.run(measure(sizes))
    rows = [
        (
            f"{max(cost.history, WARM_UP):,}",
            f"{1000 * cost.cpu:.0f}",
            f"{cost.cpu / costs[0].cpu:.2f}",
            f"{cost.wall / costs[0].wall:.2f}",
            f"{cost.statements:.0f}",
            f"{cost.commits:.0f}",
            f"{1000 * cost.asked:.1f}",
            f"{cost.resident:.0f}",
        )
        for cost in costs
    ]
    show(
        f"A deploy of 4 objects and a history of tasks; medians of {ROUNDS - 1}",
        ("tasks", "CPU ms", "CPU ratio", "wall ratio", "statements", "commits", "pages ms", "RSS MiB"),
        rows,
        ["pages: three pages of tasks and the numbers of /metrics, CPU", "SQLite on disk, synchronous=FULL"],
    )


if __name__ == "__main__":
    main()
