"""KubeMin as operators run it: API, workers, database, Redis and cluster, each a process of its own."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.managed import PATIENCE, save, until
from bench.simulated import Simulated, simulated
from kubemin.dispatch import Doorbell, open_doorbell
from kubemin.engine import ExecOptions, TaskService
from kubemin.engine.entry.sources import Draft
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.application import parse_application
from kubemin.spec.limits import Limits
from kubemin.spec.states import JobStatus
from kubemin.store import Database, jobs, tasks
from kubesim.kubeconfig import kubeconfig
from tests.servers.postgresql import Postgresql
from tests.servers.valkey import Valkey

_LONGEST_LINE = 16 * 1024 * 1024


@dataclass
class Process:
    """A process that was started, and what it prints, line by line."""

    process: asyncio.subprocess.Process
    on_line: Callable[[str], None] = lambda _: None
    _reading: asyncio.Task[None] = field(init=False)
    _lines: list[str] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for raw in self.process.stdout:
            line = raw.decode().rstrip()
            self.on_line(line)
            async with self._news:
                self._lines.append(line)
                self._news.notify_all()

    async def said(self, text: str) -> str:
        """The first line with this text, once it is there."""
        async with asyncio.timeout(PATIENCE), self._news:
            while not (found := [line for line in self._lines if text in line]):
                await self._news.wait()
            return found[0]

    async def kill(self) -> None:
        """SIGKILL: as a machine dies."""
        self.process.kill()
        await self.process.wait()
        await self._reading

    async def stop(self) -> None:
        """SIGTERM: what it holds is handed over."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        await self.process.wait()
        await self._reading


async def started(
    command: Sequence[str],
    settings: Mapping[str, str],
    log: Path,
    on_line: Callable[[str], None] = lambda _: None,
    *,
    stdin: bool = False,
) -> Process:
    """Start a module with these settings and no others; what it logs is added to a file. ``stdin``: it is told more."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("KUBEMIN_")}
    with log.open("ab") as written:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *command,
            env={**plain, **settings},
            stdin=asyncio.subprocess.PIPE if stdin else None,
            stdout=asyncio.subprocess.PIPE,
            stderr=written,
            limit=_LONGEST_LINE,
        )
    return Process(process, on_line)


@dataclass
class Fleet:
    """One database and one cluster, and the processes around them."""

    postgres: Postgresql
    valkey: Valkey
    url: str
    """The database's: PostgreSQL's, unless another one was asked for."""
    cluster: Simulated
    db: Database
    service: TaskService
    folder: Path
    processes: list[Process] = field(default_factory=list)
    apps: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    """Of every process that is started, as environment variables."""

    async def api(self, port: int = 0) -> str:
        """Start `kubemin serve --workers 0`; its address. It is the last of ``processes``."""
        serving = await self._start(["kubemin", "serve", "--workers", "0", "--port", str(port)], self.valkey.url)
        return "http://" + (await serving.said("ready at")).partition("http://")[2]

    async def server(self) -> str:
        """Start `kubemin serve` with a worker in it; its address."""
        serving = await self._start(["kubemin", "serve", "--in-process", "--port", "0"], self.valkey.url)
        return "http://" + (await serving.said("ready at")).partition("http://")[2]

    async def worker(
        self,
        module: str = "kubemin",
        *,
        redis_url: str | None = "",
        on_line: Callable[[str], None] = lambda _: None,
        most: int = 2000,
    ) -> Process:
        """Start `kubemin worker`, or a module that does the same and says more; no ``redis_url``: without Redis."""
        url = self.valkey.url if redis_url == "" else redis_url
        command = [module, "worker", "--max-concurrent-tasks", str(most)]
        started = await self._start(command, url, on_line)
        await started.said("worker ready")
        return started

    async def _start(
        self, command: Sequence[str], redis_url: str | None, on_line: Callable[[str], None] = lambda _: None
    ) -> Process:
        given = {
            "KUBEMIN_DATABASE_URL": self.url,
            "KUBEMIN_KUBECONFIG": str(self.folder / "cluster.yaml"),
            **({"KUBEMIN_REDIS_URL": redis_url} if redis_url else {}),
            **self.settings,
        }
        self.processes.append(await started(command, given, self.folder / "log", on_line))
        return self.processes[-1]

    async def grow(self, count: int) -> dict[str, str]:
        """Have so many applications, each with a task that waits for its one Deployment: task id by application."""
        while len(self.apps) < count:
            name = f"web-{len(self.apps)}"
            part = {"name": name, "type": "webservice", "image": "never:1"}
            self.apps.append(await save(self.db, parse_application({"name": name, "component": [part]})))
            await self.exec(self.apps[-1])
        await self.all_wait(count)
        async with self.db.read() as tx:
            return {task.app_id: task.id for task in await tasks.page(tx, status="running")}

    async def exec(self, app_id: str) -> str:
        """Run an application; the task's id."""
        return (await self.service.run(Draft(app_id), ExecOptions(preflight=False), "bench")).id

    async def waits(self, task_id: str) -> None:
        """Wait until all that the task makes is there, and it waits for its Pods."""

        async def check() -> bool:
            async with self.db.read() as tx:
                found = await jobs.of_task(tx, task_id)
            going = [job for job in found if not job.status.ended]
            return bool(going) and all(job.status is JobStatus.RUNNING and job.info for job in going)

        await until(check)

    async def all_wait(self, count: int) -> None:
        """Wait until so many tasks wait for their Pods."""
        asked = "SELECT count(*) FROM jobs WHERE status = 'running' AND kind = 'Deployment' AND info <> ''"

        async def check() -> bool:
            return int(await asyncio.to_thread(self.postgres.sql, asked)) >= count

        await until(check, 0.2)

    async def held_by(self, workers: int) -> None:
        """Wait until the running tasks are held by so many workers, and by nobody else."""
        asked = "SELECT count(DISTINCT lease_owner), count(*) - count(lease_owner) FROM tasks WHERE status = 'running'"

        async def check() -> bool:
            return await asyncio.to_thread(self.postgres.sql, asked) == f"{workers}|0"

        await until(check, 0.2)


def begin_with(server: Postgresql, data: Path) -> None:
    """Have a server that has not started yet begin with a copy of another one's data."""
    subprocess.run(["cp", "-a", str(data), str(server.folder / "data")], check=True)


@asynccontextmanager
async def fleet(*, speed: float = 1, sqlite: bool = False, data: Path | None = None) -> AsyncIterator[Fleet]:
    """The servers, and no process of ours yet. PostgreSQL's commits reach the disk.

    ``speed`` is the cluster's: the faster, the sooner a Deployment that is not ready is given up. ``sqlite``: the
    processes share an SQLite file. ``data``: a folder of a PostgreSQL server, a copy of which it begins with.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="kubemin-bench-")))
        postgres = Postgresql(durable=True)
        if data is not None:
            begin_with(postgres, data)
        stack.enter_context(postgres)
        valkey = stack.enter_context(Valkey())
        cluster = stack.enter_context(simulated(speed))
        (folder / "cluster.yaml").write_text(kubeconfig(cluster.url))
        url = f"sqlite:///{folder / 'kubemin.db'}" if sqlite else postgres.url()
        db = await Database.open(url)
        stack.push_async_callback(db.aclose)
        await db.migrate()
        doorbell: Doorbell = open_doorbell(valkey.url, url)
        stack.push_async_callback(doorbell.aclose)
        service = TaskService(db, LocalSignals(LocalHub()), doorbell, Limits())
        made = Fleet(postgres, valkey, url, cluster, db, service, folder)
        try:
            yield made
        except BaseException:
            with contextlib.suppress(OSError):
                print((folder / "log").read_text()[-4000:], file=sys.stderr)
            raise
        finally:
            for process in made.processes:
                if process.process.returncode is None:
                    process.process.kill()
            await asyncio.gather(*(process.stop() for process in made.processes))
