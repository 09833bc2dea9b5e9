"""`CleanupTracker`: the only way in which a job touches the cluster.

A job that creates, changes or deletes an object hands the request to the tracker of the job, which commits the intent
and the request's claim, sends the request to its end, and commits the answer. Whoever writes a new kind of job uses
`current_tracker` and these methods, and gets rollback, takeover and lost answers for nothing.
"""

import copy
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError, Unanswered, Unreachable
from kubemin.engine.journal.journal import Journal, Resource, Write
from kubemin.engine.objects.ownership import applied_view, token_of
from kubemin.shield import to_the_end
from kubemin.spec.labels import TASK_ID, WRITE_TOKEN
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

    def __init__(self, journal: Journal, cluster: Cluster, job_seq: int, clean: Clean) -> None:
        self.cluster = cluster
        self._journal = journal
        self._job_seq = job_seq
        self._clean = clean

    def resource(self, ref: ObjectRef) -> Resource:
        """The journal's row of an object in this job; a fresh one, in state ``intent``, if there is none yet."""
        return self._journal.of(ref, self._job_seq)

    def wrote(self, ref: ObjectRef) -> bool:
        """Whether a job of this task, this one or another, has written the object, or may have."""
        return self._journal.wrote(ref)

    async def mark_resource_created(self, manifest: Manifest, dependents: dict[str, list[str]]) -> Manifest:
        """Create an object that was not there (POST). From the first commit on it counts as ours to remove.

        ``dependents`` are the uids, by kind, of what a controller might make for it and that is there already.
        Raises `ClusterError`: `AlreadyExists` where somebody was first.
        """
        ref = ObjectRef.of(manifest)
        resource = self.resource(ref)
        resource.before, resource.dependents = None, dependents
        write = await self._journal.write_ahead(resource, WriteKind.CREATE, None, "before", "dependents")
        stamped = _stamp(manifest, write)
        stamped["metadata"]["labels"] = {**stamped["metadata"].get("labels", {}), TASK_ID: self._journal.lease.task_id}
        return await to_the_end(self._send(resource, write, self.cluster.create, stamped, ResourceState.CREATED))

    async def mark_resource_changed(
        self, manifest: Manifest, live: Manifest, dependents: dict[str, list[str]]
    ) -> Manifest:
        """Change the object that ``live`` shows, and no other (server-side apply with its uid and version).

        Raises `ClusterError`: `Conflict` where it is another by now.
        """
        resource = self.resource(ObjectRef.of(manifest))
        version = live["metadata"]["resourceVersion"]
        if token_of(live) not in resource.writes and not self._pending_change(resource, version):
            resource.before, resource.dependents = live, dependents
        resource.uid = live["metadata"]["uid"]
        write = await self._journal.write_ahead(resource, WriteKind.APPLY, version, "before", "dependents", "uid")
        stamped = _stamp(manifest, write)
        stamped["metadata"] |= {"uid": live["metadata"]["uid"], "resourceVersion": version}
        if task_id := (live["metadata"].get("labels") or {}).get(TASK_ID):
            stamped["metadata"]["labels"] = {**stamped["metadata"].get("labels", {}), TASK_ID: task_id}
        return await to_the_end(self._send(resource, write, self.cluster.apply, stamped, ResourceState.CHANGED))

    async def left_behind(self, live: Manifest) -> TokenOwner | None:
        """Whose leftover the object is: of a task that did not complete, or of a request that landed late."""
        return await self._journal.left_behind(live)

    async def take_over(self, manifest: Manifest, live: Manifest, dependents: dict[str, list[str]]) -> Manifest:
        """Take over another task's leftover: it is no ``before``, from here on it counts as created by this job.

        Raises `ClusterError`: `Conflict` where it is another object by now.
        """
        resource = self.resource(ObjectRef.of(manifest))
        meta = live["metadata"]
        resource.before, resource.dependents, resource.uid = None, dependents, meta["uid"]
        write = await self._journal.write_ahead(
            resource, WriteKind.CREATE, meta["resourceVersion"], "before", "dependents", "uid"
        )
        stamped = _stamp(manifest, write)
        stamped["metadata"] |= {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
        stamped["metadata"]["labels"] = {**stamped["metadata"].get("labels", {}), TASK_ID: self._journal.lease.task_id}
        return await to_the_end(self._send(resource, write, self.cluster.apply, stamped, ResourceState.CREATED))

    async def mark_resource_observed(self, ref: ObjectRef, uid: str) -> None:
        """Record that the object was there before us: a cleanup never removes it."""
        resource = self.resource(ref)
        resource.uid = uid
        self._journal.settle(resource, ResourceState.OBSERVED, "", "uid")

    async def mark_content(self, ref: ObjectRef, content: dict[str, list[str]]) -> None:
        """Record the uids of what was in a new Namespace from the first (design R10)."""
        resource = self.resource(ref)
        resource.dependents = content
        self._journal.settle(resource, resource.state, resource.why, "dependents")

    async def mark_resource_settled(self, live: Manifest, write: Write) -> None:
        """Record, from a look, what an unanswered request of ours turned out to have done."""
        resource = self.resource(ObjectRef.of(live))
        resource.uid = live["metadata"]["uid"]
        if write.kind is WriteKind.CREATE:
            resource.state = ResourceState.CREATED
        else:
            resource.state = ResourceState.CHANGED
            resource.applied = applied_view(resource.before or live, live)
        version = live["metadata"]["resourceVersion"]
        self._journal.answer(resource, write, WriteAnswer.seen(version), "state", "uid", "applied")

    async def clean(self) -> list[Resource]:
        """Undo what this job did; returns what could not be undone yet. Idempotent; a missing object is success."""
        return await self._clean(self._job_seq)

    async def _send(
        self, resource: Resource, write: Write, send: Send, manifest: Manifest, state: ResourceState
    ) -> Manifest:
        try:
            answer = await send(manifest)
        except Unanswered:
            raise  # the claim stays open: only a look can tell
        except Unreachable:
            self._journal.answer(resource, write, WriteAnswer.unsent())
            raise
        except ClusterError as error:
            self._journal.answer(resource, write, WriteAnswer.refused(error.status))
            raise
        resource.state, resource.uid = state, answer["metadata"]["uid"]
        if state is ResourceState.CHANGED:
            resource.applied = answer
        version = answer["metadata"]["resourceVersion"]
        self._journal.answer(resource, write, WriteAnswer.done(version), "state", "uid", "applied")
        return answer

    @staticmethod
    def _pending_change(resource: Resource, version: str) -> bool:
        """Whether an earlier apply, on this same version, may still land: then its ``before`` stands."""
        return resource.before is not None and any(
            write.kind is WriteKind.APPLY and write.open and write.base_version == version
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


def _stamp(manifest: Manifest, write: Write) -> Manifest:
    metadata = copy.copy(manifest["metadata"])
    metadata["annotations"] = {**metadata.get("annotations", {}), WRITE_TOKEN: write.token}
    return {**manifest, "metadata": metadata}
