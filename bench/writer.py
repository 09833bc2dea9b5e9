"""What the one writer of SQLite costs: `python -m bench.writer [--seconds S]`.

Two processes write to one file: this one as an API does (a cancel and two runs of an application, 50 ms after the last
one's answer each), the other as a worker does that has twenty tasks with something to write all the time, and renews
its leases. A transaction of a run or a task writes eight rows of 500 bytes; the others, which are urgent, one.
"""

import argparse
import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from sqlalchemy import delete, insert

from bench.report import percentile, show
from kubemin.spec.ids import new_id
from kubemin.store import Database
from kubemin.store.tables import write_probes

_TASKS = 20
_ROWS = 8


async def _write(db: Database, *, urgent: bool) -> None:
    ids = [new_id() for _ in range(1 if urgent else _ROWS)]
    async with db.begin("bench", urgent=urgent) as tx:
        for one in ids:
            await tx.write(insert(write_probes).values(id=one, filler="x" * 500))
        for one in ids:
            await tx.write(delete(write_probes).where(write_probes.c.id == one))


async def _repeat(db: Database, until: float, *, urgent: bool, pause: float) -> list[float]:
    """Seconds that each write took."""
    times = list[float]()
    while time.monotonic() < until:
        await asyncio.sleep(pause)
        began = time.monotonic()
        await _write(db, urgent=urgent)
        times.append(time.monotonic() - began)
    return times


async def _work(url: str, seconds: float) -> tuple[list[float], list[float]]:
    """As a worker; the seconds of renewals and of what its tasks write."""
    db, until = await Database.open(url), time.monotonic() + seconds
    renewals, *work = await asyncio.gather(
        _repeat(db, until, urgent=True, pause=0.2),
        *(_repeat(db, until, urgent=False, pause=0) for _ in range(_TASKS)),
    )
    await db.aclose()
    return renewals, [one for times in work for one in times]


async def _serve(url: str, seconds: float) -> tuple[list[float], list[float]]:
    """As an API; the seconds of cancels and of runs."""
    db, until = await Database.open(url), time.monotonic() + seconds
    cancels, *runs = await asyncio.gather(
        _repeat(db, until, urgent=True, pause=0.05), *(_repeat(db, until, urgent=False, pause=0.05) for _ in range(2))
    )
    await db.aclose()
    return cancels, [one for times in runs for one in times]


def _worker(url: str, seconds: float, answer: Connection) -> None:
    os.nice(5)
    answer.send("ready")
    answer.send(asyncio.run(_work(url, seconds)))


def _with_worker(url: str, seconds: float) -> tuple[Sequence[list[float]], Sequence[list[float]]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(target=_worker, args=(url, seconds, theirs))
    worker.start()
    ours.recv()
    served = asyncio.run(_serve(url, seconds))
    worked = ours.recv()
    worker.join()
    return served, worked


async def _migrate(url: str) -> None:
    db = await Database.open(url)
    await db.migrate()
    await db.aclose()


def _row(what: str, times: Sequence[float], seconds: float) -> tuple[str, ...]:
    return (
        what,
        f"{len(times) / seconds:.0f}",
        *(f"{percentile(times, share) * 1000:.0f}" for share in (0.5, 0.9, 0.99)),
    )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="kubemin-bench-") as folder:
        url = f"sqlite:///{folder}/kubemin.db"
        asyncio.run(_migrate(url))
        alone = asyncio.run(_serve(url, seconds))
        served, worked = _with_worker(url, seconds)
    rows = [
        _row("cancels, no worker", alone[0], seconds),
        _row("runs, no worker", alone[1], seconds),
        _row("cancels", served[0], seconds),
        _row("runs", served[1], seconds),
        _row("renewals", worked[0], seconds),
        _row("writes of tasks", worked[1], seconds),
    ]
    show("SQLite's one writer", ("transaction", "a second", "p50 ms", "p90", "p99"), rows)


if __name__ == "__main__":
    main()
