"""What a task and each read cost with few and with very many tasks in history: `python -m bench.load.history`.

Databases with 100 to 100,000 tasks of a tenth as many applications (`bench.load.filling`) side by side. An application
of four objects, which has a tenth of all these tasks, is deployed anew in one after the other, by a worker as
`kubemin dev` has it. Then servers, a process for each database, are asked the same in turn. ``--postgresql``: on
PostgreSQL servers.
"""

import argparse
import asyncio
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from sqlalchemy import event, text

from bench.fleet import Process, begin_with, started
from bench.load.filling import postgresql_with, sqlite_with
from bench.managed import Ends, Managed, managed
from bench.report import median, quiet, show
from bench.simulated import Simulated, cpu_of, cpu_of_family, simulated
from kubemin.cluster import Cluster
from kubemin.spec.application import Application, parse_application
from kubemin.spec.states import TaskStatus
from kubemin.store import Database, components
from kubesim.kubeconfig import kubeconfig
from tests.servers.postgresql import Postgresql

SIZES = (100, 1000, 10_000, 100_000)
ROUNDS, DEPLOYS = 5, 6
"""In each round so many deploys of each database are measured, after one that is not."""
WARM_UP = 22
"""So many revisions are there that each further run forgets one."""
ASKED = 25
FLAT = 1.2


@dataclass
class Place:
    """A database with so many tasks, and what was measured in it."""

    size: int
    url: str
    postgres: Postgresql | None
    db: Database
    ends: Ends
    app_id: str = ""
    number: int = 0
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    """Seconds: of statements and commits on SQLite, of the server's processors on PostgreSQL."""
    done: Counter[str] = field(default_factory=Counter)
    reads: dict[str, list[float]] = field(default_factory=dict)

    async def deploy(self, engine: Managed) -> str:
        """Run the application with another image; the task's id."""
        self.number += 1
        async with self.db.begin("save") as tx:
            await components.replace_components(tx, self.app_id, _application(self.number).component)
        task = await engine.settled(await engine.exec(self.app_id))
        assert task.status is TaskStatus.COMPLETED, task.reason
        return task.id

    async def measured(self, engine: Managed) -> None:
        """The same, and what it takes."""
        before = self._of_database()
        cpu, wall = time.process_time(), time.perf_counter()
        await self.deploy(engine)
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)
        self.database.append(self._of_database() - before)

    def _of_database(self) -> float:
        return self.done["µs"] / 1e6 if self.postgres is None else cpu_of_family(self.postgres.pid)

    def count(self) -> None:
        """Count statements, commits and their time from now on (SQLite; PostgreSQL's statements go another way)."""
        began: list[float] = []

        def begin(*_: Any) -> None:
            began[:] = [time.perf_counter()]

        def end(*_: Any) -> None:
            self.done["statements"] += 1
            self.done["µs"] += round((time.perf_counter() - began[0]) * 1e6)

        for pool in (self.db._reader.pool, self.db._writer.pool):  # noqa: SLF001  (what is measured is what it does)
            engine = getattr(pool.engine, "sync_engine", pool.engine)  # type: ignore[attr-defined]
            event.listen(engine, "before_cursor_execute", begin)
            event.listen(engine, "after_cursor_execute", end)


def _application(image: int) -> Application:
    web = {"name": "web", "type": "webservice", "image": f"web:{image}", "properties": {"ports": [{"port": 80}]}}
    settings = {"name": "conf", "type": "config", "properties": {"conf": {"level": str(image)}}}
    return parse_application({"name": "bench", "component": [{**web, "name": "api"}, settings, web]})


@asynccontextmanager
async def places(sizes: Sequence[int], *, postgresql: bool) -> AsyncIterator[list[Place]]:
    """Copies of the databases, open."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="kubemin-bench-")))
        found = []
        for size in sizes:
            ends = Ends()
            if postgresql:
                server = Postgresql(durable=True)
                begin_with(server, await postgresql_with(size))
                stack.enter_context(server)
                url = server.url()
            else:
                server, url = None, f"sqlite:///{folder / f'{size}.db'}"
                shutil.copy(await sqlite_with(size), folder / f"{size}.db")
            db = await Database.open(url, hook=ends)
            stack.push_async_callback(db.aclose)
            found.append(Place(size, url, server, db, ends))
        yield found


_FORMER = "seq % 10 = 0"
_GIVE = (
    f"UPDATE resources SET holder = NULL, applied = NULL, before = NULL "
    f"WHERE task_id IN (SELECT id FROM tasks WHERE {_FORMER})",
    f"UPDATE tasks SET app_id = :app, idempotency_key = NULL, plan = NULL, revision = NULL WHERE {_FORMER}",
)
"""A tenth of the history becomes that of one application: of old tasks most is forgotten."""


async def deploys(found: Sequence[Place], cluster: Simulated, rounds: int, warm_up: int) -> None:
    """Measure the tasks."""
    client = await Cluster.connect(kubeconfig=None, context=None, url=cluster.url, timeout=30)
    async with aclosing(client):
        for place in found:
            async with managed((place.db, place.ends), client) as engine:
                place.app_id = await engine.save(_application(0))
                async with place.db.begin("fill") as tx:
                    for statement in _GIVE:
                        await tx.write(text(statement), {"app": place.app_id} if ":app" in statement else {})
                for _ in range(warm_up):
                    await place.deploy(engine)
            place.count()
        for _ in range(rounds):
            for place in found:
                async with managed((place.db, place.ends), client) as engine:
                    await place.deploy(engine)
                    for _ in range(DEPLOYS):
                        await place.measured(engine)


def reads(place: Place, task_id: str) -> dict[str, str]:
    """What people and programs ask, below the server's address."""
    api, app = "/api/v1", place.app_id
    return {
        "applications": f"{api}/applications?pageSize=50",
        "applications, by number": f"{api}/applications?page=2&pageSize=50",
        "applications, search": f"{api}/applications?search=shop-1&pageSize=50",
        "applications, namespace": f"{api}/applications?namespace=load-a&pageSize=50",
        "applications, name": f"{api}/applications?name=shop-3",
        "applications, failed": f"{api}/applications?status=failed&pageSize=50",
        "application": f"{api}/applications/{app}",
        "components": f"{api}/applications/{app}/components",
        "revisions": f"{api}/applications/{app}/revisions",
        "tasks": f"{api}/tasks?pageSize=50",
        "tasks, failed": f"{api}/tasks?status=failed&pageSize=50",
        "tasks, running": f"{api}/tasks?status=running&pageSize=50",
        "tasks of one": f"{api}/tasks?appId={app}&pageSize=20",
        "status": f"{api}/workflow/tasks/{task_id}/status",
        "status, beginning": f"{api}/workflow/tasks/{task_id[:12]}/status",
        "stages": f"{api}/workflow/tasks/{task_id}/stages",
        "changes": f"{api}/workflow/tasks/{task_id}/resources",
        "events of a task": f"{api}/workflow/tasks/{task_id}/events",
        "operations": f"{api}/operations",
        "clusters": f"{api}/clusters",
        "audit": f"{api}/audit?pageSize=100",
        "audit, caller": f"{api}/audit?caller=sample&pageSize=100",
        "audit, rare caller": f"{api}/audit?caller=nobody&pageSize=100",
        "audit, operation": f"{api}/audit?operation=delete_application&pageSize=100",
        "audit, refused": f"{api}/audit?outcome=refused&pageSize=100",
        "notifications": f"{api}/notifications?pageSize=50",
        "orphans": f"{api}/orphans",
        "metrics": "/metrics",
        "readyz": "/readyz",
    }


async def ask(found: Sequence[Place], cluster: Simulated, times: int) -> list[str]:
    """Ask servers of each database the same in turn; the names of what was asked."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="kubemin-bench-")))
        (folder / "cluster.yaml").write_text(kubeconfig(cluster.url))
        servers: list[Process] = []
        clients = []
        for place in found:
            settings = {
                "KUBEMIN_DATABASE_URL": place.url,
                "KUBEMIN_KUBECONFIG": str(folder / "cluster.yaml"),
                "KUBEMIN_CALLER_RATE": "100000",  # one caller asks all of it
                "KUBEMIN_CALLER_BURST": "100000",
            }
            command = ["kubemin", "serve", "--workers", "0", "--port", "0"]
            servers.append(await started(command, settings, folder / "log"))
            stack.push_async_callback(servers[-1].stop)
            url = "http://" + (await servers[-1].said("ready at")).partition("http://")[2]
            clients.append(await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=120)))
        newest = []
        for place, client in zip(found, clients, strict=True):
            answer = await client.get(f"/api/v1/tasks?appId={place.app_id}&pageSize=1")
            newest.append(answer.raise_for_status().json()["data"]["tasks"][0]["taskId"])
        asked = [reads(place, task_id) for place, task_id in zip(found, newest, strict=True)]
        for number in range(times + 2):
            for name in asked[0]:
                for place, client, of in zip(found, clients, asked, strict=True):
                    began = time.perf_counter()
                    (await client.get(of[name])).raise_for_status()
                    if number > 1:
                        place.reads.setdefault(name, []).append(time.perf_counter() - began)
        for place, server in zip(found, servers, strict=True):
            place.done["server CPU ms"] = round(1000 * cpu_of(server.process.pid))
        return list(asked[0])


async def measure(
    sizes: Sequence[int], *, postgresql: bool, rounds: int = ROUNDS, warm_up: int = WARM_UP, times: int = ASKED
) -> tuple[list[Place], list[str]]:
    """Both parts."""
    with simulated() as cluster:
        async with places(sizes, postgresql=postgresql) as found:
            await deploys(found, cluster, rounds, warm_up)
            return found, await ask(found, cluster, times)


def _marked(value: float, base: float) -> str:
    return f"{value / base:.2f}" + ("" if value <= FLAT * base else " !")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    quiet()
    found, names = asyncio.run(measure(given.tasks, postgresql=given.postgresql, rounds=given.rounds))
    first, on = found[0], "PostgreSQL" if given.postgresql else "SQLite, synchronous=FULL"
    rows = [
        (
            f"{place.size:,}",
            *(
                cell
                for of in ("cpu", "wall", "database")
                for cell in (
                    f"{1000 * median(getattr(place, of)):.0f}",
                    _marked(median(getattr(place, of)), median(getattr(first, of))),
                )
            ),
        )
        for place in found
    ]
    show(
        f"A deploy of 4 objects and a history of tasks; medians of {given.rounds * DEPLOYS}",
        ("tasks", "CPU ms", "ratio", "wall ms", "ratio", "database ms", "ratio"),
        rows,
        [f"{on}; database: {'CPU of the server' if given.postgresql else 'time of statements'}; ! is past {FLAT}"],
    )
    show(
        f"What servers are asked; medians of {ASKED}, ms",
        ("read", *(f"{place.size:,}" for place in found), *(f"ratio {place.size:,}" for place in found[1:])),
        [
            (
                name,
                *(f"{1000 * median(place.reads[name]):.1f}" for place in found),
                *(_marked(median(place.reads[name]), median(first.reads[name])) for place in found[1:]),
            )
            for name in names
        ],
        [on],
    )


if __name__ == "__main__":
    main()
