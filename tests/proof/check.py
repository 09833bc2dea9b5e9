"""The invariant: what the cluster and the database must be once everything has come to rest."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from kubemin.engine.merge import changed_paths
from kubemin.engine.removal import FENCE
from kubemin.render import Identity, render
from kubemin.spec.application import parse_application
from kubemin.spec.labels import CLAIM, MANAGER, TASK_ID
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, ResourceState, TaskStatus
from kubemin.store import jobs, journal
from kubemin.store.tasks import Task
from tests.proof.foreigners import snapshot
from tests.proof.script import Part

if TYPE_CHECKING:
    from tests.proof.world import World

_COUNTERS = ("resourceVersion", "generation", "managedFields", "deletionGracePeriodSeconds")
_BY_CONTROLLERS = (
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/",
)
_CONTROLLERS = ("kube-controller-manager", "kubelet", "kube-scheduler")


@cache
def _rendered(parts: tuple[Part, ...], app: str, app_id: str) -> list[tuple[str, Manifest]]:
    parsed = parse_application({"name": app, "component": [part.component() for part in parts]})
    ids = {part.name: number for number, part in enumerate(parsed.component, 1)}
    return [(one.component, one.manifest) for one in render(parsed, Identity(app_id, ids))]


def rendered(parts: tuple[Part, ...], app: str, app_id: str) -> dict[tuple[str, str], Manifest]:
    """The manifests of an application, by component and kind."""
    return {(component, manifest["kind"]): manifest for component, manifest in _rendered(parts, app, app_id)}


async def wrongs(world: World) -> list[str]:
    """What is wrong, in sentences."""
    found: list[str] = []
    task_rows = [await world._task(task_id) for task_id in world.tasks]
    for task in task_rows:
        found += _task_wrongs(task)
        if task.status.ended:
            found += await _journal_wrongs(world, task)
    completed: dict[str, Task] = {}
    for task in task_rows[world.begun :]:
        if task.status is TaskStatus.COMPLETED:
            completed[task.app_id] = task
    live = snapshot(world.sim.registry)
    found += _marks(live, {task.id: task for task in task_rows}, world)
    found += await _differences(world, live, list(completed.values()))
    return found


def _task_wrongs(task: Task) -> list[str]:
    allowed = {
        TaskStatus.COMPLETED: (Cleanup.NONE, Cleanup.DONE),
        TaskStatus.FAILED: (Cleanup.NONE, Cleanup.DONE),
        TaskStatus.TIMEOUT: (Cleanup.NONE, Cleanup.DONE),
        TaskStatus.CANCELLED: (Cleanup.NONE, Cleanup.DONE),
    }
    if task.cleanup not in allowed[task.status]:
        return [f"task {task.id} is {task.status} with cleanup {task.cleanup}: {task.cleanup_why}"]
    if "unexpected" in task.reason:
        return [f"task {task.id} panicked: {task.reason}"]
    return []


async def _journal_wrongs(world: World, task: Task) -> list[str]:
    async with world.db.read() as tx:
        rows = await journal.of_task(tx, task.id)
        all_jobs = await jobs.of_task(tx, task.id)
    found = [f"job {job.name} of {task.id} is {job.status}" for job in all_jobs if not job.status.ended]
    if task.status is TaskStatus.COMPLETED:
        found += [
            f"job {job.name} of completed {task.id} is {job.status}"
            for job in all_jobs
            if job.status not in (JobStatus.COMPLETED, JobStatus.SKIPPED)
        ]
        fine = (ResourceState.CREATED, ResourceState.CHANGED)
        return found + [
            f"row {row.ref} of completed {task.id} is {row.state}"
            for row in rows
            if row.purpose == "apply" and row.state not in fine
        ]
    if task.cleanup is Cleanup.NONE and rows:
        found.append(f"task {task.id} has journal rows, and cleanup none")
    return found + [
        f"row {row.ref} of {task.id} is {row.state}: {row.why}"
        for row in rows
        if not row.state.settled and row.state is not ResourceState.OBSERVED
    ]


def _marks(live: dict[ObjectRef, Manifest], known: dict[str, Task], world: World) -> list[str]:
    """No claim of a task that did not complete, no fence, anywhere: copies by controllers included."""
    found = []
    pods = {ObjectRef.of(pod): pod for pod in world.sim.registry.scan("pods")}
    for ref, obj in (live | pods).items():
        annotations = obj["metadata"].get("annotations") or {}
        if FENCE in annotations:
            found.append(f"{ref} carries a fence")
        token = annotations.get(CLAIM)
        owner = known.get((token or "").partition(".")[0])
        if token and (owner is None or owner.status is not TaskStatus.COMPLETED):
            found.append(f"{ref} carries the claim {token} of a task that is {owner and owner.status}")
        label = (obj["metadata"].get("labels") or {}).get(TASK_ID)
        maker = known.get(label or "")
        if (
            label
            and (maker is None or maker.status is not TaskStatus.COMPLETED)
            and ref not in world.foreigners.stripped
        ):
            found.append(f"{ref} carries the label of task {label}")
    return found


async def _differences(world: World, live: dict[ObjectRef, Manifest], completed: list[Task]) -> list[str]:
    expected = world.foreigners.expected()
    touched, stripped = world.foreigners.touched, world.foreigners.stripped
    found: list[str] = []
    applied: set[ObjectRef] = set()
    dropped: set[ObjectRef] = set()
    replaced = await _replaced(world)
    for task_id in world.tasks[world.begun :]:
        async with world.db.read() as tx:
            dropped |= {row.ref for row in await journal.of_task(tx, task_id) if row.purpose == "remove"}
    for task in completed:
        plan = await world.plan_of(task.id)
        async with world.db.read() as tx:
            skipped = {job.seq for job in await jobs.of_task(tx, task.id) if job.status is JobStatus.SKIPPED}
        for job in plan.jobs:
            if job.seq in skipped:
                continue
            applied.add(job.ref)
            if job.ref not in live:
                if job.ref not in touched | replaced:
                    found.append(f"{job.ref} is not there, although {task.id} completed")
            elif job.ref not in touched:
                found += [f"{job.ref}: {one}" for one in lacking(job.manifest, live[job.ref])]
        dropped -= {job.ref for job in plan.jobs}
    ours = _with_dependents(live, applied) | _with_dependents(expected, applied)
    ours |= _with_dependents(live, touched & live.keys()) - touched  # what controllers make of others' edits
    going = _with_dependents(expected, dropped)
    for ref in sorted(_with_dependents(expected, dropped - touched - world.foreigners.gone) & live.keys()):
        if ref not in touched:
            found.append(f"{ref} is still there, although the application no longer has it")
    for ref in sorted((live.keys() | expected.keys()) - ours - going):
        if ref in stripped & touched or ref in replaced:
            continue
        if ref not in live:
            found.append(f"{ref} is gone")
        elif ref not in expected:
            found.append(f"{ref} is new")
        elif (was := normal(expected[ref])) != (now := normal(live[ref])):
            found.append(f"{ref} differs in {_how(was, now)}")
    return found


async def _replaced(world: World) -> set[ObjectRef]:
    """Jobs of earlier tasks that a task replaced: they are named, and not run again."""
    found = set()
    async with world.db.read() as tx:
        for task_id in world.tasks[world.begun :]:
            for row in await journal.of_task(tx, task_id):
                if row.purpose == "replace" and row.state in (ResourceState.LOST, ResourceState.DELETED):
                    found.add(row.ref)
    return found


def _with_dependents(objects: dict[ObjectRef, Manifest], refs: set[ObjectRef]) -> set[ObjectRef]:
    """These and what controllers made for them."""
    found = set(refs)
    sets = {ref for ref in refs if ref.kind == "StatefulSet"}
    uids = {objects[ref]["metadata"]["uid"] for ref in refs if ref in objects}
    for ref, obj in objects.items():
        if any(owner["uid"] in uids for owner in obj["metadata"].get("ownerReferences") or []):
            found.add(ref)
        if ref.kind == "PersistentVolumeClaim" and any(f"-{one.name}-" in ref.name for one in sets):
            found.add(ref)
    return found


def normal(obj: Manifest) -> Manifest:
    """An object without what only counts up, and without what controllers report."""
    meta = {key: value for key, value in obj["metadata"].items() if key not in _COUNTERS}
    annotations = {
        key: value for key, value in meta.pop("annotations", {}).items() if not key.startswith(_BY_CONTROLLERS)
    }
    if annotations:
        meta["annotations"] = annotations
    meta["owners"] = _owners(obj)
    body = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    if obj["kind"] == "ControllerRevision":
        body.pop("revision", None)
    if obj["kind"] == "PersistentVolumeClaim":  # bound when its controller comes to it
        body["spec"] = {key: value for key, value in body["spec"].items() if key != "volumeName"}
    return {**body, "metadata": meta}


def _owners(obj: Manifest) -> dict[str, list[str]]:
    """By manager and operation, the fields it owns. Our own count together: the engine turns one into the other."""
    owners: dict[str, set[str]] = {}
    for entry in obj["metadata"].get("managedFields") or []:
        if entry.get("subresource") == "status" or entry["manager"] in _CONTROLLERS:
            continue
        who = " ".join([entry["manager"], entry.get("subresource", ""), entry["operation"]])
        owners.setdefault(MANAGER if entry["manager"] == MANAGER else who, set()).update(_fields(entry["fieldsV1"], ""))
    return {who: sorted(fields) for who, fields in owners.items() if fields}


def _fields(tree: dict[str, Any], path: str) -> set[str]:
    found: set[str] = set()
    for key, below in tree.items():
        if key != "." and (below or key != "f:annotations"):  # left empty where the claim was the only one
            found |= _fields(below, f"{path}/{key}") or {f"{path}/{key}"}
    return found


def _how(was: Manifest, now: Manifest) -> str:
    paths = changed_paths(was, now)
    for key in was["metadata"].keys() | now["metadata"].keys():
        one, two = was["metadata"].get(key), now["metadata"].get(key)
        if key == "owners":
            paths += [
                f"fields of {who}: lost {sorted(lost)}, got {sorted(got)}"
                for who in one.keys() | two.keys()
                if (lost := set(one.get(who, [])) - set(two.get(who, [])))
                | (got := set(two.get(who, [])) - set(one.get(who, [])))
            ]
        elif one != two and key not in ("labels", "annotations"):
            paths.append(f"metadata.{key}: {one} became {two}")
    return ", ".join(paths) or f"{was} became {now}"


def lacking(wanted: Any, live: Any, path: str = "") -> list[str]:
    """What a manifest says and the live object does not."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        found = []
        for key, value in wanted.items():
            below = f"{path}.{key}" if path else key
            if key not in live:
                if value not in ({}, [], None, ""):
                    found.append(f"{below} is missing")
            else:
                found += lacking(value, live[key], below)
        return found
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        return [one for place, item in enumerate(wanted) for one in lacking(item, live[place], f"{path}[{place}]")]
    return [] if wanted == live else [f"{path} is {live!r}, not {wanted!r}"]
