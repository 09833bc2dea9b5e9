"""`incomplete` names what is left and why; it is tried again by itself, later and later, and at once when asked."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from kubemin.engine import ExecOptions
from kubemin.engine.supervise.run import next_retry
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus, TaskType
from kubemin.store import tasks
from kubemin.store.tasks import Task
from kubesim.faults import Armed, Fault
from tests.cli.kubemin import Kubemin, Running
from tests.engine.instance import QUICK, Instance, conf, store, web
from tests.engine.test_points import differences
from tests.waiting import until_found

SHORT = QUICK.model_copy(update={"cleanup_seconds": 0.8})
HOUR = 3600.0
HURRY = "there was no time left to look at it"


async def status(http: httpx.AsyncClient, task_id: str) -> dict[str, Any]:
    answer = await http.get(f"/workflow/tasks/{task_id}/status")
    data: dict[str, Any] = answer.json()["data"]
    return data


def stick(instance: Instance, resource: str = "configmaps") -> Armed:
    """Whatever is deleted of these keeps a finalizer until released."""
    return instance.sim.faults.add(Fault("stick", resource=resource, times=None))


async def release(instance: Instance, armed: Armed) -> None:
    instance.sim.faults.remove(armed)
    await armed.release()


async def left_behind(instance: Instance, *components: dict[str, Any]) -> Task:
    """A run that is cancelled once all is written, and whose cleanup stays incomplete."""
    app_id = await instance.save(components or [conf("settings", a="1"), web("late", "late:never")])
    task_id = await instance.exec(app_id)

    async def written() -> bool:
        return all(job.status.ended or job.info for job in await instance.jobs(task_id))

    await instance.until(written)
    await instance.service.cancel(app_id, task_id, "ada", "no")
    task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.INCOMPLETE)
    return task


async def is_done(instance: Instance, task_id: str) -> bool:
    return (await instance.task(task_id)).cleanup is Cleanup.DONE


@pytest.fixture
def asked_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried again within the test unless it is asked for."""
    monkeypatch.setattr("kubemin.engine.supervise.run.next_retry", lambda _: HOUR)


async def test_a_finalizer_is_named_tried_again_and_seen(
    instance: Instance, http: httpx.AsyncClient, asked_only: None
) -> None:
    before = await instance.snapshot()
    stuck = stick(instance)
    async with instance.worker(SHORT):
        task = await left_behind(instance)
        passes = 1

        async def again() -> bool:
            return (await instance.task(task.id)).cleanup_attempts == passes

        while len((shown := await status(http, task.id))["cleanup"]["remaining"]) > 1:  # a pass of a busy machine
            passes += 1
            await instance.service.retry_cleanup(task.id)
            await instance.until(again)
        assert (shown["status"], shown["cleanup"]["state"]) == ("cancelled", "incomplete")
        (left,) = shown["cleanup"]["remaining"]
        assert (left["kind"], left["name"]) == ("ConfigMap", "settings")
        assert "waits for kubesim.io/stuck" in left["why"]
        assert shown["cleanup"]["attempts"] == passes
        assert shown["cleanup"]["nextTime"] >= shown["endTime"] + HOUR - 1
        # Nothing else is left, and the next task of the application need not wait.
        (new,) = (await instance.snapshot()).keys() - before.keys()
        assert new == ObjectRef("ConfigMap", "default", "settings")

        answer = await http.post(f"/workflow/tasks/{task.id}/cleanup")  # now, though it is stuck still
        assert answer.json()["data"]["cleanup"] == "incomplete"
        passes += 1
        await instance.until(again)
        await release(instance, stuck)
        await http.post(f"/workflow/tasks/{task.id}/cleanup")
        await instance.until(lambda: is_done(instance, task.id))
    shown = await status(http, task.id)
    assert shown["cleanup"]["remaining"] == []
    assert not {"attempts", "nextTime"} & shown["cleanup"].keys()
    assert differences(before, await instance.snapshot()) == []


async def test_it_is_tried_again_by_itself_after_a_restart(instance: Instance) -> None:
    """When it is due lies in the database: a process that starts later knows."""
    before = await instance.snapshot()
    stuck = stick(instance)
    async with instance.worker(SHORT):
        task = await left_behind(instance)
    assert task.next_cleanup_at is not None
    await release(instance, stuck)
    async with instance.worker(name="another"):
        await instance.until(lambda: is_done(instance, task.id))  # five seconds, as it is the first time
    after = await instance.task(task.id)
    assert after.ended_at is not None
    assert after.updated_at >= task.next_cleanup_at
    assert differences(before, await instance.snapshot()) == []


def test_the_pauses_grow_to_a_limit() -> None:
    pauses = [next_retry(attempts) for attempts in range(100)]
    assert pauses[0] == 5
    assert pauses == sorted(pauses)
    assert pauses[6] == pauses[-1] == 300


async def test_the_next_task_does_not_wait_for_what_is_left(instance: Instance) -> None:
    """The next run of the application waits for the terminating object, and makes its own once that is gone."""
    stuck = stick(instance)
    async with instance.worker(SHORT):
        task = await left_behind(instance)
        await instance.save([conf("settings", a="2")], app_id=task.app_id)
        task_id = await instance.exec(task.app_id)

        async def waits() -> bool:
            return any("former object" in (job.info or "") for job in await instance.jobs(task_id))

        await instance.until(waits)
        await release(instance, stuck)
        done = await instance.settled(task_id)
        assert done.status is TaskStatus.COMPLETED, done.reason
        await instance.service.retry_cleanup(task.id)
        await instance.until(lambda: is_done(instance, task.id))
    made = (await instance.snapshot())[ObjectRef("ConfigMap", "default", "settings")]
    assert made["data"] == {"a": "2"}
    assert made["metadata"]["labels"]["kubemin.io/task-id"] == task_id


async def test_a_change_that_the_next_task_puts_back_is_undone_too(instance: Instance) -> None:
    """The next task began on top of a restore that was refused for a while, and is cancelled: both are taken back."""
    theirs = {"metadata": {"name": "settings"}, "data": {"a": "theirs"}}
    instance.adopts = True
    instance.sim.registry.create("configmaps", "default", theirs, manager="kubectl")
    before = await instance.snapshot()
    refusal = Fault("status", code=403, verb="update", resource="configmaps", times=None, message="frozen")
    async with instance.worker():
        frozen = instance.sim.faults.add(refusal)
        first = await left_behind(instance)
        await instance.save([conf("settings", a="2"), web("late", "late:never")], app_id=first.app_id)
        second = await instance.exec(first.app_id)

        async def changed() -> bool:
            found = (await instance.snapshot())[ObjectRef("ConfigMap", "default", "settings")]
            return bool(found["data"] == {"a": "2"})

        await instance.until(changed)
        instance.sim.faults.remove(frozen)
        await instance.service.retry_cleanup(first.id)
        await instance.until(lambda: is_done(instance, first.id))  # nothing on the object is the first one's by now
        await instance.service.cancel(first.app_id, second, "ada", "no")
        await instance.until(lambda: is_done(instance, second))

        async def as_before() -> bool:
            return differences(before, await instance.snapshot()) == []

        await instance.until(as_before)
        await instance.until(lambda: is_done(instance, first.id))
    (row,) = [row for row in await instance.journal(first.id) if row.ref.kind == "ConfigMap"]
    assert row.state is ResourceState.RESTORED


async def test_what_was_changed_without_a_restore_stays(instance: Instance) -> None:
    """The claim of a run whose policy is not to restore stays on what it changed, and reopens nothing."""
    theirs = {"metadata": {"name": "settings"}, "data": {"a": "theirs"}}
    instance.adopts = True
    instance.sim.registry.create("configmaps", "default", theirs, manager="kubectl")
    app_id = await instance.save([conf("settings", a="1"), web("late", "late:never")])
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=1, restore=False)))
        assert task.cleanup is Cleanup.DONE
    judged: list[ObjectRef] = []
    async with instance.worker(name="second") as engine:
        judge = engine._reapers[0]._judge

        async def noted(seen: dict[ObjectRef, Any]) -> None:
            await judge(seen)
            judged.extend(seen)

        engine._reapers[0]._judge = noted  # type: ignore[method-assign]

        async def all_judged() -> bool:
            return bool(judged)

        await instance.until(all_judged)
    assert judged == [ObjectRef("ConfigMap", "default", "settings")]
    assert (await instance.task(task.id)).lease_epoch == task.lease_epoch  # nobody took it up again
    assert (await instance.task(task.id)).cleanup is Cleanup.DONE
    now = (await instance.snapshot())[ObjectRef("ConfigMap", "default", "settings")]
    assert now["data"] == {"a": "1"}


async def reasons(instance: Instance, task_id: str) -> dict[str, str]:
    """Why things are left, by kind."""
    return {row.ref.kind: row.why or "" for row in await instance.journal(task_id) if not row.state.settled}


async def test_every_kind_of_leftover_says_why(instance: Instance, asked_only: None) -> None:
    """A Pod that does not go keeps its workload, a claim in the way its StatefulSet: each says which, and why."""
    before = await instance.snapshot()
    stuck = [stick(instance, resource) for resource in ("pods", "secrets", "services")]
    parts: list[dict[str, Any]] = [
        {"name": "keys", "objectName": "keys", "type": "secret", "properties": {"secret": {"k": "v"}}},
        store("db"),
        web("late", "late:never"),
    ]
    async with instance.worker(QUICK.model_copy(update={"cleanup_seconds": 2.5})):
        task = await left_behind(instance, *parts)
        passes = 1

        async def again() -> bool:
            return (await instance.task(task.id)).cleanup_attempts == passes

        while HURRY in (why := await reasons(instance, task.id)).values():  # a pass of a busy machine
            passes += 1
            await instance.service.retry_cleanup(task.id)
            await instance.until(again)
        assert why.keys() == {"Secret", "Service", "StatefulSet", "Deployment"}
        assert "kubesim.io/stuck" in why["Secret"]
        assert "kubesim.io/stuck" in why["Service"]
        assert "Pod shop-db-0 (kubesim.io/stuck)" in why["StatefulSet"]
        assert "Pod shop-late-" in why["Deployment"]
        for armed in stuck:
            await release(instance, armed)
        await instance.service.retry_cleanup(task.id)
        await instance.until(lambda: is_done(instance, task.id))
    assert differences(before, await instance.snapshot()) == []


async def test_attempts_of_the_rollback_are_not_bounded(instance: Instance) -> None:
    """Trap 25: `maxAttempts` bounds going forward, not going back."""
    stuck = stick(instance)
    once = QUICK.model_copy(update={"cleanup_seconds": 0.3, "max_attempts": 1})
    async with instance.worker(once):
        task = await left_behind(instance)

        async def four() -> bool:
            await instance.service.retry_cleanup(task.id)
            return (await instance.task(task.id)).cleanup_attempts >= 4

        await instance.until(four)
        await release(instance, stuck)

        async def done() -> bool:
            await instance.service.retry_cleanup(task.id)
            return await is_done(instance, task.id)

        await instance.until(done)
    assert (await instance.task(task.id)).attempt == 1


async def test_a_cleanup_whose_worker_died_is_taken_over(instance: Instance) -> None:
    stuck = stick(instance)
    async with instance.worker():  # its pass takes ten seconds; it is handed over in the middle
        app_id = await instance.save([conf("settings", a="1"), web("late", "late:never")])
        task_id = await instance.exec(app_id, ExecOptions(timeout_seconds=1))

        async def deleting() -> bool:
            found = instance.sim.registry.scan("configmaps")
            return any("deletionTimestamp" in item["metadata"] for item in found)

        await instance.until(deleting)
    assert (await instance.task(task_id)).cleanup is Cleanup.RUNNING
    await release(instance, stuck)
    async with instance.worker(name="second"):
        await instance.until(lambda: is_done(instance, task_id))
    rows = await instance.journal(task_id)
    assert {row.state for row in rows} == {ResourceState.DELETED}


def test_the_command_line_shows_it_and_tries_again(server: Running, tmp_path: Path) -> None:
    kubemin = Kubemin(tmp_path, server.url)
    faults = server.wait_for(r"simulated cluster at (http://\S+)")[1] + "/sim/faults"
    stuck = {"action": "stick", "resource": "configmaps", "times": None}
    assert httpx.post(faults, json=stuck, trust_env=False).status_code == 201
    parts: list[Manifest] = [conf("stuck-settings", a="1"), web("late", "late:never")]
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump({"name": "shop", "component": parts}))
    done = kubemin("apply", "shop.yaml", "--timeout", "1")
    assert done.returncode == 5
    assert "ConfigMap/default/stuck-settings" in done.stdout
    task_id = kubemin("tasks", "-o", "json").stdout.split('"taskId": "')[1].split('"')[0]
    shown = until_shown(kubemin, task_id, r"tried   (once|\d+ times), again at ")  # it may be tried while we look
    assert "left    ConfigMap/default/stuck-settings: is being deleted; waits for kubesim.io/stuck" in shown
    assert f"kubemin cleanup {task_id}" in shown
    assert httpx.delete(faults, trust_env=False).status_code == 200
    assert kubemin("cleanup", task_id).returncode == 0
    assert "tried" not in until_shown(kubemin, task_id, "cleanup   done")


def until_shown(kubemin: Kubemin, task_id: str, pattern: str) -> str:
    """What `kubemin status` prints of a task, once the pattern is in it."""

    def shown() -> str | None:
        printed = kubemin("status", task_id).stdout
        return printed if re.search(pattern, printed) else None

    return until_found(shown, pattern)


@pytest.mark.parametrize("later", ["the same", "changed", "under way", "put back"])
@pytest.mark.parametrize("how", ["dropped", "its application's resources deleted"])
async def test_a_removal_that_is_tried_again_leaves_what_a_later_run_has_by_then(
    instance: Instance, asked_only: None, how: str, later: str
) -> None:
    """A removal goes forward only, but not beyond the runs that came after it."""
    ref = ObjectRef("ConfigMap", "default", "settings")
    part, other = conf("settings", a="1"), conf("other", a="1")
    app_id = await instance.save([part, other])
    async with instance.worker(SHORT):
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        # Of the deletions the first has no answer, so it may be that it lands: it is not given up.
        lost = instance.sim.faults.add(Fault("drop", verb="delete", name="settings"))
        refused = instance.sim.faults.add(Fault("status", verb="delete", name="settings", times=None, code=403))
        if how == "dropped":
            await instance.save([other], app_id=app_id)
            removal = await instance.exec(app_id)
        else:
            await instance.service.delete_resources(app_id)
            [removal] = {task.id for task in await all_tasks(instance) if task.type is TaskType.DELETE}
        await lost.struck()
        assert (await instance.settled(removal)).cleanup is Cleanup.INCOMPLETE
        goes_on = [web("late", "late:never")] if later in ("under way", "put back") else []
        await instance.save([conf("settings", a="2") if later == "changed" else part, other, *goes_on], app_id=app_id)
        task_id = await instance.exec(app_id)
        if goes_on:

            async def written() -> bool:
                return all(job.status.ended or job.info for job in await instance.jobs(task_id))

            await instance.until(written)
        if later == "put back":
            await instance.service.cancel(app_id, task_id, "ada", "no")
        if later != "under way":
            ends = Cleanup.DONE if goes_on else Cleanup.NONE
            assert (await instance.settled(task_id)).cleanup is ends
        instance.sim.faults.remove(refused)
        await instance.service.retry_cleanup(removal)

        async def tried() -> bool:
            task = await instance.task(removal)
            return task.cleanup is Cleanup.DONE or (task.cleanup is Cleanup.INCOMPLETE and task.cleanup_attempts > 1)

        await instance.until(tried)
        stays = later != "put back"
        assert (ref in await instance.snapshot()) is stays
        rows = [row for row in await instance.journal(removal) if row.ref == ref]
        if later == "under way":
            assert (await instance.task(removal)).cleanup is Cleanup.INCOMPLETE
            assert f"task {task_id}, which is under way, has it again" in rows[0].why
        else:
            assert (await instance.task(removal)).cleanup is Cleanup.DONE
            assert rows[0].state is (ResourceState.KEPT if stays else ResourceState.DELETED)


async def all_tasks(instance: Instance) -> list[Task]:
    async with instance.db.read() as tx:
        return await tasks.page(tx)
