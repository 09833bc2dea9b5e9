"""Deleting one object: with preconditions, and until nothing is left of it (design R4, R5).

Deletions are in the background: the object goes at once, and the garbage collector deletes what controllers made of it.
In the foreground it would stay until then, but that takes the collector more than twice as many turns.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemin.cluster import Cluster
from kubemin.cluster.errors import Conflict, Forbidden, Invalid, NotFound, Unanswered
from kubemin.cluster.informers import Informers
from kubemin.engine.cleanup.going import Going
from kubemin.engine.errors import InUse, StillThere
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.descendants import Owner, named
from kubemin.engine.objects.lists import Lister
from kubemin.engine.objects.live import until_gone
from kubemin.engine.objects.ownership import terminating
from kubemin.shield import to_the_end
from kubemin.spec.kinds import kind_name, kind_of
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import WriteKind
from kubemin.spec.write_answer import WriteAnswer

_NAMED = 3
_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"


class Deleter:
    """Deletes objects that the journal says are ours to delete."""

    def __init__(
        self,
        journal: Journal,
        cluster: Cluster,
        lists: Lister,
        informers: Informers | None = None,
        *,
        acting: Cluster | None = None,
        has_slot: bool = True,
    ) -> None:
        """``acting``: the cluster as whoever asked for the deletions has it. What goes with such an object is deleted
        by ``cluster``. Without ``has_slot`` later tasks of the application may have begun: what they have stays.
        """
        self._has_slot = has_slot
        self._acting = acting or cluster
        self._journal = journal
        self._cluster = cluster
        self._informers = informers
        self._going = Going(lists, informers)

    async def delete(self, resource: Resource, live: Manifest) -> bool:
        """Delete exactly the object of ``live`` and wait until nothing is left of it (R5).

        False where the object is not as ``live`` shows it any more, or the answer was lost: read it again. Raises
        `StillThere`, and `InUse` where other applications share it.
        """
        going: Manifest | None = live
        if not terminating(live) or _lets_its_pods_go(live):
            meta = live["metadata"]
            write = await self._journal.write_ahead(resource, WriteKind.DELETE, meta["resourceVersion"], "before")
            if users := await self._journal.users(live):
                self._journal.answer(resource, write, WriteAnswer.unsent())
                raise InUse(users)
            if not self._has_slot and (later := await self._journal.brought_since(resource)) is not None:
                self._journal.answer(resource, write, WriteAnswer.unsent())
                raise StillThere(resource.ref, f"task {later.task_id} has it again")
            try:
                going = await self._send(self._acting, resource.ref, meta)
            except Unanswered:
                return False
            except NotFound:
                going = None
            except (Conflict, Forbidden, Invalid) as error:
                self._journal.answer(resource, write, WriteAnswer.refused(error.status))
                if isinstance(error, Conflict):
                    return False
                raise StillThere(resource.ref, error.message) from error
            else:
                write.answer = WriteAnswer.done()
        await self._until_gone(resource, live, going)
        return True

    @staticmethod
    async def _send(cluster: Cluster, ref: ObjectRef, meta: Mapping[str, Any]) -> Manifest | None:
        """Send the DELETE of exactly this uid and version, to its end; the object, if it is still going away."""
        return await to_the_end(cluster.delete(ref, uid=meta["uid"], resource_version=meta["resourceVersion"]))

    async def _until_gone(self, resource: Resource, was: Manifest, going: Manifest | None) -> None:
        """Wait until the object is absent, and all of it; meanwhile the row says what it waits for."""
        owner = Owner.of(was)
        if going is not None:
            whose = "" if owner.ref == resource.ref else f"{owner.ref} "

            def still_there(now: Manifest) -> None:
                resource.why = whose + _waiting_for(now, self._going.left_in_sight(owner))

            still_there(going)
            await until_gone(self._cluster, owner.ref, going["metadata"]["uid"], still_there, self._informers)
        await self.until_nothing_is_left(resource, owner)

    async def until_nothing_is_left(self, resource: Resource, owner: Owner) -> None:
        """Wait until what controllers made of an object that is gone is gone too. Raises `ClusterError`.

        The resource's row stays unsettled meanwhile, with the object's uid: a successor waits on.
        """
        whose = "" if owner.ref == resource.ref else f"{owner.ref} "

        def still_there(left: Sequence[Manifest]) -> None:
            resource.why = whose + _waiting_for(None, left)

        await self._going.until_gone(owner, still_there)

    async def delete_dependent(self, resource: Resource, live: Manifest) -> None:
        """Delete what a controller made for the resource's object, and wait until it is gone. Raises `StillThere`.

        It has no row of its own: the resource's row stays unsettled until it is gone, so a successor looks again.
        """
        if (going := await self.begin_to_delete(live)) is not None:
            await self._until_gone(resource, live, going)

    async def begin_to_delete(self, live: Manifest) -> Manifest | None:
        """Send the deletion of what a controller made, unless it is going; None: look again. Raises `StillThere`."""
        ref = ObjectRef.of(live)
        self._journal.lease.check()
        if terminating(live):
            return live
        try:
            return await self._send(self._cluster, ref, live["metadata"]) or live
        except (NotFound, Conflict, Unanswered):
            return None
        except (Forbidden, Invalid) as error:
            raise StillThere(ref, error.message) from error


def _lets_its_pods_go(live: Manifest) -> bool:
    """Whether somebody deleted it so that its Pods stay: a deletion in the background takes that back."""
    return kind_of(kind_name(live)).controller is not None and _ORPHAN in (live["metadata"].get("finalizers") or ())


def _waiting_for(live: Manifest | None, left: Sequence[Manifest]) -> str:
    """Why an object is not gone yet: its finalizers, and what is left of it: its Pods, or else what makes these."""
    pods = [obj for obj in left if obj["kind"] == "Pod"] or list(left)
    finalizers = live["metadata"].get("finalizers") or () if live is not None else ()
    waits = [name for name in finalizers if not (pods and name == _FOREGROUND)]
    waits += [named(obj) for obj in pods[:_NAMED]]
    waits += [f"{len(pods) - _NAMED} more {pods[0]['kind']}s"] if len(pods) > _NAMED else []
    return f"is being deleted; waits for {', '.join(waits)}" if waits else "is being deleted"
