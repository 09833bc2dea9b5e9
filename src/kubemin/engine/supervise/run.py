"""A task's life under one lease: forward through its stages; then, unless it completed, back (design §2–§4, §6)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from kubemin.cluster import Cluster
from kubemin.cluster.errors import CallerForbidden, ClusterError
from kubemin.cluster.informers import Informers
from kubemin.cluster.object_events import ObjectEvents
from kubemin.cluster.reasons import code_of, code_of_text
from kubemin.engine.cleanup.letting_go import (
    LettingGo,
    claims_without_pods,
    namespaces_to_remove,
    objects_to_let_go,
    only_passed,
)
from kubemin.engine.cleanup.permitted import check_letting_go
from kubemin.engine.cleanup.removal import Removal, removal_of
from kubemin.engine.cleanup.rollback import Rollback
from kubemin.engine.deploy.activity import Activity
from kubemin.engine.deploy.dry_runs import NEVER_BACK
from kubemin.engine.deploy.fetch import Fetcher
from kubemin.engine.deploy.job import JobContext
from kubemin.engine.deploy.promotions import Promotions
from kubemin.engine.deploy.replicas import Autoscalers, targets_of
from kubemin.engine.deploy.rules import Rules
from kubemin.engine.deploy.stages import deploy
from kubemin.engine.errors import JobFailed, StatusError, Stopped, TimedOut, deciding
from kubemin.engine.journal.batch import Changes, write_changes
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.lease import Lease
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.lists import Lists
from kubemin.engine.options import ExecOptions
from kubemin.engine.supervise.acting import acting_for, refuse_nobody
from kubemin.engine.supervise.announcing import Announcements
from kubemin.engine.supervise.evidence import EvidenceKeeper, TaskMask
from kubemin.engine.supervise.metrics import DatabaseClock, RunMetrics
from kubemin.engine.supervise.revising import Completion, completion, record_stopped_removal
from kubemin.engine.supervise.scope import Scope, Stop
from kubemin.plan import Plan, hook_of_others
from kubemin.settings.engine import EngineSettings
from kubemin.shield import to_the_end
from kubemin.spec.events import CleanupEvent, EndEvent, TaskEvent
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.reason_codes import ReasonCode, advice_for
from kubemin.spec.states import Cleanup, CleanupPolicy, JobStatus, Purpose, ResourceState, TaskStatus, TaskType
from kubemin.store import Database, Tx, applications, events, holdings, jobs, pruning, revisions, shares, tasks
from kubemin.store.errors import StoreError, Unreadable
from kubemin.store.jobs import JobRow
from kubemin.store.tasks import Task
from kubemin.telemetry.tracing import Tracer, current_span, span

log = structlog.get_logger(__name__)

_FIRST_RETRY, _LONGEST_RETRY = 5.0, 300.0


def next_retry(attempts: int) -> float:
    """Seconds until a cleanup that stayed incomplete is tried again, ``attempts`` times having failed before."""
    return min(_FIRST_RETRY * 2.0 ** min(attempts, 10), _LONGEST_RETRY)


@dataclass(frozen=True)
class RunDeps:
    """What a worker gives each of its runs."""

    db: Database
    cluster: Cluster
    informers: Informers
    fetcher: Fetcher
    rules: Rules
    settings: EngineSettings
    metrics: RunMetrics
    tracer: Tracer | None = None
    events: ObjectEvents | None = None


@dataclass(frozen=True)
class Outcome:
    """The terminal status that a run came to, and why."""

    status: TaskStatus
    reason: str = ""
    code: ReasonCode | None = None


def outcome_of(error: BaseException) -> Outcome:
    """The one place that turns an exception into a status. `Stopped` is none: the task goes on elsewhere."""
    error = deciding(error)
    if isinstance(error, Stopped):
        raise error
    if isinstance(error, Unreadable):  # another worker would read the same
        return Outcome(TaskStatus.FAILED, str(error), ReasonCode.UNREADABLE)
    if isinstance(error, StoreError):
        raise Stopped(f"the database cannot be written: {error}") from error
    if isinstance(error, StatusError):
        return Outcome(error.status, error.cause, error.code)
    if isinstance(error, ClusterError):
        return Outcome(TaskStatus.FAILED, error.message, code_of(error))
    return Outcome(TaskStatus.FAILED, f"unexpected {type(error).__name__}: {error}", ReasonCode.INTERNAL)


class TaskRun:
    """One claimed task, from its claim to the end of its cleanup."""

    def __init__(self, task: Task, lease: Lease, scope: Scope, deps: RunDeps) -> None:
        self.task = task
        self.lease = lease
        self.scope = scope
        self._deps = deps
        self._times = DatabaseClock(task, deps.settings.lease_seconds, lease.clock)
        self._stopped_at: float | None = None
        self._emptied: list[Resource] = []
        """What a removal has left to its end: it does not fail for what others made."""
        self._announcements = Announcements(deps.events, task)
        self._acting = acting_for(task, deps.cluster)
        self._options = ExecOptions.read(task.options)
        self._plan = Plan(()) if task.plan is None else Plan.from_json(task.plan)
        self._mask = TaskMask((job.manifest for job in self._plan.jobs), guess=deps.settings.guess_secrets)
        self.promotions = Promotions(task.promoted_hold)
        self._evidence = EvidenceKeeper(task, deps.db, deps.cluster, deps.informers, deps.settings.evidence_seconds)

    async def run(self) -> None:
        """Drive the task on. Raises `Stopped` where another worker, or this one later, is to go on."""
        begun = self.task.status is not TaskStatus.QUEUED  # a task that is queued has no journal yet
        journal = await Journal.load(self._deps.db, self.lease) if begun else Journal(self._deps.db, self.lease)
        try:
            await self._drive(journal)
        finally:
            await to_the_end(self._close(journal))

    async def _close(self, journal: Journal) -> None:
        try:
            await journal.close()
        finally:
            await self._evidence.close()

    async def _drive(self, journal: Journal) -> None:
        task = self.task
        if not task.status.ended:
            outcome = await self._forward(journal)
            # To its end, so that what is committed is also logged and counted.
            task = await to_the_end(self._finish(journal, outcome))
            if task.status is TaskStatus.COMPLETED and task.type is TaskType.DEPLOY:
                self._announcements.deployed(journal.resources.values())
        rolls_back = task.status is not TaskStatus.COMPLETED and task.type is TaskType.DEPLOY and journal.resources
        # What cannot be read may hold values that nobody could mask.
        if rolls_back and not task.unreadable and not any(row.unreadable for row in journal.resources.values()):
            await self._evidence.keep(journal.resources.values(), lambda: self._mask.of(journal.found))
        if task.cleanup is Cleanup.NONE:
            return
        if task.status is TaskStatus.COMPLETED:
            await self._clean_up(task, "removal", lambda: self._remove_dropped(journal))
        else:
            await self._roll_back(journal, task)

    async def _forward(self, journal: Journal) -> Outcome:
        try:
            await self.scope.run(self._work(journal))
        except asyncio.CancelledError:
            reason = self.scope.reason
            if reason is None or reason.stop is not Stop.CANCEL:
                raise Stopped("the task is handed over") from None
            self._stopped_at = self._times.now()
            return Outcome(TaskStatus.CANCELLED, reason.text)
        except Exception as error:  # a panic is a failure, and is cleaned up like one
            outcome = outcome_of(error)
            if outcome.code is ReasonCode.INTERNAL:
                log.exception("unexpected error in a task", task=self.task.id)
            return outcome
        return Outcome(TaskStatus.COMPLETED)

    async def _work(self, journal: Journal) -> None:
        deps = self._deps
        if self.task.attempt > deps.settings.max_attempts:
            raise JobFailed(
                f"given up after {deps.settings.max_attempts} attempts: each time its worker died",
                ReasonCode.WORKER_LOST,
            )
        self._check_readable(journal)
        refuse_nobody(self.task, deps.cluster)
        former: dict[int, JobRow] = {}
        async with deps.db.begin("start") as tx:
            if self.task.status is TaskStatus.QUEUED:
                if not await tasks.start(tx, self.task.id, self.lease.epoch, self.lease.stored):
                    raise Stopped("the task was ended before it started, or taken over")
                await events.append_many(tx, self.task.id, [TaskEvent(status=TaskStatus.RUNNING)])
            else:
                await self.lease.guard(tx)
                former |= {job.seq: job for job in await jobs.of_task(tx, self.task.id) if job.status.ended}
            builds_on = self._options.expects or any(job.hook for job in self._plan.jobs)
            deployed = await revisions.current(tx, self.task.app_id) if builds_on else None
            rows = await self._parting(tx)
        if not journal.resources:  # else a predecessor has asked
            await self._check_letting_go(rows)
        if self.task.type is TaskType.DELETE:
            await self._delete_all(journal, rows)
            return
        if self._options.expects is not None and not journal.resources:  # else a predecessor has looked
            changed = self._options.expects.differs_from_revision(deployed.number if deployed else None)
            if changed:
                said = f"refused before anything was written, as since the plan {changed[0]}"
                raise JobFailed(said, ReasonCode.PLAN_CHANGED)
        context = JobContext(
            journal=journal,
            cluster=deps.cluster,
            acting=self._acting,
            informers=deps.informers,
            fetcher=deps.fetcher,
            rules=deps.rules,
            clean=lambda seq: self._undo(journal, self._rows_of_jobs(journal, [seq])),
            put_back=lambda refs: self._undo(journal, [row for row in _applied(journal) if row.ref in refs]),
            make_room=partial(self._make_room, journal),
            why_not=partial(hook_of_others, {part["name"] for part in deployed.spec["component"]} if deployed else ()),
            promotions=self.promotions,
            settings=deps.settings,
            options=self._options,
            activity=Activity(self._options.no_activity_seconds),
            mask=lambda: self._mask.of(journal.found),
            autoscalers=Autoscalers(deps.cluster, targets_of(job.manifest for job in self._plan.jobs)),
            lists=Lists(deps.cluster),
            job_ended=deps.metrics.job_ended,
        )
        await deploy(self._plan, former, context)
        left = await claims_without_pods(journal, deps.cluster, self.task.app_id, every=self._options.delete_volumes)
        await self._check_letting_go(left)
        await journal.record_removals(left)

    async def _parting(self, tx: Tx) -> list[Resource]:
        """What a removal lets go of; of a deploy that is done as somebody, what it will, as far as is known."""
        if self.task.type is TaskType.DELETE:
            return await objects_to_let_go(tx, self.task.app_id, self._how)
        if not self._acting.acts or self._options.dry_run:
            return []
        done = await completion(tx, self.task)
        used = (await shares.uses_after(tx, self.task.app_id, left=done.left)).stay
        return await objects_to_let_go(tx, self.task.app_id, self._how, but=_kept(done), used=used, left=done.untouched)

    async def _check_letting_go(self, rows: Collection[Resource]) -> None:
        volumes = self._options.delete_volumes
        app_id = self.task.app_id
        try:
            await check_letting_go(self._acting, self._deps.cluster, app_id, rows, delete_volumes=volumes)
        except CallerForbidden as error:
            raise JobFailed(f"refused before anything was removed: {error.message}", code_of(error)) from error

    def _check_readable(self, journal: Journal) -> None:
        """Go forward only upon a plan and a journal that are whole: the next write would go by what is not known."""
        if self.task.unreadable:
            raise JobFailed(self.task.unreadable, ReasonCode.UNREADABLE)
        for row in journal.resources.values():
            for why in row.unreadable.values():
                raise JobFailed(f"what a former worker did to {row.ref} is not known: {why}", ReasonCode.UNREADABLE)

    @property
    def _has_slot(self) -> bool:
        """Whether no later task of the application has begun: a cleanup that was incomplete has given its slot up."""
        return self.task.active_app is not None

    @property
    def _how(self) -> LettingGo:
        options = self._options
        return LettingGo(options.keep_resources, options.delete_volumes, self.task.type is TaskType.DELETE)

    async def _delete_all(self, journal: Journal, rows: Sequence[Resource]) -> None:
        known = {row.ref for row in journal.resources.values()}
        await journal.record_removals([row for row in rows if row.ref not in known])
        seconds = self._options.timeout_seconds or self._deps.settings.job_timeout_seconds
        if left := await self._removal(journal, seconds, self._acting):
            raise TimedOut(f"not gone within {seconds:g} s: {_named(left)}")
        self._emptied = await self._empty_namespaces(journal)

    async def _remove_dropped(self, journal: Journal) -> list[Resource]:
        """Forward only: what a completed task is to remove (R11), and what its late requests made (§6)."""
        seconds = self._deps.settings.cleanup_seconds
        left = await self._removal(journal, seconds)
        if not left and await journal.record_removals(await self._empty_namespaces(journal)):
            left = await self._removal(journal, seconds)
        late = [row for row in journal.resources.values() if row.may_still_create]
        return left + await self._rollback(journal).run_late(late, seconds)

    async def _empty_namespaces(self, journal: Journal) -> list[Resource]:
        """Rows to remove the namespaces that others made, and out of which the task has taken the last object."""
        removed = {row.ref.namespace for row in journal.resources.values() if row.purpose is Purpose.REMOVE}
        own = {self.task.namespace} if self.task.type is TaskType.DELETE else set()
        return await namespaces_to_remove(journal, self._deps.cluster, removed | own)

    async def _removal(self, journal: Journal, seconds: float, acting: Cluster | None = None) -> list[Resource]:
        rows = [row for row in journal.resources.values() if row.purpose.lets_go]
        removal = Removal(
            journal,
            self._deps.cluster,
            self.task.app_id,
            self._deps.informers,
            acting=acting,
            delete_volumes=self._options.delete_volumes,
            has_slot=self._has_slot,
        )
        return await removal.run(rows, seconds)

    async def _make_room(self, journal: Journal, job_seq: int, live: Manifest) -> None:
        """Delete what a former run made, as the job makes it anew. It has a row of its own, and is not put back."""
        (row,) = await journal.record_removals([replace(removal_of(live), job_seq=job_seq)])
        if row.uid != live["metadata"]["uid"]:
            raise JobFailed(f"somebody makes {row.ref} again and again", ReasonCode.CONFLICT)
        removal = Removal(journal, self._deps.cluster, self.task.app_id, self._deps.informers, acting=self._acting)
        if left := await removal.run([row], self._deps.settings.cleanup_seconds):
            code = code_of_text(row.why) or ReasonCode.TIMEOUT
            raise JobFailed(f"that of a former run is not gone: {_named(left)}", code)
        if row.state is not ResourceState.DELETED:
            raise JobFailed(f"{row.ref} is there already, and stays: {row.why}", ReasonCode.CONFLICT)
        journal.settle(row, row.state, f"that of a former run went, {NEVER_BACK}")

    async def _finish(self, journal: Journal, outcome: Outcome) -> Task:
        """Commit how the task ended, unless somebody ended it first; returns the row as it stands."""
        pending = await journal.take_pending()
        try:
            return await self._end(journal, outcome, pending)
        except Unreadable as error:  # of what it builds upon: it cannot say what the application has
            return await self._end(journal, outcome_of(error), pending)

    async def _end(self, journal: Journal, outcome: Outcome, pending: Changes | None) -> Task:
        task, status = self.task, outcome.status
        completes = status is TaskStatus.COMPLETED and not self._options.dry_run  # a dry run changes nothing
        async with self._deps.db.begin("finish") as tx:
            if completes:
                # Before the task's row, as a run locks them. The task's revision becomes the current one; and what
                # another application passes to this one just now is not missed.
                await tasks.lock_application(tx, task.app_id)
            stored = self.lease.stored
            if pending is not None:
                stored = await self.lease.guard(tx)
                await write_changes(tx, task.id, pending)
            done = await completion(tx, task, await jobs.undone_components(tx, task.id)) if completes else None
            uses = await self._uses_after(tx, done) if done is not None else shares.Uses()
            retired = await self._to_let_go(tx, journal, done, uses) if done is not None else []
            cleanup = Cleanup.PENDING if retired or self._to_undo(journal, status) else Cleanup.NONE
            blamed = await _blamed(tx, task.id) if outcome.code is not None else ""
            ends = (status, outcome.reason, cleanup, outcome.code)
            landed = await tasks.finish(tx, task.id, self.lease.epoch, *ends, stored=stored)
            if landed:
                await jobs.end_open(tx, task.id, JobStatus(status), outcome.reason, outcome.code)
                ended = TaskEvent(
                    status=status,
                    reason=outcome.reason,
                    cleanup=cleanup,
                    reason_code=outcome.code,
                    advice=advice_for(outcome.code),
                )
                await events.append_many(tx, task.id, [ended, *_end(cleanup)])
                if done is not None:
                    await done.record(tx)
                await shares.end_uses(tx, uses)
                if retired:
                    await journal.record_removals_in(tx, retired)
                if status is TaskStatus.COMPLETED and await self._application_goes(tx):
                    await applications.delete(tx, task.app_id)
                    await tasks.forget_idempotency_keys(tx, task)
                    await pruning.forget_application(tx, task.app_id)
            ended_as = replace(task, status=status, cleanup=cleanup, reason_code=outcome.code)
            row = ended_as if landed else await tasks.brief(tx, task.id)
        self.lease.is_stored(stored)
        if row is None or not row.status.ended or row.lease_epoch != self.lease.epoch:
            raise Stopped("the task was taken over")
        self._tell_end(row)
        if landed and outcome.code is not None:
            log.warning(
                "task failed",
                task=task.id,
                application=task.app_name,
                cluster=task.cluster,
                component=blamed,
                status=str(status),
                reason=outcome.reason,
                code=str(outcome.code),
            )
        return row

    def _tell_end(self, row: Task) -> None:
        times, metrics = self._times, self._deps.metrics
        seconds = times.since(self.task.started_at or self.task.claimed_at)
        metrics.task_ended(row, seconds)
        if self._stopped_at is not None and row.cancel_requested_at is not None:
            metrics.stopped(times.since(row.cancel_requested_at, self._stopped_at))
        if (here := current_span()) is not None:
            here.set("kubemin.task.status", str(row.status))
            here.set("kubemin.reason_code", row.reason_code or "")

    async def _application_goes(self, tx: Tx) -> bool:
        """Whether the application is deleted with this task. A run that was asked for since wants it to stay."""
        if self.task.type is not TaskType.DELETE or self._options.keep_application:
            return False
        others = [one for one in await tasks.active_of(tx, self.task.app_id) if one.id != self.task.id]
        return all(one.status.ended or ExecOptions.read(one.options).dry_run for one in others)

    async def _uses_after(self, tx: Tx, done: Completion) -> shares.Uses:
        """What it goes on using once the task is completed; a removal leaves nothing."""
        task = self.task
        return await shares.uses_after(tx, task.app_id, left=done.left, brought=done.brought, task_id=task.id)

    async def _to_let_go(self, tx: Tx, journal: Journal, done: Completion, uses: shares.Uses) -> list[Resource]:
        """What is still to be let go of once the task is completed; of it, what has no row gets one."""
        task = self.task
        has = _kept(done) if task.type is TaskType.DEPLOY else {row.ref for row in journal.resources.values()}
        if put_back := {job.ref for job in self._plan.jobs if job.component in done.others}:
            # What a step found there and has put back stays, where no task that the database knows had it before.
            has |= put_back - {held.ref for held in await holdings.holdings(tx, task.app_id)}
        recorded = [row for row in journal.resources.values() if row.purpose.lets_go and not row.state.settled]
        ending = task.id if task.type is TaskType.DEPLOY else None
        left = set(done.untouched) - {job.component for job in self._plan.jobs}
        going = await objects_to_let_go(tx, task.app_id, self._how, but=has, used=uses.stay, left=left, ending=ending)
        return recorded + going + self._emptied

    def _to_undo(self, journal: Journal, status: TaskStatus) -> bool:
        return (
            status is not TaskStatus.COMPLETED
            and self._options.cleanup is not CleanupPolicy.NONE
            and bool(journal.resources)
        )

    async def _roll_back(self, journal: Journal, task: Task) -> None:
        policy = task.cancel_cleanup or self._options.cleanup

        def lost() -> set[ObjectRef]:
            return _lost(journal) if task.type is TaskType.DELETE else set()

        if policy is CleanupPolicy.NONE:
            await self._cleanup_is(Cleanup.NONE, lost=lost())
            return
        for row in journal.resources.values():
            # A deletion that was sent cannot be taken back, so it is waited for to its end.
            if row.purpose.lets_go and not row.state.settled and not row.letting_go:
                journal.settle(row, ResourceState.KEPT, "the removal was stopped before it came to this")
        rows = _applied(journal)
        if policy is CleanupPolicy.JOB and task.status is not TaskStatus.CANCELLED:
            async with self._deps.db.read() as tx:
                failed = {
                    job.seq
                    for job in await jobs.of_task(tx, self.task.id)
                    if job.error and job.status in (JobStatus.FAILED, JobStatus.TIMEOUT)
                }
            rows = self._rows_of_jobs(journal, failed)

        async def one_pass() -> list[Resource]:
            left = await self._removal(journal, self._deps.settings.cleanup_seconds) + await self._undo(journal, rows)
            if not left and await self._record_passed(journal):
                left = await self._removal(journal, self._deps.settings.cleanup_seconds)
            self._announcements.undone(task.status, rows, left)
            return left

        await self._clean_up(task, "rollback", one_pass, lost)

    async def _record_passed(self, journal: Journal) -> bool:
        """Record what is to be let go of, as it was passed to the application for this run, which has not completed.

        Nobody passes it anything any more: the run has ended, and uses nothing. Returns whether there is any.
        """
        uids = {row.uid for row in journal.resources.values() if row.uid is not None and row.may_be_passed}
        if not uids:
            return False
        async with self._deps.db.begin("passed") as tx:
            await tasks.lock_application(tx, self.task.app_id)  # whoever passes something on holds it
            rows = await only_passed(tx, self.task.app_id, uids)
        for row in await journal.record_removals(rows):
            journal.settle(row, ResourceState.INTENT, "")  # also where a former worker was stopped before it
        return bool(rows)

    def _rows_of_jobs(self, journal: Journal, seqs: Collection[int]) -> list[Resource]:
        """What these jobs wrote; an object that several jobs write is undone in one piece."""
        refs = {job.ref for job in self._plan.jobs if job.seq in seqs}
        return [row for row in _applied(journal) if row.job_seq in seqs or row.ref in refs]

    async def _undo(self, journal: Journal, rows: Sequence[Resource]) -> list[Resource]:
        return await self._rollback(journal).run(rows, self._deps.settings.cleanup_seconds)

    def _rollback(self, journal: Journal) -> Rollback:
        manifests = {job.seq: job.manifest for job in self._plan.jobs}
        return Rollback(
            journal,
            self._deps.cluster,
            manifests,
            restore=self._options.restore,
            informers=self._deps.informers,
            app_id=self.task.app_id,
        )

    async def _clean_up(
        self,
        task: Task,
        what: str,
        one_pass: Callable[[], Awaitable[list[Resource]]],
        lost: Callable[[], Collection[ObjectRef]] = tuple,
    ) -> None:
        """One pass, never under the cancelled scope (R7); what it leaves is named, and the reaper goes on.

        ``lost``: what a removal that did not complete has taken away by then.
        """
        await self._cleanup_is(Cleanup.RUNNING)
        began = self._times.now()
        try:
            with span(what, {"kubemin.task": task.id}) as made:
                left = await one_pass()
                if made is not None:
                    made.set("kubemin.objects.left", len(left))
        except BaseExceptionGroup as group:
            outcome_of(group)  # raises `Stopped` for a lost lease or database
            raise
        ended = self._times.now()
        if left:
            retry_in = next_retry(self.task.cleanup_attempts)
            await self._cleanup_is(Cleanup.INCOMPLETE, _named(left), retry_in, lost=lost())
        else:
            await self._cleanup_is(Cleanup.DONE, lost=lost())
        cancelled = None if task.cancel_requested_at is None else self._times.since(task.cancel_requested_at, ended)
        self._deps.metrics.cleaned(what, Cleanup.INCOMPLETE if left else Cleanup.DONE, ended - began, cancelled)

    async def _cleanup_is(
        self, state: Cleanup, why: str = "", retry_in: float | None = None, *, lost: Collection[ObjectRef] = ()
    ) -> None:
        async with self._deps.db.begin(f"cleanup-{state}") as tx:
            if lost:
                await tasks.lock_application(tx, self.task.app_id)  # before the task's row, as all do
            epoch, stored = self.lease.epoch, self.lease.stored
            if not await tasks.set_cleanup(tx, self.task.id, epoch, state, why, retry_in, stored=stored):
                raise Stopped("the task was taken over")
            await events.append_many(tx, self.task.id, [CleanupEvent(state=state, why=why), *_end(state)])
            if lost and self._has_slot:  # without it a later run may have it again
                try:
                    await record_stopped_removal(tx, self.task, lost)
                except (Unreadable, ValueError) as error:  # its text does not open, or is none any more
                    log.warning("what is left is not recorded", task=self.task.id, error=str(error))
            if state.settled and not await applications.exists(tx, self.task.app_id):
                await pruning.forget_task(tx, self.task.id)


def _kept(done: Completion) -> set[ObjectRef]:
    """What the application has once the task is completed, and the namespaces of it."""
    return done.refs | {ObjectRef("Namespace", "", ref.namespace) for ref in done.refs}


def _lost(journal: Journal) -> set[ObjectRef]:
    """What a removal has deleted or released, or has begun to: that goes to its end."""
    rows = (row for row in journal.resources.values() if row.purpose.lets_go and row.state is not ResourceState.KEPT)
    return {row.ref for row in rows if row.state.settled or row.letting_go}


def _applied(journal: Journal) -> list[Resource]:
    return [row for row in journal.resources.values() if row.purpose is Purpose.APPLY]


async def _blamed(tx: Tx, task_id: str) -> str:
    """The components whose jobs failed; where none did, those that were still at work."""
    found = await jobs.of_task(tx, task_id)
    blamed = [job for job in found if job.status in (JobStatus.FAILED, JobStatus.TIMEOUT)]
    blamed = blamed or [job for job in found if job.status in (JobStatus.PREPARE, JobStatus.RUNNING)]
    return ", ".join(sorted({job.component or job.object_name for job in blamed}))


def _end(cleanup: Cleanup) -> list[EndEvent]:
    """The event that closes a stream: the task has ended, and nothing more is under way."""
    return [EndEvent(cleanup=cleanup)] if cleanup.settled else []


def _named(rows: Sequence[Resource]) -> str:
    return "; ".join(f"{row.ref}: {row.why}" for row in rows)
