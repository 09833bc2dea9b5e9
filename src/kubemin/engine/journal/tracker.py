"""`CleanupTracker`: the only way in which a job touches the cluster.

What a job does to an object, it does by a method of its tracker. There are two kinds:

* `create`, `change`, `replace` and `take_over` **send** a request: they commit that it is about to be sent, send it to
  its end, whatever is cancelled meanwhile, and record the answer.
* `mark_resource_created`, `mark_resource_changed`, `mark_resource_settled`, `mark_resource_observed` and
  `mark_namespace_content` **record** what is known of an object, and send nothing. The first two are called by the
  methods that send.

Whoever writes a new kind of job is given rollback, takeover and lost answers by them. `current_tracker`,
`mark_resource_created`, `mark_resource_observed` and `clean` are its words, as they were in the system before this one:

    async def run_lock_job(manifest: Manifest) -> None:
        tracker, ref = current_tracker(), ObjectRef.of(manifest)
        live = await get_or_none(tracker.cluster, ref)
        if live is None:
            await tracker.create(manifest, {})  # recorded as created by this job: a cleanup deletes it
        else:
            await tracker.mark_resource_observed(ref, live["metadata"]["uid"])  # a cleanup leaves it alone
            await tracker.change(manifest, live, {})  # recorded as changed by this job: a cleanup puts it back

`ObjectWriter` in ``engine/deploy/write.py`` is the whole of it, with everything that can come between.
"""

import copy
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError, Unanswered, Unreachable
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource, Write
from kubemin.engine.objects.managed_fields import restored_managed_fields
from kubemin.engine.objects.merge import restoration
from kubemin.engine.objects.ownership import application_of, is_strangers, token_of
from kubemin.shield import to_the_end
from kubemin.spec.labels import MANAGER, TASK_ID, WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import ResourceState, WriteKind
from kubemin.spec.write_answer import WriteAnswer
from kubemin.store.journal import TokenOwner

Send = Callable[[Manifest], Awaitable[Manifest]]
"""Sends a manifest and returns the server's answer; raises `ClusterError`."""

Clean = Callable[[int], Awaitable[list[Resource]]]
"""Rolls back what one job did; returns what is left."""


class CleanupTracker:
    """Records what one job does to the cluster, and undoes it on `clean`."""

    def __init__(
        self,
        journal: Journal,
        cluster: Cluster,
        job_seq: int,
        clean: Clean,
        priority: int | None = None,
        *,
        acting: Cluster | None = None,
    ) -> None:
        """``priority``: the place of the job's object in the order, where that is not its kind's.

        ``acting``: the cluster as whoever asked for the task has it; what goes forward is sent by it. What became of
        that is looked up, and undone, by ``cluster``.
        """
        self.cluster = cluster
        self.acting = acting or cluster
        self._journal = journal
        self._job_seq = job_seq
        self._clean = clean
        self._priority = priority

    def resource(self, ref: ObjectRef) -> Resource:
        """The journal's row of an object in this job; a fresh one, in state ``intent``, if there is none yet."""
        row = self._journal.of(ref, self._job_seq)
        if not row.seq:
            row.priority = self._priority
        return row

    def sent(self, write: Write) -> bool:
        """Whether the request is this job's, and not an earlier one's that wrote the same object."""
        return write.job_seq == self._job_seq

    def wrote(self, ref: ObjectRef) -> bool:
        """Whether a job of this task, this one or another, has written the object, or may have."""
        return self._journal.wrote(ref)

    async def left_behind(self, live: Manifest) -> TokenOwner | None:
        """Whose leftover the object is: of a task that did not complete, or of a request that landed late."""
        return await self._journal.left_behind(live)

    async def completed_since(self, leftover: TokenOwner) -> bool:
        """Whether a task completed with an object of the leftover's name since the leftover's task first wrote it."""
        return await self._journal.completed_since(leftover)

    async def create(self, manifest: Manifest, dependents: dict[str, list[str]]) -> Manifest:
        """Create an object that was not there (POST). From the first commit on it counts as ours to remove.

        ``dependents`` are the uids, by kind, of what a controller might make for it and that is there already.
        Raises `ClusterError`: `AlreadyExists` where somebody was first.
        """
        resource = self.resource(ObjectRef.of(manifest))
        resource.before, resource.adopted, resource.dependents = None, None, dependents
        changed = ("before", "adopted", "dependents")
        write = await self._journal.write_ahead(resource, WriteKind.CREATE, None, *changed, job_seq=self._job_seq)
        stamped = _stamp(manifest, write, self._journal.lease.task_id)
        return await to_the_end(self._send(resource, write, self.acting.create, stamped))

    async def change(self, manifest: Manifest, live: Manifest, dependents: dict[str, list[str]]) -> Manifest:
        """Change the object that ``live`` shows, and no other (server-side apply with its uid and version).

        Raises `ClusterError`: `Conflict` where it is another by now.
        """
        return await self._change(WriteKind.APPLY, manifest, live, dependents)

    async def replace(self, body: Manifest, live: Manifest, dependents: dict[str, list[str]]) -> Manifest:
        """Replace the object that ``live`` shows by ``body`` (PUT with its uid and version), as `change` does.

        For what an apply cannot do: take away what others set. What it will have taken away is recorded ahead: were the
        answer lost, the object would not tell who did it. Raises `ClusterError`: `Conflict` where it is another by now.
        """
        return await self._change(WriteKind.REPLACE, body, live, dependents)

    async def _change(
        self, kind: WriteKind, manifest: Manifest, live: Manifest, dependents: dict[str, list[str]]
    ) -> Manifest:
        resource, meta = self.resource(ObjectRef.of(manifest)), live["metadata"]
        version = meta["resourceVersion"]
        ours = resource.writes.get(token_of(live) or "")
        if ours is None and not self._pending_change(resource, version):
            resource.before, resource.applied, resource.dependents = live, None, dependents
            resource.adopted = await self._adopts(live, manifest)
        elif ours is not None and resource.before is not None:  # of an earlier job, or the PUT of this one
            applied = resource.view_of(live) if ours.open or resource.applied is None else resource.applied
            resource.before, resource.applied = _without_this_task(resource.before, applied, live), live
        if kind is WriteKind.REPLACE:
            resource.applied = manifest
        resource.uid = meta["uid"]
        changed = ("before", "applied", "adopted", "dependents", "uid")
        write = await self._journal.write_ahead(resource, kind, version, *changed, job_seq=self._job_seq)
        stamped = _stamp(manifest, write, (meta.get("labels") or {}).get(TASK_ID))
        stamped["metadata"] |= {"uid": meta["uid"], "resourceVersion": version}
        send = self.acting.apply if kind is WriteKind.APPLY else self.acting.replace
        return await to_the_end(self._send(resource, write, send, stamped))

    async def _adopts(self, live: Manifest, manifest: Manifest) -> bool | None:
        """Whether an object that is there is a stranger's; None where it is one that another application shares."""
        owner = application_of(live)
        if not is_strangers(live, manifest):
            return False
        return None if owner is not None and await self._journal.knows_application(owner) else True

    async def take_over(self, manifest: Manifest, live: Manifest, dependents: dict[str, list[str]]) -> Manifest:
        """Take over another task's leftover: it is no ``before``, from here on it counts as created by this job.

        Raises `ClusterError`: `Conflict` where it is another object by now.
        """
        resource, meta = self.resource(ObjectRef.of(manifest)), live["metadata"]
        version = meta["resourceVersion"]
        resource.before, resource.adopted, resource.dependents, resource.uid = None, None, dependents, meta["uid"]
        changed = ("before", "adopted", "dependents", "uid")
        write = await self._journal.write_ahead(resource, WriteKind.CREATE, version, *changed, job_seq=self._job_seq)
        stamped = _stamp(manifest, write, self._journal.lease.task_id)
        stamped["metadata"] |= {"uid": meta["uid"], "resourceVersion": version}
        return await to_the_end(self._send(resource, write, self.acting.apply, stamped))

    async def mark_resource_created(self, live: Manifest, write: Write, *, seen: bool = False) -> None:
        """Record that a request of ours made the object, which is ``live`` now: a cleanup deletes it.

        ``seen``: the request had no answer, the object shows its token.
        """
        self._landed(live, write, ResourceState.CREATED, seen=seen)

    async def mark_resource_changed(self, live: Manifest, write: Write, *, seen: bool = False) -> None:
        """Record that a request of ours changed the object, which is ``live`` now: a cleanup puts it back.

        ``seen``: the request had no answer, the object shows its token. Others may have written it since.
        """
        resource = self.resource(ObjectRef.of(live))
        resource.applied = resource.view_of(live) if seen else live
        made = resource.before is None  # by an earlier job of the task: a cleanup deletes it still
        self._landed(live, write, ResourceState.CREATED if made else ResourceState.CHANGED, seen=seen)

    async def mark_resource_settled(self, live: Manifest, write: Write) -> None:
        """Record that an unanswered request of ours has landed, as the object shows."""
        mark = self.mark_resource_created if write.kind is WriteKind.CREATE else self.mark_resource_changed
        await mark(live, write, seen=True)

    async def mark_resource_observed(self, ref: ObjectRef, uid: str, why: str = "", *, own: bool = False) -> None:
        """Record that the object was there before us: a cleanup never removes it. ``why`` is for people.

        ``own``: it is the application's, and this job leaves it as it is.
        """
        resource = self.resource(ref)
        resource.uid = uid
        if own:
            resource.adopted = False
        self._journal.settle(resource, ResourceState.OBSERVED, why, "uid", "adopted")

    async def mark_namespace_content(self, ref: ObjectRef, content: dict[str, list[str]]) -> None:
        """Record the uids of what was in a new Namespace from the first (design R10)."""
        resource = self.resource(ref)
        resource.dependents = content
        self._journal.settle(resource, resource.state, resource.why, "dependents")

    async def clean(self) -> list[Resource]:
        """Undo what this job did; returns what could not be undone yet. Idempotent; a missing object is success."""
        return await self._clean(self._job_seq)

    async def _send(self, resource: Resource, write: Write, send: Send, manifest: Manifest) -> Manifest:
        try:
            live = await send(manifest)
        except Unanswered:
            raise  # the request stays open: only a look at the object can tell whether it landed
        except Unreachable:
            self._journal.answer(resource, write, WriteAnswer.unsent())
            raise
        except ClusterError as error:
            self._journal.answer(resource, write, WriteAnswer.refused(error.status))
            raise
        if write.kind is WriteKind.CREATE:
            await self.mark_resource_created(live, write)
        else:
            await self.mark_resource_changed(live, write)
        return live

    def _landed(self, live: Manifest, write: Write, state: ResourceState, *, seen: bool) -> None:
        resource, meta = self.resource(ObjectRef.of(live)), live["metadata"]
        resource.state, resource.uid = state, meta["uid"]
        if state is ResourceState.CREATED:
            resource.made_at = meta["creationTimestamp"]
        version = meta["resourceVersion"]
        answer = WriteAnswer.seen(version) if seen else WriteAnswer.done(version)
        self._journal.answer(resource, write, answer, "state", "uid", "applied", "made_at")

    @staticmethod
    def _pending_change(resource: Resource, version: str) -> bool:
        """Whether an earlier change, on this same version, may still land: then its ``before`` stands."""
        return resource.before is not None and any(
            write.kind in (WriteKind.APPLY, WriteKind.REPLACE) and write.open and write.base_version == version
            for write in resource.writes.values()
        )


_current: ContextVar[CleanupTracker] = ContextVar("cleanup_tracker")


def current_tracker() -> CleanupTracker:
    """The tracker of the running job. Raises `LookupError` outside a job."""
    return _current.get()


@contextmanager
def with_cleanup_tracker(tracker: CleanupTracker) -> Iterator[CleanupTracker]:
    """Bind a job's tracker to the running context."""
    token = _current.set(tracker)
    try:
        yield tracker
    finally:
        _current.reset(token)


def _stamp(manifest: Manifest, write: Write, task_id: str | None) -> Manifest:
    """The manifest with the token of the request, and the label of the task that the object is there for."""
    metadata = copy.copy(manifest["metadata"])
    metadata["annotations"] = {**metadata.get("annotations", {}), WRITE_TOKEN: write.token}
    if task_id:
        metadata["labels"] = {**metadata.get("labels", {}), TASK_ID: task_id}
    return {**manifest, "metadata": metadata}


def _without_this_task(before: Manifest, applied: Manifest, live: Manifest) -> Manifest:
    """What the object would be had no earlier request of this task written it; what others changed since is in it.

    It is the ``before`` of the next change: what others did between two requests would otherwise count as done by us.
    Its status stays that of before the task: so far it is rolled out again before its rollback is done.
    """
    body = restoration(before, applied, live).body
    owners = restored_managed_fields(before, applied, live, MANAGER)
    metadata = {**body["metadata"], "managedFields": owners}
    return {**body, "metadata": metadata, "status": before.get("status", {})}
