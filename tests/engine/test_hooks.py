"""The order of `manifests`: hooks of Helm's charts and `kubemin.io/priority`; forwards, backwards, and when stopped."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.entry.sources import Former
from kubemin.plan import Plan, make_plan
from kubemin.render import render
from kubemin.spec.application import parse_application
from kubemin.spec.issues import SpecError
from kubemin.spec.labels import PRIORITY
from kubemin.spec.objects import Manifest
from kubemin.spec.order import HOOK, POLICY, WEIGHT
from kubemin.spec.states import Cleanup, JobStatus, Purpose, ResourceState, TaskStatus
from kubemin.spec.warnings import warnings_of
from kubesim.controllers.operators import Operator
from kubesim.faults import Fault, RequestInfo
from kubesim.server import SimServer
from tests.engine.child import Point
from tests.engine.instance import QUICK, Instance, web
from tests.engine.test_manifests import (
    GROUP,
    LIMITS,
    config,
    definition,
    everything,
    manifests,
    names,
    run,
    start,
    widget,
    workload,
)
from tests.engine.test_points import World, differences
from tests.engine.test_points import run as run_point
from tests.waiting import until_true


def with_annotations(one: Manifest, annotations: Mapping[str, str]) -> Manifest:
    return {**one, "metadata": {**one["metadata"], "annotations": dict(annotations)}}


def hook(one: Manifest, on: str, weight: int | None = None, policy: str = "") -> Manifest:
    weights = {} if weight is None else {WEIGHT: str(weight)}
    return with_annotations(one, {HOOK: on, **weights, **({POLICY: policy} if policy else {})})


def job(name: str, image: str = "tool:1") -> Manifest:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": image}]}
    spec = {"backoffLimit": 0, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def chart(image: str = "web:1", migrate: str = "tool:1") -> dict[str, Any]:
    """A service as a chart with hooks renders it, in an order that means nothing."""
    return manifests(
        "chart",
        workload("Deployment", "api", image),
        hook(job("seed"), "post-install", 5, "hook-succeeded"),
        hook(job("notify"), "post-install, post-upgrade", -1),
        hook(job("migrate", migrate), "pre-install,pre-upgrade"),
        config("settings", image=image),
        hook(config("migration", image=image), "pre-install,pre-upgrade", -5, "before-hook-creation,hook-succeeded"),
        hook(job("check"), "test"),
        hook(job("bye"), "pre-delete"),
        hook(job("back"), "pre-rollback,post-rollback"),
    )


ORDER = ["migration", "migrate", "settings", "api", "notify", "seed"]


def uid(instance: Instance, name: str, plural: str = "jobs") -> str:
    return str(instance.sim.registry.get(plural, "default", name)["metadata"]["uid"])


async def written(instance: Instance, task_id: str) -> list[str]:
    """What the task wrote, in order."""
    rows = sorted(await instance.journal(task_id), key=lambda row: row.seq)
    return [row.ref.name for row in rows if row.purpose is Purpose.APPLY]


async def test_an_install_runs_its_hooks_before_and_after_all_else(instance: Instance) -> None:
    async with instance.worker():
        task = await run(instance, chart())
    assert (task.status, task.reason) == (TaskStatus.COMPLETED, "")
    assert await written(instance, task.id) == ORDER
    assert sorted(names(instance, "jobs")) == ["migrate", "notify"], "what is to go once it succeeded has gone"
    assert "migration" not in names(instance, "configmaps")


async def test_an_upgrade_runs_its_own_hooks_anew(instance: Instance) -> None:
    async with instance.worker():
        await run(instance, chart())
        before = {name: uid(instance, name) for name in ("migrate", "notify")}
        task = await run(instance, chart("web:2"))
    assert (task.status, task.reason) == (TaskStatus.COMPLETED, "")
    assert await written(instance, task.id) == [name for name in ORDER if name != "seed"]
    assert not {uid(instance, name) for name in before} & set(before.values()), "each ran again"
    told = {row.name: (row.status, row.info) for row in await instance.jobs(task.id)}
    assert told["chart/Job/seed"] == (JobStatus.SKIPPED, "it is a hook of the first deploy")
    gone = [row for row in await instance.journal(task.id) if row.purpose is Purpose.REMOVE and row.ref.kind == "Job"]
    assert {(row.ref.name, row.uid, row.state) for row in gone} == {
        (name, before[name], ResourceState.DELETED) for name in before
    }
    assert all("rollback does not bring it back" in row.why for row in gone)


async def test_a_failed_hook_stops_an_upgrade_before_anything_else_and_is_put_back(instance: Instance) -> None:
    async with instance.worker():
        await run(instance, chart())
        was, former = everything(instance), uid(instance, "api", "deployments")
        task = await run(instance, chart("web:2", migrate="tool:fail"))
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE)
    assert await written(instance, task.id) == ["migration", "migrate"]
    assert everything(instance) == was
    assert uid(instance, "api", "deployments") == former
    assert names(instance, "jobs") == ["notify"], "that of the former run has gone: it would run again"
    gone = [row.ref.name for row in await instance.journal(task.id) if row.purpose is Purpose.REMOVE]
    assert gone == ["migrate"], "by which `status` names it as an exception"


async def test_a_rollback_runs_no_hooks(instance: Instance) -> None:
    async with instance.worker():
        first = await run(instance, chart())
        await run(instance, chart("web:2"))
        before = {name: uid(instance, name) for name in ("migrate", "notify")}
        back = await instance.service.run(Former(first.app_id, 1), ExecOptions(), "tester")
        task = await instance.settled(back.id)
    assert (task.status, task.reason) == (TaskStatus.COMPLETED, "")
    assert await written(instance, task.id) == ["settings", "api"]
    assert {name: uid(instance, name) for name in before} == before
    told = {row.info for row in await instance.jobs(task.id) if row.status is JobStatus.SKIPPED}
    assert told == {"a rollback runs no hooks"}


async def test_a_hook_may_be_before_the_first_deploy_and_after_later_ones(instance: Instance) -> None:
    both = hook(job("both"), "pre-install,post-upgrade")
    async with instance.worker():
        first = await run(instance, manifests("chart", config("a", b="1"), both))
        second = await run(instance, manifests("chart", config("a", b="2"), both))
        third = await run(instance, manifests("chart", config("a", b="2")))
    assert await written(instance, first.id) == ["both", "a"]
    assert await written(instance, second.id) == ["a", "both"]
    assert third.status is TaskStatus.COMPLETED
    assert names(instance, "jobs") == [], "what the application no longer has goes"


async def test_where_the_former_job_may_not_be_deleted_the_run_fails_and_says_so(instance: Instance) -> None:
    async with instance.worker():
        await run(instance, chart())
        was = everything(instance)
        instance.sim.faults.add(Fault("deny", resource="jobs", verb="delete", times=None, message="not today"))
        task = await run(instance, chart("web:2"))
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE)
    assert "Job/default/migrate: " in task.reason
    assert "not today" in task.reason
    assert everything(instance) == was
    assert sorted(names(instance, "jobs")) == ["migrate", "notify"]


WRITES = 6
"""Objects that an upgrade writes or deletes until its late component is waited for."""


@pytest.mark.parametrize("number", [3, *(pytest.param(n, marks=pytest.mark.proof) for n in range(1, WRITES) if n != 3)])
async def test_a_cancel_at_any_point_leaves_what_was_there(instance: Instance, number: int) -> None:
    async with instance.worker():
        await run(instance, chart())
        was = everything(instance)
        jobs = {name: uid(instance, name) for name in ("migrate", "notify")}
        task_id = await start(instance, chart("web:2"), web("late", "late:never"))

        async def reached() -> bool | None:
            rows = [row for row in await instance.journal(task_id) if row.state is not ResourceState.INTENT]
            return True if len(rows) >= number else None

        await instance.until(reached)
        await instance.service.cancel((await instance.task(task_id)).app_id, task_id, "ada", "no", None)
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup, task.cleanup_why) == (TaskStatus.CANCELLED, Cleanup.DONE, "")
    assert everything(instance) == was
    left = {name: uid(instance, name) for name in names(instance, "jobs")}
    assert left == {name: found for name, found in jobs.items() if name in left}, "only jobs of the former run are left"
    assert "notify" in left


FORMER_CHART = [chart()]


@pytest.mark.parametrize(
    "kill_at",
    [
        Point("call:delete:Job/migrate:after"),
        *(
            pytest.param(Point(label), marks=pytest.mark.proof)
            for label in ("call:delete:Job/migrate:before", "call:create:Job/migrate:before", "call:create:Job/*:after")
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("image", ["tool:2", pytest.param("tool:fail", marks=pytest.mark.proof)])
async def test_killed_in_a_hook(tmp_path: Path, migrated: Path, kill_at: Point, image: str) -> None:
    """The next worker goes on: the hook has run once, or all is put back."""
    shutil.copy(migrated, tmp_path / "kubemin.db")
    async with World(tmp_path, [chart("web:2", migrate=image)], former=FORMER_CHART) as stage:
        await run_point(stage, kill_at=kill_at)
        task = await stage.instance.task(stage.task_id)
        assert task.status is (TaskStatus.COMPLETED if image == "tool:2" else TaskStatus.FAILED), task.reason
        after = await stage.instance.snapshot()
        rows = await stage.instance.journal(stage.task_id)
        assert all(row.state.settled for row in rows if row.purpose is Purpose.REMOVE)
        if task.status is TaskStatus.FAILED:
            assert task.cleanup is Cleanup.DONE, task.cleanup_why
            left = [one for one in differences(stage.before, after) if one != "Job/default/migrate is gone"]
            assert not left
        else:
            images = {
                ref.name: obj["spec"]["template"]["spec"]["containers"][0]["image"]
                for ref, obj in after.items()
                if ref.kind in ("Job", "Deployment")
            }
            assert images == {"migrate": "tool:2", "notify": "tool:1", "api": "web:2"}


LATE = with_annotations(workload("Deployment", "late", "late:never"), {PRIORITY: "100"})
"""Comes last, and is never ready."""


def deletions(sim: SimServer) -> list[str]:
    found: list[str] = []

    def note(info: RequestInfo) -> None:
        found.append(info.name)

    sim.faults.add(Fault("call", verb="delete", times=None, call=note))
    return found


async def test_a_removal_goes_backwards_and_a_resource_before_its_definition_and_its_controller(
    instance: Instance,
) -> None:
    """So its controller is there to take its finalizer off."""
    instance.service._limits = LIMITS
    instance.sim.controllers.operate(Operator(f"widgets.{GROUP}", finalizer="example.com/wait"))
    bundle = manifests(
        "bundle",
        definition("Widget"),
        workload("Deployment", "operator"),
        widget("one", size=1),
        hook(config("first", a="1"), "pre-install", 3),
        hook(config("second", a="1"), "pre-install", 4),
        hook(config("last", a="1"), "post-install"),
        with_annotations(config("early", a="1"), {PRIORITY: "-20"}),
        with_annotations(config("late", a="1"), {PRIORITY: "30"}),
    )
    order = ["first", "second", "early", f"widgets.{GROUP}", "operator", "one", "late", "last"]
    async with instance.worker():
        task = await run(instance, bundle)
        assert (task.status, task.reason) == (TaskStatus.COMPLETED, "")
        assert await written(instance, task.id) == order
        found = deletions(instance.sim)
        gone = await instance.service.delete_application(task.app_id, "tester")
        assert (await instance.settled(gone.id)).status is TaskStatus.COMPLETED
    ours = [name for name in found if name in order]
    back = [name for name in reversed(order) if not name.startswith("widgets")]
    assert ours == [*back, f"widgets.{GROUP}"], "definitions last: with them goes whatever is of their kind"


@pytest.mark.parametrize("undone", ["removed", "rolled back"])
async def test_a_controller_stays_until_its_resources_are_gone(instance: Instance, undone: str) -> None:
    """However long that takes: without it, they would stay for ever."""
    instance.service._limits = LIMITS
    instance.sim.controllers.operate(Operator(f"widgets.{GROUP}", finalizer="example.com/wait"))
    bundle = manifests("bundle", definition("Widget"), workload("Deployment", "operator"), widget("one", size=1))
    async with instance.worker(QUICK.model_copy(update={"cleanup_seconds": 1.0})):
        if undone == "removed":
            await run(instance, bundle)
            task_id = await start(instance, manifests("bundle", config("a", b="1")))
        else:
            bundle["properties"]["manifests"].append(LATE)
            task_id = await start(instance, bundle)
            await until_true(lambda: "late" in names(instance, "deployments"))
        instance.sim.controllers.operate(Operator(f"widgets.{GROUP}", seconds=1e6, finalizer="example.com/wait"))
        if undone != "removed":
            await instance.service.cancel((await instance.task(task_id)).app_id, task_id, "ada", "no", None)
        task = await instance.settled(task_id)
        assert task.cleanup is Cleanup.INCOMPLETE
        assert f"waits until Widget.{GROUP}/default/one is gone" in task.cleanup_why
        assert "operator" in names(instance, "deployments")
        assert names(instance, "customresourcedefinitions")
        instance.sim.controllers.operate(Operator(f"widgets.{GROUP}", seconds=0, finalizer="example.com/wait"))
        await until_true(lambda: not names(instance, f"widgets.{GROUP}"))
        await instance.service.retry_cleanup(task_id)
        await instance.until(lambda: done(instance, task_id))
    assert "operator" not in names(instance, "deployments")
    assert not names(instance, "customresourcedefinitions")


async def done(instance: Instance, task_id: str) -> bool | None:
    return (await instance.task(task_id)).cleanup is Cleanup.DONE or None


async def test_many_places_in_the_order_are_gone_through_in_one_pass(instance: Instance) -> None:
    many = [with_annotations(config(f"c{n}", a="1"), {PRIORITY: str(n)}) for n in range(20)]
    async with instance.worker():
        was = everything(instance)
        task_id = await start(instance, manifests("many", *many, LATE))
        await until_true(lambda: "late" in names(instance, "deployments"))
        await instance.service.cancel((await instance.task(task_id)).app_id, task_id, "ada", "no", None)
        task = await instance.settled(task_id)
    assert (task.cleanup, task.cleanup_why) == (Cleanup.DONE, "")
    assert everything(instance) == was


def planned(*objects: Manifest) -> list[list[str]]:
    app = parse_application({"name": "shop", "component": [manifests("all", *objects)]})
    plan = make_plan(app, render(app), ())
    assert Plan.from_json(plan.to_json()) == plan
    return [[job.ref.name for job in stage.jobs] for stage in plan.stages]


def test_hooks_come_one_by_one_by_weight_then_kind_then_name() -> None:
    assert planned(
        config("plain", a="1"),
        hook(job("d"), "pre-install", 1),
        hook(job("b"), "pre-install"),
        hook(job("a"), "pre-upgrade"),
        hook(config("z", a="1"), "pre-install"),
        hook(job("c"), "pre-install", -1),
        hook(job("e"), "post-install", -100),
        config("other", a="1"),
    ) == [["c"], ["z"], ["a"], ["b"], ["d"], ["plain", "other"], ["e"]]


def test_a_priority_stands_in_place_of_that_of_the_kind() -> None:
    first = with_annotations(workload("Deployment", "first"), {PRIORITY: "-1"})
    last = with_annotations(config("last", a="1"), {PRIORITY: "+11"})
    assert planned(last, config("a", b="1"), workload("Deployment", "b"), first) == [["first"], ["a"], ["b"], ["last"]]


@pytest.mark.parametrize(
    ("annotations", "field"),
    [
        ({PRIORITY: "high"}, PRIORITY),
        ({PRIORITY: "10001"}, PRIORITY),
        ({PRIORITY: "1", HOOK: "pre-install"}, PRIORITY),
        ({HOOK: "pre-install", WEIGHT: "1.5"}, WEIGHT),
        ({HOOK: "pre-install", POLICY: "hook-succeded"}, POLICY),
    ],
)
def test_a_wrong_value_is_said_at_its_field(annotations: dict[str, str], field: str) -> None:
    with pytest.raises(SpecError) as raised:
        planned(with_annotations(config("one", a="1"), annotations))
    where = f"component[0].properties.manifests[0].metadata.annotations.{field}"
    assert [issue.field for issue in raised.value.issues] == [where]


@pytest.mark.parametrize(
    ("on", "said", "comes"),
    [
        ("test", "is a test of its Helm chart: it is left out.", False),
        ("pre-delete", "(pre-delete) of its Helm chart: it is left out, as nothing is run at a removal", False),
        ("post-rollback", "(post-rollback) of its Helm chart: it is left out", False),
        ("pre-isntall", "(pre-isntall) of its Helm chart: it is left out", False),
        ("post-install,post-delete", "that is not run as post-delete", True),
        ("pre-install,post-install", "before and after the same install", True),
        ("pre-install,post-upgrade", "", True),
        ("crd-install", "", True),
    ],
)
def test_what_is_not_run_is_told(on: str, said: str, comes: bool) -> None:
    app = parse_application({"name": "shop", "component": [manifests("all", config("a", b="1"), hook(job("x"), on))]})
    told = [one.message for one in warnings_of(app)]
    assert told == [] if not said else len(told) == 1 and said in told[0]
    assert ("x" in {item.manifest["metadata"]["name"] for item in render(app)}) is comes


async def test_a_preview_says_what_a_hook_deletes(instance: Instance) -> None:
    async with instance.worker():
        await run(instance, chart())
    preview = await instance.preview([chart("web:2")])
    told = {one.name: str(preview.preview_jobs[one.seq]) for one in preview.plan.jobs}
    assert "Job/default/migrate of a former run is deleted first" in told["chart/Job/migrate"]
    assert told["chart/Job/seed"] == "it is a hook of the first deploy"


async def test_a_strangers_job_is_never_deleted_for_a_hook(instance: Instance) -> None:
    instance.sim.registry.create("jobs", "default", job("migrate"), manager="helm")
    theirs = uid(instance, "migrate")
    async with instance.worker():
        task = await run(instance, chart())
        assert (task.status, "is not this application's" in task.reason) == (TaskStatus.FAILED, True)
        task = await run(instance, chart(migrate="tool:2"), adopt=True)
    assert task.status is TaskStatus.FAILED
    assert uid(instance, "migrate") == theirs
