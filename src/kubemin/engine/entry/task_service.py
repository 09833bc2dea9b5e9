"""What callers ask of the engine: run, cancel, clean up again, remove. The row is committed first, then signalled."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from kubemin.dispatch import Doorbell
from kubemin.engine.cleanup.letting_go import LettingGo, objects_to_let_go
from kubemin.engine.entry.admission import Admit, admit_removal, admit_run, admit_task
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.prepare import Preparation, PreparedRun
from kubemin.engine.entry.sources import Source
from kubemin.engine.errors import (
    AppChanged,
    AppNotFound,
    CancelledOtherwise,
    EngineError,
    KeyReused,
    NotHeld,
    NotIncomplete,
    PlanChanged,
    SignalFailed,
    TaskActive,
    TaskElsewhere,
    TaskEnded,
    TaskNotFound,
)
from kubemin.engine.journal.job_events import job_event
from kubemin.engine.options import ExecOptions
from kubemin.plan import Plan
from kubemin.settings.engine import EngineSettings
from kubemin.signals import SignalError, Signals
from kubemin.spec.acting import Asker, CannotActAs, Naming
from kubemin.spec.events import CleanupEvent, EndEvent, TaskEvent
from kubemin.spec.ids import new_id
from kubemin.spec.limits import Limits
from kubemin.spec.states import (
    PAUSE_KIND,
    Cleanup,
    CleanupPolicy,
    JobStatus,
    OnActive,
    ResourceState,
    TaskStatus,
    TaskType,
)
from kubemin.store import (
    Database,
    Duplicate,
    Tx,
    applications,
    drafts,
    events,
    jobs,
    journal,
    pruning,
    revisions,
    tasks,
)
from kubemin.store.anew import begun_anew
from kubemin.store.tasks import Task
from kubemin.telemetry.requests import request_now
from kubemin.telemetry.tracing import traceparent_now

_WAIT_FOR_REMOVAL = 60.0
_TRIES = 4
_TURNS = 2
"""So many runs are computed and recorded at a time: one goes on while the other waits for the database. More would not
be done sooner, and a cancel would wait behind each of them for the loop."""


class TaskService:
    """What the API asks of the engine. It works in any process, whether or not a worker runs there too."""

    def __init__(
        self,
        db: Database,
        signals: Signals,
        doorbell: Doorbell,
        limits: Limits,
        settings: EngineSettings | None = None,
        compute_thread: ComputeThread | None = None,
        namings: Mapping[str, Naming] | None = None,
    ) -> None:
        """``namings``: how callers are called in the clusters, by name, where they are acted as."""
        self._namings = namings or {}
        self._db = db
        self._signals = signals
        self._doorbell = doorbell
        self._limits = limits
        self._settings = settings or EngineSettings()
        self._compute_thread = compute_thread or ComputeThread()
        self._turns = asyncio.Semaphore(_TURNS)

    @begun_anew
    async def run(
        self,
        source: Source,
        options: ExecOptions,
        caller: str,
        note: str = "",
        idempotency_key: str | None = None,
        body_hash: str | None = None,
        admit: Admit | None = None,
        asker: Asker | None = None,
    ) -> Task:
        """Record a run as a task, with the revision that it brings; the same key from the same caller is the same task.

        All of it is one transaction. What takes long is computed outside of it, and the next transaction looks whether
        what it builds upon is still the same.
        A dry run (``options.dry_run``) brings no revision. ``admit``: whether the caller may; ``asker``: who they are
        really, as whom it may have to be done. Raises what ``admit`` raises, `CannotActAs`, `NotFoundError`,
        `NeverDeployed`, `TaskActive` (``reject``), `KeyReused`, `PlanChanged`, `SpecError`, `Busy`, and `AppChanged` if
        others change the application all the time.
        """
        app_id = source.app_id
        settings = self._settings
        concurrency, rules = settings.sequential_max_concurrency, settings.rules
        preparation = Preparation(source, options.strategy, self._limits, concurrency, rules)
        prepared: PreparedRun | None = None
        for _ in range(_TRIES):
            try:
                async with self._db.begin("run") as tx:
                    await tasks.lock_application(tx, app_id)  # it may wait for others, and so has no turn yet
                    async with self._turns:
                        if (known := await self._known(tx, caller, app_id, idempotency_key, body_hash)) is not None:
                            return known
                        basis = await source.look(tx)
                        if prepared is None or prepared.basis != basis:
                            prepared = None if preparation.takes_long(basis) else preparation.of(basis)
                        if prepared is not None:
                            if admit is not None:
                                await admit_run(tx, prepared, admit)
                            _refuse_changed(prepared, options)
                            superseded = await self._make_room(tx, app_id, options.on_active, caller)
                            new = prepared.new_task(app_id, options, caller, idempotency_key, body_hash)
                            new = replace(new, acting_as=self._acting_as(new.cluster, asker))
                            task = await self._record(tx, prepared, new, note)
            except Duplicate:  # of a new application, or of its key: somebody else was first
                continue
            if prepared is None:
                prepared = await self._compute_thread.do(partial(preparation.of, basis))
                continue
            await self._tell(superseded)
            await self._doorbell.ring()
            return task
        raise AppChanged(app_id)

    async def _record(self, tx: Tx, prepared: PreparedRun, new: tasks.NewTask, note: str) -> Task:
        """The rows of a run: of its application, where that is new, of its revision, its task and its jobs."""
        wanted = prepared.wanted
        if prepared.basis.stored is None:
            draft = wanted.application
            await drafts.create(tx, draft, config_key=wanted.config_key, workflow_id=wanted.workflow_id)
        if not ExecOptions.read(new.options).dry_run:
            brings = prepared.new_revision(new.app_id, new.id, new.caller, note)
            new = replace(new, revision=await revisions.insert_next(tx, brings))
        task = await self._insert(tx, new, prepared.plan)
        keep = self._settings.keep_revisions
        if new.revision is None or new.revision > keep:  # else there are no more than that
            await pruning.prune(tx, new.app_id, keep)
        return task

    @begun_anew
    async def cancel(
        self,
        app_id: str,
        task_id: str,
        user: str,
        reason: str,
        policy: CleanupPolicy | None = None,
        admit: Admit | None = None,
    ) -> Task:
        """Cancel a task: at once in the database, then by a signal to its worker. Again is the same answer.

        ``admit``: whether the caller may; raises what that raises, and changes nothing then. ``policy`` says what is
        rolled back, instead of the run's own. Raises `TaskNotFound`, `TaskElsewhere`, `TaskEnded`,
        `CancelledOtherwise`, `SignalFailed`.
        """
        async with self._db.begin("cancel", urgent=True) as tx:
            # The UPDATE first: each statement more is a turn of the loop that a stop waits for.
            cancelled = await self._cancel(tx, task_id, user, reason, policy, app_id)
            task = cancelled or await tasks.brief(tx, task_id)
            if task is None:
                raise TaskNotFound(task_id)
            if task.app_id != app_id:
                raise TaskElsewhere(task_id, app_id)
            admit_task(task, admit)
            if task.status is not TaskStatus.CANCELLED:
                raise TaskEnded(task_id, task.status)
            asked = task.cancel_cleanup or ExecOptions.read(task.options).cleanup
            if policy not in (None, asked):
                raise CancelledOtherwise(task_id, asked)
        if task.cleanup is not Cleanup.DONE:
            await self._signal(task)
        return task

    @begun_anew
    async def promote(self, task_id: str, user: str, admit: Admit | None = None, seq: int | None = None) -> str:
        """Let the hold that the task is in pass; returns its name.

        With ``seq`` only the hold of this number: again is the same answer, and no later one passes. ``admit`` as in
        `cancel`. Raises `TaskNotFound`, `TaskEnded`, and `NotHeld` where the task is in no hold, in another one, or
        that is promoted already.
        """
        async with self._db.begin("promote") as tx:
            running = await tasks.lock_running(tx, task_id)
            if admit is not None and (task := await tasks.brief(tx, task_id)) is not None:
                admit_task(task, admit)
            holds = await jobs.holds_of(tx, task_id) if running else []
            if seq is not None and (passed := await self._passed(tx, task_id, seq)) is not None:
                return passed
            held = next((job for job in holds if job.status is JobStatus.RUNNING and seq in (None, job.seq)), None)
            if held is None or not await tasks.promote(tx, task_id, held.seq):
                raise await self._not_held(tx, task_id, holds, held)
            promoted = jobs.JobChange(held.seq, JobStatus.RUNNING, f"promoted by {user}")
            made = await jobs.set_many(tx, task_id, [promoted])
            await events.append_many(tx, task_id, [job_event(one) for one in made])
        return held.object_name

    @staticmethod
    async def _passed(tx: Tx, task_id: str, seq: int) -> str | None:
        """The name of the hold, if it was promoted, or a later one was."""
        task = await tasks.brief(tx, task_id)
        if task is None or task.promoted_hold < seq:
            return None
        return next((job.object_name for job in await jobs.holds_of(tx, task_id) if job.seq == seq), None)

    @staticmethod
    async def _not_held(tx: Tx, task_id: str, holds: Sequence[jobs.JobRow], held: jobs.JobRow | None) -> EngineError:
        """Why the task cannot be promoted."""
        task = await tasks.brief(tx, task_id)
        if task is None:
            return TaskNotFound(task_id)
        if task.status.ended:
            return TaskEnded(task_id, task.status, "it waits for no promote")
        if held is not None:
            return NotHeld(task_id, f"{held.object_name!r} is promoted already")
        if task.status is not TaskStatus.RUNNING:
            return NotHeld(task_id, f"it is {task.status}, and has not begun")
        coming = next((job.object_name for job in holds if not job.status.ended), None)
        return NotHeld(task_id, f"it has not come to {coming!r} yet" if coming else "no pause is to come")

    @begun_anew
    async def retry_cleanup(self, task_id: str, admit: Admit | None = None) -> Task:
        """Make an incomplete cleanup due now; nothing to do for others. ``admit`` as in `cancel`.

        Raises `TaskNotFound`.
        """
        async with self._db.begin("retry-cleanup") as tx:
            await tasks.retry_cleanup_now(tx, task_id)
            task = await tasks.brief(tx, task_id)
            if task is None:
                raise TaskNotFound(task_id)
            admit_task(task, admit)
        await self._doorbell.ring()
        return task

    @begun_anew
    async def abandon_cleanup(self, task_id: str, user: str, reason: str = "", admit: Admit | None = None) -> Task:
        """Give up what an incomplete cleanup could not undo. Again is the same answer.

        The journal keeps the rows of what is left: they name it, and a removal of the application tries it once more.
        ``admit`` as in `cancel`. Raises `TaskNotFound`, `NotIncomplete`.
        """
        why = f"given up by {user}" + (f": {reason}" if reason else "")
        async with self._db.begin("abandon-cleanup") as tx:
            abandoned = await tasks.abandon_cleanup(tx, task_id, why)
            task = await tasks.brief(tx, task_id)
            if task is None:
                raise TaskNotFound(task_id)
            admit_task(task, admit)
            if task.cleanup is not Cleanup.ABANDONED:
                raise NotIncomplete(task_id, task.cleanup)
            if abandoned:
                said = CleanupEvent(state=task.cleanup, why=why)
                await events.append_many(tx, task_id, [said, EndEvent(cleanup=task.cleanup)])
        return task

    @begun_anew
    async def delete_application(
        self,
        app_id: str,
        caller: str,
        *,
        keep_resources: bool = False,
        delete_volumes: bool = False,
        idempotency_key: str | None = None,
        body_hash: str | None = None,
        admit: Admit | None = None,
        asker: Asker | None = None,
    ) -> Task:
        """Record a task that removes an application with its resources, or, to keep them, releases these.

        The same key from the same caller is the same task, also once the application is gone. Data is deleted only
        where that is asked for. Raises `AppNotFound`, `KeyReused`, `CannotActAs`.
        """
        options = ExecOptions(keep_resources=keep_resources, delete_volumes=delete_volumes)
        async with self._db.begin("delete-application") as tx:
            is_there = await tasks.lock_application(tx, app_id)
            if (known := await self._known(tx, caller, app_id, idempotency_key, body_hash)) is not None:
                return known
            if not is_there:
                raise AppNotFound(app_id)
            await self._admit_removal(tx, app_id, admit)
            superseded = await self._make_room(tx, app_id, OnActive.SUPERSEDE, caller)
            task = await self._record_removal(tx, app_id, caller, options, asker, idempotency_key, body_hash)
        await self._tell(superseded)
        await self._doorbell.ring()
        return task

    async def delete_resources(
        self,
        app_id: str,
        caller: str = "system",
        *,
        delete_volumes: bool = False,
        idempotency_key: str | None = None,
        body_hash: str | None = None,
        admit: Admit | None = None,
        asker: Asker | None = None,
    ) -> tuple[list[str], list[str]]:
        """Remove what the application has in the cluster, and keep it; what was deleted, and what was not.

        Runs as a task, and waits for it a minute; the same key from the same caller is the same task. Raises
        `AppNotFound`, `KeyReused`, `CannotActAs`.
        """
        options = ExecOptions(keep_application=True, delete_volumes=delete_volumes)
        async with self._db.begin("delete-resources") as tx:
            if not await tasks.lock_application(tx, app_id):
                raise AppNotFound(app_id)
            superseded: Sequence[Task] = ()
            known = await self._known(tx, caller, app_id, idempotency_key, body_hash)
            if known is None:
                await self._admit_removal(tx, app_id, admit)
                superseded = await self._make_room(tx, app_id, OnActive.SUPERSEDE, caller)
                known = await self._record_removal(tx, app_id, caller, options, asker, idempotency_key, body_hash)
            task = known
        await self._tell(superseded)
        await self._doorbell.ring()
        deadline = asyncio.get_running_loop().time() + _WAIT_FOR_REMOVAL
        while not task.status.ended and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.1)
            async with self._db.read() as tx:
                task = await tasks.brief(tx, task.id) or task
        async with self._db.read() as tx:
            rows = await journal.brief_of_task(tx, task.id)
            # A task that nobody has taken up, or that had to be undone, has not looked at all of them.
            how = LettingGo(delete_volumes=delete_volumes)
            unseen = [] if task.status is TaskStatus.COMPLETED else await objects_to_let_go(tx, app_id, how)
        gone = [row.ref for row in rows if row.state is ResourceState.DELETED]
        left = dict.fromkeys([*(row.ref for row in rows), *(row.ref for row in unseen)])
        return [str(ref) for ref in gone], [str(ref) for ref in left if ref not in gone]

    async def _known(self, tx: Tx, caller: str, app_id: str, key: str | None, body_hash: str | None) -> Task | None:
        if key is None:
            return None
        known = await tasks.by_idempotency_key(tx, caller, app_id, key)
        if known is not None and known.body_hash != body_hash:
            raise KeyReused(key)
        return known

    async def _make_room(self, tx: Tx, app_id: str, on_active: OnActive, caller: str) -> Sequence[Task]:
        """Decide about the application's other tasks, whose number cannot grow while its row is locked."""
        active = await tasks.active_of(tx, app_id)
        if on_active is OnActive.REJECT and active:
            raise TaskActive(active[0].id)
        if on_active is not OnActive.SUPERSEDE:
            return []
        cancelled = [
            await self._cancel(tx, other.id, caller, f"superseded by a later run of {caller}", None, app_id)
            for other in active
            if not other.status.ended
        ]
        return [task for task in cancelled if task is not None]

    @staticmethod
    async def _cancel(
        tx: Tx, task_id: str, user: str, reason: str, policy: CleanupPolicy | None, app_id: str
    ) -> Task | None:
        task = await tasks.cancel(tx, task_id, user, reason, policy, app_id=app_id, request_id=request_now())
        if task is not None:
            await jobs.end_open(tx, task_id, JobStatus.CANCELLED, reason)
            said = TaskEvent(status=task.status, reason=reason, cancelled_by=user, cleanup=task.cleanup)
            end = [EndEvent(cleanup=task.cleanup)] if task.cleanup is Cleanup.NONE else []
            await events.append_many(tx, task_id, [said, *end])
        return task

    @staticmethod
    async def _admit_removal(tx: Tx, app_id: str, admit: Admit | None) -> None:
        row = None if admit is None else await applications.get(tx, app_id)
        if admit is not None and row is not None:
            await admit_removal(tx, row, admit)

    def _acting_as(self, cluster: str, asker: Asker | None) -> dict[str, Any] | None:
        """As whom a task is to go forward, frozen from here on; None: as KubeMin itself. Raises `CannotActAs`."""
        naming = self._namings.get(cluster)
        if naming is None:
            return None
        if asker is None:
            raise CannotActAs(f"nobody says who asks, and in cluster {cluster} it would be done as them")
        return naming.identity(asker).to_json()

    async def _record_removal(
        self,
        tx: Tx,
        app_id: str,
        caller: str,
        options: ExecOptions,
        asker: Asker | None,
        idempotency_key: str | None = None,
        body_hash: str | None = None,
    ) -> Task:
        row = await applications.get(tx, app_id)
        if row is None:
            raise AppNotFound(app_id)
        plan = Plan(())
        new = tasks.NewTask(
            id=new_id(),
            app_id=app_id,
            app_name=row.name,
            cluster=row.cluster,
            namespace=row.namespace,
            project=row.project,
            workflow_id="",
            workflow_name="delete",
            type=TaskType.DELETE,
            spec={},
            options=options.model_copy(update={"namespace": row.namespace, "project": row.project}).write(),
            plan=plan.to_json(),
            caller=caller,
            acting_as=self._acting_as(row.cluster, asker),
            idempotency_key=idempotency_key,
            body_hash=body_hash,
            request_id=request_now(),
            traceparent=traceparent_now(),
        )
        return await self._insert(tx, new, plan)

    @staticmethod
    async def _insert(tx: Tx, new: tasks.NewTask, plan: Plan) -> Task:
        await tasks.insert(tx, new)
        await jobs.insert_many(
            tx,
            new.id,
            [
                jobs.NewJob(
                    seq=job.seq,
                    stage=stage.index,
                    step=stage.step,
                    name=job.name,
                    component=job.component,
                    component_type=job.component_type,
                    kind=job.ref.kind,
                    namespace=job.ref.namespace,
                    object_name=job.ref.name,
                )
                for stage in plan.stages
                for job in stage.jobs
            ]
            + [
                jobs.NewJob(
                    seq=stage.hold.seq,
                    stage=stage.index,
                    step=stage.step,
                    name=stage.hold.job_name,
                    component=stage.hold.component,
                    component_type="",
                    kind=PAUSE_KIND,
                    namespace="",
                    object_name=stage.hold.name,
                )
                for stage in plan.stages
                if stage.hold is not None
            ],
        )
        await events.append_many(tx, new.id, [TaskEvent(status=TaskStatus.WAITING)])
        task = await tasks.brief(tx, new.id)
        assert task is not None
        return task

    async def _tell(self, cancelled: Sequence[Task]) -> None:
        """Signal superseded tasks; a signal that fails does no harm: their workers read the database too."""
        await asyncio.gather(*(self._signal(task) for task in cancelled), return_exceptions=True)

    async def _signal(self, task: Task) -> None:
        try:
            await self._signals.cancel(task.id, task.reason)
        except SignalError as error:
            raise SignalFailed(task.id, str(error)) from error


def _refuse_changed(prepared: PreparedRun, options: ExecOptions) -> None:
    """Raise `PlanChanged` where it is not what the caller has seen."""
    if options.expects is None:
        return
    changed = options.expects.differs_from_revision(prepared.current_number)
    changed += options.expects.differs_from_plan(prepared.plan, prepared.known_key)
    if changed:
        raise PlanChanged(changed)
