"""Whole tasks: completed, failed, timed out, cancelled; each leaves the cluster as it should be."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import insert
from structlog.testing import capture_logs

from kubemin.dispatch import LocalDoorbell
from kubemin.engine import Engine, ExecOptions
from kubemin.engine.entry import prepare
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.sources import Draft
from kubemin.engine.errors import AppChanged, KeyReused, TaskActive, TaskElsewhere, TaskEnded, TaskNotFound
from kubemin.signals import LocalSignals
from kubemin.spec.states import Cleanup, CleanupPolicy, JobStatus, OnActive, ResourceState, TaskStatus
from kubemin.store import tasks
from kubemin.store.tables import sealing_keys
from kubemin.store.tasks import Task
from kubesim.faults import Fault
from tests.engine.instance import EVERYTHING, QUICK, Instance, conf, secret, store, web


async def kinds(instance: Instance) -> dict[str, int]:
    """How many objects with our labels there are, by kind."""
    found: dict[str, int] = {}
    for ref, obj in (await instance.snapshot()).items():
        if obj["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == "kubemin":
            found[ref.kind] = found.get(ref.kind, 0) + 1
    return found


async def test_a_deploy_completes(instance: Instance) -> None:
    task_id = await instance.exec(await instance.save(EVERYTHING))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup, task.reason) == (TaskStatus.COMPLETED, Cleanup.NONE, "")
    assert {job.status for job in await instance.jobs(task_id)} == {JobStatus.COMPLETED}
    found = await kinds(instance)
    assert {kind: found[kind] for kind in ("ConfigMap", "Secret", "StatefulSet", "Deployment", "Service")} == {
        "ConfigMap": 1,
        "Secret": 1,
        "StatefulSet": 1,
        "Deployment": 2,
        "Service": 4,
    }
    assert {row.state for row in await instance.journal(task_id)} == {ResourceState.CREATED}


async def test_deploying_again_changes_nothing_that_matters(instance: Instance) -> None:
    app_id = await instance.save(EVERYTHING)
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        before = await instance.snapshot()
        task = await instance.settled(await instance.exec(app_id))
    assert task.status is TaskStatus.COMPLETED
    assert before.keys() == (await instance.snapshot()).keys()


@pytest.mark.parametrize("image", ["web:never", "web:pull"])
async def test_a_timeout_is_a_timeout_and_is_rolled_back(instance: Instance, image: str) -> None:
    before = await instance.snapshot()
    app_id = await instance.save([*EVERYTHING, web("late", image)])
    task_id = await instance.exec(app_id, ExecOptions(timeout_seconds=2))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.TIMEOUT
    assert task.reason.startswith("the task was not complete within 2 s; it waited for Deployment/default/shop-late")
    assert ": Deployment shop-late" not in task.reason  # its name once
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert await instance.snapshot() == before
    assert all(job.status.ended for job in await instance.jobs(task_id))


async def test_a_hopeless_pod_fails_the_task_in_its_own_words(instance: Instance) -> None:
    before = await instance.snapshot()
    app_id = await instance.save([web("api", "api:pull"), conf("settings", a="1")])
    task_id = await instance.exec(app_id, ExecOptions(hopeless_after_seconds=0.2))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.FAILED
    assert "ImagePull" in task.reason
    assert task.cleanup is Cleanup.DONE
    assert await instance.snapshot() == before


async def test_a_cancel_ends_the_running_wait_and_everything_is_put_back(instance: Instance) -> None:
    before = await instance.snapshot()
    app_id = await instance.save([*EVERYTHING, web("late", "late:never")])
    task_id = await instance.exec(app_id)

    async def waiting() -> bool:
        jobs = await instance.jobs(task_id)
        return any(job.component == "late" and job.status is JobStatus.RUNNING and job.info for job in jobs)

    async with instance.worker():
        await instance.until(waiting)
        answer = await instance.service.cancel(app_id, task_id, "ada", "wrong version")
        assert answer.status is TaskStatus.CANCELLED
        task = await instance.settled(task_id)
    assert (task.status, task.reason, task.cancelled_by) == (TaskStatus.CANCELLED, "wrong version", "ada")
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert await instance.snapshot() == before
    again = await instance.service.cancel(app_id, task_id, "bob", "again")
    assert (again.reason, again.cancelled_by) == ("wrong version", "ada")


async def test_an_update_that_is_cancelled_leaves_the_former_version(instance: Instance) -> None:
    app_id = await instance.save(EVERYTHING)
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        before = await instance.snapshot()
        await instance.save(
            [
                conf("settings", a="2", b="3"),
                secret("keys", token="u"),
                store("db"),
                web("api", "api:never"),
                web("new"),
            ],
            app_id=app_id,
        )
        task_id = await instance.exec(app_id)

        async def changed() -> bool:
            return any(row.ref.kind == "Deployment" and row.uid for row in await instance.journal(task_id))

        await instance.until(changed)
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert await instance.snapshot() == before


async def test_what_the_application_no_longer_has_is_removed_after_completion(instance: Instance) -> None:
    app_id = await instance.save(EVERYTHING)
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        await instance.save([conf("settings", a="1"), web("api")], app_id=app_id)
        task = await instance.settled(await instance.exec(app_id))
    assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE)
    found = await kinds(instance)
    assert (found.get("Deployment"), found.get("StatefulSet"), found.get("Secret")) == (1, None, None)
    claims = [row for row in await instance.journal(task.id) if row.ref.kind == "PersistentVolumeClaim"]
    assert [(row.state, row.why) for row in claims] == [(ResourceState.KEPT, "holds data: kept")]


async def test_a_cancel_before_the_claim_needs_no_cleanup(instance: Instance) -> None:
    app_id = await instance.save(EVERYTHING)
    task_id = await instance.exec(app_id)
    answer = await instance.service.cancel(app_id, task_id, "ada", "too early")
    assert (answer.status, answer.cleanup) == (TaskStatus.CANCELLED, Cleanup.NONE)
    async with instance.worker():
        other = await instance.exec(app_id)
        await instance.settled(other)
    assert (await instance.task(task_id)).status is TaskStatus.CANCELLED


async def test_cancelling_what_is_not_there(instance: Instance) -> None:
    app_id = await instance.save([conf("settings", a="1")])
    other = await instance.save([conf("other", a="1")], name="other")
    task_id = await instance.exec(app_id)
    with pytest.raises(TaskNotFound):
        await instance.service.cancel(app_id, "x" * 24, "ada", "")
    with pytest.raises(TaskElsewhere, match=f"not one of application {other}"):
        await instance.service.cancel(other, task_id, "ada", "")
    async with instance.worker():
        await instance.settled(task_id)
    with pytest.raises(TaskEnded):
        await instance.service.cancel(app_id, task_id, "ada", "")


async def test_one_task_an_application(instance: Instance) -> None:
    app_id = await instance.save([web("api", "api:never")])
    first = await instance.exec(app_id)
    with pytest.raises(TaskActive, match=first):
        await instance.exec(app_id, ExecOptions(on_active=OnActive.REJECT))
    queued = await instance.exec(app_id)
    async with instance.worker():

        async def running() -> bool:
            return (await instance.task(first)).status is TaskStatus.RUNNING

        await instance.until(running)
        assert (await instance.task(queued)).status is TaskStatus.WAITING
        await instance.save([web("api", "api:1")], app_id=app_id)
        last = await instance.exec(app_id, ExecOptions(on_active=OnActive.SUPERSEDE))
        task = await instance.settled(last)
        former = await instance.settled(first)
        between = await instance.settled(queued)
    assert task.status is TaskStatus.COMPLETED
    assert (former.status, between.status) == (TaskStatus.CANCELLED, TaskStatus.CANCELLED)
    assert "superseded" in former.reason
    assert former.cleanup is Cleanup.DONE
    assert between.cleanup is Cleanup.NONE


async def test_an_idempotency_key_gives_the_same_task(instance: Instance) -> None:
    app_id = await instance.save([conf("settings", a="1")])
    run = instance.service.run
    one = await run(Draft(app_id), ExecOptions(), "ci", "", "key", "hash")
    two = await run(Draft(app_id), ExecOptions(), "ci", "", "key", "hash")
    assert one.id == two.id
    with pytest.raises(KeyReused):
        await run(Draft(app_id), ExecOptions(), "ci", "", "key", "other")


async def test_a_task_goes_on_in_another_worker(instance: Instance) -> None:
    """A shutdown is no cancel: the task is handed over, and what is done is not repeated."""
    app_id = await instance.save([conf("settings", a="1"), web("api", "api:slow-200")])
    task_id = await instance.exec(app_id)

    async def created() -> bool:
        return len(await instance.journal(task_id)) == 3 and all(row.uid for row in await instance.journal(task_id))

    async with instance.worker():
        await instance.until(created)
    held = await instance.task(task_id)
    assert (held.status, held.lease_owner) == (TaskStatus.RUNNING, None)
    before = await instance.snapshot()
    async with instance.worker(name="second"):
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED
    after = await instance.snapshot()
    assert {ref: obj["metadata"]["uid"] for ref, obj in before.items() if ref.kind != "ReplicaSet"}.items() <= {
        ref: obj["metadata"]["uid"] for ref, obj in after.items()
    }.items()


async def test_what_nobody_has_removed_yet_is_not_said_to_be_gone(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    app_id = await instance.save([conf("settings", a="1"), web("api")])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
    monkeypatch.setattr("kubemin.engine.entry.task_service._WAIT_FOR_REMOVAL", 0.0)
    deleted, failed = await instance.service.delete_resources(app_id)  # with no worker there
    assert deleted == []
    assert sorted(name.split("/")[0] for name in failed) == ["ConfigMap", "Deployment", "Service"]


async def test_cleanup_none_leaves_everything(instance: Instance) -> None:
    app_id = await instance.save([conf("settings", a="1"), web("api", "api:never")])
    task_id = await instance.exec(app_id, ExecOptions(timeout_seconds=1, cleanup=CleanupPolicy.NONE))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.TIMEOUT, Cleanup.NONE)
    assert (await kinds(instance))["ConfigMap"] == 1


async def test_cleanup_job_leaves_the_others(instance: Instance) -> None:
    app_id = await instance.save([conf("settings", a="1"), web("api", "api:pull")])
    task_id = await instance.exec(app_id, ExecOptions(hopeless_after_seconds=0.2, cleanup=CleanupPolicy.JOB))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE)
    found = await kinds(instance)
    assert (found.get("ConfigMap"), found.get("Service"), found.get("Deployment")) == (1, 1, None)


async def test_deleting_an_application_removes_its_resources(instance: Instance) -> None:
    before = await instance.snapshot()
    app_id = await instance.save(EVERYTHING)
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        removal = await instance.service.delete_application(app_id, "ada", delete_volumes=True)
        task = await instance.settled(removal.id)
    assert task.status is TaskStatus.COMPLETED
    assert await instance.snapshot() == before


async def test_a_removal_is_asked_for_once(instance: Instance) -> None:
    """Its key gives it again once the application is gone, and deletes nothing that is made anew."""
    app_id = await instance.save([conf("settings", a="1")])

    async def removal() -> Task:
        return await instance.service.delete_application(app_id, "ada", idempotency_key="key", body_hash="hash")

    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        first, second = await asyncio.gather(removal(), removal())
        await instance.settled(first.id)
        assert (second.id, (await removal()).id) == (first.id, first.id)
        assert await instance.save([conf("settings", a="2")]) == app_id
        again = await instance.exec(app_id)
        assert (await removal()).id == first.id
        assert (await instance.settled(again)).status is TaskStatus.COMPLETED
    with pytest.raises(KeyReused):
        await instance.service.delete_application(app_id, "ada", idempotency_key="key", body_hash="other")


async def test_a_removal_that_is_stopped_sees_to_its_end_what_it_began(instance: Instance) -> None:
    """What is being deleted goes, whoever stops waiting: it is not said to be kept. What was not begun stays."""
    app_id = await instance.save([conf("settings", a="1"), web("api")])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        stuck = instance.sim.faults.add(Fault("stick", resource="deployments"))
        removal = await instance.service.delete_application(app_id, "ada")
        await stuck.struck()
        await instance.service.cancel(app_id, removal.id, "ada", "no")

        async def under_way() -> bool:
            return (await instance.task(removal.id)).cleanup is Cleanup.RUNNING

        await instance.until(under_way)
        await stuck.release()
        task = await instance.settled(removal.id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
    states = {row.ref.kind: row.state for row in await instance.journal(removal.id)}
    assert states["Deployment"] is ResourceState.DELETED
    assert states["ConfigMap"] is ResourceState.KEPT
    assert (await kinds(instance)).keys() & {"Deployment", "ConfigMap"} == {"ConfigMap"}


async def test_deleting_resources_keeps_the_application(instance: Instance) -> None:
    app_id = await instance.save(EVERYTHING)
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        deleted, failed = await instance.service.delete_resources(app_id)
        assert failed == ["PersistentVolumeClaim/default/data-shop-db-0"]  # it holds data
        assert len(deleted) == 9
        task = await instance.settled(await instance.exec(app_id))
    assert task.status is TaskStatus.COMPLETED


async def test_a_panic_is_a_failure_and_is_cleaned_up(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await instance.snapshot()

    async def panics(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a bug")

    app_id = await instance.save(EVERYTHING)
    task_id = await instance.exec(app_id)
    monkeypatch.setattr("kubemin.engine.deploy.job.until_ready", panics)
    with capture_logs() as logged:  # rendering the traceback with its locals would take longer than a lease lasts
        async with instance.worker():
            task = await instance.settled(task_id)
    assert "unexpected error in a task" in [line["event"] for line in logged]
    assert task.status is TaskStatus.FAILED
    assert "ZeroDivisionError" in task.reason
    assert task.cleanup is Cleanup.DONE
    assert await instance.snapshot() == before


async def test_a_cancel_and_a_completion_race_and_one_wins(instance: Instance) -> None:
    before = await instance.snapshot()
    outcomes = set()
    for turn in range(12):
        app_id = await instance.save([conf(f"settings-{turn}", a="1")], name=f"shop-{turn}")
        task_id = await instance.exec(app_id)
        async with instance.worker():

            async def cancel(app_id: str = app_id, task_id: str = task_id, turn: int = turn) -> None:
                async def already_requested() -> bool:
                    return bool(await instance.journal(task_id)) or (await instance.task(task_id)).status.ended

                await instance.until(already_requested)
                for _ in range(turn):
                    await asyncio.sleep(0)
                try:
                    await instance.service.cancel(app_id, task_id, "ada", "race")
                except TaskEnded:
                    return

            await cancel()
            task = await instance.settled(task_id)
        outcomes.add(task.status)
        there = {ref for ref in await instance.snapshot() if ref not in before and ref.name == f"settings-{turn}"}
        assert bool(there) == (task.status is TaskStatus.COMPLETED)
    assert outcomes <= {TaskStatus.COMPLETED, TaskStatus.CANCELLED}


async def test_a_cancel_in_the_process_does_not_wait_for_a_poll(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """not_at_the_next_poll: with the net below taken away, only the signal is left."""
    monkeypatch.setattr("kubemin.engine.supervise.worker._STATUS_POLL", 3600.0)
    app_id = await instance.save([web("late", "late:never")])
    task_id = await instance.exec(app_id)

    async def waiting() -> bool:
        return any(job.info for job in await instance.jobs(task_id))

    async with instance.worker():
        await instance.until(waiting)
        await instance.service.cancel(app_id, task_id, "ada", "now")
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE)


def save_meanwhile(instance: Instance, app_id: str, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Save another version of the application while a run of it is computed, so many times."""
    left = iter(range(1, times + 1))

    class Meddling(ComputeThread):
        async def do(self, work: Any) -> Any:
            done = await super().do(work)
            if (number := next(left, None)) is not None:
                await instance.save([conf("settings", version=str(number))], app_id=app_id)
            return done

    monkeypatch.setattr(prepare, "is_large", lambda _: True)
    monkeypatch.setattr(instance.service, "_compute_thread", Meddling())


@pytest.mark.parametrize("changes", [0, 1, 2])
async def test_what_is_saved_while_a_run_is_computed_is_what_runs(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, changes: int
) -> None:
    """The computation holds no transaction; the run is of one stored version, the last."""
    app_id = await instance.save([conf("settings", version="0")])
    save_meanwhile(instance, app_id, changes, monkeypatch)
    task_id = await instance.exec(app_id)
    async with instance.db.read() as tx:
        task = await tasks.get(tx, task_id)
    assert task is not None
    assert f'"version": "{changes}"' in json.dumps(task.plan)


async def test_a_run_of_what_is_saved_all_the_time_is_refused(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To compute it in the transaction would keep others from saving, and the loop from everything else."""
    app_id = await instance.save([conf("settings", version="0")])
    save_meanwhile(instance, app_id, 100, monkeypatch)
    with pytest.raises(AppChanged):
        await instance.exec(app_id)
    async with instance.db.read() as tx:
        assert not await tasks.active_of(tx, app_id)


async def test_without_a_key_that_others_use_no_task_is_begun(instance: Instance) -> None:
    """The worker could read some of what a task needs, and not the rest."""
    task_id = await instance.exec(await instance.save([conf("settings", a="1")]))
    async with instance.db.begin("another process") as tx:
        await tx.write(insert(sealing_keys).values(id="theirs", proof="s1:theirs:AAAA", complete=False))
    with capture_logs() as logs:

        async def hook(point: str) -> None:
            assert not point.startswith("commit:claim")

        instance.db._hook = hook
        async with instance.worker() as engine:
            assert await engine._worker._is_blind()
            assert not await engine._worker._claim()
        instance.db._hook = None
    assert (await instance.task(task_id)).status is TaskStatus.WAITING
    assert [log["why"] for log in logs if log["event"] == "no task is begun"] == [
        'the encryption key "theirs" is in use and not given to this process'
    ]


async def test_a_task_that_is_claimed_just_as_its_worker_stops_is_handed_over(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = await instance.exec(await instance.save([conf("settings", a="1")]))
    engine = Engine(instance.db, [instance.cluster], LocalSignals(instance.hub), LocalDoorbell(), QUICK, "worker")

    async def hook(point: str) -> None:
        if point == "commit:claim:before":
            await engine.stop()

    monkeypatch.setattr(instance.db, "_hook", hook)
    await engine.run()
    task = await instance.task(task_id)
    assert (task.status, task.attempt, task.lease_owner) == (TaskStatus.QUEUED, 0, None)
