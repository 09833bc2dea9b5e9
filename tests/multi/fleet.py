"""What a test of several machines stands on: servers, worker processes, and a service that runs no task."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update

from kubemin.engine import ExecOptions
from kubemin.spec.labels import TASK_ID
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, JobStatus
from kubemin.store import tables
from kubemin.store.tasks import Task
from kubesim.faults import Armed, Fault, RequestInfo
from kubesim.jsondata import Object
from kubesim.kubeconfig import kubeconfig
from tests.engine.instance import Instance, web
from tests.multi.processes import Script, Worker
from tests.writes import on_writes

LEASE = 4.0
"""Seconds, of workers that are to lose it; whoever takes over has one that a busy machine does not take from him."""


def gated(name: str, gate: str = "gate", **more: Any) -> dict[str, Any]:
    """A web service whose Pods wait for the ConfigMap ``gate``: the task waits until the test opens it."""
    return web(name, traits={"envFrom": [{"type": "configMap", "sourceName": gate}]}, **more)


@dataclass
class Fleet:
    """``instance`` has the service of a process that runs no task, and sees database and cluster directly."""

    instance: Instance
    folder: Path
    database_url: str
    redis_url: str | None
    workers: list[Worker] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    """Every write of a task, as ``verb plural/name``, but dry runs."""
    created: list[tuple[ObjectRef, str, str]] = field(default_factory=list)
    """Every object that was ever made by a task, with its uid and the task's id, in order."""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        def record(info: RequestInfo) -> None:
            self.writes.append(f"{info.verb} {info.resource}/{info.name}")

        def changed(event: str, obj: Object, _: Object | None) -> None:
            meta = obj["metadata"]
            if event == "ADDED" and (task_id := (meta.get("labels") or {}).get(TASK_ID)):
                self.created.append((ObjectRef.of(obj), meta["uid"], task_id))

        on_writes(self.instance.sim, record)
        self.instance.sim.registry.subscribe(changed)

    def worker(self, *, die_at: str = "", pause_at: str = "", api_port: int = 0, **settings: Any) -> Worker:
        """Start a worker process. ``api_port`` is that of a proxy before the API server; settings are Settings'."""
        number = next(self._numbers)
        config = self.folder / f"cluster-{number}.yaml"
        url = f"http://127.0.0.1:{api_port}" if api_port else self.instance.sim.url
        config.write_text(kubeconfig(url))
        given = {
            "database_url": self.database_url,
            "redis_url": self.redis_url,
            "kubeconfig": str(config),
            "poll_seconds": 0.2,
            "hopeless_after_seconds": 0,
            "cleanup_seconds": 10,
            "core_dumps": True,  # tests look into the process
            **settings,
        }
        worker = Worker(Script(given, str(self.folder / f"worker-{number}.log"), pause_at, die_at))
        self.workers.append(worker)
        return worker

    def close(self) -> None:
        """End all workers, and see that none of them met a fault of ours."""
        for worker in self.workers:
            worker.close()
        for worker in self.workers:
            assert "Traceback" not in worker.log, worker.log
            assert "never retrieved" not in worker.log, worker.log

    async def lapse(self) -> None:
        """What time would do: all leases run out."""
        async with self.instance.db.begin("lapse") as tx:
            held = update(tables.tasks).where(tables.tasks.c.lease_expires_at.is_not(None))
            await tx.write(held.values(lease_expires_at=1.0))

    # -- applications and tasks

    async def app(self, *components: Mapping[str, Any], name: str = "shop", **more: Any) -> str:
        """Store an application."""
        return await self.instance.save([dict(one) for one in components], name=name, **more)

    async def exec(self, app_id: str, **options: Any) -> str:
        """Record a run."""
        return await self.instance.exec(app_id, ExecOptions(**options))

    async def deploy(self, *components: Mapping[str, Any], name: str = "shop") -> tuple[str, str]:
        """Store an application and record a run: the application's id and the task's."""
        app_id = await self.app(*components, name=name)
        return app_id, await self.exec(app_id)

    async def task(self, task_id: str) -> Task:
        return await self.instance.task(task_id)

    async def settled(self, task_id: str) -> Task:
        return await self.instance.settled(task_id)

    async def owned(self, task_id: str, epoch: int = 1) -> Task:
        """Wait until a worker holds the task by its ``epoch``-th claim, or a later one."""

        async def check() -> Task | None:
            task = await self.task(task_id)
            return task if task.lease_owner is not None and task.lease_epoch >= epoch else None

        return await self.instance.until(check)

    async def renewed(self, task_id: str, since: datetime | None) -> None:
        """Wait until the task's lease ends later than ``since``."""
        assert since is not None

        async def check() -> bool:
            expiry = (await self.task(task_id)).lease_expires_at
            return expiry is not None and expiry > since

        await self.instance.until(check)

    async def waits_for(self, task_id: str, component: str) -> Task:
        """Wait until all objects of a component are made, and its task waits for its Pods."""

        async def check() -> bool:
            jobs = [job for job in await self.instance.jobs(task_id) if job.component == component]
            open_ = [job for job in jobs if not job.status.ended]
            return bool(open_) and all(job.status is JobStatus.RUNNING and job.info for job in open_)

        await self.instance.until(check)
        return await self.task(task_id)

    async def troubled(self, task_id: str) -> None:
        """Wait until a job of the task says that the API server gives it trouble."""

        async def check() -> bool:
            return any(job.info and not job.status.ended for job in await self.instance.jobs(task_id))

        await self.instance.until(check)

    async def cleaned(self, task_id: str) -> None:
        """Wait until nothing of the task is left."""

        async def check() -> bool:
            return (await self.task(task_id)).cleanup is Cleanup.DONE

        await self.instance.until(check)

    def open(self, gate: str = "gate") -> None:
        """Let the Pods of `gated` components come up."""
        self.instance.sim.registry.create(
            "configmaps", "default", {"metadata": {"name": gate}, "data": {"open": "yes"}}, manager="kubectl"
        )

    def stick(self, resource: str, name: str) -> Armed:
        """What is deleted stays, terminating, until released."""
        return self.instance.sim.faults.add(Fault("stick", resource=resource, name=name))

    # -- what there is

    async def now(self) -> datetime:
        """The database's time."""
        async with self.instance.db.read() as tx:
            return await tx.now()

    async def snapshot(self) -> dict[ObjectRef, Manifest]:
        return await self.instance.snapshot()

    async def until_as(self, snapshot: Mapping[ObjectRef, Manifest]) -> None:
        """Wait until the cluster is as it was."""

        async def check() -> bool:
            return await self.snapshot() == snapshot

        await self.instance.until(check)

    async def appeared(self, kind: str, before: Mapping[ObjectRef, Manifest]) -> None:
        """Wait until there is an object of a kind that was not there before."""

        async def check() -> bool:
            return any(ref.kind == kind for ref in (await self.snapshot()).keys() - before.keys())

        await self.instance.until(check)

    async def reopened(self, done: Task) -> None:
        """Wait until the cleanup of a task that was done has been opened again."""

        async def check() -> bool:
            return (await self.task(done.id)).lease_epoch > done.lease_epoch

        await self.instance.until(check)

    def made(self, kind: str, name: str) -> list[str]:
        """The uids of all objects of that name that ever were made."""
        return [uid for ref, uid, _ in self.created if (ref.kind, ref.name) == (kind, name)]


def seconds_between(first: datetime, then: datetime | None) -> float:
    """Seconds by the database's clock."""
    assert then is not None
    return (then - first) / timedelta(seconds=1)
