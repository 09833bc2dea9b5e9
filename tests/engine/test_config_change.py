"""A changed value reaches the Pods that read it; undone, they read the old one again, as the old Pods do."""

from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.entry.sources import Restart
from kubemin.spec.labels import CONFIG_DIGEST
from kubemin.spec.states import Cleanup, TaskStatus
from tests.engine.instance import QUICK, Instance, conf, web
from tests.engine.test_order import READERS, levels, pods, version
from tests.engine.test_points import differences
from tests.engine.test_revisions import completed, current, diffs, posted, rolled_back
from tests.matrix import thinned

SAID = "the configuration that the Pods read has changed: they are replaced"


@pytest.mark.parametrize(("reader", "workload"), thinned([*READERS], ["Deployment", "StatefulSet"]))
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


ENVIRONMENT = {"settings": "${{ components.settings.name }}", "port": "${{ components.db.port }}", "plain": "$${{ x }}"}


def of_level(level: str, port: int, image: str) -> list[dict[str, Any]]:
    """A reader of a value and of a port that both change, and that have their own components."""
    reader = web("api", image, properties={"env": ENVIRONMENT}, traits=READERS["envFrom a ConfigMap"])
    return [reader, conf("settings", LEVEL=level), web("db", properties={"ports": [{"port": port}]})]


def step(name: str, components: list[str], **more: Any) -> dict[str, Any]:
    return {"name": name, "mode": "DAG", "components": components, **more}


WAYS = {
    "in no step": [step("rest", ["settings", "db"])],
    "its step is put back": [step("rest", ["settings", "db"]), step("api", ["api"], onFailure="continue")],
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_reader_that_stays_is_recorded_with_what_its_pods_read(instance: Instance, way: str) -> None:
    """Its configuration changes, and itself it does not: the revision says so, and the next run gives it the value."""
    async with instance.worker(QUICK.model_copy(update={"hopeless_after_seconds": 0.2})):
        app_id = (await completed(instance, *of_level("a", 1000, "api:1"))).app_id
        await completed(instance, *of_level("b", 2000, "api:crash"), workflow=WAYS[way])
        assert levels(instance) == ["a"]
        assert await diffs(instance).between(app_id, "current", "live") == []
        found = await current(instance, app_id)
        assert found is not None
        env = found.spec["component"][0]["properties"]["env"]
        assert env == {"settings": "${{ components.settings.name }}", "port": "1000", "plain": "$${{ x }}"}
        await rolled_back(instance, app_id, found.number)
        assert levels(instance) == ["b"]
        assert await diffs(instance).between(app_id, "current", "live") == []


async def test_a_restart_that_a_waiting_run_does_not_know_of_stays(instance: Instance) -> None:
    async with instance.worker():
        app_id = (await completed(instance, *of_level("a", 1000, "api:1"))).app_id
    await instance.service.run(Restart(app_id, ["api"]), ExecOptions(), "ada")
    last = await instance.service.run(
        posted(*of_level("b", 1000, "api:1"), workflow=WAYS["in no step"]), ExecOptions(), "ada"
    )
    async with instance.worker():
        assert (await instance.settled(last.id)).status is TaskStatus.COMPLETED
        assert await diffs(instance).between(app_id, "current", "live") == []
