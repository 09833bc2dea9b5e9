"""The run is the truth: the current revision is what the cluster has, whatever became of the runs; and the draft.

What is expected is told from what was asked, in the order in which the tasks ended; the engine's own rows are only
compared with it. The strategies end in the same objects as a rolling run: of what is beside them meanwhile, whatever is
left over is `_surplus`.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kubemin.engine import ExecOptions
from kubemin.engine.objects.claims import PVC
from kubemin.engine.objects.ownership import application_of
from kubemin.spec.component import Component
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import PAUSE_KIND, JobStatus, Purpose, ResourceState, RevisionState, TaskStatus, TaskType
from kubemin.store import components, revisions
from kubemin.store.tasks import Task
from tests.proof.beside import left_out
from tests.proof.compare import lacking
from tests.proof.owned import has, undone_by
from tests.proof.partings import was_left
from tests.proof.scaling import scaled, without_number

if TYPE_CHECKING:
    from tests.proof.world import World

Parts = Mapping[str, Any]
"""Components as JSON, by name."""

_ENDS = {
    TaskStatus.FAILED: RevisionState.FAILED,
    TaskStatus.TIMEOUT: RevisionState.TIMEOUT,
    TaskStatus.CANCELLED: RevisionState.CANCELLED,
}
_NAMED = (ResourceState.KEPT, ResourceState.LOST, ResourceState.RELEASED)
"""What the journal says of an object that is not as the revision has it."""


@dataclass(frozen=True)
class _Asked:
    """A run: ``parts`` are all that its revision was to have, ``brought`` the names of those that it deploys."""

    parts: Parts
    brought: frozenset[str]
    replaces_draft: bool


@dataclass
class _Expected:
    """What is to be in the database, of one application."""

    states: dict[int, RevisionState] = field(default_factory=dict)
    current: int | None = None
    parts: Parts = field(default_factory=dict)
    draft: Parts | None = None
    by: Mapping[str, str] = field(default_factory=dict)
    """By component: the task that brought it last."""

    def supersede(self) -> None:
        """What is current is so no more."""
        if self.current is not None:
            self.states[self.current] = RevisionState.SUPERSEDED
        self.current, self.parts = None, {}


class Revisions:
    """Remembers what was asked and saved and promoted; `wrongs` compares."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}
        self._saved: list[tuple[datetime, str, Parts]] = []
        self._promoted: dict[str, list[str]] = {}

    def saved(self, app_id: str, posted: Any, when: datetime) -> None:
        """Somebody saved a draft, at that time of the database."""
        self._saved.append((when, app_id, _by_name(posted)))

    def promoted(self, task_id: str, hold: str) -> None:
        """A promote was answered."""
        self._promoted.setdefault(task_id, []).append(hold)

    async def asked(self, world: World, task: Task, how: str, posted: Any) -> None:
        """A run was accepted. ``posted`` is None for a rollback and a restart, which are of what was there then."""
        async with world.db.read() as tx:
            row = await revisions.get(tx, task.app_id, task.revision or 0)
        spec = posted if posted is not None else row and row.spec
        parts = _by_name(spec or {})
        brought = {job.component for job in world.plan_of(task.id).jobs}
        self._asked[task.id] = _Asked(parts, frozenset(brought), how not in ("exec", "restart"))

    async def wrongs(self, world: World, live: Mapping[ObjectRef, Manifest]) -> list[str]:
        """What is wrong, in sentences."""
        tasks = [await world.task(task_id) for task_id in world.tasks]
        excused = await _excused(world, tasks)
        found: list[str] = []
        for task in tasks:
            found += await self._of_holds(world, task)
        for app_id in dict.fromkeys(task.app_id for task in tasks):
            mine = [task for task in tasks if task.app_id == app_id]
            expected = await self._expected(world, app_id, mine)
            found += await _of_rows(world, app_id, expected)
            found += await _of_cluster(world, app_id, live, excused)
        return found

    async def _of_holds(self, world: World, task: Task) -> list[str]:
        """A pause is passed by its own promote, once, and by nothing else; who was promoted never waits again.

        Two components may have holds of one name: they are counted.
        """
        promoted = Counter(self._promoted.get(task.id, []))
        plan = world.plan_of(task.id)
        by_itself = {stage.hold.seq for stage in plan.stages if stage.hold and stage.hold.seconds is not None}
        held = [job for job in await world.records.jobs(task.id) if job.kind == PAUSE_KIND]
        holds = [hold for hold in held if hold.seq not in by_itself]
        there = Counter(hold.object_name for hold in holds)
        passed = Counter(hold.object_name for hold in holds if hold.status is JobStatus.COMPLETED)
        # One that the time of the whole run ended may have been promoted a moment before. One that had passed, in a
        # step that is put back, only tells why that failed.
        timeouts = [hold for hold in holds if hold.status is JobStatus.TIMEOUT]
        late = Counter(hold.object_name for hold in timeouts if "nobody promoted" in hold.error)
        found = [f"{task.id} was promoted twice past {name}" for name in promoted - there if name in there]
        found += [f"{name} of {task.id} is over, and nobody promoted it" for name in passed - promoted]
        found += [
            f"{name} of {task.id} was promoted, and is said to be out of time"
            for name in late
            if promoted[name] > there[name] - late[name]
        ]
        return found

    async def _expected(self, world: World, app_id: str, mine: list[Task]) -> _Expected:
        saves = [(when, parts) for when, whose, parts in self._saved if whose == app_id]
        first = [(task.created_at, self._asked[task.id]) for task in mine if task.id in self._asked]
        ends = [(task.ended_at, task) for task in mine if task.ended_at is not None]
        moments: list[tuple[datetime, Parts | _Asked | Task]] = [*saves, *first, *ends]
        found, begun = _Expected(), None
        for when, what in sorted(moments, key=lambda one: one[0]):
            if isinstance(what, _Asked):
                if found.draft is None:  # an apply of a new application is its draft at once
                    found.draft = what.parts
            elif not isinstance(what, Task):
                found.draft = what
            elif what.type is TaskType.DELETE:
                if what.status is TaskStatus.COMPLETED:
                    found.supersede()
                    stays = any(task.created_at < when < ended for ended, task in ends if task.type is TaskType.DEPLOY)
                    if not stays and not ExecOptions.read(what.options).keep_application:
                        found, begun = _Expected(), when
                elif begun is None or what.created_at >= begun:
                    await _stop(world, what, found)
            elif begun is None or what.created_at >= begun:
                await self._end(world, what, found)
        return found

    async def _end(self, world: World, task: Task, found: _Expected) -> None:
        assert task.revision is not None
        if task.status is not TaskStatus.COMPLETED:
            found.states[task.revision] = _ENDS[task.status]
            return
        asked, undone = self._asked[task.id], await undone_by(world, task)
        former, parts = found.parts, {}
        for name, part in asked.parts.items():
            if name in asked.brought - undone:
                parts[name] = part
            elif name in former:
                parts[name] = former[name]
        found.supersede()
        found.states[task.revision] = RevisionState.CURRENT
        found.current, found.parts = task.revision, parts
        brought = {name: task.id for name in parts if name in asked.brought - undone}
        found.by = {name: task_id for name, task_id in {**found.by, **brought}.items() if name in parts}
        if asked.replaces_draft:
            found.draft = parts


async def _stop(world: World, removal: Task, found: _Expected) -> None:
    """What a removal that did not complete has left: no component of which it has taken an object away.

    What it had begun to take away when it was stopped counts as well; that is told by the revision alone.
    """
    async with world.db.read() as tx:
        rows = await revisions.of_application(tx, removal.app_id)
        number = next((row.number for row in rows if row.task_id == removal.id), None)
        row = None if number is None else await revisions.get(tx, removal.app_id, number)
    going = [one for one in await world.records.rows(removal.id) if one.purpose.lets_go]
    lost = {one.ref for one in going if one.state in (ResourceState.DELETED, ResourceState.RELEASED)}
    refs = {name: {job.ref for job in world.plan_of(by).jobs if job.component == name} for name, by in found.by.items()}
    gone = {name for name, its in refs.items() if its & lost}
    if row is not None:
        gone |= {name for name in refs if name not in _by_name(row.spec) and refs[name] & {one.ref for one in going}}
    if not gone:
        return
    parts = {name: part for name, part in found.parts.items() if name not in gone}
    found.supersede()
    if parts:
        found.parts, found.current = parts, number
        if number is not None:
            found.states[number] = RevisionState.CURRENT
    found.by = {name: by for name, by in found.by.items() if name in parts}


async def _of_rows(world: World, app_id: str, expected: _Expected) -> list[str]:
    async with world.db.read() as tx:
        rows = await revisions.of_application(tx, app_id)
        current = await revisions.current(tx, app_id)
        draft = {part.name: part.spec for part in await components.of_application(tx, app_id)}
    found = []
    states = {row.number: row.state for row in rows}
    all_of_it = expected.states
    wanted = {n: state for n, state in all_of_it.items() if n in states or not world.may_be_pruned(n, all_of_it)}
    if states != wanted:
        said, wants = ({n: str(state) for n, state in sorted(of.items())} for of in (states, wanted))
        found.append(f"the revisions of {app_id} are {said}, and should be {wants}")
    if current is not None and (differ := _differ(_by_name(current.spec), expected.parts)):
        found.append(f"revision {current.number} of {app_id} is current, and has otherwise: {', '.join(differ)}")
    if differ := _differ(draft, expected.draft or {}):
        found.append(f"the draft of {app_id} has otherwise: {', '.join(differ)}")
    return found


async def _of_cluster(
    world: World, app_id: str, live: Mapping[ObjectRef, Manifest], excused: Collection[ObjectRef]
) -> list[str]:
    """The cluster has what the current revision says, with the values that it says, and nothing more."""
    wanted = await has(world.db, app_id)
    by = scaled([*wanted.values(), *live.values()])
    found = []
    for ref, manifest in wanted.items():
        if ref in excused:
            continue
        world.count("objects of revisions")
        if ref not in live:
            found.append(f"{ref} is of the current revision of {app_id}, and is not there")
        elif application_of(live[ref]) == app_id:  # a volume claim that is only named may be another's
            lacks = lacking(without_number(as_stored(manifest), by), live[ref])
            found += [f"{ref} is not as the current revision says: {one}" for one in lacks]
    return found + [
        f"{ref} is there, and no current revision of {app_id} has it"
        for ref, obj in live.items()
        if application_of(obj) == app_id and ref not in wanted and ref not in excused and _surplus(obj)
    ]


def _surplus(obj: Manifest) -> bool:
    """It counts among an application's objects: it is neither data, which stays, nor made by a controller."""
    return obj["kind"] not in (PVC, "Namespace") and not obj["metadata"].get("ownerReferences")


async def _excused(world: World, tasks: list[Task]) -> set[ObjectRef]:
    """What others changed, what is shared and another application's, and what the journal names."""
    found = set(world.foreigners.meddled)
    for task in tasks:
        left = {job.seq for job in await world.records.jobs(task.id) if job.status is JobStatus.SKIPPED}
        found |= left_out(world.plan_of(task.id), left)
        for row in await world.records.rows(task.id):
            undone = task.status is not TaskStatus.COMPLETED  # a deletion cannot be put back
            gone = undone and row.purpose is Purpose.REMOVE and row.state is ResourceState.DELETED
            if was_left(task) or row.state in _NAMED or gone:
                found.add(row.ref)
    return found


def as_stored(manifest: Manifest) -> Manifest:
    """With what is written as text as it is stored."""
    texts = manifest.get("stringData")
    if texts is None:
        return manifest
    data = {key: base64.b64encode(value.encode()).decode() for key, value in texts.items()}
    kept = {key: value for key, value in manifest.items() if key != "stringData"}
    return {**kept, "data": {**manifest.get("data", {}), **data}}


def _by_name(spec: Mapping[str, Any]) -> Parts:
    return {part["name"]: part for part in spec.get("component", [])}


def _differ(one: Parts, other: Parts) -> list[str]:
    return [name for name in {**one, **other} if _read(one.get(name)) != _read(other.get(name))]


def _read(part: Any) -> Any:
    return None if part is None else Component.model_validate(part).dump()
