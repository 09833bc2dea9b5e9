"""The plain side: the same requests with the same client, and nothing to remember them by."""

import asyncio
from collections.abc import Collection

from kubemin.cluster import Cluster
from kubemin.cluster.cached_readiness import pod_labels
from kubemin.cluster.informers import Informers
from kubemin.cluster.readiness import is_waited_for
from kubemin.engine.deploy.ready import Count, until_ready
from kubemin.plan import Job, Plan
from kubemin.spec.kinds import KINDS, kind_name, kind_of, written
from kubemin.spec.objects import Manifest, ObjectRef

WATCHED = ("Deployment", "StatefulSet", "ReplicaSet", "Pod", "PersistentVolumeClaim")


def _silent(message: str, count: Count | None = None, *, suspended: bool = False, restarts: bool = False) -> None:
    """Nobody reads what a job waits for."""


class Plain:
    """Creates a plan's objects, and deletes them again."""

    def __init__(self, cluster: Cluster, informers: Informers) -> None:
        self._cluster = cluster
        self._informers = informers

    async def begin(self) -> None:
        """Have the watches going, as a worker has them when a task comes."""
        await asyncio.gather(*(self._informers.watch(kind) for kind in WATCHED))

    async def deploy(self, plan: Plan, *, unready: Collection[ObjectRef] = ()) -> list[Manifest]:
        """Create the objects, those of a stage together, and wait until all are ready but ``unready``."""
        made: list[Manifest] = []

        async def create(job: Job) -> None:
            obj = await self._cluster.create(job.manifest)
            made.append(obj)
            if job.ref.kind in KINDS and is_waited_for(job.ref.kind) and job.ref not in unready:
                await until_ready(
                    self._cluster, self._informers, obj, hopeless_after=0, report=_silent, moved=lambda: None
                )

        for stage in plan.stages:
            async with asyncio.TaskGroup() as group:
                for job in stage.jobs:
                    group.create_task(create(job))
        return made

    async def delete(self, objects: Collection[Manifest]) -> None:
        """Delete them in reverse order of priority, those of one priority together, and wait until they are gone.

        With their ReplicaSets and Pods, and with the volume claims that the StatefulSets' controllers made: a rollback
        leaves none behind either.
        """
        by_priority: dict[int, list[Manifest]] = {}
        for obj in objects:
            by_priority.setdefault(written(kind_name(obj)).priority, []).append(obj)
        for _, group in sorted(by_priority.items(), reverse=True):
            await self._delete_together(group)
            if any(obj["kind"] == "StatefulSet" for obj in group):
                known = {obj["metadata"]["uid"] for obj in objects}
                claims = (await self._cluster.list("PersistentVolumeClaim", "default")).items
                await self._delete_together([claim for claim in claims if claim["metadata"]["uid"] not in known])

    async def _delete_together(self, objects: Collection[Manifest]) -> None:
        async with asyncio.TaskGroup() as deletes:
            for obj in objects:
                deletes.create_task(self._delete(obj))

    async def _delete(self, obj: Manifest) -> None:
        ref, uid = ObjectRef.of(obj), obj["metadata"]["uid"]
        made, labels = kind_of(ref.kind).told_by, pod_labels(obj)
        if await self._cluster.delete(ref, uid=uid) is None and not made:
            return

        def gone(now: Manifest | None) -> bool | None:
            left = any(self._informers.snapshot(kind, ref.namespace, labels) for kind in made)
            return None if left or (now is not None and now["metadata"]["uid"] == uid) else True

        await self._informers.until(ref.kind, ref.namespace, ref.name, gone, made, labels=labels)
