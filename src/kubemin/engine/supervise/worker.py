"""The worker: claims tasks, keeps their leases, runs each in a scope that can be ended from outside (design §6)."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from kubemin.dispatch import Doorbell
from kubemin.engine.errors import Stopped
from kubemin.engine.journal.lease import Lease
from kubemin.engine.supervise.presence import Presence
from kubemin.engine.supervise.run import RunDeps, TaskRun
from kubemin.engine.supervise.scope import Scope, Stop
from kubemin.engine.supervise.tracing import traced
from kubemin.engine.supervise.turns import until_turns_are_short
from kubemin.repeated import Repeated
from kubemin.settings.engine import EngineSettings
from kubemin.shield import to_the_end
from kubemin.signals import Cancelled, Mode, Signal, Signals
from kubemin.spec.states import TaskStatus
from kubemin.store import Database, tasks
from kubemin.store.errors import LeaseLost, StoreError, UnreadableTask
from kubemin.store.sealing_keys import MissingKeys
from kubemin.store.tasks import Task
from kubemin.telemetry.requests import on_request

log = structlog.get_logger(__name__)

_STATUS_POLL = 1.0
_PATIENCE = 1.0
"""Seconds that a claim is put off at most while the tasks held need the loop."""
_PASSED_OVER_SECONDS = 60.0
"""So long a task that cannot be read is left alone: the others are claimed meanwhile."""
_BATCH = 8
"""How many tasks are claimed in one transaction, at most: the others are left to other workers."""


@dataclass
class _Held:
    run: TaskRun
    work: asyncio.Task[None]


class Worker:
    """Runs tasks until it is stopped. One a process is enough: a waiting task costs neither thread nor connection."""

    def __init__(
        self,
        name: str,
        db: Database,
        settings: EngineSettings,
        deps: Mapping[str, RunDeps],
        presence: Presence,
        signals: Signals,
        doorbell: Doorbell,
        registry: CollectorRegistry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``deps``: what its runs are given, by the cluster of their task."""
        self._name = name
        self._settings = settings
        self._deps = deps
        self._presence = presence
        self._db = db
        self._signals = signals
        self._doorbell = doorbell
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._stopping = asyncio.Event()
        self._claims = Repeated(log, "cannot claim")
        self._renewals = Repeated(log, "cannot renew leases")
        self._polls = Repeated(log, "cannot read task statuses")
        self._missing_keys = MissingKeys(db)
        self._said_missing: str | None = None
        self._passed_over: dict[int, float] = {}
        """By ``seq`` of a task that cannot be read: until when."""
        self._declare_metrics(registry)

    def _declare_metrics(self, registry: CollectorRegistry) -> None:
        self._claimed = Counter(
            "kubemin_worker_tasks_claimed",
            "Tasks that this worker took up, those taken over included.",
            registry=registry,
        )
        self._lost = Counter(
            "kubemin_worker_leases_lost",
            "Tasks that this worker let go because their lease was lost: it was paused, or the database was away.",
            registry=registry,
        )
        self._renewals_failed = Counter(
            "kubemin_worker_renewals_failed",
            "Renewals of its leases that the database did not answer.",
            registry=registry,
        )
        held = Gauge("kubemin_worker_tasks", "Tasks that this worker holds now, cleanups included.", registry=registry)
        held.set_function(lambda: self.running)
        healthy = Gauge("kubemin_worker_signals_healthy", "0 while Redis does not answer.", registry=registry)
        healthy.set_function(lambda: self._signals.healthy)
        mode = Gauge(
            "kubemin_worker_signal_mode",
            "1 for how cancels come now: by redis, local (from its own server), or by the database (within a second).",
            ("mode",),
            registry=registry,
        )
        for one in Mode:
            mode.labels(one).set_function(partial(self._hears_by, one))

    def _hears_by(self, mode: Mode) -> float:
        return float(self._signals.mode is mode)

    async def run(self) -> None:
        """Claim and run tasks until `stop`. A database that is away is waited for."""
        async with asyncio.TaskGroup() as group:
            renewing = group.create_task(self._keep_leases())
            polling = group.create_task(self._poll_statuses())
            try:
                while not self._stopping.is_set():
                    await until_turns_are_short(_PATIENCE)
                    if not await self._claim():
                        await self._doorbell.wait(self._settings.poll_seconds * random.uniform(0.8, 1.2))  # noqa: S311
            finally:
                try:
                    await self._drain()
                finally:
                    for background in (renewing, polling, *self._background):
                        background.cancel()
                    await asyncio.gather(*self._background, return_exceptions=True)

    async def stop(self, drain_seconds: float = 0) -> None:
        """Claim no more; give running tasks ``drain_seconds`` to end, then hand them over as they are."""
        log.info("stopping", tasks=len(self._held), drain_seconds=drain_seconds)
        self._stopping.set()
        await self._doorbell.ring()
        working = [held.work for held in self._held.values()]
        if working and drain_seconds > 0:
            await asyncio.wait(working, timeout=drain_seconds)
        self._hand_over()

    def _hand_over(self) -> None:
        for held in list(self._held.values()):
            held.run.scope.end(Stop.SHUTDOWN)
            held.work.cancel()

    async def _drain(self) -> None:
        """Wait until the tasks held have ended or are handed over; their leases go on being renewed.

        `stop` has already granted them drain time; a cancel grants none.
        """
        if not self._stopping.is_set():
            self._hand_over()
        while self._held:
            await to_the_end(asyncio.wait([held.work for held in self._held.values()]))

    @property
    def running(self) -> int:
        """How many tasks this worker holds."""
        return len(self._held)

    async def _claim(self) -> bool:
        """Take up tasks; whether there may be more for this worker."""
        settings = self._settings
        # What waits for a cluster that is away takes no place of those that others could go on with.
        busy = sum(self._presence.answers(held.run.task.cluster) for held in self._held.values())
        most, clusters = min(_BATCH, settings.max_concurrent_tasks - busy), self._presence.present
        if most <= 0 or not clusters or await self._is_blind():
            return False
        sent = self._clock()
        self._passed_over = {seq: until for seq, until in self._passed_over.items() if until > sent}
        try:
            async with self._db.begin("claim", urgent=True) as tx:
                claimed = await tasks.claim(
                    tx, self._name, settings.lease_seconds, settings.max_attempts, most, clusters, self._passed_over
                )
        except UnreadableTask as error:
            log.error("a task is passed over for a while", error=str(error), after_seconds=_PASSED_OVER_SECONDS)
            self._passed_over[error.seq] = sent + _PASSED_OVER_SECONDS
            return True
        except StoreError as error:
            self._claims.failed(error)
            return False
        self._claims.succeeded()
        if self._stopping.is_set():  # since the claim was sent: `stop` has handed over what was held before
            for task in claimed:
                await self._give_back(task.id, task.lease_epoch, count=False)
            return False
        for task in claimed:
            self._claimed.inc()
            deadline = sent + settings.lease_seconds
            self._begin(task, Lease(task.id, task.lease_epoch, task.lease_commits, deadline, self._clock))
        return len(claimed) == most

    async def _is_blind(self) -> bool:
        """Whether others seal with a key that this process has not: it could read some of what a task needs."""
        missing = await self._missing_keys()
        if missing is not None and missing != self._said_missing:
            log.error("no task is begun", why=missing)
        self._said_missing = missing
        return missing is not None

    def _begin(self, task: Task, lease: Lease) -> None:
        former = self._held.get(task.id)  # this worker lost the lease before, and that run has not ended yet
        if former is not None and former.run.lease.is_held:
            self._abandon(former)  # it does not know yet: a database that was restored gives the task out again
        run = TaskRun(task, lease, Scope(), self._deps[task.cluster])
        work = asyncio.create_task(self._traced(run, former), name=f"task {task.id}")
        held = self._held[task.id] = _Held(run, work)
        work.add_done_callback(lambda _: self._forget(held))

    def _forget(self, held: _Held) -> None:
        if self._held.get(held.run.task.id) is held:
            del self._held[held.run.task.id]

    async def _traced(self, run: TaskRun, former: _Held | None) -> None:
        with on_request(run.task.request_id), traced(self._deps[run.task.cluster].tracer, run.task, self._name):
            await self._hold(run, former)

    async def _hold(self, run: TaskRun, former: _Held | None) -> None:
        task_id = run.task.id
        left = ""
        hand_back = True
        try:
            if former is not None:
                await to_the_end(asyncio.wait([former.work]))
            await self._signals.watch(task_id, run.lease.epoch, lambda signal: self._on_signal(run, signal))
            await run.run()
            hand_back = False  # its end has given up the lease
            run.lease.end()
        except Stopped as error:
            left = str(error)
            hand_back = not isinstance(error.__cause__, StoreError)
        except LeaseLost as error:
            left, hand_back = str(error), False
        except StoreError as error:
            left, hand_back = f"the database cannot be used: {error}", False
        except asyncio.CancelledError:
            if run.scope.reason is None:
                raise
            left = run.scope.reason.stop.value
        except Exception:
            # A fault of ours. The lease is not handed back: if the fault stays, the task would be claimed without end.
            # When the lease runs out another worker takes the task over, and goes by the journal.
            log.exception("task run broke", task=task_id)
            hand_back = False
        finally:
            if left:
                log.info("task left to another worker", task=task_id, why=left)
            await self._signals.unwatch(task_id)
            if hand_back:
                await self._release(run)
            await self._doorbell.ring()

    def _on_signal(self, run: TaskRun, signal: Signal) -> None:
        if isinstance(signal, Cancelled):
            run.scope.end(Stop.CANCEL, signal.reason)
        else:
            self._spawn(asyncio.create_task(self._is_taken(run)))

    def _spawn(self, task: asyncio.Task[Any]) -> None:
        """Keep a reference to a task that nobody awaits; it is cancelled when this worker ends."""
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _is_taken(self, run: TaskRun) -> None:
        """The signal key names a later claim: ask the database whether another worker has the task now."""
        task_id = run.task.id
        try:
            async with self._db.read(urgent=True) as tx:
                found = await tasks.statuses(tx, [task_id])
        except StoreError as error:
            log.warning("cannot read whether a task was taken over", task=task_id, error=str(error))
            return
        held = self._held.get(task_id)
        if held is None or held.run is not run:
            return
        if task_id not in found or found[task_id].lease_epoch != run.lease.epoch:
            self._abandon(held)
        else:
            log.warning("a signal key shows a later claim than the database knows; the task goes on", task=task_id)

    async def _release(self, run: TaskRun) -> None:
        """Hand the lease back, so that the next worker need not wait until it runs out.

        If the lease is another worker's by now, nothing changes.
        """
        reason = run.scope.reason
        if reason is not None and reason.stop is Stop.LEASE_LOST:
            return  # there is none
        stopped = reason is not None and reason.stop is Stop.SHUTDOWN
        run.lease.end()
        # Only a worker that dies counts as an attempt, not one that is stopped.
        await self._give_back(run.lease.task_id, run.lease.epoch, count=not stopped)

    async def _give_back(self, task_id: str, epoch: int, *, count: bool) -> None:
        try:
            async with self._db.begin("release") as tx:
                await tasks.release(tx, task_id, epoch, count=count)
        except StoreError as error:
            log.warning("cannot release a lease; it runs out by itself", task=task_id, error=str(error))

    async def _keep_leases(self) -> None:
        """Renew all leases in one statement; a task whose lease cannot be renewed in time is abandoned.

        A connection that broke without notice must not cost the leases: a renewal without an answer is given up after
        half the interval, and tried again on another connection while there is time.
        """
        interval = self._settings.lease_seconds / 3
        pause = interval
        while True:
            await asyncio.sleep(pause)
            held = {task_id: one for task_id, one in self._held.items() if not one.run.lease.is_over}
            sent = self._clock()
            renewal = asyncio.create_task(self._renew({task_id: one.run.lease.epoch for task_id, one in held.items()}))
            self._spawn(renewal)
            await asyncio.wait([renewal], timeout=interval / 2)
            kept = renewal.result() if renewal.done() else None
            if not renewal.done():
                self._renewals.failed("the database does not answer")
                renewal.cancel()
            for task_id, one in held.items():
                if kept is not None and task_id in kept:
                    one.run.lease.extend(sent + self._settings.lease_seconds)
                elif kept is not None or one.run.lease.deadline <= self._clock():
                    self._abandon(one)
            if kept is None:
                self._renewals_failed.inc()
            pause = interval / 5 if kept is None else interval

    async def _renew(self, leases: Mapping[str, int]) -> set[str] | None:
        """The tasks whose leases are ours; None where the database gives no answer."""
        if not leases:
            return set()
        try:
            async with self._db.begin("renew", urgent=True) as tx:
                renewed = await tasks.renew(tx, self._name, leases, self._settings.lease_seconds)
        except StoreError as error:
            self._renewals.failed(error)
            return None
        self._renewals.succeeded()
        return renewed

    async def _poll_statuses(self) -> None:
        """Read the rows of the tasks held: a cancel whose signal was lost is found here (design §5)."""
        while True:
            await asyncio.sleep(_STATUS_POLL)
            forward = {
                task_id: (one, one.run.lease.stored)
                for task_id, one in self._held.items()
                if not one.run.task.status.ended
            }
            if not forward:
                continue
            try:
                async with self._db.read(urgent=True) as tx:
                    found = await tasks.statuses(tx, forward)
            except StoreError as error:
                self._polls.failed(error)
                continue
            self._polls.succeeded()
            for task_id, (one, stored) in forward.items():
                if self._held.get(task_id) is not one:
                    continue
                state = found.get(task_id)
                # A database that was restored under this worker may not know the task, or know it as it was before.
                if state is None or not state.is_of(one.run.lease.epoch, stored):
                    self._abandon(one)
                elif state.status is TaskStatus.CANCELLED:
                    one.run.scope.end(Stop.CANCEL, state.reason or "")
                else:
                    one.run.promotions.set(state.promoted_hold)

    def _abandon(self, one: _Held) -> None:
        if one.run.scope.reason is None or one.run.scope.reason.stop is not Stop.LEASE_LOST:
            self._lost.inc()
        one.run.lease.end()
        one.run.scope.end(Stop.LEASE_LOST)
        one.work.cancel()
