"""The invariant: what the cluster and the database must be once everything has come to rest."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from kubemin.engine import ExecOptions
from kubemin.engine.objects.claims import PVC
from kubemin.engine.objects.namespace_content import HOLDERS
from kubemin.engine.objects.ownership import application_of
from kubemin.render import render
from kubemin.spec.application import parse_application
from kubemin.spec.labels import FENCE, MANAGED_BY, MANAGER, RELEASED_FROM, TASK_ID, WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, Purpose, ResourceState, TaskStatus, TaskType
from kubemin.spec.workflow import OnFailure
from kubemin.store import journal
from kubemin.store.tasks import Task
from kubesim.controllers.references import environment, used_config
from kubesim.problems import Problem
from tests.proof.beside import is_beside
from tests.proof.compare import essence, how, lacking, normal
from tests.proof.manifests import DEFINITION, LIMITS, defines, kind_in_script, snapshot
from tests.proof.oracle import Oracle
from tests.proof.owned import has, undone_by
from tests.proof.partings import claims, refused, released, was_left
from tests.proof.scaling import scaled, ways
from tests.proof.script import Part

if TYPE_CHECKING:
    from tests.proof.world import World

_OF_EVERY_NAMESPACE = (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"))


@cache
def _rendered(parts: tuple[Part, ...], app: str, namespace: str) -> list[tuple[str, Manifest]]:
    data = {"name": app, "namespace": namespace, "component": [part.component(app) for part in parts]}
    return [(one.component, one.manifest) for one in render(parse_application(data, LIMITS))]


def rendered(parts: tuple[Part, ...], app: str, namespace: str) -> dict[tuple[str, str], Manifest]:
    """The manifests of an application, by component and kind."""
    return {(component, kind_in_script(manifest)): manifest for component, manifest in _rendered(parts, app, namespace)}


async def wrongs(world: World) -> list[str]:
    """What is wrong, in sentences."""
    found: list[str] = []
    task_rows = [await world.task(task_id) for task_id in world.tasks]
    for task in task_rows:
        found += _task_wrongs(task)
        if task.status.ended:
            found += await _journal_wrongs(world, task)
    live = snapshot(world.sim.registry)
    kept = await _kept_namespaces(world, task_rows)
    found += [wrong for wrong in kept.values() if wrong]
    found += _marks(live, {task.id: task for task in task_rows}, world, kept.keys())
    found += await _strangers(world, live)
    found += await _used(world, task_rows, live)
    found += await _outdated(world, task_rows, live)
    found += await _differences(world, live, kept.keys())
    found += await _stale(world, task_rows, live)
    expected = world.foreigners.expected()
    found += await claims(world, live, expected)
    found += await released(world, live, expected)
    found += await refused(world, live)
    found += await world.revisions.wrongs(world, live)
    return found


async def _kept_namespaces(world: World, all_tasks: list[Task]) -> dict[ObjectRef, str]:
    """Namespaces that tasks made and could not take back, as they hold what others made since (R10); what is wrong."""
    rows: dict[str, list[journal.ResourceRow]] = {}
    for task in all_tasks:
        rows[task.id] = [row for row in await world.records.rows(task.id) if row.purpose is Purpose.APPLY]
    found: dict[ObjectRef, str] = {}
    theirs = world.foreigners.ever | world.foreigners.stripped
    for task in all_tasks:
        others = {row.ref for task_id, had in rows.items() if task_id != task.id for row in had}
        for row in rows[task.id]:
            if row.ref.kind not in HOLDERS or row.state is not ResourceState.KEPT:
                continue
            if row.ref.kind == DEFINITION and "it holds what is not ours" not in (row.why or ""):
                continue
            foreign = {ref for ref in others | theirs if _is_held_by(ref, row.ref)}
            named = (row.why or "").partition("it holds what is not ours: ")[2].split(", ")
            strange = [
                name for name in named if name not in {f"{ref.kind.partition('.')[0]}/{ref.name}" for ref in foreign}
            ]
            sets = [f"-{ref.name}-" for ref in foreign if ref.kind == "StatefulSet"]  # their claims are theirs too
            strange = [name for name in strange if not any(one in name for one in sets)]
            jobs_gone = {ref for ref in world.foreigners.gone if ref.kind == "Job" and ref.namespace == row.ref.name}
            strange = [name for name in strange if not any(name.startswith(f"Pod/{one.name}-") for one in jobs_gone)]
            foreign |= jobs_gone  # who deletes a Job leaves its Pods, by default
            found[row.ref] = f"{row.ref} was kept by {task.id} for {strange}" if strange or not foreign else ""
    return found


def _is_held_by(ref: ObjectRef, holder: ObjectRef) -> bool:
    return defines(holder, ref.kind) if holder.kind == DEFINITION else ref.namespace == holder.name


def _task_wrongs(task: Task) -> list[str]:
    allowed = {
        TaskStatus.COMPLETED: (Cleanup.NONE, Cleanup.DONE),
        TaskStatus.FAILED: (Cleanup.NONE, Cleanup.DONE),
        TaskStatus.TIMEOUT: (Cleanup.NONE, Cleanup.DONE),
        TaskStatus.CANCELLED: (Cleanup.NONE, Cleanup.DONE),
    }
    if task.cleanup is Cleanup.ABANDONED:
        named = task.cleanup_why.startswith("given up by ada")
        return [] if named else [f"the cleanup of {task.id} is given up, and nobody is named: {task.cleanup_why}"]
    if task.cleanup not in allowed[task.status]:
        return [f"task {task.id} is {task.status} with cleanup {task.cleanup}: {task.cleanup_why}"]
    if "unexpected" in task.reason:
        return [f"task {task.id} panicked: {task.reason}"]
    return []


async def _journal_wrongs(world: World, task: Task) -> list[str]:
    rows, all_jobs = await world.records.rows(task.id), await world.records.jobs(task.id)
    found = [f"job {job.name} of {task.id} is {job.status}" for job in all_jobs if not job.status.ended]
    if task.cleanup is Cleanup.ABANDONED and not any(row.why for row in rows if not row.state.settled):
        found.append(f"the cleanup of {task.id} is given up, and no object is named")
    if task.status is TaskStatus.COMPLETED:
        may_fail = _jobs_that_may_fail(world, task)
        found += [
            f"job {job.name} of completed {task.id} is {job.status}"
            for job in all_jobs
            if job.status not in (JobStatus.COMPLETED, JobStatus.SKIPPED) and job.seq not in may_fail
        ]
        undone = await put_back(world, task)
        return found + [
            f"row {row.ref} of completed {task.id} is {row.state}"
            for row in rows
            if row.purpose is Purpose.APPLY and (not _undone(row) if row.job_seq in undone else not _brought(row))
        ]
    if was_left(task):
        return found
    if task.cleanup is Cleanup.NONE and rows:
        found.append(f"task {task.id} has journal rows, and cleanup none")
    return found + [
        f"row {row.ref} of {task.id} is {row.state}: {row.why}"
        for row in rows
        if not row.state.settled and row.state is not ResourceState.OBSERVED
    ]


def _jobs_that_may_fail(world: World, task: Task) -> set[int]:
    stages = world.plan_of(task.id).stages
    return {seq for stage in stages if stage.on_failure is OnFailure.CONTINUE for seq in stage.seqs}


async def put_back(world: World, task: Task) -> set[int]:
    """Of a completed task: the jobs of steps that failed, and that were to continue."""
    names = await undone_by(world, task)
    return {job.seq for job in world.plan_of(task.id).jobs if job.component in names}


def _brought(row: journal.ResourceRow) -> bool:
    """Whether it is what its manifest says: written, or left as it was what that says already."""
    left = row.state is ResourceState.OBSERVED and row.adopted is False
    return row.state in (ResourceState.CREATED, ResourceState.CHANGED) or left


def _undone(row: journal.ResourceRow) -> bool:
    return row.state.settled or row.state is ResourceState.OBSERVED


async def _strangers(world: World, live: dict[ObjectRef, Manifest]) -> list[str]:
    """Where a stranger's object was in the way all the time, a run that may not adopt it has written nothing at all."""
    found: list[str] = []
    known = {(await world.task(task_id)).app_id for task_id in world.tasks}
    for task_id in world.tasks[world.already_requested :]:
        task = await world.task(task_id)
        may_fail = _jobs_that_may_fail(world, task)  # they are refused when their step comes, and the run goes on
        in_the_way = [
            job.ref
            for job in world.plan_of(task.id).jobs
            if job.share is None and job.seq not in may_fail and (was := world.at_first.get(job.ref)) is not None
            if (now := live.get(job.ref)) is not None and now["metadata"]["uid"] == was["metadata"]["uid"]
            if application_of(was) != task.app_id and application_of(now) != task.app_id
            if application_of(was) in known or not world.adopts
        ]
        if not in_the_way:
            continue
        world.count("strangers in the way")
        rows = [row.ref for row in await world.records.rows(task_id) if row.purpose is Purpose.APPLY]
        if rows or task.status is TaskStatus.COMPLETED:
            found.append(f"{task_id} is {task.status} and wrote {rows}, although {in_the_way} are strangers'")
    return found


async def _used(world: World, all_tasks: list[Task], live: dict[ObjectRef, Manifest]) -> list[str]:
    """What an application leaves to another, as it is shared, is there."""
    used: dict[str, dict[ObjectRef, journal.ResourceRow]] = {}
    for task in all_tasks:
        if task.status is TaskStatus.COMPLETED:
            undone = await put_back(world, task)
            brought = {job.ref for job in world.plan_of(task.id).jobs if job.seq not in undone}
            rows = {row.ref: row for row in await world.records.rows(task.id) if row.purpose is Purpose.USE}
            before = used.get(task.app_id, {}) if task.type is TaskType.DEPLOY else {}
            used[task.app_id] = {ref: row for ref, row in before.items() if ref not in brought} | rows
    uids = {obj["metadata"]["uid"] for obj in live.values()}
    has_now = {app_id: await has(world.db, app_id) for app_id in used}
    return [
        f"{ref}: what is shared instead (uid {row.uid}) is gone"
        for app_id, rows in used.items()
        for ref, row in rows.items()
        if ref in has_now[app_id] and row.uid not in uids and not world.foreigners.gone
    ]


async def _outdated(world: World, all_tasks: list[Task], live: dict[ObjectRef, Manifest]) -> list[str]:
    """What KubeMin made for an application, and its last completed run no longer has, is gone, or is said to stay.

    Of what a task left, too, once another has completed after it.
    """
    had: dict[str, set[ObjectRef]] = {}
    left: dict[str, dict[ObjectRef, str]] = {}
    given_up: dict[str, set[ObjectRef]] = {}
    completed: set[str] = set()
    stays: set[ObjectRef] = set()
    for task in all_tasks:
        rows = await world.records.rows(task.id)
        undone = await put_back(world, task) if task.status is TaskStatus.COMPLETED else set()
        applied = {row.ref for row in rows if row.purpose is Purpose.APPLY and row.job_seq not in undone}
        if task.status is not TaskStatus.COMPLETED:
            made = {row.ref for row in rows if row.state in (ResourceState.CREATED, ResourceState.CHANGED)}
            whose = {job.ref: job.component for job in world.plan_of(task.id).jobs}
            mine = left.setdefault(task.app_id, {})
            mine.update({ref: whose.get(ref, "") for ref in made & applied} if was_left(task) else {})
            continue
        removed = {row.ref for row in rows if row.purpose.lets_go and not row.state.settled}
        given_up[task.app_id] = removed if was_left(task) else set()
        stays |= {row.ref for row in rows if row.purpose is Purpose.REMOVE and row.state is ResourceState.KEPT}
        completed.add(task.app_id)
        brought = {job.component for job in world.plan_of(task.id).jobs}
        untouched = set((task.spec or {}).get("objects", ())) - brought  # with all that was left of them
        over = {ref for ref, component in left.get(task.app_id, {}).items() if component not in untouched}
        for ref in over:
            del left[task.app_id][ref]
        had.setdefault(task.app_id, set()).update(applied | over)
    owned = {app: (await has(world.db, app)).keys() for app in completed}
    return [
        f"{ref} is still there, although {app} no longer has it"
        for app, refs in had.items()
        for ref in sorted(refs - owned[app] - stays - given_up[app])
        if ref in live and ref.kind != "Namespace" and application_of(live[ref]) == app
        if live[ref]["metadata"]["uid"] in world.observer.made
    ]


def _marks(
    live: dict[ObjectRef, Manifest], known: dict[str, Task], world: World, kept: Collection[ObjectRef]
) -> list[str]:
    """No claim of a task that did not complete, no fence, anywhere: copies by controllers included."""
    found = []
    may = {task_id for task_id, task in known.items() if task.status is TaskStatus.COMPLETED or was_left(task)}
    fenced = _with_dependents(live, world.may_be_fenced)
    pods = {ObjectRef.of(pod): pod for pod in world.sim.registry.scan("pods")}
    for ref, obj in (live | pods).items():
        if ref in world.foreigners.remade:
            continue
        if ref in kept:  # still known as ours: `kubemin orphans` removes it once the others' things are gone
            continue
        annotations = obj["metadata"].get("annotations") or {}
        if FENCE in annotations and ref not in fenced:
            found.append(f"{ref} carries a fence")
        token = annotations.get(WRITE_TOKEN)
        owner = known.get((token or "").partition(".")[0])
        if token and (owner is None or owner.id not in may):
            found.append(f"{ref} carries the claim {token} of a task that is {owner and owner.status}")
        label = (obj["metadata"].get("labels") or {}).get(TASK_ID)
        maker = known.get(label or "")
        if label and (maker is None or maker.id not in may) and ref not in world.foreigners.stripped:
            found.append(f"{ref} carries the label of task {label}")
    return found


def outdated_pods(world: World) -> set[str]:
    """The uids of the Pods that run with other values than what they read holds now, or that were released."""
    return {pod["metadata"]["uid"] for pod in world.sim.registry.scan("pods") if _is_outdated(world, pod)}


def _is_outdated(world: World, pod: Manifest) -> bool:
    meta, registry = pod["metadata"], world.sim.registry
    if "deletionTimestamp" in meta:
        return False
    read = world.sim.controllers.environment_of(meta["uid"])
    running = {one["name"] for one in pod.get("status", {}).get("containerStatuses", ()) if "running" in one["state"]}
    return RELEASED_FROM in meta.get("annotations", {}) or any(
        read.get(one["name"]) != environment(one, lambda plural, name: registry.peek(plural, meta["namespace"], name))
        for one in pod["spec"]["containers"]
        if one["name"] in running
    )


async def _stale(world: World, all_tasks: list[Task], live: dict[ObjectRef, Manifest]) -> list[str]:
    """No Pod of an application runs on with values that a task wrote that did not complete; who may, is named."""
    round_ = await _round(world)
    wanted = round_.applied.keys() | round_.dropped | round_.given_up | world.foreigners.touched
    said = ""
    for task in all_tasks:
        said += " ".join(row.why or "" for row in await world.records.rows(task.id))
    owners = {obj["metadata"]["uid"]: obj for obj in live.values()}
    apps = {task.app_id for task in all_tasks}
    found = []
    for pod in world.sim.registry.scan("pods"):
        meta = pod["metadata"]
        owner: Manifest | None = pod
        while owner is not None and (above := owner["metadata"].get("ownerReferences")):
            owner = owners.get(above[0]["uid"])
        ours = owner is not None and owner is not pod and application_of(owner) in apps
        reads = {need.name for need in used_config(pod["spec"])}
        excused = any(ref.namespace == meta["namespace"] and ref.name in reads for ref in wanted)
        if meta["uid"] in world.outdated_pods or excused or f"Pod {meta['name']} (" in said:
            continue
        if RELEASED_FROM in meta.get("annotations", {}) or (ours and _is_outdated(world, pod)):
            found.append(f"Pod {meta['name']} runs with values that are not there any more")
    return found


async def _differences(world: World, live: dict[ObjectRef, Manifest], kept: Collection[ObjectRef]) -> list[str]:
    """What is neither as a completed task made it nor as it was before the round, but for what others did."""
    expected = world.foreigners.expected()
    touched, stripped = world.foreigners.touched, world.foreigners.stripped
    round_ = await _round(world)
    found = await _not_applied(world, round_, expected, live)
    ours = _with_dependents(live, set(round_.applied)) | _with_dependents(expected, set(round_.applied))
    ours |= _with_dependents(live, set(kept)) | round_.released | round_.kept_claims
    ours |= _with_dependents(live, round_.released) - expected.keys()
    ours |= _with_dependents(live, touched & live.keys()) - touched  # what controllers make of others' edits
    ours |= _with_dependents(live, round_.beside)
    going = _with_dependents(expected, round_.dropped | round_.given_up | round_.beside)
    for ref in sorted(_with_dependents(expected, round_.dropped - touched - world.foreigners.gone) & live.keys()):
        if ref not in touched and ref.kind != "PersistentVolumeClaim":  # data is kept
            found.append(f"{ref} is still there, although the application no longer has it")
    for ref in sorted((live.keys() | expected.keys()) - ours - going):
        if ref in stripped & touched:
            continue
        if ref not in live:
            found.append(f"{ref} is gone")
        elif ref not in expected:
            found.append(f"{ref} is new")
        elif (was := normal(expected[ref])) != (now := normal(live[ref])):
            found.append(f"{ref} differs in {how(was, now)}")
    return found


@dataclass
class _Apply:
    """What a task applied, or, where it is not ``sure``, may have: it left it at that.

    ``half``: its cleanup was given up, maybe between putting the content back and the field owners.
    ``scaled``: what the task's own autoscalers scale.
    """

    task_id: str
    manifest: Manifest
    take_over: bool
    scaled: set[ObjectRef]
    sure: bool = True
    half: bool = False


@dataclass
class _Round:
    """What the round's tasks were to do, by what became of them."""

    applied: dict[ObjectRef, list[_Apply]] = field(default_factory=dict)
    """By object, in order; only of what is still wanted."""
    dropped: set[ObjectRef] = field(default_factory=set)
    """Removed by completed tasks."""
    fresh: set[ObjectRef] = field(default_factory=set)
    """Removed by completed tasks, and perhaps made anew by a later one."""
    released: set[ObjectRef] = field(default_factory=set)
    """Let go of with their content; `tests/engine/test_release.py` says what they look like then."""
    kept_claims: set[ObjectRef] = field(default_factory=set)
    """Volume claims that a completed task named as kept; `claims` says what becomes of them."""
    given_up: set[ObjectRef] = field(default_factory=set)
    """Removed, or not, by a removal that did not complete: a deletion is not put back."""
    beside: set[ObjectRef] = field(default_factory=set)
    """What was beside a workload, and was left there; as many Pods of it as there were just then."""


async def _round(world: World) -> _Round:
    found = _Round()
    for task_id in world.tasks[world.already_requested :]:
        task = await world.task(task_id)
        rows = await world.records.rows(task_id)
        skipped = {job.seq for job in await world.records.jobs(task_id) if job.status is JobStatus.SKIPPED}
        if task.status is TaskStatus.COMPLETED:
            skipped |= await put_back(world, task)
        options = ExecOptions.read(task.options)
        by = scaled(job.manifest for job in world.plan_of(task_id).jobs)
        left = was_left(task)
        let_go = {row.ref for row in rows if row.state is ResourceState.RELEASED}
        for ref in let_go:
            found.applied.pop(ref, None)
        found.released |= let_go | {row.ref for row in rows if left and row.purpose.lets_go}
        removed = {row.ref for row in rows if row.purpose is Purpose.REMOVE and row.state is not ResourceState.KEPT}
        for ref in {row.ref for row in rows if row.purpose is Purpose.REMOVE and row.state is ResourceState.DELETED}:
            found.applied.pop(ref, None)
            found.fresh.add(ref)
        if task.status is not TaskStatus.COMPLETED:
            found.given_up |= removed
            if left:
                half = task.cleanup is Cleanup.ABANDONED
                manifests: dict[ObjectRef, list[Manifest]] = {}
                for job in world.plan_of(task_id).jobs:
                    if job.seq not in skipped:
                        manifests.setdefault(job.ref, []).append(job.manifest)
                for row in rows:
                    if row.purpose is Purpose.APPLY and (half or not row.state.settled):
                        for manifest in manifests.get(row.ref) or [_namespace(row.ref.name)]:
                            if is_beside(manifest):
                                found.beside.add(row.ref)
                                continue
                            one = _Apply(task_id, manifest, options.take_over, by, sure=False, half=half)
                            found.applied.setdefault(row.ref, []).append(one)
            continue
        claims_kept = (row.ref for row in rows if row.ref.kind == PVC and row.state is ResourceState.KEPT)
        found.kept_claims.update(claims_kept)
        open_removals = {row.ref for row in rows if row.purpose is Purpose.REMOVE and not row.state.settled}
        found.dropped |= removed - open_removals
        found.given_up |= removed & open_removals  # its cleanup was given up
        for row in rows:
            if row.ref.kind == "Namespace" and row.purpose is Purpose.APPLY and row.ref not in removed:
                one = _Apply(task_id, _namespace(row.ref.name), options.take_over, by)
                found.applied.setdefault(row.ref, []).append(one)
                found.dropped.discard(row.ref)
        for job in world.plan_of(task_id).jobs:
            goes = job.hook is not None and job.hook.goes  # once the run is complete
            if job.seq not in skipped and not is_beside(job.manifest) and not goes:
                one = _Apply(task_id, job.manifest, options.take_over, by)
                found.applied.setdefault(job.ref, []).append(one)
                found.dropped.discard(job.ref)
    return found


def _namespace(name: str) -> Manifest:
    """As a run makes it that was asked to."""
    labels = {MANAGED_BY: MANAGER}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


async def _not_applied(
    world: World, round_: _Round, expected: dict[ObjectRef, Manifest], live: dict[ObjectRef, Manifest]
) -> list[str]:
    """What completed tasks were to apply, and is otherwise; what others left is as one of them had it, or as before."""
    found: list[str] = []
    touched = world.foreigners.touched
    oracle = Oracle([one for ref, one in live.items() if ref.kind == DEFINITION])
    meddled = touched | world.foreigners.gone
    theirs = [obj for ref, obj in (expected | live).items() if application_of(obj) is None or ref in meddled]
    others = scaled(theirs)
    for ref, applied in sorted(round_.applied.items()):
        last = applied[-1]
        task_id, sure = last.task_id, any(one.sure for one in applied)
        if ref in touched:
            continue
        base = expected.get(ref) if ref not in round_.fresh else None
        if ref not in live:
            if sure or (base is not None and ref not in round_.given_up):
                found.append(f"{ref} is not there, although {task_id} {'completed' if sure else 'left it'}")
            continue
        if ref.kind in ("Job", DEFINITION):  # controllers write more into it
            found += [f"{ref}: {one}" for one in lacking(last.manifest, live[ref]) if last.sure]
            continue
        if base is not None and base["metadata"]["uid"] != live[ref]["metadata"]["uid"]:
            found.append(f"{ref} is another object than before")
            continue
        half = any(one.half for one in applied)
        now = _essence(live[ref], owners=not half)
        wanted = [_essence(one, owners=not half) for one in _outcomes(oracle, base, applied, others)]
        if now not in wanted:
            found.append(f"{ref} is not as {task_id} had it: {how(wanted[0], now) if wanted else 'it is new'}")
    return found


def _essence(obj: Manifest, *, owners: bool) -> Manifest:
    shown = essence(obj)
    if not owners:
        shown = {**shown, "metadata": {key: value for key, value in shown["metadata"].items() if key != "owners"}}
    return shown


def _outcomes(oracle: Oracle, base: Manifest | None, applied: list[_Apply], others: set[ObjectRef]) -> list[Manifest]:
    """What may have become of an object: what is sure was applied, of the rest anything; the most first.

    ``others``: what autoscalers of others may have scaled.
    """
    found = []
    for chosen in itertools.product(*(_ways(one) for one in applied)):
        objs = [base]
        try:
            for one, take_over in zip(applied, chosen, strict=True):
                if take_over is not None:
                    objs = [
                        made
                        for obj in objs
                        for manifest in ways(one.manifest, obj, one.scaled, others)
                        for made in _applied(oracle, obj, manifest, take_over)
                    ]
        except Problem:
            if all(one.sure for one in applied):
                raise
            continue  # so it cannot have been applied
        found += [obj for obj in objs if obj is not None]
    return found


def _applied(oracle: Oracle, obj: Manifest | None, manifest: Manifest, take_over: bool) -> Iterator[Manifest]:
    """What an apply makes of it; and it as it is, where it has the values already: then it need not be written."""
    made = oracle.applied(obj, manifest, take_over=take_over)
    yield made
    if obj is not None and _essence(obj, owners=False) == _essence(made, owners=False):
        yield obj


def _ways(one: _Apply) -> list[bool | None]:
    """How it may have been applied: with or without what others set, or not at all (None)."""
    return [one.take_over] if one.sure else [*dict.fromkeys((one.take_over, False)), None]


def _with_dependents(objects: dict[ObjectRef, Manifest], refs: set[ObjectRef]) -> set[ObjectRef]:
    """These and what controllers made for them."""
    found = set(refs)
    sets = {ref for ref in refs if ref.kind == "StatefulSet"}
    spaces = {ref.name for ref in refs if ref.kind == "Namespace"}
    uids = {objects[ref]["metadata"]["uid"] for ref in refs if ref in objects}
    for ref, obj in objects.items():
        if any(owner["uid"] in uids for owner in obj["metadata"].get("ownerReferences") or []):
            found.add(ref)
        if ref.kind == "PersistentVolumeClaim" and any(f"-{one.name}-" in ref.name for one in sets):
            found.add(ref)
        if ref.namespace in spaces and (ref.kind, ref.name) in _OF_EVERY_NAMESPACE:
            found.add(ref)
    return found
