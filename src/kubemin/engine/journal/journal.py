"""The cleanup journal of one task: what it does to the cluster is recorded before it is done (design §4).

A row for each object that the task touches, and in it a `Write` for each request (`rows.py`). They are kept in memory
as the database has them, or is about to (`batch.py`). A request is sent only once it is recorded: `write_ahead` waits
for that commit. All else (an answer, a row's state, how a job does) is noted, and committed with the next request or a
moment later, in order: a successor finds the same by looking at the object.
"""

import contextlib
import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Self

from kubemin.engine.errors import Stopped
from kubemin.engine.journal.batch import Changes, CommitQueue, write_changes
from kubemin.engine.journal.job_events import job_event
from kubemin.engine.journal.last_writes import LastWrite, read_last_writes
from kubemin.engine.journal.lease import Lease
from kubemin.engine.journal.rows import Resource, Write, key_of
from kubemin.engine.objects.ownership import application_of, token_of
from kubemin.plan import Plan
from kubemin.spec.labels import APP_ID, PART_OF, SHARE_NAME
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import JobStatus, Purpose, ResourceState, TaskStatus, WriteKind
from kubemin.spec.write_answer import WriteAnswer
from kubemin.store import Database, Tx, applications, events, fold, holdings, jobs, journal, namespaces, shares, tasks
from kubemin.store.errors import Duplicate, StoreError
from kubemin.store.fold import Origin
from kubemin.store.jobs import JobChange


class Journal:
    """The journal of one task, held under one lease. Raises `Stopped` once the lease is lost, or a commit failed."""

    def __init__(self, db: Database, lease: Lease, resources: Iterable[Resource] = ()) -> None:
        self.lease = lease
        self.resources: dict[int, Resource] = {resource.seq: resource for resource in resources}
        self._db = db
        self._rows = {resource.key: resource for resource in self.resources.values()}
        self._found = {resource.seq: resource.before for resource in self.resources.values() if resource.before}
        self._used = set[str]()
        """The uids of what others use by now, also where it no longer says that it is shared."""
        self._givers = set[tuple[str, str]]()
        """Uids of what was passed to the application, and who has passed it."""
        self._queue = CommitQueue(db, lease)

    @classmethod
    async def load(cls, db: Database, lease: Lease) -> Self:
        """Read the journal of a task that was just claimed: first the claim, then the rows (design §6)."""
        async with db.read() as tx:
            rows = await journal.of_task(tx, lease.task_id)
            writes = await journal.writes_of_task(tx, lease.task_id)
        resources = {row.seq: Resource.of_row(row) for row in rows}
        for write in writes:
            row = resources[write.seq]
            sender = row.job_seq if write.job_seq is None else write.job_seq
            row.writes[write.token] = Write(write.token, write.kind, sender, write.base_version, write.answer)
        return cls(db, lease, resources.values())

    def of(self, ref: ObjectRef, job_seq: int, purpose: Purpose = Purpose.APPLY) -> Resource:
        """The row of an object, made for the job (not yet committed) if there is none."""
        return self._rows.get(key_of(ref, job_seq, purpose)) or Resource(0, job_seq, ref, purpose)

    @property
    def found(self) -> list[Manifest]:
        """The objects that were there, as they were before the task changed them."""
        return list(self._found.values())

    def applies(self, ref: ObjectRef, job_seq: int) -> bool:
        """Whether the job has begun to write the object."""
        return key_of(ref, job_seq, Purpose.APPLY) in self._rows

    def wrote(self, ref: ObjectRef) -> bool:
        """Whether a job of this task has written the object, or may have."""
        rows = self.resources.values()
        return any(row.ref == ref and row.purpose is Purpose.APPLY and row.touched for row in rows)

    def knows(self, ref: ObjectRef) -> bool:
        """Whether a job of this task has written the object, or has found it as the application has it."""
        return any(row.ref == ref and row.purpose is Purpose.APPLY for row in self.resources.values())

    async def left_behind(self, live: Manifest) -> journal.TokenOwner | None:
        """The task whose write token is on the object, if it left it behind. Raises `StoreError`."""
        token = token_of(live)
        if token is None:
            return None
        async with self._db.read() as tx:
            owner = (await journal.owners_of(tx, [token])).get(token)
            if owner is not None and owner.cluster != await tasks.cluster_of(tx, self.lease.task_id):
                return None  # what it has is a copy
        return owner if owner is not None and owner.left_behind(live["metadata"]["uid"]) else None

    async def last_writes(self, lives: Iterable[Manifest]) -> dict[ObjectRef, LastWrite]:
        """The last writes of these objects, where they are known and final. Raises `StoreError`."""
        return await read_last_writes(self._db, lives)

    async def first_write_at(self, resource: Resource) -> datetime | None:
        """When the first request about the object was recorded, by the database's clock. Raises `StoreError`."""
        async with self._db.read() as tx:
            return await journal.first_write_at(tx, self.lease.task_id, resource.seq)

    async def use_of(self, resource: Resource) -> journal.Use:
        """Which other tasks completed with the row's object, or used it. Raises `StoreError`."""
        async with self._db.read() as tx:
            return await journal.use_of(tx, self.lease.task_id, resource.seq)

    async def completed_since(self, leftover: journal.TokenOwner) -> bool:
        """Whether a task completed with a leftover's name since its task first wrote it. Raises `StoreError`."""
        async with self._db.read() as tx:
            use = await journal.use_of(tx, leftover.task_id, leftover.seq)
        return use.since_write or use.own

    async def application_name(self, app_id: str) -> str | None:
        """The name of an application of the task's cluster; None if there is none. Raises `StoreError`."""
        async with self._db.read() as tx:
            row = await applications.get(tx, app_id)
            there = row is not None and row.cluster == await tasks.cluster_of(tx, self.lease.task_id)
        return row.name if row is not None and there else None

    async def take_share(self, name: str) -> str | None:
        """Take the lock on what applications share; returns the task that holds it, if that is another."""
        with contextlib.suppress(Duplicate):
            async with self.lease.begin(self._db, "share") as tx:
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

    async def debt_on(self, row: Resource, app_id: str) -> journal.Debt | None:
        """The task whose unfinished cleanup is still to put the row's object back. Raises `StoreError`."""
        async with self._db.read() as tx:
            return await journal.debt_on(tx, app_id, row.uid or "", self.lease.task_id)

    async def before_at(self, origin: Origin) -> Manifest | None:
        """An object as it was before the row of ``origin``; None where that cannot be opened. Raises `StoreError`."""
        async with self._db.read() as tx:
            return (await holdings.manifests_before(tx, [origin])).get(origin)

    async def try_cleanup_again(self, task_id: str) -> None:
        """Make another task's incomplete cleanup due. Raises `StoreError`."""
        self.lease.check()
        async with self._db.begin("retry-cleanup") as tx:
            await tasks.retry_cleanup_now(tx, task_id)

    async def brought_since(self, resource: Resource) -> journal.Later | None:
        """The later task of the application that has the row's object. Raises `StoreError`."""
        async with self._db.read() as tx:
            return await journal.brought_since(tx, self.lease.task_id, resource.ref)

    async def made_namespace(self, uid: str) -> namespaces.Made | None:
        """What is known of a Namespace that a task of the cluster made. Raises `StoreError`."""
        async with self._db.read() as tx:
            return await namespaces.made(tx, str(await tasks.cluster_of(tx, self.lease.task_id)), uid)

    async def at_work_in(self, namespace: str) -> str | None:
        """A task of another application that has something to bring into a namespace. Raises `StoreError`."""
        async with self._db.read() as tx:
            return await namespaces.at_work_in(tx, self.lease.task_id, namespace)

    async def look_for_users(self, app_id: str, rows: Iterable[Resource]) -> None:
        """Learn which of these objects others use, for `users`, and have passed to it. Raises `StoreError`.

        It may have been shared once, and not be labelled so any more: nobody else finds it, and who has found it stays.
        """
        uids = [row.uid for row in rows if row.uid is not None]
        async with self._db.read() as tx:
            self._used |= await shares.used_by_others(tx, uids, app_id)
            self._givers |= await shares.givers_of(tx, uids, app_id)

    def was_passed(self, live: Manifest) -> bool:
        """Whether the object has the label of one that has passed it to the application, by `look_for_users`."""
        return (live["metadata"]["uid"], application_of(live)) in self._givers

    async def knows_application(self, app_id: str) -> bool:
        """Whether an application is, or was, one of the task's cluster. Raises `StoreError`."""
        async with self._db.read() as tx:
            return await shares.is_known(tx, app_id, self.lease.task_id)

    async def is_passing(self, row: Resource) -> bool:
        """Whether who is to have the object of a row ``hand-over`` uses or has it still. Raises `StoreError`."""
        async with self._db.read() as tx:
            users = await shares.users_of(tx, row.uid or "", self.lease.task_id)
        return fold.receiver(row.dependents) in {user.app_id for user in users}

    async def users(self, live: Manifest) -> Sequence[shares.User]:
        """The other applications that use an object, where it is shared or `look_for_users` has found some.

        Raises `StoreError`.
        """
        meta = live["metadata"]
        if SHARE_NAME not in (meta.get("labels") or {}) and meta["uid"] not in self._used:
            return ()
        async with self._db.read() as tx:
            return await shares.users_of(tx, live["metadata"]["uid"], self.lease.task_id)

    async def write_ahead(
        self,
        resource: Resource,
        kind: WriteKind,
        base_version: str | None = None,
        *fields: str,
        job_seq: int | None = None,
    ) -> Write:
        """Commit that a request is about to be sent, with its row; it may be sent once this returns.

        ``job_seq``: the job that sends it, where that is not the row's.
        """
        token = f"{self.lease.task_id}.{secrets.token_hex(8)}"
        write = Write(token, kind, resource.job_seq if job_seq is None else job_seq, base_version)
        changes = Changes(labels={"intent"})
        self._record(resource, changes, *fields)
        changes.writes.append((resource.seq, write))
        resource.writes[token] = write
        await self._queue.commit(changes)
        self.lease.check()  # the commit may have taken longer than the lease lasts
        return write

    def answer(self, resource: Resource, write: Write, answer: WriteAnswer, *fields: str) -> None:
        """Note what became of a request, and the fields of its row that it changed."""
        write.answer = answer
        changes = Changes(answers={write.token: answer}, labels={"answer"})
        if fields:
            changes.record(resource, *fields)
            changes.events.append(resource.to_event())
        self._queue.add(changes)

    def settle(self, resource: Resource, state: ResourceState, why: str = "", *fields: str) -> None:
        """Note a row's new state, and other fields of it that changed."""
        if resource.seq and resource.state is state and resource.why == why and not fields:
            return
        resource.state, resource.why = state, why
        changes = Changes(labels={"settle"})
        self._record(resource, changes, "state", "why", *fields)
        changes.events.append(resource.to_event())
        self._queue.add(changes)

    def job(
        self,
        seq: int,
        status: JobStatus,
        info: str | None = None,
        error: str | None = None,
        *,
        count: tuple[int, int] | None = None,
        code: ReasonCode | None = None,
    ) -> None:
        """Note a job's status; ``count``: how many of its replicas are ready, and how many are desired."""
        change = JobChange(seq, status, info, error, code)
        self._queue.add(Changes(jobs={(seq, status): (change, count)}, labels={"job"}))

    def job_begins(self, seq: int, info: str | None = None) -> None:
        """Note that a job begins. How others have ended by now is told before that, as it was."""
        self._queue.keep_ends()
        self.job(seq, JobStatus.RUNNING, info)

    async def held_for(self, seq: int) -> float:
        """For how many seconds the task is in a hold, also under its former workers. Raises `StoreError`."""
        await self.flush()
        async with self._db.read() as tx:
            return await jobs.running_for(tx, self.lease.task_id, seq)

    async def time_out_hold(self, seq: int, why: str) -> bool:
        """Commit that nobody promoted a hold in time; False where somebody did just now. Raises `StoreError`."""
        await self.flush()
        async with self.lease.begin(self._db, "hold-timeout") as tx:  # locks the row: nobody promotes it meanwhile
            if await tasks.promoted_hold(tx, self.lease.task_id) >= seq:
                return False
            change = JobChange(seq, JobStatus.TIMEOUT, None, why, ReasonCode.TIMEOUT)
            await write_changes(tx, self.lease.task_id, Changes(jobs={(seq, JobStatus.TIMEOUT): (change, None)}))
        return True

    async def undo_jobs(self, seqs: Collection[int], status: JobStatus, why: str) -> None:
        """Commit that the step of these jobs failed and is put back. Raises `Stopped`, `StoreError`."""
        await self.flush()
        async with self.lease.begin(self._db, "step-failed") as tx:
            undone = await jobs.undo(tx, self.lease.task_id, seqs, status, why)
            await events.append_many(tx, self.lease.task_id, [job_event(one) for one in undone])

    async def record_removals(self, rows: Iterable[Resource]) -> list[Resource]:
        """Commit what the task is to let go of; returns the rows, of which some may have been there."""
        changes = Changes(labels={"intent"})
        recorded = [self._rows.get(row.key) or row for row in rows]
        for row in recorded:
            if not row.seq:
                self._record(row, changes)
        if changes.new:
            await self._queue.commit(changes)
        return recorded

    async def record_removals_in(self, tx: Tx, rows: Iterable[Resource]) -> None:
        """The same in a transaction of the caller's."""
        changes = Changes()
        for row in rows:
            if row.key not in self._rows:
                self._record(row, changes)
        await journal.add(tx, self.lease.task_id, [row.to_row() for row in changes.new.values()])

    async def pass_to(self, row: Resource, user: shares.User) -> Resource | None:
        """Commit that an object passes to an application that uses it; the row of that, or None where none does now.

        From then on that application has it, and not the one to which it was to pass before. Raises `StoreError`.
        """
        passing = self.of(row.ref, row.job_seq, Purpose.HAND_OVER)
        stands = passing.state in (ResourceState.INTENT, ResourceState.RELEASED)
        if passing.seq and stands and fold.receiver(passing.dependents) == user.app_id:
            return passing
        await self.flush()
        async with self.lease.begin(self._db, "hand-over", application=user.app_id) as tx:
            if not await applications.exists(tx, user.app_id):
                return None
            if user not in await shares.users_of(tx, row.uid or "", self.lease.task_id):
                return None  # it does without it by now
            task = await tasks.get(tx, user.task_id)
            theirs = Plan.from_json(task.plan).jobs if task is not None and task.plan else ()
            labels = [job.manifest["metadata"].get("labels", {}) for job in theirs if job.seq == user.job_seq]
            passing.state, passing.uid = ResourceState.INTENT, row.uid
            completed = task is not None and task.status is TaskStatus.COMPLETED
            passing.dependents = fold.handed_to(user.app_id, task.seq if task else None, completed=completed)
            if row.adopted:
                passing.before, passing.adopted = row.before, True
            known = {APP_ID: user.app_id, PART_OF: user.app_name}  # its plan may be forgotten by now, or not open
            passing.applied = {"metadata": {"labels": {**known, **(labels[0] if labels else {})}}}
            passing.why = f"{user.app_name} uses it, and has it from now on"
            if passing.seq:
                changed = {name: getattr(passing, name) for name in ("state", "dependents", "applied", "why")}
                await journal.update_many(tx, self.lease.task_id, [(passing.seq, changed)])
            else:
                self._record(passing, Changes())
                await journal.add(tx, self.lease.task_id, [passing.to_row()])
        self.lease.check()
        return passing

    def _record(self, resource: Resource, changes: Changes, *fields: str) -> None:
        if not resource.seq:
            resource.seq = len(self.resources) + 1
            self.resources[resource.seq] = self._rows[resource.key] = resource
            changes.new[resource.seq] = resource
        if resource.before is not None:
            self._found[resource.seq] = resource.before
        changes.record(resource, *fields)

    async def flush(self) -> None:
        """Wait until all that was noted is committed.

        Raises `Stopped` if the lease is lost or an earlier commit failed, `StoreError` if nothing was committed.
        """
        await self._queue.flush()

    async def take_pending(self) -> Changes | None:
        """What was noted and is not committed yet, for the caller to write under the lease. Raises as `flush`.

        Nothing more may be noted until that is committed.
        """
        return await self._queue.take()

    async def close(self) -> None:
        """Commit what was noted, if that can be; to be called before the lease is given up."""
        with contextlib.suppress(Stopped, StoreError):
            await self.flush()
