"""The journal's commit queue: what all jobs of a task have to record goes into one commit after the other."""

import asyncio
import contextlib
import math
from dataclasses import dataclass, field
from itertools import islice
from typing import Self

from kubemin.engine.errors import Stopped
from kubemin.engine.journal.job_events import job_event
from kubemin.engine.journal.lease import Lease
from kubemin.engine.journal.rows import Resource, Write
from kubemin.shield import to_the_end
from kubemin.spec.events import Event, ResourceEvent
from kubemin.spec.states import JobStatus
from kubemin.spec.write_answer import WriteAnswer
from kubemin.store import Database, Tx, events, jobs, journal
from kubemin.store.errors import CommitUnknown, Duplicate, LeaseLost
from kubemin.store.jobs import JobChange

_LINGER = 0.2
"""Seconds for which a commit that nobody waits for is put off, so that more changes can join it: each commit costs, and
of what a job says while it waits only the last counts."""


@dataclass
class Changes:
    """What one commit writes. Changes of many jobs are merged into one."""

    new: dict[int, Resource] = field(default_factory=dict)
    """Rows to add, by ``seq``."""
    updated: dict[int, tuple[Resource, set[str]]] = field(default_factory=dict)
    """Rows that changed, by ``seq``, each with the names of the fields to write."""
    writes: list[tuple[int, Write]] = field(default_factory=list)
    """Requests that are about to be sent, each with the ``seq`` of its row."""
    answers: dict[str, WriteAnswer] = field(default_factory=dict)
    """What became of requests, by token."""
    jobs: dict[tuple[int, JobStatus], tuple[JobChange, tuple[int, int] | None]] = field(default_factory=dict)
    """How jobs changed, each with its ready and desired replicas; of several for one status the last counts."""
    events: list[ResourceEvent] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    """What the commit is about; they name the transaction. Without one there is nothing to commit."""

    def record(self, resource: Resource, *names: str) -> None:
        """Add the row, if it is not stored yet, else write these fields of it.

        Their values are read at the commit: it writes the row as it is then.
        """
        if resource.seq not in self.new:
            self.updated.setdefault(resource.seq, (resource, set()))[1].update(names)

    def merge(self, other: Self) -> None:
        """Take in the changes that come after these."""
        self.new |= other.new
        for resource, names in other.updated.values():
            self.record(resource, *names)
        self.writes += other.writes
        self.answers |= other.answers
        self.jobs |= other.jobs
        self.events += other.events
        self.labels |= other.labels


@dataclass
class Batch:
    """What the next commit takes, and who waits for it."""

    due: float
    """When, by the loop's clock, all of it is committed, also if nobody waits for it."""
    changes: Changes = field(default_factory=Changes)
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    urgent: asyncio.Event = field(default_factory=asyncio.Event)
    kept: int = 0
    """So many of its first changes of jobs stay in it: what ended before others began is told in its order."""

    def put_off(self) -> "Batch | None":
        """Leave to a later batch how jobs ended, if that has time: requests wait to be sent, and need none of it.

        That a job has begun is committed with its first request: a cancel may come at once. That one is not needed,
        with the task's first request: a successor decides it only where nothing was requested yet.
        """
        jobs = self.changes.jobs
        later = islice(jobs.items(), self.kept, None)
        ended = {key: change for key, change in later if _may_wait(key[1])}
        if self.due <= asyncio.get_running_loop().time() or not ended:
            return None
        self.changes.jobs = {key: change for key, change in jobs.items() if key not in ended}
        if not self.changes.jobs:
            self.changes.labels.discard("job")
        return Batch(self.due, Changes(jobs=ended, labels={"job"}))


def _may_wait(status: JobStatus) -> bool:
    return status.ended and status is not JobStatus.SKIPPED


class CommitQueue:
    """Commits the changes of one task in the order in which they came, under its lease; how jobs end, a moment later.

    A hundred jobs of a stage would else make a hundred commits at a time, each of which locks the task's row: they
    would go one after the other anyway.

    A commit that fails is the last one. By then the rows in memory are ahead of the database, and only what is in the
    database counts: a successor, which reads it, may go on from there; this worker may not.
    """

    def __init__(self, db: Database, lease: Lease) -> None:
        self._db = db
        self._lease = lease
        self._batch: Batch | None = None
        self._flusher: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    def add(self, changes: Changes) -> Batch:
        """Have changes committed soon, without waiting for it. Raises `Stopped` if an earlier commit failed."""
        self._check()
        if self._batch is None:
            self._batch = Batch(asyncio.get_running_loop().time() + _LINGER)
        self._batch.changes.merge(changes)
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return self._batch

    def keep_ends(self) -> None:
        """How jobs have ended by now goes with what comes next: else a job would seem to begin before them."""
        if self._batch is not None:
            self._batch.kept = len(self._batch.changes.jobs)

    async def commit(self, changes: Changes) -> None:
        """Commit changes, with all that was added before but how jobs end. Runs to its end under a cancel.

        Raises `Stopped` if the lease is lost or an earlier commit failed, `StoreError` if nothing was committed.
        """
        batch = self.add(changes)
        batch.urgent.set()
        await to_the_end(batch.done)

    async def flush(self) -> None:
        """Wait until all that was added is committed. Raises like `commit`."""
        if self._flusher is not None or self._failure is not None:
            self.add(Changes()).due = -math.inf
            await self.commit(Changes())

    async def take(self) -> Changes | None:
        """What was added and nobody waits for, once the commits before it are made. Raises like `commit`."""
        self._check()
        batch = self._batch
        if batch is None or batch.urgent.is_set():
            await self.flush()
            return None
        self._batch = None
        batch.urgent.set()  # the flusher, if it waits to begin with it, finds nothing
        batch.done.cancel()
        if self._flusher is not None:
            await to_the_end(self._flusher)
            self._check()
        return batch.changes

    def _check(self) -> None:
        if self._failure is not None:
            why = self._failure.__cause__ if isinstance(self._failure, Stopped) else self._failure
            raise Stopped(f"the journal cannot be written: {self._failure}") from why

    async def _flush(self) -> None:
        try:
            while (batch := self._batch) is not None:
                await asyncio.sleep(0)  # the jobs of a stage start together: let them join one commit
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(batch.due):
                        await batch.urgent.wait()
                if self._batch is not batch:
                    continue  # it was taken
                # From here on changes go into another batch: what this commit writes must not grow while it is sent,
                # for whoever waits for the batch is told that all of it is stored.
                self._batch = batch.put_off()
                try:
                    self._check()  # a batch that was begun before an earlier one failed fails as well
                    await self._commit(batch.changes)
                except Exception as error:  # noqa: BLE001  each writer gets it, in its own task
                    self._failure = error
                    batch.done.set_exception(error)
                    batch.done.exception()  # if nobody waits, asyncio must not report it as never retrieved
                else:
                    batch.done.set_result(None)
        finally:
            self._flusher = None  # no await since the loop's last look: whoever adds next starts a new one

    async def _commit(self, changes: Changes) -> None:
        if not changes.labels:
            return  # somebody only waited for what went before
        label = "+".join(sorted(changes.labels))
        while True:
            self._lease.check()
            try:
                async with self._lease.begin(self._db, label) as tx:
                    await write_changes(tx, self._lease.task_id, changes)
            except LeaseLost as error:
                raise Stopped(str(error)) from error
            except CommitUnknown:
                # The commit was sent and its answer is lost. All of it is stored or nothing is, so it is sent again:
                # new rows and tokens that are stored already are refused as duplicates. Changes without any are
                # written twice, which changes nothing: the same values, and at most an event that is told twice.
                continue
            except Duplicate:
                return  # it was stored: a `seq` and a token are given once, and by this worker only
            return


async def write_changes(tx: Tx, task_id: str, changes: Changes) -> None:
    """Write changes in a transaction under the lease (`Lease.guard`). Raises `Duplicate`."""
    await journal.add(tx, task_id, [resource.to_row() for resource in changes.new.values()])
    updates = [
        (seq, {name: getattr(resource, name) for name in names})
        for seq, (resource, names) in changes.updated.items()
        if names
    ]
    await journal.update_many(tx, task_id, updates)
    await journal.add_writes(
        tx,
        task_id,
        [
            journal.NewWrite(write.token, seq, write.kind, write.base_version, write.job_seq)
            for seq, write in changes.writes
        ],
    )
    await journal.answer_writes(tx, changes.answers)
    made = await jobs.set_many(tx, task_id, [change for change, _ in changes.jobs.values()])
    told: list[Event] = list(changes.events)
    told += [job_event(one, changes.jobs[one.change.seq, one.change.status][1]) for one in made]
    await events.append_many(tx, task_id, told)
