"""A changed value reaches the Pods that read it; undone, they read the old one again, as the old Pods do."""

import pytest

from kubemin.spec.labels import CONFIG_DIGEST
from kubemin.spec.states import Cleanup, TaskStatus
from tests.engine.instance import Instance, conf, web
from tests.engine.test_order import READERS, levels, pods, version
from tests.engine.test_points import differences

SAID = "the configuration that the Pods read has changed: they are replaced"


@pytest.mark.parametrize("workload", ["Deployment", "StatefulSet"])
@pytest.mark.parametrize("reader", READERS)
async def test_pods_read_the_new_value(instance: Instance, reader: str, workload: str) -> None:
    app_id = await instance.save(version(workload, reader, "a", "api:1"))
    async with instance.worker():
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        assert levels(instance) == ["a"] * 4
        await instance.save(version(workload, reader, "b", "api:1"), app_id=app_id)
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        assert levels(instance) == ["b"] * 4
        uids = {pod["metadata"]["uid"] for pod in pods(instance)}
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        assert {pod["metadata"]["uid"] for pod in pods(instance)} == uids


@pytest.mark.parametrize("reader", READERS)
async def test_a_cancel_brings_back_the_old_value_and_the_old_replica_set(instance: Instance, reader: str) -> None:
    app_id = await instance.save(version("Deployment", reader, "a", "api:1"))
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        before = await instance.snapshot()
        last = web("last", "last:never", traits={"envFrom": [{"type": "secret", "sourceName": "elsewhere"}]})
        await instance.save([*version("Deployment", reader, "b", "api:1"), last], app_id=app_id)
        task_id = await instance.exec(app_id)

        async def rolled() -> bool:
            return levels(instance).count("b") >= 4

        await instance.until(rolled)
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert differences(before, await instance.snapshot()) == []
    assert levels(instance) == ["a"] * 4


async def test_turned_off_the_pods_stay(instance: Instance) -> None:
    def parts(level: str) -> list[dict[str, object]]:
        api = web("api", "api:1", traits=READERS["envFrom a ConfigMap"])
        return [conf("settings", LEVEL=level), {**api, "properties": {"restartOnConfigChange": False}}]

    app_id = await instance.save(parts("a"))
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        await instance.save(parts("b"), app_id=app_id)
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
    assert levels(instance) == ["a"]


async def test_a_plan_says_it_in_one_line(instance: Instance) -> None:
    """Also where the first value comes, and where the last one goes: then the whole map of annotations does."""
    reader = READERS["envFrom a ConfigMap"]
    old = [conf("settings", LEVEL="a"), web("api", "api:1", traits=reader)]
    without = [conf("settings", LEVEL="a"), web("api", "api:1")]
    app_id = await instance.save(old)
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
    for components in ([conf("settings", LEVEL="b"), old[1]], without):
        preview = await instance.preview(components)
        (job,) = [job for job in preview.plan.jobs if job.ref.kind == "Deployment"]
        changes = preview.preview_jobs[job.seq].changes
        assert [change for change in changes if "onfig" in change and "envFrom" not in change] == [SAID]
        assert CONFIG_DIGEST not in "".join(changes)
