"""Deleting one object so that it is gone: with preconditions, to the end, and with what it leaves behind (R4–R6)."""

from typing import Literal

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError, Conflict, Forbidden, Invalid, NotFound, Unanswered
from kubemin.engine.dependents import made_since
from kubemin.engine.errors import StillThere
from kubemin.engine.gone import look_at, until_gone
from kubemin.engine.journal import Journal, Resource
from kubemin.engine.ownership import terminating
from kubemin.engine.shield import to_the_end
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import ClaimKind

_WITH_PODS = {"Deployment", "StatefulSet", "Job", "ReplicaSet"}


class Remover:
    """Deletes objects that the journal says are ours to delete."""

    def __init__(self, journal: Journal, cluster: Cluster) -> None:
        self._journal = journal
        self._cluster = cluster

    async def delete(self, resource: Resource, look: Manifest) -> bool:
        """Delete exactly the object of ``look`` and wait until it is gone.

        False where the object changed since the look, or the answer was lost: look again. Raises `StillThere`.
        """
        ref, meta = resource.ref, look["metadata"]
        if not terminating(look):
            claim = await self._journal.claim(resource, ClaimKind.DELETE, meta["resourceVersion"], "before")
            try:
                answer = await to_the_end(
                    self._cluster.delete(
                        ref,
                        uid=meta["uid"],
                        resource_version=meta["resourceVersion"],
                        propagation=propagation(ref.kind),
                    )
                )
            except (Conflict, Unanswered):
                return False
            except NotFound:
                return True
            except (Forbidden, Invalid) as error:
                raise StillThere(ref, error.message) from error
            claim.answer = "done"
            if answer is None:
                return True
            look = answer
        resource.why = _waiting_for(look)
        await until_gone(self._cluster, ref, meta["uid"])
        return True

    async def tidy(self, resource: Resource, manifest: Manifest) -> None:
        """Remove what controllers made for the object since our first look: claims, ReplicaSets, revisions (R6).

        Raises `StillThere` where something must wait, for a Pod or a rollout.
        """
        if not resource.dependents:
            return
        owner = await look_at(self._cluster, resource.ref)
        if owner is not None and not _settled(owner):
            raise StillThere(resource.ref, "is put back, and not rolled out again yet")
        for item in await made_since(
            self._cluster, resource.ref, manifest, resource.uid if owner else None, resource.dependents
        ):
            ref = ObjectRef.of(item)
            if owner is not None and _in_use(owner, manifest, item):
                continue
            await self._delete_dependent(ref, item)

    async def _delete_dependent(self, ref: ObjectRef, look: Manifest) -> None:
        meta = look["metadata"]
        self._journal.lease.check()
        if not terminating(look):
            try:
                await to_the_end(
                    self._cluster.delete(
                        ref,
                        uid=meta["uid"],
                        resource_version=meta["resourceVersion"],
                        propagation=propagation(ref.kind),
                    )
                )
            except NotFound:
                return
            except ClusterError as error:
                raise StillThere(ref, error.message) from error
        await until_gone(self._cluster, ref, meta["uid"])


def propagation(kind: str) -> Literal["Foreground", "Background"]:
    """Workloads go in the foreground: gone means that their Pods are gone too."""
    return "Foreground" if kind in _WITH_PODS else "Background"


def _settled(owner: Manifest) -> bool:
    """Whether the owner's controller has seen the object as it is and has finished what it asks for."""
    spec, status = owner.get("spec", {}), owner.get("status", {})
    wanted = spec.get("replicas", 1)
    return bool(
        status.get("observedGeneration", 0) >= owner["metadata"].get("generation", 0)
        and status.get("replicas", 0) == wanted
        and status.get("updatedReplicas", status.get("replicas", 0)) in (wanted, 0)
    )


def _in_use(owner: Manifest, manifest: Manifest, item: Manifest) -> bool:
    """Whether the owner, as it is now, still needs this dependent."""
    if item["kind"] == "ReplicaSet":
        return bool(item.get("spec", {}).get("replicas") or item.get("status", {}).get("replicas"))
    if item["kind"] == "ControllerRevision":
        status = owner.get("status", {})
        return item["metadata"]["name"] in (status.get("currentRevision"), status.get("updateRevision"))
    ordinal = int(item["metadata"]["name"].rpartition("-")[2])
    start = owner.get("spec", {}).get("ordinals", {}).get("start", 0)
    return bool(start <= ordinal < start + owner.get("spec", {}).get("replicas", 1))


def _waiting_for(look: Manifest) -> str:
    finalizers = look["metadata"].get("finalizers") or []
    return f"is being deleted; waits for {', '.join(finalizers)}" if finalizers else "is being deleted"
