"""A removal that is stopped: what it has taken away is not said to be deployed, and what is left stays."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from kubemin.engine import ExecOptions
from kubemin.engine.entry.sources import Draft, Former, Source
from kubemin.spec.application import parse_application
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, Purpose, ResourceState, RevisionState, TaskStatus
from kubemin.store import revisions, tables
from kubemin.store.revisions import RevisionRow
from kubesim.faults import Fault
from tests.engine.child import Point, run_child
from tests.engine.instance import Instance, conf, web
from tests.engine.test_points import KILLED, World, expire_leases

PARTS = [conf("settings", a="${{ components.api.host }}"), web("api"), web("door")]
ONE = [{"name": "one", "components": ["settings"]}]


async def current(instance: Instance, app_id: str) -> RevisionRow | None:
    async with instance.db.read() as tx:
        return await revisions.current(tx, app_id)


def names(row: RevisionRow | None) -> list[str]:
    return [] if row is None else [part["name"] for part in row.spec["component"]]


async def stopped(instance: Instance, app_id: str, *, stuck: str) -> str:
    """A removal that is cancelled while the Deployment of this name goes, and all others of that turn have gone."""
    fault = instance.sim.faults.add(Fault("stick", resource="deployments", name=stuck))
    removal = await instance.service.delete_application(app_id, "ada")
    await fault.struck()

    async def all_but_that() -> bool:
        return [ref.name for ref in await instance.snapshot() if ref.kind == "Deployment"] == [stuck]

    await instance.until(all_but_that)
    await instance.service.cancel(app_id, removal.id, "ada", "no")
    await fault.release()
    task = await instance.settled(removal.id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
    return task.id


async def run(instance: Instance, source: Source) -> None:
    task = await instance.settled((await instance.service.run(source, ExecOptions(), "ada")).id)
    assert task.status is TaskStatus.COMPLETED, task.reason


async def test_what_it_has_taken_away_is_not_deployed_any_more(instance: Instance) -> None:
    app_id = await instance.save(PARTS, workflow=ONE)
    async with instance.worker():
        await run(instance, Draft(app_id, also=["api", "door"]))
        task_id = await stopped(instance, app_id, stuck="shop-api")
        now = await current(instance, app_id)
        assert now is not None
        assert (now.number, names(now), now.task_id) == (2, ["settings"], task_id)
        assert now.changes["removed"] == ["api", "door"]
        assert parse_application(now.spec).component[0].name == "settings"  # without what it named of the others
        # A run of some components takes the others as they are, which is: not there.
        await run(instance, Draft(app_id))
        assert names(await current(instance, app_id)) == ["settings"]
        # And what was deployed before is one rollback away.
        await run(instance, Former(app_id, 1))
    assert names(await current(instance, app_id)) == ["settings", "api", "door"]
    assert ObjectRef("Deployment", "default", "shop-door") in await instance.snapshot()


async def test_what_is_left_stays_with_a_run_of_another_component(instance: Instance) -> None:
    """The removal was stopped so that it stays."""
    app_id = await instance.save([*PARTS, conf("more", b="1")], workflow=ONE)
    async with instance.worker():
        await run(instance, Draft(app_id, also=["api", "door", "more"]))
        await stopped(instance, app_id, stuck="shop-api")
        await run(instance, Draft(app_id))
    assert names(await current(instance, app_id)) == ["settings", "more"]
    there = await instance.snapshot()
    assert ObjectRef("ConfigMap", "default", "shop-more") in there or ObjectRef("ConfigMap", "default", "more") in there


async def test_where_nothing_is_left_nothing_is_deployed(instance: Instance) -> None:
    app_id = await instance.save([web("api")])
    async with instance.worker():
        await run(instance, Draft(app_id))
        await stopped(instance, app_id, stuck="shop-api")
        assert await current(instance, app_id) is None
        async with instance.db.read() as tx:
            before = await revisions.before_current(tx, app_id)
        assert before is not None
        assert (before.number, before.state) == (1, RevisionState.SUPERSEDED)
        await run(instance, Former(app_id))
    assert names(await current(instance, app_id)) == ["api"]


async def test_one_that_was_stopped_before_it_began_changes_nothing(tmp_path: Path, migrated: Path) -> None:
    shutil.copy(migrated, tmp_path / "kubemin.db")
    async with World(tmp_path, PARTS) as stage:
        assert await run_child(stage.script) == 0
        removal = await stage.instance.service.delete_application(stage.app_id, "ada")
        script = replace(stage.script, task_id=removal.id, cancel_at=Point("commit:start:after"))
        assert await run_child(script) == 0
        assert (await stage.instance.task(removal.id)).status is TaskStatus.CANCELLED
        now = await current(stage.instance, stage.app_id)
        assert (now and now.number, names(now)) == (1, ["settings", "api", "door"])


async def test_a_run_that_fails_is_none(instance: Instance) -> None:
    """It deletes too: a hook's former Job goes, as it is made anew. Its component is deployed all the same."""
    hook = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "prepare", "annotations": {"helm.sh/hook": "pre-install,pre-upgrade"}},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}}},
    }
    parts = [{"name": "chart", "type": "manifests", "properties": {"manifests": [hook]}}, conf("settings", a="1")]
    app_id = await instance.save(parts)
    async with instance.worker():
        await run(instance, Draft(app_id))
        await instance.save([*parts, web("late", "late:never")], app_id=app_id)
        task = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=2)))
        assert task.status is TaskStatus.TIMEOUT
        gone = [row for row in await instance.journal(task.id) if row.purpose is Purpose.REMOVE]
        assert [row.state for row in gone] == [ResourceState.DELETED]
    now = await current(instance, app_id)
    assert (now and now.number, names(now)) == (1, ["chart", "settings"])


async def test_a_revision_that_does_not_open_holds_up_no_cleanup(instance: Instance) -> None:
    app_id = await instance.save(PARTS)
    async with instance.worker():
        await run(instance, Draft(app_id))
        async with instance.db.begin("break") as tx:
            await tx.write(update(tables.revisions).values(spec="sealed:nothing"))
        await stopped(instance, app_id, stuck="shop-api")


@pytest.mark.parametrize("point", ["commit:cleanup-done:before", "commit:cleanup-done:after"])
async def test_killed_while_it_says_so(tmp_path: Path, migrated: Path, point: str) -> None:
    """It is said once, with the end of the cleanup."""
    shutil.copy(migrated, tmp_path / "kubemin.db")
    async with World(tmp_path, PARTS) as stage:
        assert await run_child(stage.script) == 0
        instance = stage.instance
        removal = await instance.service.delete_application(stage.app_id, "ada")
        cancels = Point("call:delete:Deployment/*:after")
        script = replace(stage.script, task_id=removal.id, cancel_at=cancels)
        assert await run_child(replace(script, kill_at=Point(point))) == KILLED
        expire_leases(stage)
        assert await run_child(replace(script, cancel_at=None)) == 0
        now = await current(instance, stage.app_id)
        assert now is not None
        assert now.number == 2
        assert "settings" in names(now)
        async with instance.db.read() as tx:
            assert len(await revisions.of_application(tx, stage.app_id)) == 2
