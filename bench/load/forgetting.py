"""What it costs to forget old tasks: `python -m bench.load.forgetting [--postgresql]`.

Databases with 1,000 to 100,000 tasks (`bench.load.filling`), of which most may be forgotten: each application keeps its
current revision only. A server's sweep forgets them, and then looks once more, as it does each hour. The longest
transaction is how long somebody else who writes may have to wait on SQLite.
"""

import argparse
import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import delete, func, select

from bench.fleet import begin_with
from bench.load.filling import postgresql_with, sqlite_with
from bench.report import quiet, show
from kubemin.cli import forgetting
from kubemin.spec.states import RevisionState
from kubemin.store import Database, holdings, tables
from tests.servers.postgresql import Postgresql

SIZES = (1000, 10_000, 100_000)


class Commits:
    """When transactions that forget were committed."""

    def __init__(self) -> None:
        self.at: list[float] = []

    async def __call__(self, point: str) -> None:
        """A point that the database has come to."""
        if point == "commit:forget-tasks:after":
            self.at.append(time.perf_counter())

    def longest(self) -> float:
        """Seconds from one to the next, without the pause between."""
        return max((after - before for before, after in pairwise(self.at)), default=0.0) - forgetting.APART_SECONDS


async def measured(db: Database, commits: Commits) -> tuple[str, ...]:
    """Sweep twice."""
    async with db.begin("prepare") as tx:
        await tx.write(delete(tables.revisions).where(tables.revisions.c.state != RevisionState.CURRENT))
        apps = [row.id for row in await tx.rows(select(tables.applications.c.id))]
        for app_id in apps:
            await holdings.tell_no_more(tx, app_id)
        there = await tx.scalar(select(func.count()).select_from(tables.tasks))
    began = time.perf_counter()
    forgotten = await forgetting.sweep(db, 1, "bench")
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    assert await forgetting.sweep(db, 1, "bench") == 0
    again = time.perf_counter() - began
    shown = (f"{seconds:.1f}", f"{forgotten / seconds:.0f}", f"{commits.longest() * 1000:.0f}", f"{again * 1000:.0f}")
    return f"{there:,}", f"{forgotten:,}", *shown


@asynccontextmanager
async def history(size: int, folder: Path, *, postgresql: bool) -> AsyncIterator[str]:
    """The URL of a database with so many tasks."""
    if not postgresql:
        copy = folder / f"{size}.db"
        await asyncio.to_thread(shutil.copy, await sqlite_with(size), copy)
        yield f"sqlite:///{copy}"
        return
    server = Postgresql()
    await asyncio.to_thread(begin_with, server, await postgresql_with(size))
    with server:
        yield server.url()


async def measure(most: int, *, postgresql: bool) -> None:
    """Measure, and show."""
    quiet()
    rows = []
    with TemporaryDirectory(prefix="kubemin-bench-") as folder:
        for size in (size for size in SIZES if size <= most):
            async with history(size, Path(folder), postgresql=postgresql) as url:
                commits = Commits()
                db = await Database.open(url, hook=commits)
                rows.append(await measured(db, commits))
                await db.aclose()
    columns = ("tasks", "forgotten", "s", "tasks a second", "longest transaction, ms", "looking again, ms")
    show("Forgetting what may be forgotten", columns, rows, ["PostgreSQL" if postgresql else "SQLite"])


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--most", type=int, default=max(SIZES), help="tasks of the largest history")
    given = parser.parse_args()
    asyncio.run(measure(given.most, postgresql=given.postgresql))


if __name__ == "__main__":
    main()
