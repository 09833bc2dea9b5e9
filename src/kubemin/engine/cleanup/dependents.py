"""Removing what controllers made for an object of ours and leave behind (design R6)."""

import asyncio
from collections.abc import Sequence

from kubemin.cluster import Cluster
from kubemin.cluster.errors import Conflict, Forbidden, Invalid, NotFound, Unanswered
from kubemin.engine.backoff import Backoff
from kubemin.engine.cleanup.data import Data
from kubemin.engine.cleanup.deletion import Deleter
from kubemin.engine.errors import StillThere
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.claims import PVC
from kubemin.engine.objects.dependents import dependents
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.ownership import terminating
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
from kubemin.spec.labels import FENCE, WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef

LAG = 0.5
"""Seconds after which the PVCs of a StatefulSet are looked for once more: its controller may lag."""


class Dependents:
    """Removes ReplicaSets, ControllerRevisions and PVCs that came because of our write, and nothing older."""

    def __init__(self, journal: Journal, cluster: Cluster, deleter: Deleter) -> None:
        self._journal = journal
        self._cluster = cluster
        self._deleter = deleter

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
            owner = await get_or_none(self._cluster, resource.ref)
            if owner is not None and not is_rolled_out(owner, resource.before):
                await self._help_the_rollout(resource, owner, manifest)
            else:
                items = await dependents(self._cluster, resource.ref, manifest, owner)
                if deleted is not None and owner is None and has_all_pvcs(deleted, items):
                    pvcs_may_come = False
                work_left = await self._remove_items(resource, items, owner, data)
                if owner is not None and not work_left and (going := await self._terminating_pods(owner, items)):
                    resource.why = f"is put back; waits for {', '.join(going)}"
                    work_left = True
                if not work_left and (nothing_left or not pvcs_may_come):
                    return data.kept()
                nothing_left = not work_left
                if nothing_left:
                    await asyncio.sleep(LAG)
                    continue
            await backoff.pause()

    async def _terminating_pods(self, owner: Manifest, items: Sequence[Manifest]) -> list[str]:
        """The Pods of the object that are on their way out: its controller counts without them, but they still run."""
        labels = ((owner.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
        chosen = ",".join(f"{key}={value}" for key, value in labels.items())
        pods = (await self._cluster.list("Pod", owner["metadata"]["namespace"], labels=chosen or None)).items
        uids = {one["metadata"]["uid"] for one in (owner, *items)}
        return [
            f"Pod {pod['metadata']['name']}"
            for pod in pods
            if terminating(pod) and uids & {ref["uid"] for ref in pod["metadata"].get("ownerReferences") or ()}
        ]

    async def _remove_items(
        self, resource: Resource, items: Sequence[Manifest], owner: Manifest | None, data: Data
    ) -> bool:
        """Remove what is ours to remove; whether there may be more to do."""
        work_left = False
        for item in items:
            if not _came_since(resource, item):
                work_left = await self._take_off_marks(resource, item, owner) or work_left
            elif owner is None or not is_needed(owner, item) or is_superfluous(owner, item, resource.before):
                if await data.keeps(item):
                    continue
                await self._deleter.delete_dependent(resource, item)
                work_left = True
            elif is_outdated(owner, item):
                resource.why = "is put back, and not rolled out again yet"
                work_left = True
        return work_left

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
        for pod in (await self._cluster.list("Pod", owner["metadata"]["namespace"])).items:
            owned = any(ref["uid"] == owner["metadata"]["uid"] for ref in pod["metadata"].get("ownerReferences") or [])
            revision = (pod["metadata"].get("labels") or {}).get("controller-revision-hash")
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or [])
            if owned and not ready and revision != owner.get("status", {}).get("updateRevision"):
                await self._deleter.delete_dependent(resource, pod)

    async def _delete_stuck_replica_sets(self, resource: Resource, owner: Manifest, manifest: Manifest) -> None:
        """Delete ReplicaSets of our update that stay only because the Pods from before it are not available.

        Those were not available before our update either. A Deployment's controller would keep our Pods beside them.
        """
        for item in await dependents(self._cluster, resource.ref, manifest, owner):
            if _came_since(resource, item) and is_superfluous(owner, item, resource.before):
                await self._deleter.delete_dependent(resource, item)

    async def take_off_marks(self, resource: Resource, manifest: Manifest) -> None:
        """Take our annotations off what the object's controller made; all else stays as it is. Raises `StillThere`."""
        controller = kind_of(resource.ref.kind).controller
        if not resource.dependents and (controller is None or controller.history is None):
            return
        owner = await get_or_none(self._cluster, resource.ref)
        for item in await dependents(self._cluster, resource.ref, manifest, owner):
            await self._take_off_marks(resource, item, owner)

    async def _take_off_marks(self, resource: Resource, item: Manifest, owner: Manifest | None) -> bool:
        """Take our annotations off one dependent that stays; whether there was one to take off.

        Controllers copy annotations from the object, and never take the copies back.
        """
        annotations = item["metadata"].get("annotations") or {}
        marks = {name: None for name in (FENCE,) if name in annotations}
        if annotations.get(WRITE_TOKEN) in resource.writes:
            was = (owner or {"metadata": {}})["metadata"].get("annotations", {}).get(WRITE_TOKEN)
            if was in resource.writes:
                return False  # the object itself still carries our token: that comes off first
            marks[WRITE_TOKEN] = was
        if not marks:
            return False
        self._journal.lease.check()
        patch = {"metadata": {"uid": item["metadata"]["uid"], "annotations": marks}}
        try:
            await to_the_end(self._cluster.patch(ObjectRef.of(item), patch))
        except (NotFound, Conflict, Unanswered):
            return True
        except (Forbidden, Invalid) as error:
            raise StillThere(ObjectRef.of(item), error.message) from error
        return True


def _came_since(resource: Resource, item: Manifest) -> bool:
    before = resource.dependents.get(kind_name(item))
    return before is not None and item["metadata"]["uid"] not in before
