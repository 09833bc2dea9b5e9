"""Deleting one object so that it is gone: with preconditions, to the end, and with what it leaves behind (R4–R6)."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Literal

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError, Conflict, Forbidden, Invalid, NotFound, Unanswered
from kubemin.cluster.informers import Informers
from kubemin.engine.backoff import Backoff
from kubemin.engine.errors import InUse, StillThere
from kubemin.engine.journal.journal import REFUSED, UNSENT, Journal, Resource
from kubemin.engine.objects.dependents import dependents, pvc_name_prefixes
from kubemin.engine.objects.live import get_or_none, until_gone
from kubemin.engine.objects.ownership import terminating
from kubemin.shield import to_the_end
from kubemin.spec.kinds import kind_of
from kubemin.spec.labels import WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import WriteKind

FENCE = "kubemin.io/fence"
"""Annotation set and removed again to move an object's version past an unanswered request."""

_REVISION = "deployment.kubernetes.io/revision"

_PODS_NAMED = 3

_LAG = 0.5
"""Seconds after which the claims of a StatefulSet are looked for once more: its controller may lag."""


class Deleter:
    """Deletes objects that the journal says are ours to delete."""

    def __init__(self, journal: Journal, cluster: Cluster, informers: Informers | None = None) -> None:
        self._journal = journal
        self._cluster = cluster
        self._informers = informers

    async def delete(self, resource: Resource, live: Manifest) -> bool:
        """Delete exactly the object of ``live`` and wait until it is gone.

        False where the object changed since the look, or the answer was lost: look again. Raises `StillThere`, and
        `InUse` where other applications share it.
        """
        ref, meta = resource.ref, live["metadata"]
        if not terminating(live):
            write = await self._journal.write_ahead(resource, WriteKind.DELETE, meta["resourceVersion"], "before")
            if users := await self._journal.users(live):
                self._journal.answer(resource, write, UNSENT)
                raise InUse(users)
            try:
                answer = await to_the_end(
                    self._cluster.delete(
                        ref,
                        uid=meta["uid"],
                        resource_version=meta["resourceVersion"],
                        propagation=propagation(ref.kind),
                    )
                )
            except Unanswered:
                return False
            except NotFound:
                return True
            except (Conflict, Forbidden, Invalid) as error:
                self._journal.answer(resource, write, f"{REFUSED} {error.status}")
                if isinstance(error, Conflict):
                    return False
                raise StillThere(ref, error.message) from error
            write.answer = "done"
            if answer is None:
                return True
            live = answer
        await self._until_gone(resource, ref, live)
        return True

    async def _until_gone(self, resource: Resource, ref: ObjectRef, live: Manifest) -> None:
        """Wait until the object is absent; meanwhile the row says what it waits for."""
        whose = "" if ref == resource.ref else f"{ref} "
        resource.why = whose + _waiting_for(live)

        async def lasts(now: Manifest) -> None:
            selector = (now.get("spec") or {}).get("selector") or {}
            labels = selector.get("matchLabels") if kind_of(ref.kind).controller else None
            pods: list[Manifest] = []
            if labels:
                with contextlib.suppress(ClusterError):
                    chosen = ",".join(f"{key}={value}" for key, value in labels.items())
                    pods = (await self._cluster.list("Pod", ref.namespace, labels=chosen)).items
            resource.why = whose + _waiting_for(now, pods)

        await until_gone(self._cluster, ref, live["metadata"]["uid"], lasts, self._informers)

    async def tidy(self, resource: Resource, manifest: Manifest, deleted: Manifest | None = None) -> None:
        """Remove what controllers made for the object since our first look: claims, ReplicaSets, revisions (R6).

        To be called before the row is settled, and never after: what comes later is not ours. What was there before
        the object that we ``deleted`` is not ours either. Waits until an object that was put back is rolled out again;
        controllers lag, so it looks until there is nothing more to do, and where claims may still come a moment later
        once more: nothing ties those to their StatefulSet. Raises `StillThere`.
        """
        if not resource.dependents:
            return
        since = deleted["metadata"]["creationTimestamp"] if deleted else ""
        none_to_come = "PersistentVolumeClaim" not in resource.dependents
        looked = False
        backoff = Backoff(first=0.05, most=1.0)
        while True:
            owner = await get_or_none(self._cluster, resource.ref)
            if owner is not None and not _rolled_out(owner, resource.before):
                resource.why = "is put back, and not rolled out again yet"
                if owner["kind"] == "StatefulSet":
                    await self._replace_stuck_pods(resource, owner)
                elif owner["kind"] == "Deployment":
                    await self._delete_stuck_sets(resource, owner, manifest)
            else:
                busy = False
                items = await dependents(self._cluster, resource.ref, manifest, owner)
                if deleted is not None and owner is None:
                    none_to_come = none_to_come or _has_all_claims(deleted, items)
                for item in items:
                    if item["metadata"]["creationTimestamp"] < since or not _made_since(resource, item):
                        busy = await self._uncopy(resource, item, owner) or busy
                    elif owner is None or not _in_use(owner, item) or _superfluous(resource, owner, item):
                        await self._delete_dependent(resource, ObjectRef.of(item), item)
                        busy = True
                    elif _outdated(owner, item):
                        resource.why = "is put back, and not rolled out again yet"
                        busy = True
                if not busy and (looked or none_to_come):
                    return
                looked = not busy
                if looked:
                    await asyncio.sleep(_LAG)
                    continue
            await backoff.pause()

    async def _replace_stuck_pods(self, resource: Resource, owner: Manifest) -> None:
        """Delete Pods of a revision that is given up and that never became ready.

        A StatefulSet's controller waits for such a Pod for ever before it goes on, also back to a revision that works.
        """
        status, meta = owner.get("status", {}), owner["metadata"]
        if status.get("observedGeneration", 0) < meta.get("generation", 0):
            return
        for pod in (await self._cluster.list("Pod", meta["namespace"])).items:
            owned = any(ref["uid"] == meta["uid"] for ref in pod["metadata"].get("ownerReferences") or [])
            revision = (pod["metadata"].get("labels") or {}).get("controller-revision-hash")
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or [])
            if owned and not ready and revision != status.get("updateRevision"):
                await self._delete_dependent(resource, ObjectRef.of(pod), pod)

    async def _delete_stuck_sets(self, resource: Resource, owner: Manifest, manifest: Manifest) -> None:
        """Delete ReplicaSets that our update made and that only stay because what was there before is not available.

        It was not before us either: a Deployment's controller would keep our Pods for ever beside it.
        """
        if owner.get("status", {}).get("observedGeneration", 0) < owner["metadata"].get("generation", 0):
            return
        for item in await dependents(self._cluster, resource.ref, manifest, owner):
            if _made_since(resource, item) and _superfluous(resource, owner, item):
                await self._delete_dependent(resource, ObjectRef.of(item), item)

    async def unmark(self, resource: Resource, manifest: Manifest) -> None:
        """Take our marks off what the object's controller made: the object, and all of that, stay as they are."""
        controller = kind_of(resource.ref.kind).controller
        if not resource.dependents and (controller is None or controller.history is None):
            return
        owner = await get_or_none(self._cluster, resource.ref)
        for item in await dependents(self._cluster, resource.ref, manifest, owner):
            await self._uncopy(resource, item, owner)

    async def _uncopy(self, resource: Resource, item: Manifest, owner: Manifest | None) -> bool:
        """Take our annotations off a dependent that stays: controllers copy them from the object, and never back."""
        annotations = item["metadata"].get("annotations") or {}
        copied = {name: None for name in (FENCE,) if name in annotations}
        if annotations.get(WRITE_TOKEN) in resource.writes:
            was = (owner or {"metadata": {}})["metadata"].get("annotations", {}).get(WRITE_TOKEN)
            if was in resource.writes:
                return False  # it is still ours: the object itself comes first
            copied[WRITE_TOKEN] = was
        if not copied:
            return False
        self._journal.lease.check()
        patch = {"metadata": {"uid": item["metadata"]["uid"], "annotations": copied}}
        try:
            await to_the_end(self._cluster.patch(ObjectRef.of(item), patch))
        except (NotFound, Conflict, Unanswered):
            return True
        except (Forbidden, Invalid) as error:
            raise StillThere(ObjectRef.of(item), error.message) from error
        return True

    async def _delete_dependent(self, resource: Resource, ref: ObjectRef, live: Manifest) -> None:
        meta = live["metadata"]
        self._journal.lease.check()
        if not terminating(live):
            try:
                answer = await to_the_end(
                    self._cluster.delete(
                        ref,
                        uid=meta["uid"],
                        resource_version=meta["resourceVersion"],
                        propagation=propagation(ref.kind),
                    )
                )
            except (NotFound, Conflict, Unanswered):
                return  # the caller looks again
            except (Forbidden, Invalid) as error:
                raise StillThere(ref, error.message) from error
            live = answer or live
        await self._until_gone(resource, ref, live)


def propagation(kind: str) -> Literal["Foreground", "Background"]:
    """Workloads go in the foreground: gone means that their Pods are gone too."""
    return "Foreground" if kind_of(kind).controller else "Background"


def _made_since(resource: Resource, item: Manifest) -> bool:
    before = resource.dependents.get(item["kind"])
    return before is not None and item["metadata"]["uid"] not in before


def _rolled_out(owner: Manifest, before: Manifest | None) -> bool:
    """Whether the controller has brought the object, as it is, as far as it was before us: it may not get further."""
    status, was = owner.get("status", {}), (before or {}).get("status", {})
    wanted = owner.get("spec", {}).get("replicas", 1)
    counts = (
        "replicas",
        "availableReplicas",
        *(["updatedReplicas"] if owner["kind"] == "Deployment" else []),
    )
    return bool(
        status.get("observedGeneration", 0) >= owner["metadata"].get("generation", 0)
        and status.get("replicas", 0) <= wanted
        and all(status.get(count, 0) >= min(was.get(count, 0), wanted) for count in counts)
    )


def _in_use(owner: Manifest, item: Manifest) -> bool:
    """Whether the owner, as it is now, still needs this dependent."""
    if item["kind"] == "ReplicaSet":
        return bool(item.get("spec", {}).get("replicas") or item.get("status", {}).get("replicas"))
    if item["kind"] == "ControllerRevision":
        status = owner.get("status", {})
        return item["metadata"]["name"] in (status.get("currentRevision"), status.get("updateRevision"))
    ordinal = int(item["metadata"]["name"].rpartition("-")[2])
    start = owner.get("spec", {}).get("ordinals", {}).get("start", 0)
    return bool(start <= ordinal < start + owner.get("spec", {}).get("replicas", 1))


def _outdated(owner: Manifest, item: Manifest) -> bool:
    """Whether the owner is about to give up a dependent that it still uses: a ReplicaSet that is being scaled down."""
    revisions = {(obj["metadata"].get("annotations") or {}).get(_REVISION) for obj in (owner, item)}
    return item["kind"] == "ReplicaSet" and len(revisions) > 1


def _superfluous(resource: Resource, owner: Manifest, item: Manifest) -> bool:
    """Whether as many Pods as before us are available without those of an outdated ReplicaSet."""
    status = owner.get("status", {})
    was = ((resource.before or {}).get("status") or {}).get("availableReplicas", 0)
    others = status.get("availableReplicas", 0) - item.get("status", {}).get("availableReplicas", 0)
    return _outdated(owner, item) and others >= min(was, owner.get("spec", {}).get("replicas", 1))


def _has_all_claims(stateful_set: Manifest, items: Sequence[Manifest]) -> bool:
    """Whether the controller has made every claim that the StatefulSet, as it was last, calls for: none is to come."""
    spec = stateful_set["spec"]
    start, replicas = (spec.get("ordinals") or {}).get("start", 0), spec.get("replicas", 1)
    called_for = {
        f"{prefix}{ordinal}" for prefix in pvc_name_prefixes(stateful_set) for ordinal in range(start, start + replicas)
    }
    return called_for <= {item["metadata"]["name"] for item in items}


def _waiting_for(live: Manifest, pods: Sequence[Manifest] = ()) -> str:
    """Why an object is not gone yet: its finalizers, and of a workload its Pods, which mostly are what it waits for."""
    waits = [name for name in live["metadata"].get("finalizers") or [] if not (pods and name == "foregroundDeletion")]
    for pod in pods[:_PODS_NAMED]:
        finalizers = pod["metadata"].get("finalizers")
        waits.append(f"Pod {pod['metadata']['name']}" + (f" ({', '.join(finalizers)})" if finalizers else ""))
    waits += [f"{len(pods) - _PODS_NAMED} more Pods"] if len(pods) > _PODS_NAMED else []
    return f"is being deleted; waits for {', '.join(waits)}" if waits else "is being deleted"
