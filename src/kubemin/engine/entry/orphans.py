"""Objects that carry a task's label but that no task or application accounts for.

They are what nobody's cleanup finds any more: the database was lost or restored from a backup, or rows of its
journal were lost. Labels may be copied by anybody, so nothing is done about them unless someone asks.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kubemin.cluster import Cluster, ClusterError
from kubemin.cluster.client import Listing
from kubemin.cluster.errors import Conflict, NotFound
from kubemin.engine.backoff import Backoff
from kubemin.engine.entry.loading import load
from kubemin.engine.errors import NotFoundError
from kubemin.engine.objects.claims import HOLDS_DATA, PVC
from kubemin.engine.objects.dependents import pvc_name_prefixes
from kubemin.engine.objects.namespace_content import HOLDERS, NAMESPACE, foreign_objects
from kubemin.engine.objects.ownership import application_of, controlled, terminating
from kubemin.render import render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.issues import SpecError
from kubemin.spec.kinds import OWN, kind_name, written
from kubemin.spec.labels import MANAGED_BY, MANAGER, TASK_ID
from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, Purpose, ResourceState
from kubemin.store import Database, Tx, Unreadable, applications, journal, kinds, namespaces, revisions, tasks

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Orphan:
    """An object that nothing accounts for; ``error`` says why it could not be deleted.

    Volume claims hold data: they are deleted only where that is asked for.
    """

    ref: ObjectRef
    uid: str
    version: str
    task_id: str
    why: str
    error: str = ""


class Orphans:
    """Finds and deletes orphans. Raises `ClusterError` and `StoreError`."""

    def __init__(self, db: Database, cluster: Cluster, limits: Limits, acting: Cluster | None = None) -> None:
        """``acting``: the cluster as whoever asks has it: by that orphans are deleted."""
        self._db = db
        self._acting = acting or cluster
        self._cluster = cluster
        self._limits = limits

    async def find(self) -> list[Orphan]:
        """All orphans that the cluster has now."""
        async with self._db.read() as tx:
            names = OWN | await kinds.written(tx, self._cluster.name)
        listings = await asyncio.gather(*(self._managed(kind) for kind in sorted(names)))
        # A StatefulSet that was released has no label of ours, and its claims are its data all the same.
        stores = (await self._cluster.list("StatefulSet")).items
        objects = [obj for listing in listings for obj in listing.items if not controlled(obj)]
        by_task: defaultdict[str, list[Manifest]] = defaultdict(list)
        spaces: list[Manifest] = []
        for obj in objects:
            if (task_id := obj["metadata"]["labels"].get(TASK_ID)) is not None and not terminating(obj):
                (spaces if _is_made_namespace(obj) else by_task[task_id]).append(obj)
        found: list[Orphan] = []
        async with self._db.read() as tx:
            known = _Applications(tx, self._limits, self._cluster.name)
            for task_id, made in by_task.items():
                found += await _unaccounted(tx, known, task_id, made)
            found += await _left_namespaces(known, spaces, objects)
            found += await _orphaned_volumes(known, objects, stores, {one.ref for one in found})
        return sorted(found, key=lambda one: (written(one.ref.kind).deleted, one.ref))

    async def _managed(self, kind: str) -> Listing:
        try:
            return await self._cluster.list(kind, labels=f"{MANAGED_BY}={MANAGER}")
        except NotFound:  # the kind itself is gone, and its objects with it
            return Listing([], "")

    async def delete(self, *, volumes: bool = False, only: Collection[str] | None = None) -> list[Orphan]:
        """Delete the very objects that `find` finds; those that could not be deleted say why.

        With ``only``, no others than those of these uids: a person has seen those. Volume claims stay unless
        ``volumes``: their data would be lost.
        """
        done: list[Orphan] = []
        going = set(only or ())
        for orphan in await self.find():
            if only is None or orphan.uid in only:
                done.append(await self._delete(orphan, going, volumes=volumes))
                going |= {orphan.uid} if not done[-1].error else set()
        return done

    async def _delete(self, orphan: Orphan, going: Collection[str], *, volumes: bool) -> Orphan:
        if orphan.ref.kind == PVC and not volumes:
            return replace(orphan, error="kept: holds data; deleted only where the deletion of volumes is asked for")
        backoff, version = Backoff(), orphan.version
        try:
            if orphan.ref.kind in HOLDERS and (held := await foreign_objects(self._cluster, orphan.ref, going)):
                return replace(orphan, error=f"it holds {', '.join(held)}")
            for _ in range(_TRIES):
                try:
                    await self._acting.delete(orphan.ref, uid=orphan.uid, resource_version=version)
                except Conflict:  # it changed since it was read: does still nothing account for it?
                    await backoff.pause()
                    now = await self._cluster.get(orphan.ref)
                    same = now["metadata"]["uid"] == orphan.uid and _task_of(now) == orphan.task_id
                    if not same or controlled(now):
                        return replace(orphan, error="it is another's by now")
                    version = now["metadata"]["resourceVersion"]
                else:
                    return orphan
        except NotFound:
            return orphan
        except ClusterError as error:
            return replace(orphan, error=error.message)
        return replace(orphan, error="it changes all the time")


@dataclass
class _Applications:
    """What the applications of a cluster have, by the database, each asked for once."""

    tx: Tx
    limits: Limits
    cluster: str
    known: dict[str, "_Has | None"] = field(default_factory=dict)

    async def exists(self, app_id: str | None) -> bool:
        row = await applications.get(self.tx, app_id) if app_id else None
        return row is not None and row.cluster == self.cluster

    async def are_in(self, namespace: str) -> bool:
        """Whether there is an application of the namespace, also one that has nothing there yet."""
        return await applications.are_in(self.tx, self.cluster, namespace)

    async def account_for(self, obj: Manifest) -> bool:
        """Whether the application that the object names has it, as it is deployed or stored; in doubt, yes."""
        if not await self.exists(application_of(obj)):
            return False
        mine = await self._of(obj)
        return mine is None or ObjectRef.of(obj) in mine.deployed | mine.stored

    async def deploys(self, obj: Manifest) -> bool:
        """Whether the current revision of the application that the object names has it; in doubt, yes."""
        if not await self.exists(application_of(obj)):
            return False
        mine = await self._of(obj)
        return mine is None or ObjectRef.of(obj) in mine.deployed

    async def _of(self, obj: Manifest) -> "_Has | None":
        app_id = str(application_of(obj))
        if app_id not in self.known:
            self.known[app_id] = await self._objects(app_id)
        return self.known[app_id]

    async def _objects(self, app_id: str) -> "_Has | None":
        try:
            loaded = await load(self.tx, app_id, None, self.limits)
            current = await revisions.current(self.tx, app_id)
            deployed = parse_application(current.spec, self.limits) if current else None
        except (NotFoundError, SpecError, Unreadable):
            return None
        return _Has(_refs(deployed) if deployed else frozenset(), _refs(loaded.application))


@dataclass(frozen=True)
class _Has:
    """The objects of an application's current revision, and of its draft: a first run may be on its way."""

    deployed: frozenset[ObjectRef]
    stored: frozenset[ObjectRef]


def _refs(application: Application) -> frozenset[ObjectRef]:
    return frozenset(ObjectRef.of(one.manifest) for one in render(application))


async def _unaccounted(tx: Tx, known: _Applications, task_id: str, objects: Sequence[Manifest]) -> list[Orphan]:
    task = await tasks.brief(tx, task_id)
    if task is None or task.cluster != known.cluster:  # labels may be copied, and whole clusters are
        why = "its task is not known" if task is None else f"its task was one of cluster {task.cluster}"
        return [_orphan(obj, why) for obj in objects if not await known.account_for(obj)]
    if not task.status.ended or task.cleanup not in (Cleanup.NONE, Cleanup.DONE, Cleanup.ABANDONED):
        return []  # the task is still under way
    rows = {(row.ref, row.uid): row for row in await journal.of_task(tx, task_id) if row.purpose is Purpose.APPLY}
    found = []
    for obj in objects:
        row = rows.get((ObjectRef.of(obj), obj["metadata"]["uid"]))
        if row is None:
            found.append(_orphan(obj, "its task did not make it"))
        elif row.state is ResourceState.DELETED:
            found.append(_orphan(obj, "its task has recorded it as deleted"))
        elif task.cleanup is Cleanup.ABANDONED and not row.was_there and not row.state.settled:
            if await known.deploys(obj):
                continue  # a later task took it as it was there, and completed with it
            found.append(_orphan(obj, "its task's cleanup was abandoned before it was deleted"))
        elif row.ref.kind in (PVC, *HOLDERS) and not await known.exists(application_of(obj)):
            kept = HOLDS_DATA if row.ref.kind == PVC else "kept for what others had in it"
            found.append(_orphan(obj, f"{kept}; its application is not known"))
    return found


async def _left_namespaces(
    known: _Applications, spaces: Sequence[Manifest], objects: Sequence[Manifest]
) -> list[Orphan]:
    """Those that no application will remove: neither who made it, nor any that is in it, is known."""
    found = []
    for obj in spaces:
        name = obj["metadata"]["name"]
        inside = [one for one in objects if one["metadata"].get("namespace") == name]
        if await known.are_in(name) or any([await known.exists(application_of(one)) for one in inside]):
            continue
        made = await namespaces.made(known.tx, known.cluster, obj["metadata"]["uid"])
        if made is None or not (made.held or made.under_way):
            why = "its task is not known" if made is None else "no application that is known is in it"
            found.append(_orphan(obj, why))
    return found


async def _orphaned_volumes(
    known: _Applications, objects: Sequence[Manifest], stores: Sequence[Manifest], orphans: set[ObjectRef]
) -> list[Orphan]:
    """The PVCs that StatefulSets' controllers made, where the StatefulSet is an orphan, or gone with its application.

    They carry our labels but no task's: templates cannot change, so they are the same for all tasks.
    """
    owners: dict[tuple[str, str], Manifest] = {}
    for obj in stores:
        owners |= {(obj["metadata"]["namespace"], prefix): obj for prefix in pvc_name_prefixes(obj)}
    found = []
    for obj in objects:
        if kind_name(obj) != PVC or _task_of(obj) or terminating(obj):
            continue
        owner = owners.get((obj["metadata"]["namespace"], obj["metadata"]["name"].rpartition("-")[0] + "-"))
        if owner is not None and ObjectRef.of(owner) in orphans:
            why = f"a claim of the orphaned StatefulSet {owner['metadata']['name']}"
            found.append(_orphan(obj, why))
        elif owner is None and not await known.exists(application_of(obj)):
            found.append(_orphan(obj, f"{HOLDS_DATA}; its StatefulSet is gone, and its application is not known"))
    return found


def _is_made_namespace(obj: Manifest) -> bool:
    """Whether the object is a Namespace that a run made for its objects: it belongs to no application."""
    return kind_name(obj) == NAMESPACE and application_of(obj) is None


def _task_of(obj: Manifest) -> str:
    labels: Mapping[str, str] = obj["metadata"].get("labels") or {}
    return labels.get(TASK_ID, "")


def _orphan(obj: Manifest, why: str) -> Orphan:
    meta = obj["metadata"]
    return Orphan(ObjectRef.of(obj), meta["uid"], meta["resourceVersion"], _task_of(obj), why)
