"""Deleting one object: with preconditions, and until it is gone (design R4, R5)."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError, Conflict, Forbidden, Invalid, NotFound, Unanswered
from kubemin.cluster.informers import Informers
from kubemin.engine.errors import InUse, StillThere
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.live import until_gone
from kubemin.engine.objects.ownership import terminating
from kubemin.shield import to_the_end
from kubemin.spec.kinds import kind_of
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import WriteKind
from kubemin.spec.write_answer import WriteAnswer

_PODS_NAMED = 3


class Deleter:
    """Deletes objects that the journal says are ours to delete."""

    def __init__(self, journal: Journal, cluster: Cluster, informers: Informers | None = None) -> None:
        self._journal = journal
        self._cluster = cluster
        self._informers = informers

    async def delete(self, resource: Resource, live: Manifest) -> bool:
        """Delete exactly the object of ``live`` and wait until it is gone (R5).

        False where the object is not as ``live`` shows it any more, or the answer was lost: read it again. Raises
        `StillThere`, and `InUse` where other applications share it.
        """
        ref, meta = resource.ref, live["metadata"]
        if not terminating(live):
            write = await self._journal.write_ahead(resource, WriteKind.DELETE, meta["resourceVersion"], "before")
            if users := await self._journal.users(live):
                self._journal.answer(resource, write, WriteAnswer.unsent())
                raise InUse(users)
            try:
                answer = await self._send(ref, meta)
            except Unanswered:
                return False
            except NotFound:
                return True
            except (Conflict, Forbidden, Invalid) as error:
                self._journal.answer(resource, write, WriteAnswer.refused(error.status))
                if isinstance(error, Conflict):
                    return False
                raise StillThere(ref, error.message) from error
            write.answer = WriteAnswer.done()
            if answer is None:
                return True
            live = answer
        await self._until_gone(resource, ref, live)
        return True

    async def _send(self, ref: ObjectRef, meta: Mapping[str, Any]) -> Manifest | None:
        """Send the DELETE of exactly this uid and version, to its end; the object, if it is still going away."""
        return await to_the_end(
            self._cluster.delete(
                ref, uid=meta["uid"], resource_version=meta["resourceVersion"], propagation=propagation(ref.kind)
            )
        )

    async def _until_gone(self, resource: Resource, ref: ObjectRef, live: Manifest) -> None:
        """Wait until the object is absent; meanwhile the row says what it waits for."""
        whose = "" if ref == resource.ref else f"{ref} "
        resource.why = whose + _waiting_for(live)

        async def still_there(now: Manifest) -> None:
            selector = (now.get("spec") or {}).get("selector") or {}
            labels = selector.get("matchLabels") if kind_of(ref.kind).controller else None
            pods: list[Manifest] = []
            if labels:
                with contextlib.suppress(ClusterError):
                    chosen = ",".join(f"{key}={value}" for key, value in labels.items())
                    pods = (await self._cluster.list("Pod", ref.namespace, labels=chosen)).items
            resource.why = whose + _waiting_for(now, pods)

        await until_gone(self._cluster, ref, live["metadata"]["uid"], still_there, self._informers)

    async def delete_dependent(self, resource: Resource, live: Manifest) -> None:
        """Delete what a controller made for the resource's object, and wait until it is gone. Raises `StillThere`.

        It has no row of its own: the resource's row stays unsettled until it is gone, so a successor looks again.
        """
        if (going := await self.begin_to_delete(live)) is not None:
            await self._until_gone(resource, ObjectRef.of(live), going)

    async def begin_to_delete(self, live: Manifest) -> Manifest | None:
        """Send the deletion of what a controller made, unless it is going; None: look again. Raises `StillThere`."""
        ref = ObjectRef.of(live)
        self._journal.lease.check()
        if terminating(live):
            return live
        try:
            return await self._send(ref, live["metadata"]) or live
        except (NotFound, Conflict, Unanswered):
            return None
        except (Forbidden, Invalid) as error:
            raise StillThere(ref, error.message) from error


def propagation(kind: str) -> Literal["Foreground", "Background"]:
    """Workloads go in the foreground: gone means that their Pods are gone too."""
    return "Foreground" if kind_of(kind).controller else "Background"


def _waiting_for(live: Manifest, pods: Sequence[Manifest] = ()) -> str:
    """Why an object is not gone yet: its finalizers, and of a workload its Pods, which mostly are what it waits for."""
    waits = [name for name in live["metadata"].get("finalizers") or [] if not (pods and name == "foregroundDeletion")]
    for pod in pods[:_PODS_NAMED]:
        finalizers = pod["metadata"].get("finalizers")
        waits.append(f"Pod {pod['metadata']['name']}" + (f" ({', '.join(finalizers)})" if finalizers else ""))
    waits += [f"{len(pods) - _PODS_NAMED} more Pods"] if len(pods) > _PODS_NAMED else []
    return f"is being deleted; waits for {', '.join(waits)}" if waits else "is being deleted"
