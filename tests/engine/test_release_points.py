"""A kill at every point of a removal: what was made is gone, what was taken over is released, data is kept."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Purpose, ResourceState, TaskStatus
from tests.engine.child import Point, run_child
from tests.engine.test_points import KILLED, Stage, World, complete, expire_leases, labels, points, shape
from tests.engine.test_release import marks

IN_A_REMOVAL = [
    Point("commit:start:after"),
    Point("commit:*intent*:before"),
    Point("commit:*intent*:after", 2),
    Point("call:replace:ConfigMap/settings:before"),
    Point("call:replace:ConfigMap/settings:after"),
    Point("call:replace:Deployment/*:after"),
    Point("call:delete:StatefulSet/*:after"),
    Point("commit:finish:before"),
]
REMOVAL_POINTS = 60
"""More than a run passes."""


@pytest.fixture
async def world(tmp_path: Path, migrated: Path) -> World:
    shutil.copy(migrated, tmp_path / "kubemin.db")
    return World(tmp_path)


async def removal(stage: Stage, **how: bool) -> Stage:
    """The application of the stage deployed, and a task that deletes it."""
    assert await run_child(stage.script) == 0
    task = await stage.instance.service.delete_application(stage.app_id, "ada", **how)  # type: ignore[arg-type]  # only flags are given
    script = replace(stage.script, task_id=task.id, points=f"{stage.script.points}-removal")
    return replace(stage, task_id=task.id, script=script)


async def killed(stage: Stage, point: Point) -> None:
    """Run the task in a child that dies at the point, then in another one."""
    code = await run_child(replace(stage.script, kill_at=point))
    assert code == KILLED or point.label == "*", f"{point} was not passed: {labels(stage)}"
    if code == KILLED:
        expire_leases(stage)
        assert await run_child(stage.script) == 0


@pytest.mark.parametrize("point", points(IN_A_REMOVAL, REMOVAL_POINTS, 1), ids=str)
async def test_killed_while_it_lets_go(world: World, point: Point) -> None:
    async with world as deployed:
        stage = await removal(deployed)
        await killed(stage, point)
        assert (await stage.instance.task(stage.task_id)).status is TaskStatus.COMPLETED
        found = await stage.instance.snapshot()
        kept = ("ConfigMap/", "Deployment/", "PersistentVolumeClaim/")
        wanted = {name: value for name, value in complete(stage).items() if name.startswith(kept)}
        assert shape(found) == wanted
        await _check_marks(stage, [ObjectRef(*name.split("/")) for name in wanted if "laim" not in name])
        states = {row.ref.kind: row.state for row in await stage.instance.journal(stage.task_id)}
        assert states["ConfigMap"] is states["Deployment"] is ResourceState.RELEASED
        assert states["PersistentVolumeClaim"] is ResourceState.KEPT
        gone = [kind for kind, state in states.items() if state is ResourceState.DELETED]
        assert sorted(gone) == ["Secret", "Service", "StatefulSet"]


RELEASES = [Point("call:replace:StatefulSet/*:after"), Point("call:replace:Secret/*:before")]


@pytest.mark.parametrize("point", points(RELEASES, 0, 0), ids=str)
async def test_killed_while_it_releases_all(world: World, point: Point) -> None:
    async with world as deployed:
        stage = await removal(deployed, keep_resources=True)
        await killed(stage, point)
        assert (await stage.instance.task(stage.task_id)).status is TaskStatus.COMPLETED
        assert shape(await stage.instance.snapshot()) == complete(stage)
        rows = await stage.instance.journal(stage.task_id)
        assert {(row.purpose, row.state) for row in rows} == {(Purpose.RELEASE, ResourceState.RELEASED)}
        await _check_marks(stage, [row.ref for row in rows])


async def _check_marks(stage: Stage, refs: list[ObjectRef]) -> None:
    found: dict[str, Any] = {str(ref): marks(await stage.instance.cluster.get(ref)) for ref in refs}
    assert {name: left for name, left in found.items() if left} == {}


@pytest.mark.proof
async def test_no_removal_has_more_points_than_are_tried(world: World) -> None:
    async with world as deployed:
        stage = await removal(deployed)
        assert await run_child(stage.script) == 0
        assert len(labels(stage)) < REMOVAL_POINTS
