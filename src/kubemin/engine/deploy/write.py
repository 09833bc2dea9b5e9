"""Bring one object to what its manifest says (design R2, R3): create it, or change the one that is there."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from kubemin.cluster import Cluster
from kubemin.cluster.errors import (
    AlreadyExists,
    ClusterError,
    Conflict,
    Invalid,
    LostVersion,
    NamespaceTerminating,
    NotFound,
    Terminating,
    Unreachable,
)
from kubemin.cluster.reasons import code_of
from kubemin.engine.backoff import PATIENCE, Backoff
from kubemin.engine.deploy.adoption import Admit, left_as_it_is
from kubemin.engine.deploy.merged import remains, replacement
from kubemin.engine.deploy.replicas import Autoscalers
from kubemin.engine.errors import JobFailed
from kubemin.engine.journal.tracker import CleanupTracker
from kubemin.engine.objects.bindings import lacking_role
from kubemin.engine.objects.claims import PVC
from kubemin.engine.objects.dependents import dependents, uids_of_dependents
from kubemin.engine.objects.immutable import with_advice
from kubemin.engine.objects.lists import Lister
from kubemin.engine.objects.live import Snapshot, get_or_none, until_gone
from kubemin.engine.objects.lost_versions import lost_versions
from kubemin.engine.objects.ownership import convert_create_to_apply, terminating, token_of
from kubemin.engine.objects.undeclared import send_declared
from kubemin.shield import to_the_end
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import ResourceState, WriteKind
from kubemin.store.journal import TokenOwner

UNCHANGED = "no change"
"""What is said of an object that is not written, as it is what its manifest says."""


Look = Callable[[Manifest], Awaitable[list[str] | None]]
"""Takes the object that is there. Returns None where a write may change it; else, for people, where it is otherwise
than the manifest."""


MakeRoom = Callable[[Manifest], Awaitable[None]]
"""Takes the object that is there, and deletes it."""


async def _never(_: Manifest) -> None:
    """Whatever is there is written."""


@dataclass
class ObjectWriter:
    """One job's write. ``run`` returns the object as the server has it, created or changed by this job."""

    tracker: CleanupTracker
    manifest: Manifest
    report: Callable[[str], None]
    """Takes, for people, why it is not done yet."""
    admit: Admit
    """Decides about an object that is there already."""
    autoscalers: Autoscalers
    snapshot: Snapshot = field(default_factory=dict)
    """What is known of the object already. It may be old: each write carries the version that it is based on."""
    lists: Lister | None = None
    """LISTs that it shares with other jobs; None: it makes its own."""
    take_over: bool = False
    """Whether what others have set in the object goes."""
    only_if_absent: bool = False
    """Whether an object that is there is left as it is, whoever made it."""
    unchanged: Look = _never
    make_room: MakeRoom | None = None
    """Given where the object is to be made anew: deletes the application's own of its name, that of a former run."""
    last_seen: Callable[[ObjectRef], Manifest | None] = lambda _: None
    """The object as a watch has shown it last; None where none has."""
    said: str = ""
    """For people, once it is done: that nothing was written, where so."""
    warnings: list[str] = field(default_factory=list)
    """For people, once it is written: what is otherwise than in the manifest."""

    @property
    def cluster(self) -> Cluster:
        """The cluster that the tracker writes to."""
        return self.tracker.cluster

    @property
    def _lists(self) -> Lister:
        return self.lists or self.cluster

    async def run(self) -> Manifest:
        """Create or change the object, until the server has answered or it is hopeless; then `warnings` are known.

        What a write would not change is not written. That is decided from a look of this very turn.

        Raises `JobFailed` where trying again cannot help, and `IsThere`. Requests without an answer are
        resolved by looking.
        """
        written = await self._written(ObjectRef.of(self.manifest))
        if not self.said:
            self.warnings += remains(self.manifest, written)
        return written

    async def _written(self, ref: ObjectRef) -> Manifest:
        backoff = Backoff()
        patience = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                live = await self._live(ref)
                if live is None:
                    return await self._create(ref)
                if terminating(live):
                    self.report("waits until the former object of this name is gone")
                    await until_gone(self.cluster, ref, live["metadata"]["uid"])
                    continue
                if (done := await self._ours(live)) is not None:
                    return done
                if self.make_room is not None and not await self.admit(live):
                    self.report("waits until that of the former run is gone")
                    await self.make_room(live)
                    continue
                if (said := await self._as_wanted(ref, live)) is not None:
                    await self.tracker.mark_resource_observed(ref, live["metadata"]["uid"], UNCHANGED, own=True)
                    self.said, self.warnings = UNCHANGED, said
                    return live
                return await self._change(ref, live)
            except (AlreadyExists, Terminating, Conflict):
                await backoff.pause()
            except NamespaceTerminating as error:
                raise JobFailed(
                    f"namespace {ref.namespace!r} is being deleted: {error.message}", ReasonCode.NAMESPACE
                ) from error
            except ClusterError as error:
                late = asyncio.get_running_loop().time() > patience
                waits_for_role = self._waits_for_role(error)
                if not error.retryable and (late or not waits_for_role):
                    raise JobFailed(with_advice(ref, error), code_of(error)) from error
                if isinstance(error, Unreachable) and late:
                    raise JobFailed(f"the cluster cannot be reached: {error.message}", code_of(error)) from error
                self.report(
                    f"waits until the cluster knows its role: {error.message}" if waits_for_role else error.message
                )
                await backoff.pause(error)

    async def _live(self, ref: ObjectRef) -> Manifest | None:
        """The object as the snapshot has it, the first time; then as it is now.

        A write carries the version that it is based on, so an old snapshot does it no harm. To write nothing is decided
        from what is there now: as the watch shows it, where that is what the snapshot has, else from a look.
        What was read in another version, as the definition had not come yet, is read once more.
        """
        known = ref in self.snapshot
        live = self.snapshot.pop(ref, None)
        if live is not None and live["apiVersion"] != self.manifest["apiVersion"]:
            known = False
        if known and not self.tracker.resource(ref).writes:  # else: see what became of the requests that were sent
            if live is None or await self._as_wanted(ref, live) is None:
                return live
            seen = self.last_seen(ref)
            if seen is not None and seen["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]:
                return live
        return await get_or_none(self.cluster, ref)

    async def _as_wanted(self, ref: ObjectRef, live: Manifest) -> list[str] | None:
        """None where the object is to be written. It is, too, once a request of this task was sent about it."""
        if self.only_if_absent or self.tracker.resource(ref).writes:
            return None
        return await self.unchanged(live)

    async def _create(self, ref: ObjectRef) -> Manifest:
        """Create an object that was not there. Raises `AlreadyExists` also where only a look shows that it is there.

        The API server asks admission, policies and quotas before it looks for an object of that name: a refusal says
        that nothing may be created, and not that nothing is there (trap 30).
        """
        try:
            return await self.tracker.create(self.manifest, await uids_of_dependents(self._lists, self.manifest, None))
        except (AlreadyExists, NamespaceTerminating):
            raise
        except ClusterError as error:
            if not error.retryable and await get_or_none(self.cluster, ref) is not None:
                raise AlreadyExists(error.message, status=error.status, reason=error.reason) from error
            raise

    def _waits_for_role(self, error: ClusterError) -> bool:
        """Whether a binding is refused for a role that this task has written: the authorizer may not know it yet."""
        role = lacking_role(self.manifest, error)
        return role is not None and self.tracker.wrote(role)

    async def _ours(self, live: Manifest) -> Manifest | None:
        """The object, if it carries a token of this job: then an earlier request of ours has landed."""
        resource = self.tracker.resource(ObjectRef.of(live))
        write = resource.writes.get(token_of(live) or "")
        if write is None or not self.tracker.sent(write):
            return None
        if write.kind is WriteKind.REPLACE:
            if write.open:
                await self.tracker.mark_resource_settled(live, write)
            return None  # the apply is still to come
        if write.open or resource.state not in (ResourceState.CREATED, ResourceState.CHANGED):
            await self.tracker.mark_resource_settled(live, write)
        return live

    async def _change(self, ref: ObjectRef, live: Manifest) -> Manifest:
        leftover = await self.tracker.left_behind(live)
        if self.only_if_absent and leftover is None:
            raise left_as_it_is(self.manifest, live)
        managed = await self.admit(live)
        if leftover is None and not self.tracker.resource(ref).touched:  # else it may be ours, or an earlier job's
            why = f"adopted: {managed}" if managed else ""
            await self.tracker.mark_resource_observed(ref, live["metadata"]["uid"], why)
        try:
            wanted, left = await self.autoscalers.fitted(self.manifest, live)
            self.warnings = [left] if left else []
            if lost := await lost_versions(self.cluster, live):
                live = await self._owned(live, lost)
            if leftover is None:
                live = await self._take_away(wanted, live)
            live = await self._owned(live)
            if leftover is not None:
                before = await self._before(leftover, wanted, live)
                return await send_declared(wanted, lambda body: self.tracker.take_over(body, live, before))
            before = await uids_of_dependents(self._lists, wanted, live)
            return await send_declared(wanted, lambda body: self.tracker.change(body, live, before))
        except (Invalid, NotFound) as error:
            # What is looked at may be old: a JSON patch that does not match it any more is refused as invalid.
            # So may be what is known of its kind, which has lost a version since.
            now = await get_or_none(self.cluster, ref)
            old = now is None or now["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"]
            if old or (isinstance(error, LostVersion) and await lost_versions(self.cluster, live)):
                raise Conflict(error.message, status=error.status) from error
            raise

    async def _owned(self, live: Manifest, lost: Collection[str] = ()) -> Manifest:
        """The object, whose managedFields are such that an apply does what it is to do.

        This changes who owns the fields, and no field: a rollback need not know of it.
        """
        operations = convert_create_to_apply(live, lost)
        if operations is None:
            return live
        return await to_the_end(self.tracker.acting.patch(ObjectRef.of(live), operations))

    async def _before(self, leftover: TokenOwner, wanted: Manifest, live: Manifest) -> dict[str, list[str]]:
        """What controllers had made before the leftover, by kind.

        A task that completed since may have data in volume claims that were not there when the leftover's task began:
        of these only what is newer than the leftover came with it.
        """
        before = leftover.dependents or await uids_of_dependents(self._lists, wanted, None)
        if PVC not in before or not await self.tracker.completed_since(leftover):
            return before
        claims = await dependents(self.cluster, ObjectRef.of(live), wanted, None)
        made_at = live["metadata"]["creationTimestamp"]
        older = {one["metadata"]["uid"] for one in claims if one["metadata"]["creationTimestamp"] <= made_at}
        return {**before, PVC: sorted(older.union(before[PVC]))}

    async def _take_away(self, wanted: Manifest, live: Manifest) -> Manifest:
        """Take away what the apply would leave: what others have set, if that is asked for, and the numbers of a
        Deployment that rolls no more. Once, as a webhook may set it again.

        No apply does that: it takes fields from their owners, but a field that it does not declare stays. So the object
        is replaced by what it is to be; the apply that follows makes its fields ours.
        """
        resource = self.tracker.resource(ObjectRef.of(live))
        write = resource.writes.get(token_of(live) or "")
        if write is not None and write.kind is WriteKind.REPLACE:
            return live
        body = replacement(wanted, live, take_over=self.take_over)
        if body is None:
            return live
        return await self.tracker.replace(body, live, await uids_of_dependents(self._lists, wanted, live))
