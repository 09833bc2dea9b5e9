"""The engine's side: a worker, an SQLite database on disk with its real settings, in-process signals."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from bench.plain import WATCHED
from kubemin.cluster import Cluster
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import Engine, EngineSettings, ExecOptions, TaskService
from kubemin.engine.entry.sources import Draft
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.application import Application
from kubemin.spec.ids import application_id, new_id
from kubemin.spec.limits import Limits
from kubemin.spec.states import Cleanup, JobStatus
from kubemin.store import Codec, Database, applications, components, jobs, tasks, workflows
from kubemin.store.tasks import Task

T = TypeVar("T")

PATIENCE = 300
"""Seconds after which a benchmark gives up."""


@dataclass
class Managed:
    """A server with one worker, as `kubemin dev` has them."""

    db: Database
    ends: "Ends"
    service: TaskService
    engine: Engine

    async def save(self, app: Application) -> str:
        """Store the application as the API does, under a name of its own; returns its id."""
        return await save(self.db, app)

    async def exec(self, app_id: str, *, preflight: bool = False) -> str:
        """Run the application; returns the task's id."""
        options = ExecOptions(preflight=preflight)
        return (await self.service.run(Draft(app_id), options, "bench")).id

    async def settled(self, task_id: str) -> Task:
        """Wait until the task has ended and nothing of it is under way."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self.ends.came.clear()
                async with self.db.read() as tx:
                    task = await tasks.brief(tx, task_id)
                assert task is not None
                if task.status.ended and task.cleanup not in (Cleanup.PENDING, Cleanup.RUNNING):
                    return task
                await self.ends.came.wait()

    async def waits_for_the_last(self, task_id: str) -> None:
        """Wait until all jobs but one are done."""

        async def check() -> bool:
            async with self.db.read() as tx:
                states = [job.status for job in await jobs.of_task(tx, task_id)]
            return states.count(JobStatus.COMPLETED) == len(states) - 1

        await until(check)


async def until(check: Callable[[], Awaitable[T | None]], pause: float = 0.02) -> T:
    """Wait for something in the database."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await check()):  # noqa: ASYNC110  what is waited for is a row
            await asyncio.sleep(pause)
        return found


async def save(db: Database, app: Application) -> str:
    """Store the application as the API does, under a name of its own; returns its id."""
    name = f"b{new_id()}"  # it begins with a letter, as the names of Services do
    app_id = application_id(app.namespace, name)
    async with db.begin("save") as tx:
        await applications.insert(tx, applications.NewApplication(id=app_id, name=name, namespace=app.namespace))
        await workflows.insert(tx, workflows.NewWorkflow(id=new_id(), app_id=app_id, name="deploy", steps=[]))
        await components.replace_components(tx, app_id, app.component)
    return app_id


class Ends:
    """Tells when a task has ended, or its cleanup, by the commit that says so: looking again and again would cost."""

    def __init__(self) -> None:
        self.came = asyncio.Event()

    async def __call__(self, point: str) -> None:
        """Take note of a commit."""
        if point.endswith(":after") and point.startswith(("commit:finish", "commit:cleanup-")):
            self.came.set()


@asynccontextmanager
async def database(codec: Codec | None = None) -> AsyncIterator[tuple[Database, Ends]]:
    """A database on disk, as it is used; ``codec`` seals what may hold secrets."""
    with TemporaryDirectory(prefix="kubemin-bench-") as folder:
        ends = Ends()
        db = await Database.open(f"sqlite:///{Path(folder, 'kubemin.db')}", hook=ends, codec=codec)
        await db.migrate()
        try:
            yield db, ends
        finally:
            await db.aclose()


@asynccontextmanager
async def managed(
    stored: tuple[Database, Ends], cluster: Cluster, limits: Limits | None = None
) -> AsyncIterator[Managed]:
    """A fresh worker, its watches going."""
    db, ends = stored
    signals, doorbell = LocalSignals(LocalHub()), LocalDoorbell()
    engine = Engine(db, [cluster], signals, doorbell, EngineSettings(), "bench")
    running = asyncio.create_task(engine.run())
    try:
        await asyncio.gather(*(engine.informers[cluster.name].watch(kind) for kind in WATCHED))
        yield Managed(db, ends, TaskService(db, signals, doorbell, limits or Limits()), engine)
    finally:
        await engine.stop()
        await running
