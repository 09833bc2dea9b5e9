"""Ways out for a person: a cancel that leaves what is there, and a cleanup that is given up."""

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest
import yaml

from kubemin.engine import ExecOptions
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.entry.sources import Posted
from kubemin.engine.errors import CancelledOtherwise, NotIncomplete, TaskNotFound
from kubemin.spec.application import parse_application
from kubemin.spec.limits import Limits
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, CleanupPolicy, TaskStatus
from kubemin.store import tasks
from kubesim.faults import Fault
from tests.cli.kubemin import Kubemin, Running
from tests.engine.instance import Instance, conf, web
from tests.trouble.test_incomplete import SHORT, left_behind, release, status, stick, until_shown

PARTS = [conf("settings", a="1"), web("late", "late:never")]


async def _running(instance: Instance, options: ExecOptions) -> tuple[str, str]:
    """An application whose task waits for a Pod that never comes; its id, and the task's."""
    app_id = await instance.save(PARTS)
    task_id = await instance.exec(app_id, options)

    async def waits() -> bool:
        return any(job.component == "late" and job.info for job in await instance.jobs(task_id))

    await instance.until(waits)
    return app_id, task_id


@pytest.mark.parametrize("of_the_run", list(CleanupPolicy))
@pytest.mark.parametrize("of_the_cancel", [None, CleanupPolicy.TASK, CleanupPolicy.NONE])
async def test_a_cancel_says_what_becomes_of_what_is_there(
    instance: Instance, of_the_run: CleanupPolicy, of_the_cancel: CleanupPolicy | None
) -> None:
    """What the cancel asks for counts, and without it what the run asked for."""
    before = await instance.snapshot()
    async with instance.worker():
        app_id, task_id = await _running(instance, ExecOptions(cleanup=of_the_run))
        deployed = (await instance.snapshot()).keys()
        await instance.service.cancel(app_id, task_id, "ada", "no", of_the_cancel)
        task = await instance.settled(task_id)
    stays = (of_the_cancel or of_the_run) is CleanupPolicy.NONE
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.NONE if stays else Cleanup.DONE)
    assert (await instance.snapshot()).keys() == (deployed if stays else before.keys())


async def test_a_cancel_that_leaves_all_holds_for_the_next_worker_too(instance: Instance) -> None:
    async with instance.worker():
        app_id, task_id = await _running(instance, ExecOptions())
    # The worker is gone: the task waits for another one, and is cancelled meanwhile.
    deployed = (await instance.snapshot()).keys()
    await instance.service.cancel(app_id, task_id, "ada", "no", CleanupPolicy.NONE)
    async with instance.worker(name="second"):
        task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.NONE
    assert (await instance.snapshot()).keys() == deployed


async def test_a_second_cancel_does_not_change_the_first(instance: Instance) -> None:
    async with instance.worker():
        app_id, task_id = await _running(instance, ExecOptions())
        await instance.service.cancel(app_id, task_id, "ada", "no")
        again = [None, CleanupPolicy.TASK]
        assert [(await instance.service.cancel(app_id, task_id, "bob", "", one)).reason for one in again] == ["no"] * 2
        with pytest.raises(CancelledOtherwise, match="with cleanup task"):
            await instance.service.cancel(app_id, task_id, "bob", "", CleanupPolicy.NONE)
        assert (await instance.settled(task_id)).cleanup is Cleanup.DONE


async def test_what_was_left_on_purpose_goes_with_the_application(instance: Instance) -> None:
    before = await instance.snapshot()
    async with instance.worker():
        app_id, task_id = await _running(instance, ExecOptions())
        await instance.service.cancel(app_id, task_id, "ada", "no", CleanupPolicy.NONE)
        await instance.settled(task_id)
        removal = await instance.service.delete_application(app_id, "ada")
        assert removal is not None
        await instance.settled(removal.id)
    assert (await instance.snapshot()).keys() == before.keys()


async def test_a_run_of_other_components_leaves_what_was_left_on_purpose(instance: Instance) -> None:
    """It leaves the component as it is: what of it the revision does not have goes with the next run that brings it."""
    whole, other = web("api", "api:1"), conf("settings", a="1")
    budget = ObjectRef("PodDisruptionBudget", "default", "shop-api")
    app_id = await instance.save([whole, other])
    async with instance.worker():
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        broken = web("api", "api:never", traits={"pdb": {"maxUnavailable": 1}})
        await instance.save([broken, other], app_id=app_id)
        task_id = await instance.exec(app_id)

        async def there() -> bool:
            return any(job.kind == "Deployment" and job.info for job in await instance.jobs(task_id))

        await instance.until(there)
        await instance.service.cancel(app_id, task_id, "ada", "no", CleanupPolicy.NONE)
        await instance.settled(task_id)
        for only, stays in ((["settings"], True), (["api", "settings"], False)):
            steps = [{"name": "one", "mode": "DAG", "components": only}]
            told = await instance.preview([whole, other], "shop", workflow=steps)
            assert (budget in told.parting.removes) is not stays
            file = {"name": "shop", "component": [whole, other], "workflow": steps}
            run = await instance.service.run(Posted(parse_application(file)), ExecOptions(), "ada")
            assert (await instance.settled(run.id)).status is TaskStatus.COMPLETED
            assert (budget in await instance.snapshot()) is stays


async def test_what_is_given_up_is_named_and_not_tried_again(
    instance: Instance, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubemin.engine.supervise.run.next_retry", lambda _: 3600.0)
    stuck = stick(instance)
    async with instance.worker(SHORT):
        task = await left_behind(instance)
        answer = await http.post(f"/workflow/tasks/{task.id}/cleanup", json={"abandon": True, "reason": "broken hook"})
        assert answer.json()["data"] == {"taskId": task.id, "status": "cancelled", "cleanup": "abandoned"}
        assert (await http.post(f"/workflow/tasks/{task.id}/cleanup")).json()["data"]["cleanup"] == "abandoned"
        shown = await status(http, task.id)
        assert "ConfigMap" in {one["kind"] for one in shown["cleanup"]["remaining"]}
        row = await instance.task(task.id)
        assert (row.cleanup, row.cleanup_why, row.next_cleanup_at) == (
            Cleanup.ABANDONED,
            "given up by system: broken hook",
            None,
        )
        again = await instance.service.abandon_cleanup(task.id, "bob")
        assert again.cleanup_why == row.cleanup_why
        async with instance.db.read() as tx:
            assert (await tasks.count_tasks(tx)).cleanups[Cleanup.ABANDONED] == 1  # as /metrics says it
        assert shown["cleanup"]["abandoned"] == row.cleanup_why
        await release(instance, stuck)


async def test_what_is_given_up_is_an_orphan(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubemin.engine.supervise.run.next_retry", lambda _: 3600.0)
    refused = instance.sim.faults.add(Fault("status", verb="delete", resource="configmaps", times=None, code=403))
    async with instance.worker(SHORT):
        task = await left_behind(instance)
    assert await Orphans(instance.db, instance.cluster, Limits()).find() == []
    await instance.service.abandon_cleanup(task.id, "ada")
    instance.sim.faults.remove(refused)
    (orphan,) = await Orphans(instance.db, instance.cluster, Limits()).find()
    assert (orphan.ref.kind, orphan.why) == ("ConfigMap", "its task's cleanup was abandoned before it was deleted")


async def test_what_a_later_run_completed_with_is_no_orphan(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task that made it has given it up, and the next one found it there: it is of the current revision now."""
    monkeypatch.setattr("kubemin.engine.supervise.run.next_retry", lambda _: 3600.0)
    refused = instance.sim.faults.add(Fault("status", verb="delete", resource="configmaps", times=None, code=403))
    async with instance.worker(SHORT):
        task = await left_behind(instance)
    await instance.service.abandon_cleanup(task.id, "ada")
    instance.sim.faults.remove(refused)
    await instance.save([conf("settings", a="2")], app_id=task.app_id)
    async with instance.worker():
        done = await instance.settled(await instance.exec(task.app_id))
    assert done.status is TaskStatus.COMPLETED, done.reason
    orphans = Orphans(instance.db, instance.cluster, Limits())
    assert await orphans.find() == []
    assert await orphans.delete() == []
    left = await instance.cluster.get(ObjectRef("ConfigMap", "default", "settings"))
    assert left["data"] == {"a": "2"}


async def test_only_what_is_incomplete_can_be_given_up(instance: Instance) -> None:
    async with instance.worker():
        app_id, task_id = await _running(instance, ExecOptions())
        with pytest.raises(NotIncomplete, match="is none, and not incomplete"):
            await instance.service.abandon_cleanup(task_id, "ada")
        await instance.service.cancel(app_id, task_id, "ada", "no")
        await instance.settled(task_id)
    with pytest.raises(NotIncomplete, match="is done, and not incomplete"):
        await instance.service.abandon_cleanup(task_id, "ada")
    with pytest.raises(TaskNotFound):
        await instance.service.abandon_cleanup("m" * 24, "ada")


async def test_giving_up_and_trying_again_race_and_one_wins(instance: Instance) -> None:
    """A cleanup that is given up is not taken by a worker, and one that a worker has is not given up."""
    stuck = stick(instance)
    async with instance.worker(SHORT):
        task = await left_behind(instance)
    await instance.service.retry_cleanup(task.id)  # due, and no worker is there
    assert (await instance.service.abandon_cleanup(task.id, "ada")).cleanup is Cleanup.ABANDONED
    await release(instance, stuck)
    async with instance.worker(name="second"):
        await asyncio.gather(*(instance.service.retry_cleanup(task.id) for _ in range(3)))
        app_id = await instance.save([conf("other", a="1")], name="other")
        await instance.settled(await instance.exec(app_id))  # whatever was due before is taken first
    assert (await instance.task(task.id)).cleanup is Cleanup.ABANDONED


async def test_the_next_task_takes_over_what_was_given_up(instance: Instance) -> None:
    before = await instance.snapshot()
    stuck = stick(instance)
    async with instance.worker(SHORT):
        task = await left_behind(instance)
        await instance.service.abandon_cleanup(task.id, "ada")
        await release(instance, stuck)
        await instance.save([conf("settings", a="1")], app_id=task.app_id)
        done = await instance.settled(await instance.exec(task.app_id))
        assert done.status is TaskStatus.COMPLETED, done.reason
        removal = await instance.service.delete_application(task.app_id, "ada")
        assert removal is not None
        assert (await instance.settled(removal.id)).status is TaskStatus.COMPLETED
    assert (await instance.snapshot()).keys() == before.keys()


def test_the_command_line_lists_what_stays(server: Running, tmp_path: Path) -> None:
    kubemin = Kubemin(tmp_path, server.url)
    parts = [conf("ways-out-settings", a="1"), web("late", "late:never")]
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump({"name": "ways-out", "component": parts}))
    applied = kubemin("apply", "--detach", "shop.yaml")
    task_id = applied.stdout.split("task ")[1].split()[0]
    until_shown(kubemin, task_id, "late .*running")
    done = kubemin("cancel", task_id, "--cleanup", "none", "--wait")
    assert done.returncode == 0, done.stderr
    assert "stays as it is now: ConfigMap/default/ways-out-settings (created)" in done.stdout
    assert "cleanup   none" in kubemin("status", task_id).stdout
    assert kubemin("cancel", task_id, "--cleanup", "job").returncode == 2
    app_id = json.loads(kubemin("status", task_id, "-o", "json").stdout)["appId"]
    assert httpx.delete(f"{server.url}/api/v1/applications/{app_id}", trust_env=False).status_code == 200


def test_the_command_line_gives_up(server: Running, tmp_path: Path) -> None:
    kubemin = Kubemin(tmp_path, server.url)
    faults = server.wait_for(r"simulated cluster at (http://\S+)")[1] + "/sim/faults"
    stuck = {"action": "stick", "resource": "configmaps", "times": None}
    assert httpx.post(faults, json=stuck, trust_env=False).status_code == 201
    parts = [conf("given-up-settings", a="1"), web("late", "late:never")]
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump({"name": "given-up", "component": parts}))
    done = kubemin("apply", "shop.yaml", "--timeout", "1")
    assert done.returncode == 5
    task_id = kubemin("tasks", "-o", "json").stdout.split('"taskId": "')[1].split('"')[0]
    for _ in range(100):  # it may be tried while we ask
        until_shown(kubemin, task_id, "cleanup   incomplete")
        done = kubemin("cleanup", task_id, "--abandon", "--reason", "broken hook")
        if done.returncode == 0:
            break
    assert "stays as it is, and is not tried again: ConfigMap/default/given-up-settings: " in done.stdout
    assert f"task {task_id} timeout, cleanup abandoned: it is not tried again" in done.stdout
    assert "given up by" in (shown := kubemin("status", task_id).stdout)
    assert "left    ConfigMap/default/given-up-settings" in shown
    followed = kubemin("status", task_id, "--follow")
    assert followed.returncode == 5
    assert re.search(r"cleanup was abandoned; left are:\n  ConfigMap/default/given-up-settings: ", followed.stdout)
    assert httpx.delete(faults, trust_env=False).status_code == 200
