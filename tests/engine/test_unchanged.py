"""An object that is as its manifest says is not written, and is the application's as before (design R3)."""

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest

from kubemin.cluster.errors import Unanswered
from kubemin.engine import ExecOptions
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.objects.ownership import token_of
from kubemin.spec.kinds import KINDS, WRITTEN
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, ResourceState, TaskStatus
from kubemin.store.tasks import Task
from kubesim.faults import Fault, RequestInfo
from kubesim.registry import Registry
from tests.engine.child import Point
from tests.engine.held import Held, config_map
from tests.engine.instance import EVERYTHING, LIMITS, Instance, conf, secret, store, web
from tests.engine.test_holds import held_in
from tests.engine.test_points import ANY, World, labels, run
from tests.engine.test_unchanged_fields import TRAITS
from tests.writes import on_writes

MERGE = "application/merge-patch+json"
WHOLE = [*EVERYTHING[:3], web("api", traits=TRAITS), web("front"), {"name": "once", "type": "job", "image": "once:1"}]
SETTINGS = ObjectRef("ConfigMap", "default", "settings")


def everything(registry: Registry) -> dict[str, Manifest]:
    """All objects that tasks write, with their versions and owners."""
    kinds = [KINDS[kind].plural for kind in WRITTEN]
    return {f"{kind}/{one['metadata']['name']}": copy.deepcopy(one) for kind in kinds for one in registry.scan(kind)}


class Writes:
    """Counts the requests that write, or ask what a write would do."""

    def __init__(self, instance: Instance) -> None:
        self.seen: list[str] = []
        self.reads = 0
        on_writes(instance.sim, self._write, dry_run=None)
        instance.sim.faults.add(Fault("call", verb="read", times=None, call=self._read))

    async def _write(self, info: RequestInfo) -> None:
        self.seen.append(f"{info.verb} {info.resource}/{info.name}{' (dry run)' if info.dry_run else ''}")

    async def _read(self, info: RequestInfo) -> None:
        self.reads += info.verb != "watch"


async def applied(instance: Instance, app_id: str, **options: Any) -> Task:
    """Run it to its end, and until the cluster has come to rest."""
    task = await instance.settled(await instance.exec(app_id, ExecOptions(**options)))
    assert task.status is TaskStatus.COMPLETED, task.reason
    await at_rest(instance)
    return task


async def at_rest(instance: Instance) -> None:
    """What controllers report comes a moment later: a Job's end, the last Pod that is gone."""

    async def check() -> bool:
        jobs_end = [one.get("status", {}).get("completionTime") for one in instance.sim.registry.scan("jobs")]
        pods = [one for one in instance.sim.registry.scan("pods") if "deletionTimestamp" in one["metadata"]]
        return all(jobs_end) and not pods

    await instance.until(check)


@pytest.mark.parametrize("preflight", [True, False])
async def test_an_apply_right_after_another_writes_nothing(instance: Instance, preflight: bool) -> None:
    """Of objects that a POST made, and of those that an apply changed since."""
    app_id = await instance.save(WHOLE)
    writes = Writes(instance)
    async with instance.worker():
        await applied(instance, app_id)
        for parts in ([], [conf("settings", a="2"), web("front", "web:2")]):
            named = {part["name"] for part in parts}
            await instance.save([*parts, *(part for part in WHOLE if part["name"] not in named)], app_id=app_id)
            if parts:
                await applied(instance, app_id)
            before = everything(instance.sim.registry)
            writes.seen.clear()
            writes.reads = 0
            task = await applied(instance, app_id, preflight=preflight)
            assert writes.seen == []
            assert writes.reads <= 25
            assert everything(instance.sim.registry) == before
            found = {(row.state, row.adopted, row.why) for row in await instance.journal(task.id)}
            assert found == {(ResourceState.OBSERVED, False, "no change")}
            infos = {job.name: job.info for job in await instance.jobs(task.id)}
            assert infos["settings/ConfigMap/settings"] == "no change"
            assert "available" in infos["front/Deployment/shop-front"]


async def test_only_what_is_changed_is_written(instance: Instance) -> None:
    """By the application, or by somebody else."""
    app_id = await instance.save(WHOLE)
    async with instance.worker():
        await applied(instance, app_id)
        writes = Writes(instance)
        await instance.save([*WHOLE[:-2], web("front", "web:2"), WHOLE[-1]], app_id=app_id)
        await applied(instance, app_id)
        assert {one.split()[1] for one in writes.seen} == {"deployments/shop-front"}
        writes.seen.clear()
        instance.sim.registry.patch("secrets", "default", "keys", MERGE, {"data": {"token": "eA=="}}, manager="ops")
        await applied(instance, app_id)
    assert {one.split()[1] for one in writes.seen} == {"secrets/keys"}
    assert instance.sim.registry.get("secrets", "default", "keys")["data"] == {"token": "dA=="}


async def test_a_value_that_the_server_spells_in_another_way_is_asked_about(instance: Instance) -> None:
    """By a dry run, which says that nothing would change; without one it is written, as before."""
    parts = [conf("settings", a="1"), web("api", traits={"resource": {"cpu": "1000m", "memory": "1024Mi"}})]
    app_id = await instance.save(parts)
    async with instance.worker():
        await applied(instance, app_id)
        await applied(instance, app_id, preflight=False)
        before = everything(instance.sim.registry)
        writes = Writes(instance)
        await applied(instance, app_id)
        assert writes.seen == ["apply deployments/shop-api (dry run)"]
        assert everything(instance.sim.registry) == before
        await applied(instance, app_id, preflight=False)
        assert writes.seen[1:] == ["apply deployments/shop-api"]


@pytest.mark.parametrize("seen", [True, False], ids=["a watch shows it", "no watch works"])
async def test_what_somebody_changes_before_its_turn_is_written(
    instance: Instance, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was looked at when the run began may be old by the time that a later step comes."""
    parts = [conf("first", a="1"), conf("settings", a="1"), conf("last", a="1")]
    steps = [{"name": "first"}, {"name": "approve", "type": "pause"}, {"name": "settings"}, {"name": "last"}]
    app_id = await instance.save(parts, workflow=steps)
    writes = Writes(instance)
    async with instance.worker() as engine:
        if not seen:
            monkeypatch.setattr(engine.informers["default"], "last_seen", lambda _: None)
        task_id = await instance.exec(app_id)
        await held_in(instance, task_id, "approve")
        await instance.service.promote(task_id, "ada")
        await instance.settled(task_id)
        task_id = await instance.exec(app_id)
        await held_in(instance, task_id, "approve")
        writes.seen.clear()
        instance.sim.registry.patch("configmaps", "default", "settings", MERGE, {"data": {"a": "9"}}, manager="ops")

        async def shown() -> bool:
            live = engine.informers["default"].last_seen(SETTINGS)
            return not seen or (live is not None and live["data"]["a"] == "9")

        await instance.until(shown)
        await instance.service.promote(task_id, "ada")
        await instance.settled(task_id)
    assert {one.split()[1] for one in writes.seen} == {"configmaps/settings"}
    assert instance.sim.registry.get("configmaps", "default", "settings")["data"] == {"a": "1"}


async def test_what_is_unchanged_is_still_waited_for(instance: Instance) -> None:
    app_id = await instance.save([web("api")])
    async with instance.worker():
        await applied(instance, app_id)
        slow = instance.sim.faults.add(Fault("lag", resource="pods", times=None))
        (pod,) = instance.sim.registry.scan("pods")
        instance.sim.registry.delete("pods", "default", pod["metadata"]["name"])
        writes = Writes(instance)
        task_id = await instance.exec(app_id)

        async def waits() -> bool:
            said = [job.info for job in await instance.jobs(task_id) if job.status is JobStatus.RUNNING]
            return any("Deployment" in info for info in said)

        await instance.until(waits)
        await slow.release()
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert writes.seen == []


async def test_a_removal_takes_what_was_not_written_by_the_last_runs(instance: Instance) -> None:
    before = await instance.snapshot()
    app_id = await instance.save(WHOLE)
    async with instance.worker():
        for _ in range(3):
            await applied(instance, app_id)
        assert await Orphans(instance.db, instance.cluster, LIMITS).find() == []
        await instance.save([conf("settings", a="1")], app_id=app_id)
        await applied(instance, app_id, delete_volumes=True)
        left = set(await instance.snapshot()) - set(before)
        assert left == {SETTINGS}
        await instance.service.delete_resources(app_id, delete_volumes=True)
        assert await instance.snapshot() == before


async def test_data_that_was_kept_and_is_wanted_again_is_not_named_as_kept(instance: Instance) -> None:
    """The claim stays as it is, and the application has it as before."""
    files = web("api", traits={"storage": TRAITS["storage"]})
    app_id = await instance.save([conf("settings", a="1"), files])
    async with instance.worker():
        await applied(instance, app_id)
        await instance.save([conf("settings", a="1")], app_id=app_id)
        task = await applied(instance, app_id)
        assert [row.ref.name for row in await instance.journal(task.id) if row.state is ResourceState.KEPT] == [
            "shop-api-files"
        ]
        await instance.save([conf("settings", a="1"), files], app_id=app_id)
        await applied(instance, app_id)
        await instance.save([conf("settings", a="1")], app_id=app_id)
        task = await applied(instance, app_id)
    kept = [row.ref.name for row in await instance.journal(task.id) if row.state is ResourceState.KEPT]
    assert kept == ["shop-api-files"]


async def test_what_a_cleanup_may_still_undo_is_written(held: Held) -> None:
    """Else a former task would put back what this one relies on."""
    await held.ensure(config_map(a="1"))
    failed = await held.next_task()
    left = await failed.ensure(config_map(a="2"))
    later = await failed.next_task(TaskStatus.FAILED, Cleanup.INCOMPLETE)
    now = await later.ensure(config_map(a="2"), unchanged=True)
    assert token_of(now) != token_of(left)
    await later.next_task()
    again = await failed.resumed()
    assert await again.roll_back() == []
    after = await later.look(now)
    assert after is not None
    assert after["data"] == {"a": "2"}


async def test_where_a_request_may_still_land_the_object_is_written(held: Held) -> None:
    """A request without an answer is based on this very version: only a write of ours keeps it from landing."""
    await held.ensure(config_map(a="1"))
    failed = await held.next_task()
    live = await failed.look(config_map())
    assert live is not None
    late = held.sim.faults.add(Fault("late", verb="apply", resource="configmaps"))
    with pytest.raises(Unanswered):
        await failed.tracker().change(config_map(a="2"), live, {})
    later = await failed.next_task(TaskStatus.FAILED, Cleanup.INCOMPLETE)
    now = await later.ensure(config_map(a="1"), unchanged=True)
    assert token_of(now) in later.journal.resources[1].writes
    assert await late.release() == [409]
    after = await later.look(now)
    assert after is not None
    assert after["data"] == {"a": "1"}


async def test_an_object_of_a_database_that_was_lost_is_written_once(held: Held) -> None:
    """Nobody knows what became of the last write: ours is the last one then."""
    made = config_map(a="1")
    made["metadata"]["annotations"] = {"kubemin.io/write-token": "somebody.1"}
    held.sim.registry.create("configmaps", "default", made, manager="kubemin")
    now = await held.ensure(config_map(a="1"), unchanged=True)
    assert token_of(now) in held.journal.resources[1].writes
    later = await held.next_task()
    same = await later.ensure(config_map(a="1"), unchanged=True)
    assert same == now
    assert later.journal.resources[1].writes == {}
    assert await later.roll_back() == []
    assert await later.look(now) == now


@pytest.fixture
async def twice(tmp_path: Path, migrated: Path) -> World:
    shutil.copy(migrated, tmp_path / "kubemin.db")
    parts = [conf("settings", a="1"), secret("keys", token="t"), store("db"), web("api")]
    return World(tmp_path, parts, former=parts)


async def check_untouched(world: World, **points: Point) -> None:
    async with world as stage:
        before = everything(stage.instance.sim.registry)
        await run(stage, **points)
        assert everything(stage.instance.sim.registry) == before
        task = await stage.instance.task(stage.task_id)
        ends = (TaskStatus.CANCELLED, TaskStatus.COMPLETED) if "cancel_at" in points else (TaskStatus.COMPLETED,)
        assert task.status in ends
        assert task.cleanup in (Cleanup.NONE, Cleanup.DONE)
        assert not [label for label in labels(stage) if label.startswith("call:")]


@pytest.mark.parametrize("point", ["commit:start:after", "commit:finish:before", "commit:finish:after"])
async def test_a_kill_of_a_run_that_changes_nothing_leaves_everything_untouched(twice: World, point: str) -> None:
    await check_untouched(twice, kill_at=Point(point))


async def test_a_cancel_of_a_run_that_changes_nothing_leaves_everything_untouched(twice: World) -> None:
    await check_untouched(twice, cancel_at=Point("commit:start:after"))


@pytest.mark.proof
@pytest.mark.parametrize("nth", range(1, 15))
@pytest.mark.parametrize("what", ["kill_at", "cancel_at"])
async def test_at_every_point_of_it(twice: World, what: str, nth: int) -> None:
    await check_untouched(twice, **{what: Point(ANY, nth)})
