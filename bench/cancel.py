"""How long a cancel takes to reach the task: `python -m bench.cancel`.

From `POST …/workflow/cancel` at a server that runs no task, until nothing of the task's forward part runs any more in
the worker, a process of its own: what of that time passes after the answer, and all of it. Cancels
come at random moments, several a second; what they leave is rolled back meanwhile, and the tasks are run again.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from bench.fleet import Fleet, fleet
from bench.report import median, percentile, show
from tests.servers.valkey import Valkey

PUBSUB, REDIS_POLL, DATABASE = "Redis", "Redis without pub/sub", "no Redis: database alone"
TARGETS = {PUBSUB: 50, REDIS_POLL: 1200, DATABASE: 1200}
"""Milliseconds, of 99 in 100."""

_USER = "polls"


@dataclass(frozen=True)
class Sample:
    """Seconds until the scope had ended: since the request was sent, since its answer was there."""

    sent: float
    answered: float


@dataclass
class Canceller:
    """Cancels tasks over HTTP, and hears from the worker when their scopes have ended."""

    made: Fleet
    http: httpx.AsyncClient
    tasks: dict[str, str] = field(default_factory=dict)
    _ended: dict[str, "asyncio.Future[float]"] = field(default_factory=dict)

    def hear(self, line: str) -> None:
        """What a worker says."""
        match line.split():
            case ["ended", task_id, moment] if task_id in self._ended:
                self._ended[task_id].set_result(float(moment))

    async def samples(self, count: int, together: int) -> list[Sample]:
        """``count`` samples, ``together`` of them within each second."""
        found: list[Sample] = []
        while len(found) < count:
            apps = random.sample(sorted(self.tasks), min(together, count - len(found), len(self.tasks)))
            found += await asyncio.gather(*(self._one(app_id, random.random()) for app_id in apps))
            for app_id in apps:
                self.tasks[app_id] = await self.made.exec(app_id)
            for app_id in apps:
                await self.made.waits(self.tasks[app_id])
        return found

    async def _one(self, app_id: str, delay: float) -> Sample:
        task_id = self.tasks[app_id]
        ended = self._ended[task_id] = asyncio.get_running_loop().create_future()
        await asyncio.sleep(delay)
        sent = time.monotonic()
        url = f"/api/v1/applications/{app_id}/workflow/cancel"
        answer = await self.http.post(url, json={"taskId": task_id, "reason": "measured"})
        answered = time.monotonic()
        assert answer.status_code == 200, answer.text
        async with asyncio.timeout(30):
            moment = await ended
        return Sample(moment - sent, max(0.0, moment - answered))


async def measure(counts: Sequence[int], samples: int) -> list[tuple[str, ...]]:
    """A row for each number of tasks, by pub/sub; then of the last number two more, by each poll alone."""
    async with fleet() as made, httpx.AsyncClient(base_url=await made.api(), timeout=30) as http:
        canceller = Canceller(made, http)
        worker = await made.worker("bench.worker", on_line=canceller.hear)
        rows = []
        for count in counts:
            canceller.tasks = await made.grow(count)
            await canceller.samples(min(10, count), 10)  # warms up
            rows.append(_row(PUBSUB, count, await canceller.samples(samples if count > 1 else 20, 10)))
        for way, url in ((REDIS_POLL, _without_pubsub(made.valkey)), (DATABASE, None)):
            former, worker = worker, await made.worker("bench.worker", redis_url=url, on_line=canceller.hear)
            await former.stop()  # hands its tasks over
            await made.held_by(1)
            await made.all_wait(counts[-1])
            rows.append(_row(way, counts[-1], await canceller.samples(samples // 2, 50)))
        return rows


def _without_pubsub(valkey: Valkey) -> str:
    """The address of a user who may not subscribe."""
    valkey.run("ACL", "SETUSER", _USER, "reset", "on", ">secret", "~*", "&*", "+@all", "-subscribe", "-psubscribe")
    return valkey.url_of(_USER, "secret")


def _row(way: str, count: int, samples: Sequence[Sample]) -> tuple[str, ...]:
    sent, answered = ([1000 * one for one in of] for of in zip(*((s.sent, s.answered) for s in samples), strict=True))
    return (
        way,
        f"{count:,}",
        str(len(samples)),
        f"{median(answered):.1f}",
        f"{percentile(answered, 0.99):.1f} (≤ {TARGETS[way]})",
        f"{max(answered):.1f}",
        f"{median(sent):.1f}",
        f"{percentile(sent, 0.99):.1f}",
        f"{max(sent):.1f}",
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="+", default=[1, 100, 1000])
    parser.add_argument("--samples", type=int, default=150)
    arguments = parser.parse_args()
    rows = asyncio.run(measure(arguments.tasks, arguments.samples))
    show(
        "From POST …/workflow/cancel to the end of the task's scope in the worker, ms",
        ("by", "tasks", "samples", "p50", "p99", "max", "p50 since sent", "p99", "max"),
        rows,
        ["since the answer of the POST (0: it had ended by then), and since the POST was sent"],
    )


if __name__ == "__main__":
    main()
