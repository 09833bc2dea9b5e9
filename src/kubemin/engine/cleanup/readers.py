"""Replacing Pods that started while what they read was changed (design R4).

A Pod reads its environment once. One that started in the middle of a task, by an eviction or a restart, would keep the
task's values for good, although every object is as it was. So once a ConfigMap or Secret is undone, the row gets the
uids of the Pods that may have read it meanwhile, and is settled only when these are gone. Such a Pod is taken out of
its ReplicaSet, which then makes another, and goes when that one is ready: a Service selects it until then.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from kubemin.cluster import Cluster
from kubemin.cluster.errors import Conflict, Forbidden, Invalid, NotFound, Unanswered
from kubemin.engine.backoff import Backoff
from kubemin.engine.cleanup.deletion import Deleter
from kubemin.engine.errors import StillThere
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.lists import Shared
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.ownership import application_of, controller_ref, terminating
from kubemin.engine.objects.readers import is_finished, is_ready, is_required, may_have_read
from kubemin.engine.objects.rollout import pods_wanted, surge
from kubemin.shield import to_the_end
from kubemin.spec.labels import MANAGER, RELEASED_FROM
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Purpose, ResourceState, WriteKind

_SKEW = timedelta(seconds=10)
"""How far the clocks of database, API server and nodes may be apart. A Pod too many does no harm, one too few does."""

_HASH = "pod-template-hash"
_OWNERS = ("Deployment", "StatefulSet", "DaemonSet")
_MAKERS = ("ReplicaSet", *_OWNERS)
_NAMED = 5

_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass
class _Namespace:
    """What is known of one namespace in this pass."""

    name: str
    looks: Shared[list[Manifest]] = field(default_factory=Shared)
    steps: Shared[list[Manifest]] = field(default_factory=Shared)
    uids: set[str] = field(default_factory=set)
    """Of the Pods that are to be replaced."""
    since: datetime = _LATEST
    """The first write of the task to any of what they read."""
    gone: set[ObjectRef] = field(default_factory=set)
    """What is deleted of what they read."""
    left: dict[str, str] = field(default_factory=dict)
    """Why Pods are left alone, by uid."""
    disturbed: set[ObjectRef] = field(default_factory=set)
    """Owners of which a Pod was deleted that served."""


class Readers:
    """Replaces Pods, in one pass, that have read what the task wrote. ``rows``: all that the pass undoes."""

    def __init__(
        self, journal: Journal, cluster: Cluster, deleter: Deleter, app_id: str | None, rows: Sequence[Resource]
    ) -> None:
        self._journal = journal
        self._cluster = cluster
        self._deleter = deleter
        self._app_id = app_id
        self._rows = rows
        self._namespaces: dict[str, _Namespace] = {}

    async def look(self, resource: Resource, *, anew: bool) -> bool:
        """Record which Pods may have read what is undone by now; whether there are any.

        What was recorded counts, but for ``anew``: the object was undone a moment ago. Raises `ClusterError`.
        """
        namespace = self._namespaces.setdefault(resource.ref.namespace, _Namespace(resource.ref.namespace))
        known = resource.dependents.get("Pod")
        if known is None or anew:
            if not _has_changed_values(resource):
                return bool(known)
            since = await self._since(resource)
            pods = await namespace.looks.get(lambda: self._pods(namespace))
            found = {pod["metadata"]["uid"] for pod in pods if may_have_read(pod, resource.ref, since)}
            if found:
                resource.dependents = {"Pod": sorted(found.union(known or ()))}
                self._journal.settle(resource, resource.state, resource.why, "dependents")
        return "Pod" in resource.dependents

    async def replace(self, resource: Resource, *, gone: bool) -> str:
        """Replace the Pods recorded; returns which are left alone, and why. Raises `StillThere`, `ClusterError`.

        ``gone``: the object is deleted, and Pods that need it could not start anew.
        """
        await self._journal.flush()
        uids = set(resource.dependents["Pod"])
        namespace = self._namespaces[resource.ref.namespace]
        namespace.since = min(namespace.since, await self._since(resource))
        namespace.uids |= uids
        if gone:
            namespace.gone.add(resource.ref)
        backoff = Backoff(first=0.05, most=1.0)
        while True:
            pods = await namespace.steps.get(lambda: self._step(namespace))
            present = [pod for pod in pods if pod["metadata"]["uid"] in uids]
            waiting = [pod for pod in present if pod["metadata"]["uid"] not in namespace.left]
            if not waiting and not namespace.disturbed:
                left = [f"Pod {_name(pod)} ({namespace.left[pod['metadata']['uid']]})" for pod in present]
                return f"read while it was changed, and left alone: {_listed(left)}" if left else ""
            names = [f"Pod {_name(pod)}" for pod in waiting] or sorted(map(str, namespace.disturbed))
            resource.why = f"waits until what has read it is replaced: {_listed(names)}"
            await backoff.pause()

    async def _since(self, resource: Resource) -> datetime:
        """When the task may have written the object first, by whatever clock, with room for their difference."""
        entries = (resource.applied or {"metadata": {}})["metadata"].get("managedFields") or ()
        times = [
            datetime.fromisoformat(one["time"]) for one in entries if one.get("manager") == MANAGER and one.get("time")
        ]
        recorded = await self._journal.first_write_at(resource)
        return min([*times, recorded or _EARLIEST + _SKEW]) - _SKEW

    async def _pods(self, namespace: _Namespace) -> list[Manifest]:
        return (await self._cluster.list("Pod", namespace.name)).items

    # --- one step further

    async def _step(self, namespace: _Namespace) -> list[Manifest]:
        """Replace what can be replaced now, of all rows; the Pods that are still there."""
        pods = [pod for pod in await self._pods(namespace) if not is_finished(pod)]
        by_owner: defaultdict[ObjectRef, list[Manifest]] = defaultdict(list)
        seen: dict[ObjectRef, Manifest | None] = {}
        for pod in pods:
            meta = pod["metadata"]
            if meta["uid"] not in namespace.uids and application_of(pod) != self._app_id:
                continue
            owner = await self._owner(pod, seen)
            if owner is not None:
                by_owner[owner].append(pod)
            elif meta["uid"] in namespace.uids and not await self._is_collected(pod, seen):
                namespace.left[meta["uid"]] = "nothing would make another"
        concerned = {
            ref for ref, owned in by_owner.items() if namespace.uids & {pod["metadata"]["uid"] for pod in owned}
        }
        for ref in sorted(concerned | namespace.disturbed):
            await self._advance(namespace, ref, await self._seen(ref, seen), by_owner[ref])
        return [pod for pod in pods if pod["metadata"]["uid"] in namespace.uids]

    async def _owner(self, pod: Manifest, seen: dict[ObjectRef, Manifest | None]) -> ObjectRef | None:
        """What a Pod is of, or was until it was released, and would be made anew by."""
        namespace = pod["metadata"]["namespace"]
        released = (pod["metadata"].get("annotations") or {}).get(RELEASED_FROM)
        ref = _controller(pod) if released is None else ObjectRef("Deployment", namespace, released)
        if ref is not None and ref.kind == "ReplicaSet":
            replica_set = await self._seen(ref, seen)
            ref = _controller(replica_set) if replica_set is not None else None
        if ref is None or ref.kind not in _OWNERS:
            return None
        owner = await self._seen(ref, seen)
        return ref if owner is not None or released is not None else None

    async def _is_collected(self, pod: Manifest, seen: dict[ObjectRef, Manifest | None]) -> bool:
        """Whether the garbage collector is about to delete a Pod, as what made it is gone."""
        obj = pod
        while (ref := _controller(obj)) is not None and ref.kind in _MAKERS:
            maker, by = await self._seen(ref, seen), controller_ref(obj)
            if maker is None or (by and maker["metadata"]["uid"] != by["uid"]):
                return True
            obj = maker
        return False

    async def _seen(self, ref: ObjectRef, seen: dict[ObjectRef, Manifest | None]) -> Manifest | None:
        if ref not in seen:
            seen[ref] = await get_or_none(self._cluster, ref)
        return seen[ref]

    async def _advance(
        self, namespace: _Namespace, ref: ObjectRef, owner: Manifest | None, pods: Sequence[Manifest]
    ) -> None:
        """Go one step with the Pods of one owner: release or delete some, if it is whole."""
        todo = [pod for pod in pods if pod["metadata"]["uid"] in namespace.uids]
        if owner is None:  # nobody makes others, and these serve for nothing
            namespace.disturbed.discard(ref)
            await self._delete(todo)
            return
        written = [row for row in self._rows if row.ref == ref and row.purpose is Purpose.APPLY and row.touched]
        if any(_is_unsettled(row) for row in written):
            return  # it is put back or deleted first, and most of its Pods go with that
        if not written and (self._app_id is None or application_of(owner) != self._app_id):
            namespace.left |= {pod["metadata"]["uid"]: f"of {ref}, another's" for pod in todo}
            return
        for pod in [pod for pod in todo if any(is_required(pod, one) for one in namespace.gone)]:
            namespace.left[pod["metadata"]["uid"]] = "another could not start without it"
            todo.remove(pod)
        going = [pod for pod in todo if _is_released(pod) or terminating(pod)]
        staying = [pod for pod in todo if pod not in going]
        idle = [pod for pod in staying if not is_ready(pod)]
        await self._delete(idle)
        serving = [pod for pod in pods if not _is_released(pod) and not terminating(pod) and pod not in idle]
        if len(serving) < pods_wanted(owner) or not all(
            is_ready(pod) or _created(pod) < namespace.since for pod in serving
        ):
            return
        namespace.disturbed.discard(ref)
        if going:
            await self._delete(going)
        elif (count := surge(owner)) > 0:
            for pod in staying[:count]:
                await self._release(pod, ref)
        elif staying:
            namespace.disturbed.add(ref)
            await self._delete(staying[-1:])

    async def _delete(self, pods: Sequence[Manifest]) -> None:
        for pod in pods:
            if not terminating(pod):
                await self._deleter.begin_to_delete(pod)

    async def _release(self, pod: Manifest, owner: ObjectRef) -> None:
        """Take a Pod out of its ReplicaSet, which makes another one then; it keeps all that a Service selects by."""
        self._journal.lease.check()
        ref = ObjectRef.of(pod)
        meta = {
            "uid": pod["metadata"]["uid"],
            "annotations": {RELEASED_FROM: owner.name},
            "labels": {_HASH: "released"},
        }
        try:
            await to_the_end(self._cluster.patch(ref, {"metadata": meta}))
        except (NotFound, Conflict, Unanswered):
            return  # the next step sees what became of it
        except (Forbidden, Invalid) as error:
            now = await get_or_none(self._cluster, ref)
            if now is not None and now["metadata"]["uid"] == meta["uid"]:
                raise StillThere(ref, error.message) from error


def _has_changed_values(resource: Resource) -> bool:
    """Whether somebody may have read other values because of the task: each deploy writes much that stays the same."""
    before, applied = resource.before, resource.applied
    writes = [one for one in resource.writes.values() if one.kind is not WriteKind.DELETE and one.may_have_written]
    if before is None or applied is None or len(writes) > 1:
        return True
    return any(before.get(part) != applied.get(part) for part in ("data", "binaryData"))


def _is_unsettled(row: Resource) -> bool:
    return not row.state.settled and row.state is not ResourceState.OBSERVED


def _is_released(pod: Manifest) -> bool:
    return RELEASED_FROM in (pod["metadata"].get("annotations") or {})


def _controller(obj: Manifest) -> ObjectRef | None:
    owner = controller_ref(obj)
    if owner is None:
        return None
    named = {"name": owner["name"], "namespace": obj["metadata"]["namespace"]}
    return ObjectRef.of({"apiVersion": owner["apiVersion"], "kind": owner["kind"], "metadata": named})


def _created(pod: Manifest) -> datetime:
    return datetime.fromisoformat(pod["metadata"]["creationTimestamp"])


def _name(pod: Manifest) -> str:
    return str(pod["metadata"]["name"])


def _listed(names: Sequence[str]) -> str:
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join([*names[:_NAMED], *more])
