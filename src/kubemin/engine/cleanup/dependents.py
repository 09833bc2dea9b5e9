"""Removing what controllers made for an object of ours and leave behind (design R6)."""

import asyncio
import contextlib
from collections.abc import Sequence

from kubemin.cluster import Cluster
from kubemin.cluster.cached_readiness import pod_labels
from kubemin.cluster.errors import Closed, Conflict, Forbidden, Invalid, NotFound, Unanswered, Unauthorized
from kubemin.cluster.informers import Informers
from kubemin.engine.backoff import Backoff
from kubemin.engine.cleanup.data import Data
from kubemin.engine.cleanup.deletion import Deleter
from kubemin.engine.cleanup.going import LAG
from kubemin.engine.cleanup.together import Together
from kubemin.engine.errors import StillThere
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.claims import PVC
from kubemin.engine.objects.dependents import dependents, former_copy
from kubemin.engine.objects.descendants import Owner, named
from kubemin.engine.objects.lists import Lister
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.ownership import controller_ref, terminating
from kubemin.engine.objects.rollout import (
    has_all_pvcs,
    is_needed,
    is_observed,
    is_outdated,
    is_rolled_out,
    is_superfluous,
)
from kubemin.shield import to_the_end
from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.labels import FENCE, MANAGER, WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef

_LONG = 5.0
"""Seconds for which watches alone are relied on: one may be broken without anybody knowing."""
_FEW = 0.05
"""Seconds in which changes come together: an object and its Pods change many times on their way."""

_Sight = frozenset[tuple[str, str]]
"""The uid and version of each object."""


class Dependents:
    """Removes ReplicaSets, ControllerRevisions and PVCs that came because of our write, and nothing older."""

    def __init__(
        self,
        journal: Journal,
        cluster: Cluster,
        deleter: Deleter,
        lists: Lister,
        informers: Informers | None = None,
    ) -> None:
        self._journal = journal
        self._cluster = cluster
        self._deleter = deleter
        self._lists = lists
        self._informers = informers
        self._together = Together()

    async def remove(self, resource: Resource, manifest: Manifest, deleted: Manifest | None = None) -> str:
        """Remove what controllers made for the object since our first write. Raises `StillThere`.

        To be called before the row is settled, and never after: what comes later is not ours. Waits until an object
        that was put back is rolled out again. Of volume claims goes only what surely holds no data of others (`Data`):
        returned is which are kept, for people. ``deleted``: the object that we deleted, if this process did.
        """
        if not resource.dependents:
            return ""
        # Controllers lag, so this looks until there is nothing more to do. Nothing but its name ties a PVC to its
        # StatefulSet: where one may still come, a moment later it is looked for once more.
        pvcs_may_come = PVC in resource.dependents
        data = Data(self._journal, resource, deleted)
        nothing_left = False
        backoff = Backoff(first=0.05, most=1.0)
        while True:
            seen = await self._sight(resource.ref, manifest)
            owner = await get_or_none(self._cluster, resource.ref)
            acted = False
            if owner is not None and not is_rolled_out(owner, resource.before):
                await self._help_the_rollout(resource, owner, manifest)
            else:
                await self._together.others()
                items = await dependents(self._lists, resource.ref, manifest, owner)
                if deleted is not None and owner is None and has_all_pvcs(deleted, items):
                    pvcs_may_come = False
                with self._together.busy():
                    acted, work_left = await self._remove_items(resource, items, owner, data)
                if owner is not None and not work_left and (going := await self._pods_on_their_way(owner)):
                    resource.why = f"is put back; waits for {', '.join(going)}"
                    work_left = True
                if not work_left and (nothing_left or not pvcs_may_come):
                    return data.kept()
                nothing_left = not work_left
            if not acted and seen is not None and not nothing_left:
                await self._news(resource.ref, manifest, seen)
                continue
            with self._together.busy():
                await (asyncio.sleep(LAG) if nothing_left else backoff.pause())

    async def _sight(self, ref: ObjectRef, manifest: Manifest, seen: _Sight | None = None) -> _Sight | None:
        """What the watches show of an object and its Pods, once that is not as ``seen``; None without watches."""
        informers, kinds = self._informers, kind_of(ref.kind).told_by
        if informers is None or not all(map(informers.current, (ref.kind, *kinds))):
            return None
        labels = pod_labels(manifest)

        def look(live: Manifest | None) -> _Sight | None:
            found = [live] if live is not None else []
            found += [obj for kind in kinds for obj in informers.snapshot(kind, ref.namespace, labels)]
            now = frozenset((obj["metadata"]["uid"], obj["metadata"]["resourceVersion"]) for obj in found)
            return now if now != seen else None

        return await informers.until(ref.kind, ref.namespace, ref.name, look, kinds, labels=labels)

    async def _news(self, ref: ObjectRef, manifest: Manifest, seen: _Sight) -> None:
        """Wait until the watches show a change, since before the object was read: nothing else is waited for."""
        with contextlib.suppress(TimeoutError, Closed, Unauthorized):
            async with asyncio.timeout(_LONG):
                await self._sight(ref, manifest, seen)
        await asyncio.sleep(_FEW)

    async def _pods_on_their_way(self, owner: Manifest) -> list[str]:
        """The Pods of the object that are to go: its controller counts without them, but they still run.

        Those that terminate, and those of a ReplicaSet that is gone: the garbage collector has not come to them yet.
        """
        of = Owner.of(owner)
        namespace, labels = of.ref.namespace, of.asked_by
        asked = (self._lists.list(kind, namespace, labels=labels, metadata_only=True) for kind in of.told_by)
        present = dict(zip(of.told_by, (one.items for one in await asyncio.gather(*asked)), strict=True))
        makers = {of.uid, *(obj["metadata"]["uid"] for obj in present.get("ReplicaSet", ()))}
        pods = [obj for obj in of.descendants(present) if kind_name(obj) == "Pod"]
        return [named(pod) for pod in pods if terminating(pod) or (controller_ref(pod) or {}).get("uid") not in makers]

    async def _remove_items(
        self, resource: Resource, items: Sequence[Manifest], owner: Manifest | None, data: Data
    ) -> tuple[bool, bool]:
        """Remove what is ours to remove; whether anything was, and whether there may be more to do."""
        acted = waits = False
        for item in items:
            if not _came_since(resource, item):
                acted = await self._take_off_marks(resource, item, owner) or acted
                continue
            if owner is not None and kind_name(item) == "ControllerRevision" and is_outdated(owner, item):
                await self._delete_stuck_pods(resource, owner)
            if owner is None or not is_needed(owner, item) or is_superfluous(owner, item, resource.before):
                if await data.keeps(item):
                    continue
                await self._deleter.delete_dependent(resource, item)
                acted = True
            elif is_outdated(owner, item):
                resource.why = "is put back, and not rolled out again yet"
                waits = True
            else:  # made for what was put back together with what others have changed since, while our token was on it
                acted = await self._take_off_marks(resource, item, owner) or acted
        return acted, acted or waits

    async def _help_the_rollout(self, resource: Resource, owner: Manifest, manifest: Manifest) -> None:
        """Delete what keeps the controller from rolling out again what was put back: it would wait for ever."""
        resource.why = "is put back, and not rolled out again yet"
        if not is_observed(owner):
            return
        if kind_name(owner) == "StatefulSet":
            await self._delete_stuck_pods(resource, owner)
        elif kind_name(owner) == "Deployment":
            await self._delete_stuck_replica_sets(resource, owner, manifest)

    async def _delete_stuck_pods(self, resource: Resource, owner: Manifest) -> None:
        """Delete Pods of a revision that is given up and that never became ready.

        A StatefulSet's controller waits for such a Pod before it goes on, also back to a revision that works.
        """
        chosen = Owner.of(owner).asked_by
        for pod in (await self._lists.list("Pod", owner["metadata"]["namespace"], labels=chosen)).items:
            owned = any(ref["uid"] == owner["metadata"]["uid"] for ref in pod["metadata"].get("ownerReferences") or [])
            revision = (pod["metadata"].get("labels") or {}).get("controller-revision-hash")
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or [])
            if owned and not ready and revision != owner.get("status", {}).get("updateRevision"):
                await self._deleter.delete_dependent(resource, pod)

    async def _delete_stuck_replica_sets(self, resource: Resource, owner: Manifest, manifest: Manifest) -> None:
        """Delete ReplicaSets of our update that stay only because the Pods from before it are not available.

        Those were not available before our update either. A Deployment's controller would keep our Pods beside them.
        """
        for item in await dependents(self._lists, resource.ref, manifest, owner):
            if _came_since(resource, item) and is_superfluous(owner, item, resource.before):
                await self._deleter.delete_dependent(resource, item)

    async def take_off_marks(self, resource: Resource, manifest: Manifest) -> None:
        """Take our annotations off what the object's controller made; all else stays as it is. Raises `StillThere`."""
        controller = kind_of(resource.ref.kind).controller
        if not resource.dependents and (controller is None or controller.history is None):
            return
        owner = await get_or_none(self._cluster, resource.ref)
        for item in await dependents(self._lists, resource.ref, manifest, owner):
            await self._take_off_marks(resource, item, owner)

    async def _take_off_marks(self, resource: Resource, item: Manifest, owner: Manifest | None) -> bool:
        """Take our annotations off one dependent that stays; whether there was one to take off.

        Controllers copy annotations from the object, and never take the copies back: also to a ReplicaSet of former
        times, if our template was that one's. It then has the token again that it had, as its controller's.
        """
        annotations = item["metadata"].get("annotations") or {}
        marks: dict[str, str | None] = {name: None for name in (FENCE,) if name in annotations}
        if annotations.get(WRITE_TOKEN) in resource.writes:
            was = (owner or {"metadata": {}})["metadata"].get("annotations", {}).get(WRITE_TOKEN)
            if was in resource.writes:
                return False  # the object itself still carries our token: that comes off first
            there = item["metadata"]["uid"] in resource.dependents.get(kind_name(item), ())
            marks[WRITE_TOKEN] = former_copy(resource.dependents, item) if there else was
        if not marks:
            return False
        self._journal.lease.check()
        patch = {"metadata": {"uid": item["metadata"]["uid"], "annotations": marks}}
        try:
            await to_the_end(self._cluster.patch(ObjectRef.of(item), patch, manager=_copier(item)))
        except (NotFound, Conflict, Unanswered):
            return True
        except (Forbidden, Invalid) as error:
            raise StillThere(ObjectRef.of(item), error.message) from error
        return True


def _copier(item: Manifest) -> str:
    """Which manager of fields has set the copy of our token."""
    name = f"f:{WRITE_TOKEN}"
    return next(
        (
            str(entry["manager"])
            for entry in item["metadata"].get("managedFields") or ()
            if name in entry.get("fieldsV1", {}).get("f:metadata", {}).get("f:annotations", {})
        ),
        MANAGER,
    )


def _came_since(resource: Resource, item: Manifest) -> bool:
    before = resource.dependents.get(kind_name(item))
    return before is not None and item["metadata"]["uid"] not in before
