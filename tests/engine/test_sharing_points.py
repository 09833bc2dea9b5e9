"""A kill at every point of a removal of what applications share, while the other one goes: nothing is left behind."""

from pathlib import Path

import pytest

from kubemin.spec.ids import application_id
from kubemin.spec.states import Cleanup, TaskStatus
from tests.engine.child import Point, Script, run_child
from tests.engine.instance import PATIENT, Instance, conf
from tests.engine.test_points import ANY, KILLED, Stage, expire_leases, labels
from tests.engine.test_shared_ends import applied, belongs_to, common, deleted, live

POINTS = [
    Point("commit:hand-over:before"),
    Point("commit:hand-over:after"),
    Point("call:replace:ConfigMap/common:before"),
    Point("call:replace:ConfigMap/common:after"),
]
MOST = 24
"""More than a removal passes."""
CASES = [(strategy, third) for strategy in ("default", "force") for third in (False, True)]


@pytest.mark.proof
@pytest.mark.parametrize(("strategy", "third"), CASES)
@pytest.mark.parametrize("killed", ["maker", "receiver"])
@pytest.mark.parametrize("point", [*POINTS, *(Point(ANY, number) for number in range(1, MOST + 1))], ids=str)
async def test_killed_while_it_passes_on(
    instance: Instance, tmp_path: Path, point: Point, killed: str, strategy: str, third: bool
) -> None:
    """The other one goes before anybody goes on with what was killed."""
    names = ["maker", "receiver", *(["third"] if third else [])]
    async with instance.worker(PATIENT):
        for number, name in enumerate(names):
            await applied(instance, name, common(strategy, v=str(number)), conf(f"own-{name}", v="1"))
    app_id = application_id("default", killed)
    task_id = (await instance.service.delete_application(app_id, "ada")).id
    url = f"sqlite:///{tmp_path}/kubemin.db"
    stage = Stage(
        instance,
        app_id,
        task_id,
        {},
        Script(url, instance.sim.url, app_id, task_id, str(tmp_path / "points"), kill_at=point),
    )
    code = await run_child(stage.script)
    assert code in (KILLED, 0), labels(stage)
    async with instance.worker(PATIENT):
        await deleted(instance, "receiver" if killed == "maker" else "maker")
        expire_leases(stage)

        async def ended() -> bool:
            task = await instance.task(task_id)
            return task.status is TaskStatus.COMPLETED and task.cleanup in (Cleanup.NONE, Cleanup.DONE)

        await instance.until(ended)
        if third:
            await belongs_to(instance, "third")
            await deleted(instance, "third")
        assert await live(instance) is None
