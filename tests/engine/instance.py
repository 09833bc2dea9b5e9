"""A whole engine in the test's own process: database, signals, workers, a simulated cluster."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kubemin.cluster import Cluster
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import Engine, EngineSettings, ExecOptions, TaskService
from kubemin.engine.entry.loading import load
from kubemin.engine.entry.preview import Preview, Previews
from kubemin.engine.entry.sources import Draft, Posted
from kubemin.render import render
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.application import dump_steps, parse_application
from kubemin.spec.ids import new_id
from kubemin.spec.kinds import KINDS
from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup
from kubemin.store import Database, applications, components, jobs, journal, tasks, workflows
from kubemin.store.tasks import Task
from kubesim.server import SimServer
from tests.waiting import PATIENCE, until

T = TypeVar("T")

QUICK = EngineSettings(
    lease_seconds=PATIENCE,  # by the clocks of database and machine, which go on while other processes compute
    poll_seconds=0.25,
    hopeless_after_seconds=0,
    job_timeout_seconds=30,
    cleanup_seconds=10,
)
PATIENT = QUICK.model_copy(update={"job_timeout_seconds": PATIENCE, "cleanup_seconds": PATIENCE})
"""For runs in which nothing is to run out, however busy the machine is."""


@dataclass
class Instance:
    """What a test drives. ``service`` is what the API would call."""

    db: Database
    sim: SimServer
    cluster: Cluster
    service: TaskService
    hub: LocalHub = field(default_factory=LocalHub)
    adopts: bool = False
    """Whether the runs adopt what the test has put into the cluster, where their options do not say."""

    @asynccontextmanager
    async def worker(
        self, settings: EngineSettings = QUICK, *clusters: Cluster, cluster: Cluster | None = None, name: str = "worker"
    ) -> AsyncIterator[Engine]:
        """A worker that runs while the context is open, then hands its tasks over."""
        served = clusters or (cluster or self.cluster,)
        engine = Engine(self.db, served, LocalSignals(self.hub), LocalDoorbell(), settings, name)
        running = asyncio.create_task(engine.run())
        try:
            yield engine
        finally:
            await engine.stop()
            await running

    async def save(
        self, components_: Sequence[dict[str, Any]], *, app_id: str = "", limits: Limits | None = None, **more: Any
    ) -> str:
        """Store an application as the API would; returns its id."""
        app = parse_application({"name": "shop", "component": list(components_), **more}, limits)
        record = applications.NewApplication(
            id=app.app_id, name=app.name, namespace=app.namespace, cluster=app.cluster, config_key="random"
        )
        async with self.db.begin("save") as tx:
            if not app_id:
                await applications.insert(tx, record)
                steps = dump_steps(app.workflow or [])
                flow = workflows.NewWorkflow(id=new_id(), app_id=record.id, name="deploy", steps=steps)
                await workflows.insert(tx, flow)
            await components.replace_components(tx, record.id, app.component)
        return record.id

    async def objects(self, app_id: str) -> list[ObjectRef]:
        """What the application, as it is stored, would have in the cluster."""
        async with self.db.read() as tx:
            loaded = await load(tx, app_id, None, LIMITS)
        rendered = render(loaded.application, loaded.config_key)
        return [ObjectRef.of(one.manifest) for one in rendered]

    async def exec(self, app_id: str, options: ExecOptions | None = None) -> str:
        """Record a run; returns the task's id."""
        options = options or ExecOptions()
        if self.adopts and options.adopt is None:
            options = options.model_copy(update={"adopt": True})
        return (await self.service.run(Draft(app_id), options, "tester")).id

    @property
    def previews(self) -> Previews:
        """What tells what runs would do."""
        return Previews(self.db, self.cluster, LIMITS)

    async def preview(
        self,
        components_: Sequence[dict[str, Any]],
        name: str = "shop",
        workflow: Sequence[dict[str, Any]] | None = None,
        **options: Any,
    ) -> Preview:
        """What running an application of these components would do now."""
        steps = {} if workflow is None else {"workflow": list(workflow)}
        application = parse_application({"name": name, "component": list(components_), **steps})
        return await self.previews.of(Posted(application), ExecOptions(**options))

    async def task(self, task_id: str) -> Task:
        async with self.db.read() as tx:
            task = await tasks.get(tx, task_id)
        assert task is not None
        return task

    async def jobs(self, task_id: str) -> list[jobs.JobRow]:
        async with self.db.read() as tx:
            return await jobs.of_task(tx, task_id)

    async def journal(self, task_id: str) -> list[journal.ResourceRow]:
        async with self.db.read() as tx:
            return await journal.of_task(tx, task_id)

    async def settled(self, task_id: str) -> Task:
        """Wait until the task has ended and its cleanup is not under way."""

        async def check() -> Task | None:
            task = await self.task(task_id)
            going = not task.status.ended or task.cleanup in (Cleanup.PENDING, Cleanup.RUNNING)
            return None if going else task

        return await self.until(check)

    async def until(self, condition: Callable[[], Awaitable[T | None]]) -> T:
        """The first result of ``condition`` that is true."""
        return await until(condition)

    async def snapshot(self) -> dict[ObjectRef, Manifest]:
        """Everything in the cluster that people or KubeMin made, without counters and status."""
        found: dict[ObjectRef, Manifest] = {}
        for kind in _COMPARED:
            for item in (await self.cluster.list(kind)).items:
                found[ObjectRef.of(item)] = comparable(item)
        return found


_COMPARED = [kind for kind in KINDS if kind not in ("Event", "Pod", "PersistentVolume")]
_COUNTERS = ("resourceVersion", "generation", "managedFields")


def comparable(obj: Manifest) -> Manifest:
    """An object without what only counts up (versions, revisions) and without what controllers report."""
    meta = {key: value for key, value in obj["metadata"].items() if key not in _COUNTERS}
    annotations = {
        key: value
        for key, value in meta.pop("annotations", {}).items()
        if not key.startswith("deployment.kubernetes.io/")
    }
    if annotations:
        meta["annotations"] = annotations
    body = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    if obj["kind"] == "ControllerRevision":
        body.pop("revision", None)
    return {**body, "metadata": meta}


def web(name: str, image: str = "web:1", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "webservice", "image": image, "properties": {"ports": [{"port": 80}]}, **more}


def conf(name: str, **data: str) -> dict[str, Any]:
    return {"name": name, "objectName": name, "type": "config", "properties": {"conf": data}}


def secret(name: str, **data: str) -> dict[str, Any]:
    return {"name": name, "objectName": name, "type": "secret", "properties": {"secret": data}}


def store(name: str, image: str = "db:1", **more: Any) -> dict[str, Any]:
    volume = {"name": "data", "type": "persistent", "tmpCreate": True, "mountPath": "/data", "size": "1Gi"}
    return {
        "name": name,
        "type": "store",
        "image": image,
        "properties": {"ports": [{"port": 5432}]},
        "traits": {"storage": [volume]},
        **more,
    }


LIMITS = Limits()
EVERYTHING = [conf("settings", a="1"), secret("keys", token="t"), store("db"), web("api"), web("front")]
