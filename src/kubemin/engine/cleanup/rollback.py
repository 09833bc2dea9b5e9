"""Rollback from the journal (design R4, R5, R8).

Each object is read, and the write token on it decides: one of a create of ours means delete, one of a change of ours
means put back, none means that it is as others want it.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from functools import partial

from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.engine.backoff import Backoff
from kubemin.engine.cleanup.deletion import Deleter
from kubemin.engine.cleanup.dependents import Dependents
from kubemin.engine.cleanup.holders import held_for_others
from kubemin.engine.cleanup.one_pass import Later, backwards, forwards, one_pass
from kubemin.engine.cleanup.readable import check_readable
from kubemin.engine.cleanup.readers import Readers
from kubemin.engine.cleanup.release import Releaser
from kubemin.engine.cleanup.restore import Restorer, kept_by_others, put_back_state
from kubemin.engine.errors import InUse, OutOfTurn, StillThere
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource, Write
from kubemin.engine.objects.claims import PVC, other_user_of
from kubemin.engine.objects.descendants import Owner
from kubemin.engine.objects.lists import Lists
from kubemin.engine.objects.live import Snapshot, get_many, get_or_none
from kubemin.engine.objects.managed_fields import writers_since
from kubemin.engine.objects.merge import restoration
from kubemin.engine.objects.namespace_content import CONTENT, HOLDERS, is_held_by
from kubemin.engine.objects.ownership import terminating, token_of
from kubemin.engine.objects.readers import READ
from kubemin.spec.kinds import DEFINITION
from kubemin.spec.labels import APP_ID, FENCE, MANAGER, NAME, TRACK
from kubemin.spec.objects import Manifest
from kubemin.spec.states import Purpose, ResourceState, WriteKind
from kubemin.spec.write_answer import WriteAnswer

_SERVES = 0.25
"""Part of a pass's time in which what serves beside a workload waits for that one's Pods."""


class Rollback:
    """One pass over a task's journal. A pass can be cut at any point and done again (R8)."""

    def __init__(
        self,
        journal: Journal,
        cluster: Cluster,
        manifests: Mapping[int, Manifest],
        *,
        restore: bool = True,
        informers: Informers | None = None,
        app_id: str | None = None,
    ) -> None:
        """``manifests`` by job; without ``restore`` changed objects stay as they are; ``informers`` only save reads.

        ``app_id``: the application's, where no manifest says it.
        """
        self._journal = journal
        self._own_app_id = app_id
        self._cluster = cluster
        self._manifests = manifests
        self._restore = restore
        lists = Lists(cluster)
        self._deleter = Deleter(journal, cluster, lists, informers)
        self._dependents = Dependents(journal, cluster, self._deleter, lists, informers)
        self._restorer = Restorer(journal, cluster)
        self._releaser = Releaser(journal, cluster, self._app_id() or "")
        self._readers = self._make_readers(())
        self._live: Snapshot = {}
        self._rows: Sequence[Resource] = ()
        self._serves_until = 0.0

    async def run(self, resources: Sequence[Resource], seconds: float) -> list[Resource]:
        """Undo these within ``seconds``; returns what is left. See `one_pass` for the errors."""
        self._readers = self._make_readers(resources)
        self._rows, self._serves_until = resources, asyncio.get_running_loop().time() + _SERVES * seconds
        return await one_pass(self._journal, resources, self._undo, seconds, prepare=self._get_many, order=_turns)

    async def run_late(self, resources: Sequence[Resource], seconds: float) -> list[Resource]:
        """Of a completed task: delete what its late requests made; returns what is left. See `one_pass`."""
        return await one_pass(self._journal, resources, self._undo_late, seconds, prepare=self._get_many)

    def _make_readers(self, resources: Sequence[Resource]) -> Readers:
        return Readers(self._journal, self._cluster, self._deleter, self._app_id(), resources)

    def _app_id(self) -> str | None:
        found = (manifest["metadata"].get("labels", {}).get(APP_ID) for manifest in self._manifests.values())
        return next((one for one in found if one is not None), self._own_app_id)

    async def _get_many(self, resources: Sequence[Resource]) -> None:
        """Read many objects by one request a kind, instead of one by one.

        What it shows may be old by the time that it is used. That does no harm: each write carries its version.
        """
        if app_id := self._app_id():
            self._live = await get_many(self._cluster, (one.ref for one in resources if one.touched), app_id)

    async def _get(self, resource: Resource) -> Manifest | None:
        live = self._live.pop(resource.ref, None)
        if live is not None and token_of(live) in resource.writes:
            return live
        return await get_or_none(self._cluster, resource.ref)

    async def _undo_late(self, resource: Resource) -> Later | None:
        """Delete an object that carries the token of a create of ours, and is not the one that the journal knows."""
        backoff = Backoff()
        while True:
            live = await self._get(resource)
            write = resource.writes.get(token_of(live) or "") if live else None
            if live is None and resource.letting_go:  # a worker may have died while it waited: for which is not known
                await self._until_nothing_is_left(resource, None)
            if live is None or write is None or write.kind is not WriteKind.CREATE or self._known(resource, live):
                return None
            if resource.ref.kind in HOLDERS and await held_for_others(self._journal, self._cluster, resource.ref, ()):
                # It would take along what others, or this very task, have put into it.
                if await self._restorer.may_stay(resource, live):
                    return None
            elif await self._deleter.delete(resource, live):
                manifest = self._manifest_of(resource, live)
                return partial(self._remove_late_dependents, resource, manifest, live)
            await backoff.pause()

    async def _remove_late_dependents(self, resource: Resource, manifest: Manifest, deleted: Manifest) -> None:
        """Remove only what came after the late object; the row says what is kept of what came since its first write."""
        if kept := await self._dependents.remove(resource, manifest, deleted):
            self._journal.settle(resource, resource.state, kept)

    @staticmethod
    def _known(resource: Resource, live: Manifest) -> bool:
        return bool(resource.uid == live["metadata"]["uid"])

    async def _undo(self, resource: Resource) -> Later | None:
        if not resource.touched:
            if resource.state is ResourceState.INTENT:
                self._journal.settle(resource, ResourceState.DELETED, "nothing was written")
            return None
        check_readable(resource, "dependents")
        await self._wait_for_pods(resource)
        backoff = Backoff()
        while True:
            live = await self._get(resource)
            if live is None:
                return await self._absent(resource)
            write = resource.writes.get(token_of(live) or "")
            if FENCE in (live["metadata"].get("annotations") or {}):
                await self._restorer.take_off_fence(resource, live)
            elif write is None and _may_land(resource, live):
                await self._restorer.move_version(resource, live)
            elif write is None:
                return await self._not_ours(resource, live)
            elif write.kind is WriteKind.CREATE and resource.was_there:
                # What is there now was made by a create of ours without an answer; what was there before it has gone.
                # So this is a deletion, and those come after what is put back.
                resource.before = None  # committed with the write of the DELETE
                resource.unreadable.pop("before", None)
                raise OutOfTurn
            elif write.kind is WriteKind.CREATE or self._made(resource, live):
                deleted = await self._deleted(resource, live, write)
                if deleted:
                    return await self._finish(resource, ResourceState.DELETED, deleted=live)
                if deleted is None:
                    return None
            elif not self._restore:
                self._journal.settle(resource, ResourceState.KEPT, "changed by this task; restore is off")
                return None
            else:
                # Without the answer, the object tells what was written, but for what a replace has taken away.
                replaced = any(one.kind is WriteKind.REPLACE for one in resource.writes.values())
                check_readable(resource, "before", *(("applied",) if replaced else ()))
                await self._acknowledge(resource, live, write, ResourceState.CHANGED)
                if (outcome := await self._restorer.put_back(resource, live, write)) is not None:
                    return await self._finish(resource, *outcome, acted=True)
            await backoff.pause()

    async def _deleted(self, resource: Resource, live: Manifest, write: Write) -> bool | None:
        """Delete what the task made. None where it stays, as the row says then; False: read it again."""
        if (stays := await self._why_it_stays(resource, live)) is None:
            await self._acknowledge(resource, live, write, ResourceState.CREATED)
            try:
                return await self._deleter.delete(resource, live)
            except InUse as error:
                if not (passed := await self._releaser.pass_on(resource, error.users)):
                    return False
                self._journal.settle(resource, ResourceState.KEPT, passed)
                return None
        if not await self._restorer.may_stay(resource, live):
            return False
        self._journal.settle(resource, ResourceState.KEPT, stays)
        return None

    async def _wait_for_pods(self, resource: Resource) -> None:
        """What a strategy has serve beside a workload does so until that has the Pods again that it had.

        So a client gets an answer all the time, also where a workload's old Pods go before new ones come. It waits a
        part of the pass's time at most.
        """
        manifest = self._manifests.get(resource.job_seq, {})
        if not _serves_beside(manifest):
            return
        component = _component(manifest)
        workloads = [
            row
            for row in self._rows
            if row.ref.kind == "Deployment" and row.before is not None and row.ref.namespace == resource.ref.namespace
            if _component(self._manifests.get(row.job_seq, {})) == component
        ]
        backoff = Backoff()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._serves_until):
                while not all(row.state.settled for row in workloads):
                    await backoff.pause()

    async def _acknowledge(self, resource: Resource, live: Manifest, write: Write, state: ResourceState) -> None:
        """Commit that a request of ours has landed, before it is undone.

        Who undoes it may die before all of it is removed. By then the object shows nothing any more: a successor goes
        by the row.
        """
        unanswered = write.open
        if unanswered:
            self._journal.answer(resource, write, WriteAnswer.seen(live["metadata"]["resourceVersion"]))
        if unanswered or resource.state is not state or not self._known(resource, live):
            resource.uid = live["metadata"]["uid"]
            if state is ResourceState.CREATED:
                resource.made_at = live["metadata"]["creationTimestamp"]
            if state is ResourceState.CHANGED and (unanswered or resource.applied is None):
                resource.applied = resource.view_of(live)
            self._journal.settle(resource, state, "", "uid", "applied", "made_at")
        await self._journal.flush()

    @staticmethod
    def _made(resource: Resource, live: Manifest) -> bool:
        return not resource.was_there and Rollback._known(resource, live)

    async def _why_it_stays(self, resource: Resource, live: Manifest) -> str | None:
        """Why an object of ours is not deleted, as others would lose something with it. Raises `StillThere`."""
        if resource.ref.kind == PVC and not terminating(live):
            user = await other_user_of(self._cluster, resource.ref, self._app_id())
            return f"holds data, and {user} uses it: kept" if user else None
        return await self._held_by(resource, live) if resource.ref.kind in HOLDERS else None

    async def _held_by(self, holder: Resource, live: Manifest) -> str | None:
        """What a Namespace or a definition of ours holds of others (R10), if anything. Raises `StillThere`."""
        if any(
            is_held_by(row.ref, holder.ref, live)
            and row.purpose is Purpose.APPLY
            and row.touched
            and not row.state.settled
            for row in self._journal.resources.values()
        ):
            raise StillThere(holder.ref, "waits for what the task made in it")
        known = holder.dependents.get(CONTENT, ())
        found = await held_for_others(self._journal, self._cluster, holder.ref, known)
        return f"it holds what is not ours: {', '.join(found)}" if found else None

    def _manifest_of(self, resource: Resource, live: Manifest | None = None) -> Manifest:
        """The manifest of the row's job; where the plan cannot be read, what is known of the object itself."""
        return self._manifests.get(resource.job_seq) or live or resource.applied or resource.before or {}

    async def _until_nothing_is_left(self, resource: Resource, uid: str | None) -> None:
        """Wait for what controllers made of an object that is gone: who deleted it may have died while it waited."""
        view = resource.applied or self._manifest_of(resource)
        await self._deleter.until_nothing_is_left(resource, Owner(resource.ref, uid, view))

    async def _absent(self, resource: Resource) -> Later | None:
        if resource.state.settled:
            return None
        if resource.was_there:
            why = "somebody deleted it; it is not made again"
            if resource.state is ResourceState.CHANGED:
                return await self._finish(resource, ResourceState.LOST, why)
            self._journal.settle(resource, ResourceState.LOST, why)
        elif resource.state is ResourceState.CREATED:
            await self._until_nothing_is_left(resource, resource.uid)
            return await self._finish(resource, ResourceState.DELETED)
        else:
            self._journal.settle(resource, ResourceState.DELETED, "it is not there")
        return None

    async def _not_ours(self, resource: Resource, live: Manifest) -> Later | None:
        """No token of ours is on the object and none can come: it is as others want it."""
        before, applied = resource.before, resource.applied
        if resource.state in (ResourceState.RESTORED, ResourceState.UNCHANGED, ResourceState.DELETED):
            return None
        if resource.was_there and resource.state is ResourceState.CHANGED:
            check_readable(resource, "before")
        if before is not None and resource.state is ResourceState.CHANGED:
            undone = restoration(before, applied or live, live)
            if not undone.changed:  # it is put back, and whoever did it died, or got no answer, before it was recorded
                state = put_back_state(before, applied or before, kept=bool(undone.kept))
                writers = writers_since(applied or live, live, MANAGER)
                return await self._finish(resource, state, kept_by_others(undone.kept, writers))
            await self._leave(resource, ResourceState.KEPT, "somebody else wrote it after this task")
        elif resource.state is ResourceState.CREATED and not self._known(resource, live):
            await self._until_nothing_is_left(resource, resource.uid)
            await self._leave(resource, ResourceState.DELETED, "another object of this name is there now")
        elif resource.state in (ResourceState.CREATED, ResourceState.INTENT) and not resource.was_there:
            await self._leave(resource, ResourceState.KEPT, "it does not carry this task's write token")
        elif resource.state is ResourceState.OBSERVED:
            await self._leave(resource, ResourceState.OBSERVED)
        elif resource.state in (ResourceState.KEPT, ResourceState.LOST):
            await self._leave(resource, resource.state, resource.why)
        else:
            await self._leave(resource, ResourceState.UNCHANGED, "this task did not change it")
        return None

    async def _finish(
        self,
        resource: Resource,
        state: ResourceState,
        why: str = "",
        *,
        deleted: Manifest | None = None,
        acted: bool = False,
    ) -> Later | None:
        """Settle a row once nothing is left of it. Until then a successor does this again; afterwards nobody does.

        Left may be what controllers made of the object (``deleted`` by us a moment ago, or put back: ``acted``), and
        Pods that have read what it held.
        """

        async def remove_dependents() -> None:
            kept = await self._dependents.remove(resource, self._manifest_of(resource, deleted), deleted)
            self._journal.settle(resource, state, "; ".join(filter(None, (why, kept))))

        async def replace_readers() -> None:
            left = await self._readers.replace(resource, gone=state is ResourceState.DELETED)
            resource.dependents = {}
            settled = ResourceState.KEPT if left and state is ResourceState.RESTORED else state
            self._journal.settle(resource, settled, "; ".join(filter(None, (why, left))), "dependents")

        if resource.ref.kind in READ:
            undone = state is not ResourceState.LOST  # what somebody deleted nobody could read anew
            if undone and await self._readers.look(resource, anew=acted or deleted is not None):
                return replace_readers
        elif resource.dependents:
            return remove_dependents
        self._journal.settle(resource, state, why)
        return None

    async def _leave(self, resource: Resource, state: ResourceState, why: str = "") -> None:
        await self._dependents.take_off_marks(resource, self._manifest_of(resource))
        self._journal.settle(resource, state, why)


def _turns(rows: Sequence[Resource]) -> list[list[Resource]]:
    """First what is put back, in the order of the deploy, then what is deleted, in reverse.

    A Pod reads its environment when it starts, and its owner may start one as soon as it is put back: by then the
    values have to be the old ones. And what is deleted may still be read by what was not put back yet. Services come
    after the workloads, which they may have to wait for. Definitions come last of what is put back: until then
    an object is served in the version in which the task has written it.

    What is put back has a ``before``: that is committed with each apply to an object that others made, so an apply
    without an answer counts, also where a create without an answer came first. What the task created, or took over as
    created, has none. Where the live object shows otherwise, `_undo` raises `OutOfTurn`.
    """
    put_back = [row for row in rows if row.was_there]
    services = [row for row in put_back if row.ref.kind == "Service"]
    definitions = [row for row in put_back if row.ref.kind == DEFINITION]
    others = [row for row in put_back if row.ref.kind not in ("Service", DEFINITION)]
    return (
        forwards(others)
        + forwards(services)
        + forwards(definitions)
        + backwards([row for row in rows if not row.was_there])
    )


def _serves_beside(manifest: Manifest) -> bool:
    """Whether an object is there only while Pods are replaced, or is a Service that is switched to such Pods."""
    labels = manifest.get("metadata", {}).get("labels", {})
    return TRACK in labels or (manifest.get("kind") == "Service" and TRACK in manifest["spec"].get("selector", {}))


def _component(manifest: Manifest) -> str:
    return str(manifest.get("metadata", {}).get("labels", {}).get(NAME, ""))


def _may_land(resource: Resource, live: Manifest) -> bool:
    """Whether a request of ours without an answer is based on this very version: it may still be under way."""
    version = live["metadata"]["resourceVersion"]
    return any(
        write.kind is not WriteKind.DELETE and write.open and write.base_version == version
        for write in resource.writes.values()
    )
