"""Many applications at once: `python -m bench.many [--count 300] [--sqlite]`.

So many applications of four objects, deployed at once through the API of a server, by a worker, each a process of its
own; and the same objects by plain calls, in the same run. Clients, eight at a time, send the next `exec` as soon as the
last is answered. What a cancel takes is measured in a further round: tasks that wait for Pods that never become ready
are cancelled one after the other while so many applications are deployed.
"""

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from bench.fleet import Fleet, fleet
from bench.managed import PATIENCE, save
from bench.plain import Plain
from bench.report import median, percentile, show
from bench.simulated import SPEED, cpu_of, cpu_of_family
from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.plan import make_plan
from kubemin.render import render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.states import TaskStatus
from kubemin.store import tables

OBJECTS = 4
CLIENTS = 8
OURS = ("API", "worker", "plain")
WAITING = "store"
"""A StatefulSet, which no controller gives up."""


@dataclass
class Round:
    """What one round took. Times of single requests in seconds."""

    what: str
    wall: float
    cpu: dict[str, float] = field(default_factory=dict)
    """Processor seconds by part: our processes first."""
    execs: list[float] = field(default_factory=list)
    cancels: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    """From a cancel's answer to the end of its task's scope."""


def application(name: str, image: str = "web:1") -> Application:
    """A ConfigMap, a Deployment, a Service and an Ingress."""
    route = {"path": "/", "backend": {"serviceName": name}}
    web = {
        "name": name,
        "objectName": name,  # the application's own name is random, and may begin with a digit
        "type": "webservice",
        "image": image,
        "properties": {"ports": [{"port": 8080}], "env": {"MODE": "bench"}},
        "traits": {
            "probes": [{"type": "readiness", "httpGet": {"path": "/", "port": 8080}}],
            "ingress": [{"hosts": [f"{name}.example"], "routes": [route]}],
        },
    }
    config = {"name": f"{name}-config", "type": "config", "properties": {"conf": {"key": "v" * 100}}}
    return parse_application({"name": name, "component": [config, web]})


def waiting(name: str) -> Application:
    """One whose task waits until it is cancelled."""
    return parse_application({"name": name, "component": [{"name": name, "type": WAITING, "image": "never:1"}]})


async def plain(made: Fleet, count: int) -> Round:
    """The same objects by plain calls from this process."""
    apps = [application(f"plain-{number}") for number in range(count)]
    cluster = await Cluster.connect(kubeconfig=None, context=None, url=made.cluster.url, timeout=30)
    async with aclosing(cluster), aclosing(Informers(cluster)) as informers:
        side = Plain(cluster, informers)
        await side.begin()
        began, cpu, theirs = time.perf_counter(), time.process_time(), made.cluster.cpu()
        async with asyncio.TaskGroup() as group:
            for app in apps:
                plan = make_plan(app, render(app), app.steps())
                assert len(plan.jobs) == OBJECTS
                group.create_task(side.deploy(plan))
        wall, own, theirs = time.perf_counter() - began, time.process_time() - cpu, made.cluster.cpu() - theirs
        return Round("plain", wall, {"plain": own, "cluster": theirs})


@dataclass
class Many:
    """A server, a worker, and who asks them."""

    made: Fleet
    http: httpx.AsyncClient
    api: int
    worker: int
    """Process ids."""
    ended: dict[str, "asyncio.Future[float]"]

    async def deploy(self, what: str, count: int, *, preflight: bool, cancels: int = 0) -> Round:
        """Deploy so many applications at once, and cancel so many others meanwhile."""
        prefix = what.replace(" ", "-")
        apps = [await save(self.made.db, application(f"{prefix}-{number}")) for number in range(count)]
        others = [await save(self.made.db, waiting(f"{prefix}-waiting-{number}")) for number in range(cancels)]
        tasks = [await self._exec(app_id, preflight=False) for app_id in others]
        for task_id in tasks:
            await self.made.waits(task_id)
        before = await self._completed()
        cpu = self._cpu()
        done = Round(what, 0.0)
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            left = iter(apps)
            for _ in range(CLIENTS):
                group.create_task(self._client(left, done, preflight=preflight))
            group.create_task(self._until_completed(before + count))
            if cancels:
                group.create_task(self._cancel_all(dict(zip(others, tasks, strict=True)), done, pause=0.15))
        done.wall = time.perf_counter() - began
        done.cpu = {name: used - cpu[name] for name, used in self._cpu().items()}
        return done

    async def _client(self, left: Iterator[str], done: Round, *, preflight: bool) -> None:
        for app_id in left:
            sent = time.perf_counter()
            await self._exec(app_id, preflight=preflight)
            done.execs.append(time.perf_counter() - sent)

    async def _cancel_all(self, tasks: dict[str, str], done: Round, pause: float) -> None:
        for app_id, task_id in tasks.items():
            await asyncio.sleep(pause)
            ended = self.ended[task_id] = asyncio.get_running_loop().create_future()
            sent = time.monotonic()
            await self._post(f"{app_id}/workflow/cancel", {"taskId": task_id, "reason": "measured"})
            answered = time.monotonic()
            done.cancels.append(answered - sent)
            async with asyncio.timeout(PATIENCE):
                done.ends.append(max(0.0, await ended - answered))

    async def _exec(self, app_id: str, *, preflight: bool) -> str:
        return str((await self._post(f"{app_id}/workflow/exec", {"preflight": preflight}))["taskId"])

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self.http.post(f"/api/v1/applications/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def _completed(self) -> int:
        async with self.made.db.read() as tx:
            completed = (
                select(func.count()).select_from(tables.tasks).where(tables.tasks.c.status == TaskStatus.COMPLETED)
            )
            return int(await tx.scalar(completed))

    async def _until_completed(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self._completed() < count:  # noqa: ASYNC110  what is waited for is a row
                await asyncio.sleep(0.05)

    def _cpu(self) -> dict[str, float]:
        return {
            "API": cpu_of(self.api),
            "worker": cpu_of(self.worker),
            "database": cpu_of_family(self.made.postgres.pid),
            "Redis": cpu_of(self.made.valkey.pid),
            "cluster": self.made.cluster.cpu(),
            "clients": time.process_time(),
        }


@asynccontextmanager
async def many(made: Fleet) -> AsyncIterator[Many]:
    """The two processes, ready."""
    ended: dict[str, asyncio.Future[float]] = {}

    def hear(line: str) -> None:
        match line.split():
            case ["ended", task_id, moment] if task_id in ended:
                ended[task_id].set_result(float(moment))

    url = await made.api()
    api = made.processes[-1].process.pid
    worker = (await made.worker("bench.worker", on_line=hear)).process.pid
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as http:
        yield Many(made, http, api, worker, ended)


async def measure(count: int, cancels: int, *, sqlite: bool) -> tuple[list[Round], dict[str, float]]:
    """The rounds, and the resident MiB of the processes after them."""
    async with fleet(speed=SPEED, sqlite=sqlite) as made, many(made) as asked:
        await asked.deploy("warm", 10, preflight=True)
        rounds = [
            await plain(made, count),
            await asked.deploy("engine", count, preflight=False),
            await asked.deploy("after a pre-flight", count, preflight=True),
            await asked.deploy("with cancels", count, preflight=False, cancels=cancels),
        ]
        return rounds, {"API": _rss(asked.api), "worker": _rss(asked.worker)}


def _rss(pid: int) -> float:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmRSS"].split()[0]) / 1024


def _row(one: Round, plain: Round, count: int) -> tuple[str, ...]:
    own = 1000 * sum(one.cpu[name] for name in OURS if name in one.cpu) / count
    return (
        one.what,
        f"{one.wall:.1f}",
        "" if one is plain else f"{one.wall / plain.wall:.2f}",
        f"{own:.0f}",
        "" if one is plain else f"{1000 * one.cpu['API'] / count:.0f}",
        *_two(one.execs),
        *_two(one.cancels),
        *_two(one.ends),
    )


def _parts(one: Round, count: int) -> str:
    """What each part took of the processors, and what these had."""
    each = {name: 1000 * used / count for name, used in one.cpu.items()}
    said = ", ".join(f"{name} {used:.0f}" for name, used in each.items())
    had = 1000 * one.wall * (os.cpu_count() or 1) / count
    return f"CPU ms a task of {one.what!r}: {said}; together {sum(each.values()):.0f} of the {had:.0f} that there were"


def _two(seconds: Sequence[float]) -> tuple[str, str]:
    if not seconds:
        return "", ""
    return f"{1000 * percentile(seconds, 0.99):.0f}", f"{1000 * median(seconds):.0f}"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--cancels", type=int, default=50)
    parser.add_argument("--sqlite", action="store_true")
    arguments = parser.parse_args()
    count = arguments.count
    rounds, rss = asyncio.run(measure(count, min(arguments.cancels, count), sqlite=arguments.sqlite))
    show(
        f"{count:,} applications of {OBJECTS} objects at once",
        ("", "wall s", "ratio", "CPU ms", "of it API", "exec p99", "p50", "cancel p99", "p50", "end p99", "p50"),
        [_row(one, rounds[0], count) for one in rounds],
        [
            f"CPU: own, a task; exec, cancel: ms to the answer; end: then to the end of the scope; {CLIENTS} clients",
            "targets: ratio ≤ 1.6, CPU ≤ 40, p99 of exec ≤ 150, of cancel ≤ 100, of end ≤ 50",
            *(_parts(one, count) for one in rounds[:2]),
            f"{'SQLite' if arguments.sqlite else 'PostgreSQL'} and Valkey; simulated cluster, speed {SPEED:g}",
            "RSS MiB: " + ", ".join(f"{name} {size:.0f}" for name, size in rss.items()),
        ],
    )


if __name__ == "__main__":
    main()
