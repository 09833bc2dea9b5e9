"""The cleanup journal of one task: every touched resource is a row, every request a claim (design §4).

Rows are kept in memory as the database has them, or is about to. One commit takes the changes of all jobs that have
some, and is fenced by the lease. A request leaves only once its claim is committed: `Journal.write` waits for that.
What a successor would find out by looking (an answer, a row's state, how a job does) is noted, and committed with the
next claim or a moment later, in order.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from kubemin.engine.errors import Stopped
from kubemin.engine.journal.lease import Lease
from kubemin.engine.objects.ownership import token_of
from kubemin.shield import to_the_end
from kubemin.spec.events import Event, JobEvent, ResourceEvent
from kubemin.spec.labels import SHARE_NAME
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import JobStatus, Purpose, ResourceState, WriteKind
from kubemin.spec.write_answer import WriteAnswer
from kubemin.store import Database, Tx, events, jobs, journal, shares, tasks
from kubemin.store.errors import CommitUnknown, Duplicate, LeaseLost, StoreError
from kubemin.store.jobs import JobChange


@dataclass
class Write:
    """One request that may change an object. ``answer`` is None until it is known."""

    token: str
    kind: WriteKind
    base_version: str | None = None
    answer: WriteAnswer | None = None

    @property
    def open(self) -> bool:
        """The request may still land."""
        return self.answer is None

    @property
    def may_have_written(self) -> bool:
        """The request has done something, or may have."""
        return self.answer is None or self.answer.wrote


@dataclass
class Resource:
    """One object that the task touched, or is to remove (``purpose`` ``remove``, design R11)."""

    seq: int
    job_seq: int
    ref: ObjectRef
    purpose: Purpose = Purpose.APPLY
    state: ResourceState = ResourceState.INTENT
    uid: str | None = None
    before: Manifest | None = None
    applied: Manifest | None = None
    dependents: dict[str, list[str]] = field(default_factory=dict)
    why: str = ""
    writes: dict[str, Write] = field(default_factory=dict)

    @property
    def key(self) -> tuple[ObjectRef, int, Purpose]:
        """What tells a task's rows apart."""
        return self.ref, self.job_seq, self.purpose

    @property
    def may_still_create(self) -> bool:
        """A create of ours may still land."""
        return any(write.kind is WriteKind.CREATE and write.open for write in self.writes.values())

    @property
    def touched(self) -> bool:
        """A request of ours changed the object, or may have."""
        return any(write.kind is not WriteKind.DELETE and write.may_have_written for write in self.writes.values())

    @property
    def deleting(self) -> bool:
        """A request of ours deleted the object, or may have."""
        return any(write.kind is WriteKind.DELETE and write.may_have_written for write in self.writes.values())


@dataclass
class Changes:
    """What one commit writes. Changes of many jobs are merged into one."""

    new: list[Resource] = field(default_factory=list)
    updated: dict[int, set[str]] = field(default_factory=dict)
    writes: list[tuple[int, Write]] = field(default_factory=list)
    answers: dict[str, WriteAnswer] = field(default_factory=dict)
    jobs: dict[tuple[int, JobStatus], tuple[JobChange, tuple[int, int] | None]] = field(default_factory=dict)
    """How jobs changed, each with its ready and desired replicas; of several for one status the last counts."""
    events: list[ResourceEvent] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)

    def merge(self, other: Self) -> None:
        """Take in another commit's changes, in order."""
        self.new += other.new
        for seq, names in other.updated.items():
            self.updated.setdefault(seq, set()).update(names)
        self.writes += other.writes
        self.answers |= other.answers
        self.jobs |= other.jobs
        self.events += other.events
        self.labels |= other.labels


@dataclass
class _Batch:
    """What the next commit takes, and who waits for it."""

    changes: Changes = field(default_factory=Changes)
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    urgent: asyncio.Event = field(default_factory=asyncio.Event)


_LINGER = 0.05
"""Seconds that a note waits for others to join its commit, unless somebody waits for one."""


class Journal:
    """The journal of one task, held under one lease. Raises `Stopped` once the lease is lost.

    A commit that fails is the last one: whoever is told of it, or comes later, stops, and a successor looks.
    """

    def __init__(self, db: Database, lease: Lease, resources: Iterable[Resource] = ()) -> None:
        self.lease = lease
        self.resources: dict[int, Resource] = {resource.seq: resource for resource in resources}
        self._db = db
        self._rows = {resource.key: resource for resource in self.resources.values()}
        self._batch: _Batch | None = None
        self._flusher: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    @classmethod
    async def load(cls, db: Database, lease: Lease) -> Self:
        """Read the journal of a task that was just claimed: first the claim, then the rows (design §6)."""
        async with db.read() as tx:
            rows = await journal.of_task(tx, lease.task_id)
            writes = await journal.writes_of_task(tx, lease.task_id)
        resources = {
            row.seq: Resource(
                seq=row.seq,
                job_seq=row.job_seq,
                ref=row.ref,
                purpose=row.purpose,
                state=row.state,
                uid=row.uid,
                before=row.before,
                applied=row.applied,
                dependents=row.dependents or {},
                why=row.why or "",
            )
            for row in rows
        }
        for write in writes:
            resources[write.seq].writes[write.token] = Write(write.token, write.kind, write.base_version, write.answer)
        return cls(db, lease, resources.values())

    def of(self, ref: ObjectRef, job_seq: int, purpose: Purpose = Purpose.APPLY) -> Resource:
        """The row of an object in a job, made (not yet committed) if there is none."""
        return self._rows.get((ref, job_seq, purpose)) or Resource(0, job_seq, ref, purpose)

    async def left_behind(self, live: Manifest) -> journal.TokenOwner | None:
        """The claim's owner, if the object is another task's leftover. Raises `StoreError`."""
        token = token_of(live)
        if token is None:
            return None
        async with self._db.read() as tx:
            owner = (await journal.owners_of(tx, [token])).get(token)
        return owner if owner is not None and owner.left_behind(live["metadata"]["uid"]) else None

    def applies(self, ref: ObjectRef, job_seq: int) -> bool:
        """Whether the job has begun to write the object."""
        return (ref, job_seq, Purpose.APPLY) in self._rows

    def wrote(self, ref: ObjectRef) -> bool:
        """Whether a job of this task has written the object, or may have."""
        return any(row.ref == ref and row.purpose is Purpose.APPLY and row.touched for row in self.resources.values())

    async def take_share(self, name: str) -> str | None:
        """Take the lock on what applications share; returns the task that holds it, if that is another."""
        with contextlib.suppress(Duplicate):
            async with self._db.begin("share") as tx:
                await tasks.guard(tx, self.lease.task_id, self.lease.epoch)
                return await shares.take(tx, name, self.lease.task_id)
        return await self.take_share(name)

    async def use(self, ref: ObjectRef, job_seq: int, live: Manifest) -> None:
        """Commit that the job relies on an object that another application made."""
        row = self.of(ref, job_seq, Purpose.USE)
        row.uid = live["metadata"]["uid"]
        self.settle(row, ResourceState.OBSERVED, f"shared: {ObjectRef.of(live)} is another application's", "uid")
        await self.flush()

    async def undecided(self, live: Manifest) -> str | None:
        """The other task that decides whether the object stays, if one is at work on it. Raises `StoreError`."""
        async with self._db.read() as tx:
            return await shares.undecided_by(tx, live["metadata"]["uid"], token_of(live), self.lease.task_id)

    async def users(self, live: Manifest) -> Sequence[str]:
        """The other applications that use a shared object. Raises `StoreError`."""
        if SHARE_NAME not in (live["metadata"].get("labels") or {}):
            return ()
        async with self._db.read() as tx:
            return await shares.users_of(tx, live["metadata"]["uid"], self.lease.task_id)

    async def write_ahead(
        self, resource: Resource, kind: WriteKind, base_version: str | None = None, *fields: str
    ) -> Write:
        """Commit the intent and one request's claim; the request may leave once this returns."""
        token = f"{self.lease.task_id}.{secrets.token_hex(8)}"
        write = Write(token, kind, base_version)
        changes = Changes(labels={"intent"})
        self._record(resource, changes, fields)
        changes.writes.append((resource.seq, write))
        resource.writes[token] = write
        await self.commit(changes)
        self.lease.check()
        return write

    def answer(self, resource: Resource, write: Write, answer: WriteAnswer, *fields: str) -> None:
        """Note what became of a request, and the fields of its row that it changed."""
        write.answer = answer
        changes = Changes(answers={write.token: answer}, labels={"answer"})
        if fields:
            changes.updated[resource.seq] = set(fields)
            changes.events.append(_resource_event(resource))
        self.note(changes)

    def settle(self, resource: Resource, state: ResourceState, why: str = "", *fields: str) -> None:
        """Note a row's new state, and other fields of it that changed."""
        if resource.seq and resource.state is state and resource.why == why and not fields:
            return
        resource.state, resource.why = state, why
        changes = Changes(labels={"settle"})
        self._record(resource, changes, ("state", "why", *fields))
        changes.events.append(_resource_event(resource))
        self.note(changes)

    async def adopt(self, rows: Iterable[Resource]) -> None:
        """Commit rows that came from elsewhere: what the task is to remove."""
        changes = Changes(labels={"intent"})
        for row in rows:
            self._record(row, changes, ())
        if changes.new:
            await self.commit(changes)

    async def record_removals_in(self, tx: Tx, rows: Iterable[Resource]) -> None:
        """The same in a transaction of the caller's."""
        changes = Changes()
        for row in rows:
            self._record(row, changes, ())
        await journal.add(tx, self.lease.task_id, [_row(row) for row in changes.new])

    def _record(self, resource: Resource, changes: Changes, fields: Iterable[str]) -> None:
        if resource.seq:
            changes.updated[resource.seq] = set(fields)
            return
        resource.seq = len(self.resources) + 1
        self.resources[resource.seq] = self._rows[resource.key] = resource
        changes.new.append(resource)

    def job(
        self,
        seq: int,
        status: JobStatus,
        info: str | None = None,
        error: str | None = None,
        *,
        count: tuple[int, int] | None = None,
    ) -> None:
        """Note a job's status; ``count``: how many of its replicas are ready, and how many are desired."""
        self.note(Changes(jobs={(seq, status): (JobChange(seq, status, info, error), count)}, labels={"job"}))

    def note(self, changes: Changes) -> None:
        """Have changes committed soon, without waiting for it."""
        self._add(changes)

    async def commit(self, changes: Changes) -> None:
        """Commit changes, with all that was noted before. Runs to its end under a cancel.

        Raises `Stopped` if the lease is lost or an earlier commit failed, `StoreError` if nothing was committed.
        """
        batch = self._add(changes)
        batch.urgent.set()
        await to_the_end(batch.done)

    async def flush(self) -> None:
        """Wait until all that was noted is committed. Raises like `commit`."""
        if self._flusher is not None or self._failure is not None:
            await self.commit(Changes())

    async def close(self) -> None:
        """Commit what was noted, if that can be; to be called before the lease is given up."""
        with contextlib.suppress(Stopped, StoreError):
            await self.flush()

    def _add(self, changes: Changes) -> _Batch:
        self._check()
        if self._batch is None:
            self._batch = _Batch()
        self._batch.changes.merge(changes)
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return self._batch

    def _check(self) -> None:
        if self._failure is not None:
            why = self._failure.__cause__ if isinstance(self._failure, Stopped) else self._failure
            raise Stopped(f"the journal cannot be written: {self._failure}") from why

    async def _flush(self) -> None:
        try:
            while self._batch is not None:
                await asyncio.sleep(0)  # the jobs of a stage start together: let them join one commit
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LINGER):
                        await self._batch.urgent.wait()
                batch, self._batch = self._batch, None
                try:
                    self._check()
                    await self._commit(batch.changes)
                except Exception as error:  # noqa: BLE001  each writer gets it, in its own task
                    self._failure = error
                    batch.done.set_exception(error)
                    batch.done.exception()  # perhaps nobody waits
                else:
                    batch.done.set_result(None)
        finally:
            self._flusher = None

    async def _commit(self, changes: Changes) -> None:
        if not changes.labels:
            return
        label = "+".join(sorted(changes.labels))
        while True:
            try:
                async with self._db.begin(label) as tx:
                    await self._statements(tx, changes)
            except LeaseLost as error:
                raise Stopped(str(error)) from error
            except CommitUnknown:
                continue  # the answer was lost: the same rows again tell whether they are there
            except Duplicate:
                return  # it had landed
            return

    async def _statements(self, tx: Tx, changes: Changes) -> None:
        task_id, epoch = self.lease.task_id, self.lease.epoch
        await tasks.guard(tx, task_id, epoch)
        if changes.new:
            await journal.add(tx, task_id, [_row(resource) for resource in changes.new])
        fresh = {resource.seq for resource in changes.new}
        updates = [
            (seq, {name: getattr(self.resources[seq], name) for name in names})
            for seq, names in changes.updated.items()
            if seq not in fresh
        ]
        if any(values for _, values in updates):
            await journal.update_many(tx, task_id, updates)
        if changes.writes:
            await journal.add_writes(
                tx,
                task_id,
                [journal.NewWrite(write.token, seq, write.kind, write.base_version) for seq, write in changes.writes],
            )
        if changes.answers:
            await journal.answer_writes(tx, changes.answers)
        landed = await jobs.set_many(tx, task_id, [change for change, _ in changes.jobs.values()])
        told: list[Event] = list(changes.events)
        told += [_job_event(one, changes.jobs[one.seq, one.status][1]) for one in landed]
        await events.append_many(tx, task_id, told)


def _row(resource: Resource) -> journal.NewResource:
    return journal.NewResource(
        seq=resource.seq,
        job_seq=resource.job_seq,
        ref=resource.ref,
        purpose=resource.purpose,
        state=resource.state,
        uid=resource.uid,
        before=resource.before,
        dependents=resource.dependents,
        why=resource.why,
    )


def _job_event(change: JobChange, count: tuple[int, int] | None) -> JobEvent:
    ready, desired = count or (None, None)
    return JobEvent(
        job=change.seq, status=change.status, info=change.info, error=change.error, ready=ready, desired=desired
    )


def _resource_event(resource: Resource) -> ResourceEvent:
    ref = resource.ref
    return ResourceEvent(
        seq=resource.seq,
        kind=ref.kind,
        namespace=ref.namespace,
        name=ref.name,
        state=resource.state,
        why=resource.why,
    )
