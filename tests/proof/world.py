"""Runs a script: one simulated cluster, one database, machines that come and go; tells what happened in sentences."""

import asyncio
import contextlib
import copy
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import text

from kubemin.dispatch import LocalDoorbell
from kubemin.engine import EngineSettings, ExecOptions, TaskService
from kubemin.engine.entry.sources import Draft, Former, Posted, Restart, Source
from kubemin.engine.errors import EngineError, NotHeld, NotIncomplete, TaskEnded
from kubemin.plan import Plan
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.application import Application, parse_application
from kubemin.spec.ids import application_id
from kubemin.spec.issues import SpecError
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, CleanupPolicy, OnActive, RevisionState, TaskStatus
from kubemin.store import Database, applications, drafts, tasks
from kubemin.store.tasks import Task
from kubesim.faults import Armed, Fault
from kubesim.problems import Problem
from kubesim.server import SimServer
from tests.proof import beside, check, partings
from tests.proof.foreigners import Foreigners
from tests.proof.machine import Machine
from tests.proof.manifests import LIMITS, is_custom, operators, snapshot
from tests.proof.observer import Observer
from tests.proof.records import Records
from tests.proof.refusals import Refusals
from tests.proof.revisions import Revisions
from tests.proof.script import (
    WAYS,
    Again,
    Cancel,
    Create,
    Cut,
    Delete,
    Deny,
    Edit,
    Event,
    Evict,
    Expire,
    Foreign,
    Kill,
    Outage,
    Part,
    Pause,
    Promote,
    Release,
    Remove,
    Round,
    Save,
    Script,
    Target,
    Trouble,
    workflow,
)
from tests.proof.served import DEFINITIONS

SPEED = 200
_UNCOUNTED = ("commit:claim:", "commit:renew:", "commit:release:", "commit:presence:")
OUTAGE_SECONDS = 0.3

TURN = 0.06
QUIET_AT_WORK, QUIET_AT_REST = 240, 120
"""How many turns without a point, a request or another state make a wait vain: longer than the longest pause between
two tries, and than a request that is not answered. Turns, not seconds: on a busy machine they take longer."""
MOST_TURNS = 900


class Broken(AssertionError):
    """The invariant does not hold. Its text is the script, what happened, and what is wrong."""


class World:
    """One run of one script."""

    def __init__(self, script: Script, folder: Path, statistics: Counter[str] | None = None) -> None:
        self.script = script
        self.told: list[str] = []
        self.tasks: list[str] = []
        self.already_requested = 0
        """How many tasks there were before the round."""
        self.outdated_pods: set[str] = set()
        """Before the round: Pods that have read what is not there any more, as a completed task changed it since."""
        self.statistics = Counter() if statistics is None else statistics
        self._settings = EngineSettings(keep_revisions=2) if script.forgets else EngineSettings()
        self._url = f"sqlite:///{folder}/kubemin.db"
        self._machines: list[Machine] = []
        self._names = (f"m{number}" for number in itertools.count(1))
        self._background: set[asyncio.Task[Any]] = set()
        self._asking: set[asyncio.Task[Any]] = set()
        """What people ask for in the middle of a round, until its task is known."""
        self._hub = LocalHub()
        self._one_outage = asyncio.Lock()
        self._points = 0
        self._events: list[Event] = []
        self._met: Counter[Event] = Counter()
        self._armed: list[tuple[Trouble, Armed]] = []
        self._round: Round = script.rounds[0]
        self.revisions = Revisions()
        self._plans: dict[str, Plan] = {}
        self.at_first: dict[ObjectRef, Manifest] = {}
        """What was there when the round began."""
        self._ended: dict[str, TaskStatus] = {}
        self._given_up: set[str] = set()
        self.may_be_fenced: set[ObjectRef] = set()
        """Objects whose rollback was given up halfway."""

    async def run(self) -> None:
        """Run it all. Raises `Broken`."""
        async with SimServer(speed=SPEED, operators=operators()) as self.sim:
            for one in DEFINITIONS:
                self.sim.registry.create("customresourcedefinitions", "", one, manager="kubectl")
            self.db = await Database.open(self._url)
            self.records = Records(self.db)
            self.service = TaskService(self.db, LocalSignals(self._hub), LocalDoorbell(), LIMITS, self._settings)
            self.foreigners = Foreigners(self.sim.registry)
            self.observer = Observer(self.sim)
            self.refusals = Refusals(self.sim)
            try:
                await self._start_machine()
                for number, round_ in enumerate(self.script.rounds, 1):
                    self.tell(f"Round {number}.")
                    await self._run_round(round_)
            finally:
                self.statistics["writes"] += self.observer.writes
                self.statistics["objects made"] += len(self.observer.made)
                self.statistics["objects deleted"] += self.observer.deletes
                for machine in self._machines:
                    await machine.aclose()
                for task in self._background:
                    task.cancel()
                if self._background:
                    await asyncio.wait(self._background)
                await self.db.aclose()

    def tell(self, sentence: str) -> None:
        """Note what happens."""
        self.told.append(sentence)

    def count(self, what: str) -> None:
        """Count it."""
        self.statistics[what] += 1

    def may_be_pruned(self, number: int, states: Mapping[int, RevisionState]) -> bool:
        """Whether a revision of an application may be gone: it is neither one of the newest, nor current or pending."""
        alive = states[number] in (RevisionState.PENDING, RevisionState.CURRENT)
        return not alive and number not in sorted(states)[-self._settings.keep_revisions :]

    @property
    def adopts(self) -> bool:
        """Whether the round's runs may take over strangers' objects."""
        return self._round.adopt

    # -- a round

    async def _run_round(self, round_: Round) -> None:
        self._round = round_
        await self.sim.controllers.settled()
        for foreign in round_.there:
            self._furnish(foreign)
        await self._at_rest()
        self.foreigners.rebase()
        self.at_first = snapshot(self.sim.registry)
        self.observer.round_begins()
        self._points, self._events, self._met = 0, list(round_.events), Counter[Event]()
        self._armed = [(trouble, self.sim.faults.add(_fault(trouble))) for trouble in round_.troubles]
        self.already_requested = len(self.tasks)
        self.outdated_pods = check.outdated_pods(self)
        await self._deploy(round_.parts, round_.app, OnActive.QUEUE, round_.how, round_.way)
        await self._until("the tasks come to rest", self._settled, QUIET_AT_WORK)
        for trouble, armed in self._armed:
            if armed.strikes:
                self.tell(f"  {trouble!r} struck {armed.strikes} times.")
                self.statistics[f"fault {trouble.action} {trouble.when}"] += armed.strikes
        await self._check_named()
        if round_.abandon:
            await self._abandon()
        await self._calm()
        await self._until("all is as it should be", self._checked, QUIET_AT_REST)
        if self._events:
            raise self.broken([f"{event!r} never happened" for event in self._events])
        if self.script.forgets:
            self.statistics["tasks forgotten"] += (forgotten := await self.records.forget(self.tasks))
            self.tell(f"  {forgotten} tasks are forgotten.")
        self.refusals.end()
        self.count("rounds")
        self.statistics.update(await partings.counts(self))
        self.statistics.update(await beside.counts(self))
        for task_id in self.tasks[self.already_requested :]:
            task = await self.task(task_id)
            self.count(f"task {task.status}")
            self.tell(f"  task {task_id} of {task.app_name}: {task.status} ({task.reason}), cleanup {task.cleanup}")
        ends = [(await self.task(task_id)).status for task_id in self.tasks[self.already_requested :]][:1]
        if round_.ends and ends != [round_.ends]:
            raise self.broken([f"the round's first task is {ends}, and not {round_.ends}", self.told[-1]])

    def _furnish(self, foreign: Foreign) -> None:
        manifest = self._foreign_manifest(foreign.target, foreign.flavour, applied=foreign.applied)
        if manifest is None:
            return
        make = lambda _: self.foreigners.create(manifest, applied=foreign.applied)  # noqa: E731
        self._foreign("object in the way", foreign.target, foreign.flavour, make)

    async def _at_rest(self) -> None:
        """The controllers have nothing more to do, and Deployments are rolled out as far as they will."""
        await self.sim.controllers.settled()

    async def _calm(self) -> None:
        """Nothing goes wrong any more: faults end, late requests land, sleepers wake, finalizers are taken off."""
        self._events = [event for event in self._events if isinstance(event.at, str)]  # these come, if late
        await self.observer.clear()
        self.refusals.calm()
        for machine in self._machines:
            machine.forget_leases()
            machine.awake.set()
        if self._background:
            await asyncio.wait(self._background, timeout=QUIET_AT_WORK * TURN)
        self.foreigners.let_go()
        if all(machine.dead for machine in self._machines):
            await self._start_machine()

    async def _settled(self) -> str:
        """What is still under way; empty if nothing is."""
        points = self._points
        there = [task_id for task_id in self.tasks if task_id not in self.records.forgotten]
        async with self.db.read() as tx:
            found = [await tasks.brief(tx, task_id) for task_id in there]
        for task in found:
            assert task is not None
            if not self._noted(task).status.ended or task.cleanup in (Cleanup.PENDING, Cleanup.RUNNING):
                return f"task {task.id} is {task.status}, cleanup {task.cleanup}"
        await asyncio.sleep(TURN)  # whoever made the last commit comes to its point, where something may be asked for
        return "somebody asks for something" if self._asking or points != self._points else ""

    async def _check_named(self) -> None:
        """What could not be put back is named."""
        for task_id in self.tasks:
            task = await self.task(task_id)
            if task.cleanup is Cleanup.INCOMPLETE:
                self.count("cleanup incomplete")
                self.tell(f"  cleanup of {task_id} is incomplete: {task.cleanup_why}")
                if not task.cleanup_why:
                    raise self.broken([f"cleanup of {task_id} is incomplete, and nothing is named"])

    async def _abandon(self) -> None:
        """Somebody gives up what is incomplete; nobody tries it again, also when asked to."""
        for task_id in self.tasks:
            if (await self.task(task_id)).cleanup is not Cleanup.INCOMPLETE:
                continue
            try:
                await self.service.abandon_cleanup(task_id, "ada", "the script gives up")
            except NotIncomplete as error:
                self.tell(f"  abandon {task_id}: {error}")
                continue
            self._given_up.add(task_id)
            self.may_be_fenced |= {row.ref for row in await self.records.rows(task_id)}
            self.tell(f"  the cleanup of {task_id} is given up")
            await self.service.retry_cleanup(task_id)

    async def _checked(self) -> str:
        """What is not as it should be (yet); empty if all is."""
        for task_id in self.tasks:
            if (await self.task(task_id)).cleanup is Cleanup.INCOMPLETE:
                await self.service.retry_cleanup(task_id)
        if going := await self._settled():
            return going
        if busy := [machine.name for machine in self._machines if not machine.idle]:
            return f"{', '.join(busy)} still at work"
        await self._at_rest()
        return "\n".join(await check.wrongs(self))

    async def _until(self, what: str, condition: Callable[[], Awaitable[str]], quiet: int) -> None:
        """Wait until a condition finds nothing wrong. Raises `Broken` once nothing has moved for ``quiet`` turns."""
        was, still = None, 0
        for _ in range(MOST_TURNS):
            wrong = await condition()
            if self.observer.wrongs:
                raise self.broken(self.observer.wrongs)
            if not wrong:
                return
            now = (wrong, self._points, self.observer.requests)
            was, still = now, still + 1 if now == was else 0
            if still == quiet:
                break
            await asyncio.sleep(TURN)
        raise self.broken([f"waited in vain until {what}", *wrong.split("\n")])

    def broken(self, wrongs: list[str]) -> Broken:
        """The invariant does not hold."""
        parts = [repr(self.script), *self.told, "WRONG:", *(f"  {wrong}" for wrong in wrongs)]
        return Broken("\n".join(parts))

    # -- tasks

    async def task(self, task_id: str) -> Task:
        return self._noted(await self.records.task(task_id))

    def _noted(self, task: Task) -> Task:
        """The same; what ended stays as it ended. Raises `Broken`."""
        task_id = task.id
        was = self._ended.setdefault(task_id, task.status) if task.status.ended else task.status
        if was is not task.status:
            raise self.broken([f"task {task_id} was {was} and is {task.status}"])
        if task_id in self._given_up and task.cleanup is not Cleanup.ABANDONED:
            raise self.broken([f"the cleanup of {task_id} was given up and is {task.cleanup}"])
        return task

    def plan_of(self, task_id: str) -> Plan:
        """What a task was to do; its row forgets it when its application is deleted."""
        return self._plans.get(task_id, Plan(()))

    async def _deploy(self, parts: tuple[Part, ...], app: str, on_active: OnActive, how: str, way: str) -> None:
        round_ = self._round
        app_id = application_id(round_.namespace, app)
        posted = self._application(parts, app)
        if how == "exec":
            await self._save(posted)
        options = ExecOptions(
            on_active=OnActive.REJECT if how == "restart" else on_active,  # as the API does it
            timeout_seconds=round_.seconds,
            preflight=round_.preflight,
            create_namespace=round_.namespace != "default" or any("elsewhere" in part.extras for part in parts),
            adopt=round_.adopt,
            take_over=round_.take_over,
            delete_volumes=round_.delete_volumes,
            strategy=WAYS[way] if way else None,
        )
        source: dict[str, Source] = {
            "exec": Draft(app_id),
            "apply": Posted(posted, config_key="random"),
            "rollback": Former(app_id),
            "rollback-1": Former(app_id, 1),
            "restart": Restart(app_id),
        }
        try:
            task = await self.service.run(source[how], options, "tester")
        except (EngineError, SpecError) as error:
            self.tell(f"  {how} of {app} ({on_active}) is refused: {error}")
            return
        self.tasks.append(task.id)
        async with self.db.read() as tx:
            recorded = await tasks.get(tx, task.id)
        assert recorded is not None
        self._plans[task.id] = Plan.from_json(recorded.plan)
        self.count(f"task of {how}")
        await self.revisions.asked(self, task, how, posted.posted() if how in ("exec", "apply") else None)
        self.tell(f"  {task.id} deploys {app} ({on_active}, {how}): {parts!r}")

    def _application(self, parts: tuple[Part, ...], app: str) -> Application:
        data: dict[str, Any] = {"name": app, "component": [part.component(app) for part in parts]}
        data["namespace"] = self._round.namespace
        # A step may not come before one that deploys what it reads.
        read = {part.reads for part in parts}
        names = [part.name for part in sorted(parts, key=lambda part: f"{part.type} {part.name}" not in read)]
        if (steps := workflow(self._round.steps, names)) is not None:
            data["workflow"] = steps
        return parse_application(data, LIMITS)

    async def _save(self, posted: Application) -> None:
        """As the API does it: with one workflow."""
        app_id = posted.app_id
        async with self.db.begin("save") as tx:
            if await applications.get(tx, app_id) is None:
                await drafts.create(tx, posted, config_key="random")
            else:
                await drafts.save(tx, posted, posted.workflow or [])
            self.revisions.saved(app_id, posted.posted(), await tx.now())

    async def _promote(self) -> None:
        """Wait until some task of the round is in a pause, and promote that."""
        promoted = None
        while promoted is None:
            open_tasks = []
            for task_id in self.tasks[self.already_requested :]:
                async with self.db.read() as tx:
                    task = await tasks.brief(tx, task_id)
                if task is None or task.status.ended:
                    continue
                open_tasks.append(task_id)
                with contextlib.suppress(NotHeld, TaskEnded):
                    promoted = await self.service.promote(task_id, "ada")
                    self.count("event promoted")
                    self.revisions.promoted(task_id, promoted)
                    self.tell(f"  {task_id} is promoted: {promoted}")
                    break
            if not open_tasks:
                return
            await asyncio.sleep(TURN)

    # -- points

    async def at_point(self, machine: Machine, point: str) -> None:
        """Called at every point of every machine; events of the script happen in here."""
        if point.startswith(_UNCOUNTED):
            return
        self._points += 1
        self.count("points")
        self.told.append(f"    {self._points:>3} {machine.name} {point}")
        for event in [event for event in self._events if self._is_due(event, point)]:
            self._events.remove(event)
            self.count(f"event {type(event).__name__}")
            self._happen(event, machine, point)

    def _is_due(self, event: Event, point: str) -> bool:
        if isinstance(event.at, int):
            return event.at <= self._points
        name, _, occurrence = event.at.partition("#")
        self._met[event] += name in point
        return self._met[event] == int(occurrence or 1)

    def _happen(self, event: Event, machine: Machine, point: str) -> None:
        match event:
            case Cancel(quiet=quiet, cleanup=cleanup):
                self._spawn(self._cancel(quiet=quiet, policy=CleanupPolicy(cleanup) if cleanup else None))
            case Deny():
                self.refusals.begin(event, self._round.namespace)
            case Kill():
                machine.die()
                self._spawn(self._replace(machine))
            case Pause():
                machine.awake.clear()
                self._spawn(self._replace(machine))
            case Expire():
                self._spawn(self._expire())
            case Edit(target=target, what="remake"):
                self._foreign("remake", target, "make anew", self.foreigners.remake)
            case Edit(target=target, what=what):
                self._foreign("edit", target, what, lambda ref: self.foreigners.edit(ref, what))
            case Delete(target=target):
                self._foreign("deletion", target, "delete", self.foreigners.delete)
            case Create(target=target):
                manifest = self._foreign_manifest(target, "other", applied=False)
                if manifest is not None:
                    self._foreign("creation", target, "create", lambda _: self.foreigners.create(manifest))
            case Evict(target=target, restart=restart):
                what = "restart the containers of" if restart else "evict the Pods of"
                self._foreign("eviction", target, what, lambda ref: self._evict(ref, restart=restart))
            case Cut(expired=expired):
                if expired:
                    self.sim.faults.add(Fault("expire", verb="watch", times=5))
                self.sim.faults.cut_watches()
            case Outage():
                self._spawn(self._outage())
            case Release():
                self._spawn(self.observer.release())
            case Remove():
                self._ask(self._remove(event))
            case Again(parts=parts, on_active=on_active, app=app, how=how, way=way):
                self._ask(self._deploy(parts, app, OnActive(on_active), how, way))
            case Save(parts=parts):
                self._spawn(self._save(self._application(parts, self._round.app)))
            case Promote():
                self._spawn(self._promote())
        self.told[-1] += f"   <- {event!r}"

    def _evict(self, ref: ObjectRef, *, restart: bool) -> str:
        found = [
            pod
            for pod in self.sim.registry.scan("pods")
            if pod["metadata"]["namespace"] == ref.namespace and pod["metadata"]["name"].startswith(f"{ref.name}-")
        ]
        for pod in found if ref.kind in ("Deployment", "StatefulSet") else []:
            if not restart:
                self.sim.registry.delete("pods", ref.namespace, pod["metadata"]["name"], grace=0)
                continue
            for container in pod["spec"]["containers"]:
                with contextlib.suppress(LookupError):  # it does not run just now
                    self.sim.controllers.restart(ref.namespace, pod["metadata"]["name"], container["name"])
        return "done" if found else "no Pods"

    def _foreign(self, kind: str, target: Target, what: str, act: Callable[[ObjectRef], str]) -> None:
        ref = self._ref(target)
        try:
            outcome = "no such object" if ref is None else act(ref)
        except Problem as problem:
            outcome = f"refused: {problem}"
        if outcome in ("done", "made"):
            self.count(f"foreign {kind}")
        self.told.append(f"  Somebody: {what} {ref}: {outcome}.")

    async def _outage(self) -> None:
        async with self._one_outage, self.sim.outage():
            await asyncio.sleep(OUTAGE_SECONDS)

    async def _remove(self, how: Remove) -> None:
        app = application_id(self._round.namespace, self._round.app)
        try:
            if how.keep:
                removing = self.service.delete_resources(app, "tester", delete_volumes=how.volumes)
                waiting = asyncio.create_task(removing)
                task_id = await self._removal_of(app, waiting)
            else:
                task = await self.service.delete_application(
                    app, "tester", keep_resources=how.release, delete_volumes=how.volumes and not how.release
                )
                task_id = task.id if task is not None else None
        except EngineError as error:
            self.tell(f"  the removal is refused: {error}")
            return
        if task_id is not None:
            self.tasks.append(task_id)
            self.tell(f"  {task_id} removes what {self._round.app} has")

    async def _removal_of(self, app: str, waiting: "asyncio.Task[Any]") -> str | None:
        """The task that somebody waits for who removes an application's resources."""
        self._background.add(waiting)
        waiting.add_done_callback(self._ended_in_background)
        while True:
            async with self.db.read() as tx:
                found = [task.id for task in await tasks.page(tx, app_id=app) if task.type == "delete"]
            if fresh := [task_id for task_id in found if task_id not in self.tasks]:
                return fresh[0]
            if waiting.done():
                waiting.result()
                return None
            await asyncio.sleep(0.01)

    async def _cancel(self, *, quiet: bool, policy: CleanupPolicy | None) -> None:
        service = TaskService(self.db, LocalSignals(), LocalDoorbell(), LIMITS) if quiet else self.service
        for task_id in reversed(self.tasks):
            task = await self.task(task_id)
            if task.status in (TaskStatus.QUEUED, TaskStatus.RUNNING):
                try:
                    await service.cancel(task.app_id, task_id, "ada", "cancelled by the script", policy)
                except EngineError as error:
                    self.tell(f"  cancel: {error}")
                return

    async def _replace(self, machine: Machine) -> None:
        await self._expire(machine)
        await self._start_machine()
        while not machine.dead and not machine.awake.is_set():  # it may have claimed just before it fell asleep
            await asyncio.sleep(0.1)
            await self._expire(machine)

    async def _expire(self, machine: Machine | None = None) -> None:
        for one in self._machines if machine is None else [machine]:
            one.forget_leases()
        whose = "" if machine is None else f" AND lease_owner = '{machine.name}'"
        async with self.db.begin("expire") as tx:
            await tx.write(text(f"UPDATE tasks SET lease_expires_at = 1 WHERE lease_expires_at IS NOT NULL{whose}"))
        for one in self._machines:  # what was claimed between is claimed anew
            if machine is None:
                one.forget_leases()

    async def _start_machine(self) -> None:
        name = next(self._names)
        self._machines.append(await Machine.start(name, self._url, self.sim.url, self._hub, self.at_point))

    def _ask(self, work: Coroutine[Any, Any, None]) -> None:
        asking = self._spawn(work)
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._ended_in_background)
        return task

    def _ended_in_background(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.observer.wrongs.append(f"the proof itself failed: {error!r}")

    # -- other people's objects

    def _manifests(self) -> dict[tuple[str, str], Manifest]:
        """The round's manifests by component and kind, as they will be rendered."""
        return check.rendered(self._round.parts, self._round.app, self._round.namespace)

    def _ref(self, target: Target) -> ObjectRef | None:
        manifest = self._manifest(target)
        return None if manifest is None else ObjectRef.of(manifest)

    def _manifest(self, target: Target) -> Manifest | None:
        ours = self._manifests().get((target.part, target.kind))
        return beside.of_track(ours, target.track) if ours is not None and target.track else ours

    def _foreign_manifest(self, target: Target, flavour: str, *, applied: bool) -> Manifest | None:
        """An object of the same name as one of ours, as somebody else would make it."""
        ours = self._manifest(target)
        if ours is None:
            return None
        theirs = copy.deepcopy(ours)
        theirs["metadata"]["labels"] = {"team": "theirs"}
        kind = theirs["kind"]
        if kind in ("ConfigMap", "Secret"):
            theirs.pop("stringData", None)
            theirs["data"] = {"version": "dGhlaXJz", "old": "dGhlaXJz"}
            if flavour == "immutable":
                theirs["immutable"] = True
        elif kind in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"):
            # Their Pods must not use what this deploy is to make: that would hold it for good reason.
            spec = theirs["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else theirs["spec"]
            image = "theirs:pull" if flavour == "broken" else "theirs:v0"
            kept = {"name": spec["template"]["spec"]["containers"][0]["name"], "image": image}
            spec["template"]["spec"] = {"containers": [kept]}
            if kind in ("Job", "CronJob"):
                spec["template"]["spec"]["restartPolicy"] = "Never"
            if flavour == "more" and kind == "Deployment":
                kept["env"] = [{"name": "THEIRS", "value": "1"}]
        elif is_custom(ObjectRef.of(theirs)):
            theirs["spec"] = {"size": 7, "ports": [{"name": "theirs", "port": 7}]}
        elif kind == "Service" and flavour == "more":
            theirs["spec"]["ports"] = [{"name": "theirs", "port": 81}]
        if flavour == "another application":
            theirs["metadata"]["labels"] = {"kubemin.io/app-id": "z" * 24}
        return theirs


def _fault(trouble: Trouble) -> Fault:
    return Fault(
        trouble.action,  # type: ignore[arg-type]
        verb=trouble.verb,
        resource=trouble.resource,
        skip=trouble.skip,
        times=trouble.times,
        when=trouble.when,  # type: ignore[arg-type]
        code=trouble.code,
        seconds=trouble.seconds,
        retry_after=1 if trouble.code == 429 else None,
    )
