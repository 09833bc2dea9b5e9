"""A task under a lease, a simulated cluster over a real socket, and a real SQLite database."""

import time
from dataclasses import dataclass, field
from functools import partial

from kubemin.cluster import Cluster
from kubemin.engine.cleanup.rollback import Rollback
from kubemin.engine.deploy.adoption import Adoption
from kubemin.engine.deploy.replicas import Autoscalers
from kubemin.engine.deploy.unchanged import Unchanged
from kubemin.engine.deploy.write import ObjectWriter
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.lease import Lease
from kubemin.engine.journal.rows import Resource
from kubemin.engine.journal.tracker import CleanupTracker
from kubemin.engine.objects.live import Snapshot
from kubemin.plan import Job
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database, tasks
from kubesim.server import SimServer
from tests import manifests

APP = "a" * 24
LABELS = {"app.kubernetes.io/managed-by": "kubemin", "kubemin.io/app-id": APP}


def config_map(name: str = "settings", **data: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default", "labels": dict(LABELS)},
        "data": data,
    }


def deployment(name: str = "api", image: str = "api:1", replicas: int = 1) -> Manifest:
    """A Deployment of the application."""
    made = manifests.deployment(name, image=image, replicas=replicas)
    made["metadata"] |= {"namespace": "default", "labels": dict(LABELS)}
    made["spec"]["template"]["metadata"]["labels"] |= LABELS
    made["spec"]["template"]["spec"]["containers"][0]["name"] = name
    return made


def stateful_set(name: str = "db", replicas: int = 1) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": "default", "labels": dict(LABELS)},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name, **LABELS}},
                "spec": {
                    "containers": [
                        {"name": name, "image": "db:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
                    ]
                },
            },
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "1Gi"}},
                    },
                }
            ],
        },
    }


@dataclass
class Held:
    """One task under one lease: what a job is given, without the jobs around it."""

    db: Database
    cluster: Cluster
    sim: SimServer
    task_id: str
    journal: Journal
    manifests: dict[int, Manifest]
    warnings: list[str] = field(default_factory=list)
    """Those of the last write."""

    def tracker(self, job: int = 1) -> CleanupTracker:
        async def clean(seq: int) -> list[Resource]:
            return await self.roll_back([r for r in self.journal.resources.values() if r.job_seq == seq])

        return CleanupTracker(self.journal, self.cluster, job, clean)

    async def ensure(
        self,
        manifest: Manifest,
        job: int = 1,
        *,
        adopt: bool = True,
        snapshot: Snapshot | None = None,
        take_over: bool = False,
        unchanged: bool = False,
    ) -> Manifest:
        """Write it as a job does; ``snapshot``: what was read before, if anything was.

        Where asked to, what is ``unchanged`` is not written.
        """
        self.manifests[job] = manifest
        planned = Job(job, "", "", "", "", manifest, adopt=adopt)
        admit = Adoption(self.journal.application_name).of(planned)
        autoscalers = Autoscalers(self.cluster)
        looks = Unchanged(autoscalers, self.journal.last_writes, take_over)
        if unchanged and (live := await self.look(manifest)) is not None:
            await looks.learn([live])
        writer = ObjectWriter(
            self.tracker(job),
            manifest,
            lambda _: None,
            admit,
            autoscalers,
            snapshot or {},
            take_over=take_over,
            unchanged=partial(looks.look, planned, manifest),
        )
        written = await writer.run()
        self.warnings = writer.warnings
        return written

    async def roll_back(
        self, resources: list[Resource] | None = None, *, seconds: float = 20, restore: bool = True
    ) -> list[Resource]:
        rollback = Rollback(self.journal, self.cluster, self.manifests, restore=restore)
        rows = list(self.journal.resources.values()) if resources is None else resources
        return await rollback.run(rows, seconds)

    async def successor(self) -> "Held":
        """The same task, as a worker that takes it over finds it: from the database alone."""
        async with self.db.begin("release") as tx:
            await tasks.release(tx, self.task_id, self.journal.lease.epoch)
        journal = await hold(self.db, self.task_id)
        return Held(self.db, self.cluster, self.sim, self.task_id, journal, self.manifests)

    async def next_task(self, status: TaskStatus = TaskStatus.COMPLETED, cleanup: Cleanup = Cleanup.NONE) -> "Held":
        """Another task of the application, once this one has ended."""
        await self.journal.flush()
        async with self.db.begin("finish") as tx:
            lease = self.journal.lease
            at_first = Cleanup.PENDING if cleanup is Cleanup.INCOMPLETE else cleanup
            await tasks.finish(tx, self.task_id, lease.epoch, status, "", at_first)
            if cleanup is Cleanup.INCOMPLETE:
                await tasks.set_cleanup(tx, self.task_id, lease.epoch, cleanup, "", 3600)
        task_id = await new_task(self.db)
        return Held(self.db, self.cluster, self.sim, task_id, await hold(self.db, task_id), {})

    async def resumed(self) -> "Held":
        """The same task, ended and with an incomplete cleanup, whose time has come."""
        async with self.db.begin("retry") as tx:
            await tasks.retry_cleanup_now(tx, self.task_id)
        journal = await hold(self.db, self.task_id)
        return Held(self.db, self.cluster, self.sim, self.task_id, journal, self.manifests)

    async def look(self, manifest: Manifest) -> Manifest | None:
        ref = ObjectRef.of(manifest)
        found = [item for item in (await self.cluster.list(ref.kind)).items if ObjectRef.of(item) == ref]
        return found[0] if found else None


async def new_task(db: Database) -> str:
    task_id = f"{time.monotonic_ns():024x}"[-24:]
    async with db.begin("exec") as tx:
        await tasks.insert(
            tx,
            tasks.NewTask(
                id=task_id, app_id=APP, app_name="shop", workflow_id="w" * 24, workflow_name="deploy", spec={}
            ),
        )
    return task_id


async def hold(db: Database, task_id: str) -> Journal:
    async with db.begin("claim") as tx:
        task = await tasks.claim_next(tx, "worker", 60, 3)
    assert task is not None
    assert task.id == task_id
    return await Journal.load(db, Lease(task_id, task.lease_epoch, task.lease_commits, time.monotonic() + 60))


def essence(obj: Manifest | None) -> Manifest | None:
    """An object without the counters that only count up, and without what its controller reports."""
    if obj is None:
        return None
    meta = {
        key: value
        for key, value in obj["metadata"].items()
        if key not in ("resourceVersion", "generation", "managedFields")
    }
    annotations = {k: v for k, v in meta.get("annotations", {}).items() if k != "deployment.kubernetes.io/revision"}
    meta.pop("annotations", None)
    if annotations:
        meta["annotations"] = annotations
    return {**{k: v for k, v in obj.items() if k not in ("metadata", "status")}, "metadata": meta}


def owners(obj: Manifest) -> list[Manifest]:
    """managedFields without their times and without what controllers report."""
    return [
        {key: value for key, value in entry.items() if key != "time"}
        for entry in obj["metadata"].get("managedFields", [])
        if not entry.get("subresource") and entry["manager"] != "kube-controller-manager"
    ]
