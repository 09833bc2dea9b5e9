"""What stays and what goes: data, released objects, what a task left as it was; and what could not be created."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kubemin.engine import ExecOptions
from kubemin.engine.objects.claims import PVC, is_in_use
from kubemin.engine.objects.ownership import application_of
from kubemin.spec.labels import ANNOTATIONS, APP_ID, MANAGER, TASK_ID
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, CleanupPolicy, Purpose, ResourceState, TaskStatus, TaskType
from kubemin.store.tasks import Task
from tests.proof.manifests import resource_key
from tests.proof.owned import has
from tests.proof.refusals import said_of

if TYPE_CHECKING:
    from tests.proof.world import World

_NOTHING_MISSED = (Cleanup.NONE, Cleanup.DONE)


def was_left(task: Task) -> bool:
    """Whether what the task made is to stay as it is: its cancel said so, or its cleanup was given up."""
    kept = task.status is TaskStatus.CANCELLED and task.cancel_cleanup is CleanupPolicy.NONE
    return task.cleanup is Cleanup.ABANDONED or kept


async def tasks_of_round(world: World) -> list[Task]:
    """The round's tasks, in their order."""
    return [await world.task(task_id) for task_id in world.tasks[world.already_requested :]]


async def claims(world: World, live: dict[ObjectRef, Manifest], expected: dict[ObjectRef, Manifest]) -> list[str]:
    """Volume claims go only where their deletion was asked for, and then all that the application has no more."""
    round_tasks = await tasks_of_round(world)
    touched = world.foreigners.touched
    may_go = {task.app_id for task in round_tasks if _deletes_volumes(task)}
    found = [
        f"{ref} was there before, holds data, and is gone"
        for ref, obj in expected.items()
        if ref.kind == PVC and ref not in touched and application_of(obj) not in may_go
        if ref not in live or live[ref]["metadata"]["uid"] != obj["metadata"]["uid"]
    ]
    uids = {obj["metadata"]["uid"] for obj in live.values()}
    for task in round_tasks:
        rows = [row for row in await world.records.rows(task.id) if row.ref.kind == PVC and row.ref not in touched]
        kept = [row for row in rows if row.purpose is Purpose.REMOVE and row.state is ResourceState.KEPT]
        if task.app_id not in may_go:
            found += [f"{row.ref} is said to be kept, and is gone" for row in kept if row.uid not in uids]
    for task in _last_of_each_application(round_tasks):
        if _deletes_volumes(task) and task.status is TaskStatus.COMPLETED and task.cleanup in _NOTHING_MISSED:
            found += await _not_deleted(world, task, live)
    return found


def _deletes_volumes(task: Task) -> bool:
    removes = task.status is TaskStatus.COMPLETED or task.type is TaskType.DELETE
    return removes and ExecOptions.read(task.options).delete_volumes


def _last_of_each_application(round_tasks: list[Task]) -> list[Task]:
    return list({task.app_id: task for task in round_tasks}.values())


async def _not_deleted(world: World, task: Task, live: dict[ObjectRef, Manifest]) -> list[str]:
    current = (await has(world.db, task.app_id)).keys()
    in_use = {row.ref for row in await world.records.rows(task.id) if "uses it" in (row.why or "")}
    stores = [obj for ref, obj in live.items() if ref.kind == "StatefulSet"]
    return [
        f"{ref} is still there, although {task.id} was to delete volume claims"
        for ref, obj in live.items()
        if ref.kind == PVC and application_of(obj) == task.app_id
        if ref not in current | in_use | world.foreigners.touched
        if not any(is_in_use(ref.name, store) for store in stores if store["metadata"]["namespace"] == ref.namespace)
    ]


async def released(world: World, live: dict[ObjectRef, Manifest], expected: dict[ObjectRef, Manifest]) -> list[str]:
    """After a removal that deletes nothing all is there, as it was, and nothing says that it is ours."""
    found: list[str] = []
    others = world.foreigners.touched | world.foreigners.remade | world.foreigners.stripped
    round_tasks = await tasks_of_round(world)
    for task in _last_of_each_application(round_tasks):
        if task.status is not TaskStatus.COMPLETED or not ExecOptions.read(task.options).keep_resources:
            continue
        let_go = {row.ref for row in await world.records.rows(task.id) if row.state is ResourceState.RELEASED}
        alone = len([one for one in round_tasks if one.status is TaskStatus.COMPLETED]) == 1
        had = {ref for ref, obj in expected.items() if alone and application_of(obj) == task.app_id}
        for ref in sorted((let_go | had) - others):
            if ref not in live:
                found.append(f"{ref} is gone, although {task.id} was to keep it")
            elif alone and ref in expected and _body(expected[ref]) != _body(live[ref]):
                found.append(f"{ref} was changed by {task.id}, which was to let go of it")
        for ref, obj in live.items():
            ours = ref in let_go or (application_of(obj) == task.app_id and not _made_by_controller(obj))
            if ours and ref not in others and (marks := _marks(obj, task.app_id)):
                found.append(f"{ref} was let go of by {task.id}, and still has {marks}")
    return found


def _body(obj: Manifest) -> Manifest:
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}


def _made_by_controller(obj: Manifest) -> bool:
    """Its labels are those of a template; with a StatefulSet's claims the name of the set tells."""
    meta = obj["metadata"]
    template_claim = obj["kind"] == PVC and not (meta.get("labels") or {}).get(TASK_ID)
    return bool(meta.get("ownerReferences")) or template_claim


def _marks(obj: Manifest, app_id: str) -> list[str]:
    meta = obj["metadata"]
    labels = meta.get("labels") or {}
    found = [name for name in (APP_ID,) if labels.get(name) == app_id]
    found += [name for name in (TASK_ID,) if name in labels and labels.get(APP_ID) in (None, app_id)]
    if labels.get(APP_ID) in (None, app_id):  # else another application has it now
        found += [name for name in meta.get("annotations") or {} if name.startswith(ANNOTATIONS)]
        found += [f"fields of {MANAGER}" for one in meta.get("managedFields") or [] if one["manager"] == MANAGER]
    return found


async def refused(world: World, live: dict[ObjectRef, Manifest]) -> list[str]:
    """No task fails because nobody may create what was there all the time."""
    return [
        f"job {ref} of {task_id} failed as it may not be created, but it was there: {error}"
        for task_id, ref, error in await _refusals(world)
        if ref in world.at_first and ref in live and ref not in world.foreigners.touched
        if live[ref]["metadata"]["uid"] == world.at_first[ref]["metadata"]["uid"]
    ]


async def _refusals(world: World) -> list[tuple[str, ObjectRef, str]]:
    """By task the objects of jobs that failed as they may not be created, and how that was said."""
    found = []
    for task in await tasks_of_round(world):
        refs = {job.seq: job.ref for job in world.plan_of(task.id).jobs}
        all_jobs = await world.records.jobs(task.id)
        found += [
            (task.id, refs[job.seq], job.error)
            for job in all_jobs
            if job.error
            and job.seq in refs
            and said_of(job.error, resource_key(refs[job.seq].kind), refs[job.seq].name)
        ]
    return found


async def counts(world: World) -> Counter[str]:
    """What the round's tasks let go of, and how."""
    found: Counter[str] = Counter({"parting creations refused": len({one[0] for one in await _refusals(world)})})
    for task in await tasks_of_round(world):
        found["parting cleanups given up"] += task.cleanup is Cleanup.ABANDONED
        found["parting cancelled and left"] += was_left(task) and task.cleanup is not Cleanup.ABANDONED
        for row in await world.records.rows(task.id):
            claim = row.ref.kind == PVC and row.purpose is Purpose.REMOVE
            found["parting claims kept"] += claim and row.state is ResourceState.KEPT
            found["parting claims deleted"] += claim and row.state is ResourceState.DELETED
            found["parting objects released"] += row.state is ResourceState.RELEASED
    return +found
