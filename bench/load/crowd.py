"""Many applications, much history, many running tasks and listeners, more and more requests.

`python -m bench.load.crowd`: two servers, two workers, PostgreSQL, Valkey and the cluster, each a process of its own,
on a database with a long history. So many tasks wait for Pods that never become ready, so many event streams are open,
and a further process (`bench.load.clients`) asks more and more, with tokens and limits as in production. All of it
shares the machine's processors: the clients' part is told as well.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from bench.fleet import Fleet, Process, fleet, started
from bench.load.callers import caller
from bench.load.filling import postgresql_with
from bench.load.processes import held_by
from bench.report import percentile, show
from bench.simulated import cpu_of, cpu_of_family
from kubemin.identity.grants import Role
from kubemin.store import tables

TASKS, RUNNING, STREAMS = 100_000, 1000, 1000
RATES = (25.0, 50.0, 100.0, 150.0, 200.0)
SECONDS = 30.0
SERVERS = WORKERS = 2
CALLERS = 20
BENT = 0.5
"""Seconds: where the 99th percentile of all reads is longer, a step has bent."""


@dataclass
class Crowd:
    """What runs, and what it takes."""

    made: Fleet
    urls: list[str] = field(default_factory=list)
    pids: dict[str, int] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    """When the scopes of cancelled tasks ended, by the machine's monotonic clock."""

    def hear(self, line: str) -> None:
        """What a worker says."""
        match line.split():
            case ["ended", task_id, moment]:
                self.ended[task_id] = float(moment)

    async def begin(self, running: int, streams: int) -> None:
        """Start the processes, and the tasks that wait."""
        self.made.settings = {
            "KUBEMIN_AUTH": "token",
            "KUBEMIN_MAX_EVENT_STREAMS": str(max(500, streams // SERVERS + 100)),
            "KUBEMIN_MAX_CALLER_STREAMS": str(max(100, streams)),
            "KUBEMIN_MAX_CONNECTIONS": str(max(1000, 2 * streams // SERVERS)),
        }
        for number in range(1, SERVERS + 1):
            self.urls.append(await self.made.api())
            self.pids[f"server-{number}"] = self.made.processes[-1].process.pid
        for number in range(1, WORKERS + 1):
            process = await self.made.worker("bench.worker", on_line=self.hear, most=running)
            self.pids[f"worker-{number}"] = process.process.pid
        await self.made.grow(running)

    async def given(self, streams: int, rates: Sequence[float], seconds: float) -> dict[str, Any]:
        """What the clients go by."""
        apps, tasks = tables.applications.c, tables.tasks.c
        async with self.made.db.read() as tx:
            some = list(await tx.rows(select(apps.id, apps.namespace, apps.name).where(apps.name.like("shop-%"))))
            old = list(await tx.rows(select(tasks.id).where(tasks.status == "completed").limit(500)))
            rows = await tx.rows(select(tasks.app_id, tasks.id).where(tasks.status == "running").order_by(tasks.seq))
        chosen = random.Random(14).sample(some, min(500, len(some)))
        owners = [f"caller-{number}" for number in range(CALLERS)]
        return {
            "urls": self.urls,
            "tokens": [await caller(self.made.db, owner, Role.ADMIN) for owner in owners],
            "apps": [{"id": row.id, "namespace": row.namespace, "name": row.name} for row in chosen],
            "tasks": [row.id for row in old],
            "waiting": [[row.app_id, row.id] for row in rows],
            "streams": streams,
            "rates": list(rates),
            "seconds": seconds,
        }

    def used(self, clients: Process) -> dict[str, float]:
        """Processor seconds of each part so far."""
        return {
            **{name: cpu_of(pid) for name, pid in self.pids.items()},
            "PostgreSQL": cpu_of_family(self.made.postgres.pid),
            "Valkey": cpu_of(self.made.valkey.pid),
            "cluster": self.made.cluster.cpu(),
            "clients": cpu_of(clients.process.pid),
        }

    async def taken_over(self) -> int:
        """Tasks that wait and were claimed more than once: their lease was lost."""
        asked = "SELECT count(*) FROM tasks WHERE status = 'running' AND lease_epoch > 1"
        return int(await asyncio.to_thread(self.made.postgres.sql, asked))


@dataclass
class Measured:
    """One step."""

    told: dict[str, Any]
    cpu: dict[str, float]
    """Share of one processor, by part."""
    lost: int
    ends: list[float]
    """Seconds from a cancel to the end of the task's scope."""

    @property
    def reads(self) -> list[float]:
        """Seconds of all reads."""
        return [one for name, of in self.told["seconds"].items() if name not in ("apply", "cancel") for one in of]

    @property
    def failed(self) -> int:
        """Requests that got no answer, or none that is 200."""
        return sum(self.told["failed"].values())


async def measure(
    *, tasks: int, running: int, streams: int, rates: Sequence[float], seconds: float
) -> tuple[list[Measured], dict[str, float]]:
    """The steps, and the resident MiB of the processes after them."""
    kept = await postgresql_with(tasks)
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(fleet(speed=1, data=kept))
        crowd = Crowd(made)
        await crowd.begin(running, streams)
        news: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

        def hear(line: str) -> None:
            what, _, value = line.partition(" ")
            news.put_nowait((what, json.loads(value)))

        clients = await started(["bench.load.clients"], {}, made.folder / "log", hear, stdin=True)
        stack.push_async_callback(clients.kill)
        given = await crowd.given(streams, rates, seconds)
        assert clients.process.stdin is not None
        clients.process.stdin.write(json.dumps(given).encode() + b"\n")
        await clients.process.stdin.drain()
        found = []
        for _ in rates:
            await _next(news, clients)
            before, begun = crowd.used(clients), time.monotonic()
            told = await _next(news, clients)
            wall = time.monotonic() - begun  # longer than the step where requests are still to be answered
            cpu = {name: (used - before[name]) / wall for name, used in crowd.used(clients).items()}
            ends = [crowd.ended[task] - sent for task, (sent, _) in told["cancels"].items() if task in crowd.ended]
            found.append(Measured(told, cpu, await crowd.taken_over(), ends))
        return found, {name: held_by(pid).rss for name, pid in crowd.pids.items()}


async def _next(news: "asyncio.Queue[tuple[str, dict[str, Any]]]", clients: Process) -> dict[str, Any]:
    """What the clients say next. Raises `RuntimeError` where they have ended."""
    while True:
        try:
            return (await asyncio.wait_for(news.get(), 5))[1]
        except TimeoutError:
            if clients.process.returncode is not None:
                raise RuntimeError("the clients have ended") from None


def _two(seconds: Sequence[float]) -> tuple[str, str]:
    if not seconds:
        return "", ""
    return f"{1000 * percentile(seconds, 0.5):.0f}", f"{1000 * percentile(seconds, 0.99):.0f}"


_COLUMNS = (
    *("req/s", "sent", "failed", "reads", "p99", "apply", "p99", "cancel", "p99", "end", "p99"),
    *("event", "p99", "open", "lost"),
)


def _step_row(one: Measured) -> tuple[str, ...]:
    told = one.told
    return (
        f"{told['rate']:g}",
        str(told["sent"]),
        str(one.failed),
        *_two(one.reads),
        *_two(told["seconds"].get("apply", ())),
        *_two(told["seconds"].get("cancel", ())),
        *_two(one.ends),
        *_two(told["delays"]),
        str(told["open"]),
        str(one.lost),
    )


def _bends(found: Sequence[Measured]) -> str:
    for one in found:
        if one.failed > 0.01 * one.told["sent"] or percentile(one.reads, 0.99) > BENT:
            busy = sorted(one.cpu.items(), key=lambda part: -part[1])[:3]
            most = ", ".join(f"{name} {share:.0%}" for name, share in busy)
            return f"it bends at {one.told['rate']:g} requests a second: most of a processor have {most}"
    return "it does not bend up to there"


def _failures(found: Sequence[Measured]) -> Counter[str]:
    failures: Counter[str] = Counter()
    for one in found:
        failures.update(one.told["failed"])
    return failures


def _kinds(one: Measured) -> list[tuple[str, ...]]:
    seconds: Mapping[str, list[float]] = one.told["seconds"]
    return [(name, str(len(of)), *_two(of)) for name, of in sorted(seconds.items())]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=TASKS, help="in history")
    parser.add_argument("--running", type=int, default=RUNNING)
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--rates", type=float, nargs="+", default=list(RATES))
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a step")
    given = parser.parse_args()
    found, rss = asyncio.run(
        measure(
            tasks=given.tasks,
            running=given.running,
            streams=given.streams,
            rates=given.rates,
            seconds=given.seconds,
        )
    )
    show(
        f"{given.tasks // 10:,} applications, {given.tasks:,} tasks in history, {given.running:,} running, "
        f"{given.streams:,} streams; ms",
        _COLUMNS,
        [_step_row(one) for one in found],
        [
            "each p50 and p99; end: from the cancel to the end of the task's scope; event: until a listener has it",
            "lost: tasks whose lease was lost (0)",
            _bends(found),
            *(
                f"failed: {count} {what}"
                for what, count in sum((Counter(one.told["failed"]) for one in found), Counter()).items()
            ),
        ],
    )
    show(
        "Share of one processor",
        ("req/s", *found[0].cpu, "all"),
        [
            (f"{one.told['rate']:g}", *(f"{share:.0%}" for share in one.cpu.values()), f"{sum(one.cpu.values()):.0%}")
            for one in found
        ],
        ["RSS MiB at the end: " + ", ".join(f"{name} {size:.0f}" for name, size in rss.items())],
    )
    show(f"At {found[-1].told['rate']:g} requests a second, ms", ("asked", "answers", "p50", "p99"), _kinds(found[-1]))
    sys.exit(any(one.lost for one in found))


if __name__ == "__main__":
    main()
