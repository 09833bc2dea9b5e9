"""The cleanup journal of one task: every touched resource is a row, every request a claim (design §4).

Rows are kept in memory as the database has them; `Journal.write` commits changes of many jobs together, each commit
fenced by the lease. What is in memory is never ahead of what was committed for a request that leaves.
"""

import asyncio
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from kubemin.engine.errors import Stopped
from kubemin.engine.lease import Lease
from kubemin.engine.shield import to_the_end
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import ClaimKind, JobStatus, ResourceState
from kubemin.store import Database, Tx, events, jobs, journal, tasks
from kubemin.store.errors import CommitUnknown, Duplicate, LeaseLost


@dataclass
class Claim:
    """One request that may change an object. ``answer`` is None until it is known."""

    token: str
    kind: ClaimKind
    base_version: str | None = None
    answer: str | None = None

    @property
    def open(self) -> bool:
        """The request may still land."""
        return self.answer is None


@dataclass
class Resource:
    """One object that the task touched, or is to remove (``purpose`` ``remove``, design R11)."""

    seq: int
    job_seq: int
    ref: ObjectRef
    purpose: str = "apply"
    state: ResourceState = ResourceState.INTENT
    uid: str | None = None
    before: Manifest | None = None
    applied: Manifest | None = None
    dependents: dict[str, list[str]] = field(default_factory=dict)
    why: str = ""
    claims: dict[str, Claim] = field(default_factory=dict)

    @property
    def touched(self) -> bool:
        """A request of ours changed the object, or may have."""
        return any(
            claim.kind is not ClaimKind.DELETE
            and (claim.answer is None or not claim.answer.startswith((UNSENT, REFUSED)))
            for claim in self.claims.values()
        )


UNSENT = "unsent"
"""Answer of a claim whose request never left."""

REFUSED = "refused"
"""Begins the answer of a claim whose request the API server refused."""


@dataclass
class Changes:
    """What one commit writes. Changes of many jobs are merged into one."""

    new: list[Resource] = field(default_factory=list)
    updated: dict[int, set[str]] = field(default_factory=dict)
    claims: list[tuple[int, Claim]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    jobs: list[tuple[int, JobStatus, str | None, str | None]] = field(default_factory=list)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)

    def merge(self, other: Self) -> None:
        """Take in another commit's changes, in order."""
        self.new += other.new
        for seq, names in other.updated.items():
            self.updated.setdefault(seq, set()).update(names)
        self.claims += other.claims
        self.answers |= other.answers
        self.jobs += other.jobs
        self.events += other.events
        self.labels |= other.labels


class Journal:
    """The journal of one task, held under one lease. Raises `Stopped` once the lease is lost."""

    def __init__(self, db: Database, lease: Lease, resources: Iterable[Resource] = ()) -> None:
        self.lease = lease
        self.resources: dict[int, Resource] = {resource.seq: resource for resource in resources}
        self._db = db
        self._pending: list[tuple[Changes, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None

    @classmethod
    async def load(cls, db: Database, lease: Lease) -> Self:
        """Read the journal of a task that was just claimed: first the claim, then the rows (design §6)."""
        async with db.read() as tx:
            rows = await journal.of_task(tx, lease.task_id)
            claims = await journal.claims_of_task(tx, lease.task_id)
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
        for claim in claims:
            resources[claim.seq].claims[claim.token] = Claim(claim.token, claim.kind, claim.base_version, claim.answer)
        return cls(db, lease, resources.values())

    def of(self, ref: ObjectRef, job_seq: int, purpose: str = "apply") -> Resource:
        """The row of an object in a job, made (not yet committed) if there is none."""
        for resource in self.resources.values():
            if resource.ref == ref and resource.job_seq == job_seq and resource.purpose == purpose:
                return resource
        return Resource(0, job_seq, ref, purpose)

    async def claim(self, resource: Resource, kind: ClaimKind, base_version: str | None = None, *fields: str) -> Claim:
        """Commit the intent and one request's claim; the request may leave once this returns."""
        token = f"{self.lease.task_id}.{secrets.token_hex(8)}"
        claim = Claim(token, kind, base_version)
        changes = Changes(labels={"intent"})
        self._record(resource, changes, fields)
        changes.claims.append((resource.seq, claim))
        resource.claims[token] = claim
        await self.write(changes)
        self.lease.check()
        return claim

    async def answer(self, resource: Resource, claim: Claim, answer: str, *fields: str) -> None:
        """Commit what became of a request, and the fields of its row that it changed."""
        claim.answer = answer
        changes = Changes(answers={claim.token: answer}, labels={"answer"})
        if fields:
            changes.updated[resource.seq] = set(fields)
            changes.events.append(_event(resource))
        await self.write(changes)

    async def settle(self, resource: Resource, state: ResourceState, why: str = "", *fields: str) -> None:
        """Commit a row's new state, and other fields of it that changed."""
        if resource.seq and resource.state is state and resource.why == why and not fields:
            return
        resource.state, resource.why = state, why
        changes = Changes(labels={"settle"})
        self._record(resource, changes, ("state", "why", *fields))
        changes.events.append(_event(resource))
        await self.write(changes)

    async def adopt(self, rows: Iterable[Resource]) -> None:
        """Commit rows that came from elsewhere: what the task is to remove."""
        changes = Changes(labels={"intent"})
        for row in rows:
            self._record(row, changes, ())
        if changes.new:
            await self.write(changes)

    async def adopt_in(self, tx: Tx, rows: Iterable[Resource]) -> None:
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
        self.resources[resource.seq] = resource
        changes.new.append(resource)

    async def job(self, seq: int, status: JobStatus, info: str | None = None, error: str | None = None) -> None:
        """Commit a job's status."""
        event = {"job": seq, "status": status, "info": info, "error": error}
        await self.write(Changes(jobs=[(seq, status, info, error)], events=[("job", event)], labels={"job"}))

    async def write(self, changes: Changes) -> None:
        """Commit changes, together with those of other jobs that wait at this moment. Runs to its end under a cancel.

        Raises `Stopped` if the lease is lost, `StoreError` if nothing was committed.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((changes, done))
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        await to_the_end(done)

    async def _flush(self) -> None:
        try:
            await asyncio.sleep(0)  # let the jobs of a stage, which start together, join one commit
            while self._pending:
                batch, self._pending = self._pending, []
                merged = Changes()
                for changes, _ in batch:
                    merged.merge(changes)
                try:
                    await self._commit(merged)
                except Exception as error:  # noqa: BLE001  each writer gets it, in its own task
                    for _, done in batch:
                        done.set_exception(error)
                else:
                    for _, done in batch:
                        done.set_result(None)
        finally:
            self._flusher = None

    async def _commit(self, changes: Changes) -> None:
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
        if changes.claims:
            await journal.add_claims(
                tx,
                task_id,
                [journal.NewClaim(claim.token, seq, claim.kind, claim.base_version) for seq, claim in changes.claims],
            )
        if changes.answers:
            await journal.answer_claims(tx, changes.answers)
        if changes.jobs:
            await jobs.set_many(tx, task_id, changes.jobs)
        if changes.events:
            await events.append_many(tx, task_id, changes.events)


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


def _event(resource: Resource) -> tuple[str, dict[str, Any]]:
    ref = resource.ref
    return "resource", {
        "seq": resource.seq,
        "kind": ref.kind,
        "namespace": ref.namespace,
        "name": ref.name,
        "state": resource.state,
        "why": resource.why,
    }
