"""Objects that carry a task's label but that no task accounts for.

They are what the journal cannot lead to any more: the database was lost or restored from a backup, or claims were
pruned. Labels may be copied by anybody, so nothing is done about them unless someone asks.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace

from kubemin.cluster import Cluster, ClusterError
from kubemin.engine.ownership import controlled, terminating
from kubemin.spec.labels import MANAGED_BY, MANAGER, TASK_ID
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, ResourceState
from kubemin.store import Database, Tx, journal, tasks

KINDS = (
    "Ingress",
    "Deployment",
    "StatefulSet",
    "Job",
    "Service",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "PersistentVolumeClaim",
    "ConfigMap",
    "Secret",
    "Namespace",
)
"""The kinds that tasks create, in the order in which orphans are deleted."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """An object that nothing accounts for; ``error`` says why it could not be deleted."""

    ref: ObjectRef
    uid: str
    version: str
    task_id: str
    why: str
    error: str = ""


class Orphans:
    """Finds and deletes orphans. Raises `ClusterError` and `StoreError`."""

    def __init__(self, db: Database, cluster: Cluster) -> None:
        self._db = db
        self._cluster = cluster

    async def find(self) -> list[Orphan]:
        """All orphans that the cluster has now."""
        selector = f"{MANAGED_BY}={MANAGER},{TASK_ID}"
        listings = await asyncio.gather(*(self._cluster.list(kind, labels=selector) for kind in KINDS))
        by_task: defaultdict[str, list[Manifest]] = defaultdict(list)
        for listing in listings:
            for obj in listing.items:
                if not controlled(obj) and not terminating(obj):
                    by_task[obj["metadata"]["labels"][TASK_ID]].append(obj)
        found: list[Orphan] = []
        async with self._db.read() as tx:
            for task_id, objects in by_task.items():
                found += await _unaccounted(tx, task_id, objects)
        return sorted(found, key=lambda one: (KINDS.index(one.ref.kind), one.ref))

    async def delete(self) -> list[Orphan]:
        """Delete the very objects that `find` finds; those that could not be deleted say why."""
        done: list[Orphan] = []
        for orphan in await self.find():
            try:
                await self._cluster.delete(orphan.ref, uid=orphan.uid, resource_version=orphan.version)
            except ClusterError as error:
                done.append(orphan if error.status == 404 else replace(orphan, error=error.message))
            else:
                done.append(orphan)
        return done


async def _unaccounted(tx: Tx, task_id: str, objects: list[Manifest]) -> list[Orphan]:
    task = await tasks.get(tx, task_id)
    if task is None:
        return [_orphan(obj, task_id, "its task is not known") for obj in objects]
    if not task.status.ended or task.cleanup not in (Cleanup.NONE, Cleanup.DONE):
        return []  # the task is still at work on it
    rows = {(row.ref, row.uid): row for row in await journal.of_task(tx, task_id) if row.purpose == "apply"}
    found = []
    for obj in objects:
        row = rows.get((ObjectRef.of(obj), obj["metadata"]["uid"]))
        if row is None:
            found.append(_orphan(obj, task_id, "its task did not make it"))
        elif row.state is ResourceState.DELETED:
            found.append(_orphan(obj, task_id, "its task has recorded it as deleted"))
    return found


def _orphan(obj: Manifest, task_id: str, why: str) -> Orphan:
    meta = obj["metadata"]
    return Orphan(ObjectRef.of(obj), meta["uid"], meta["resourceVersion"], task_id, why)
