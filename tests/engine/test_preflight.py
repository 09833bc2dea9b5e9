"""What is asked before the first write, and what a run may do beside writing manifests: namespaces, Jobs."""

import asyncio
from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, Purpose, ResourceState, TaskStatus
from kubesim.faults import Fault, RequestInfo
from tests.engine.instance import EVERYTHING, Instance, conf, secret, web
from tests.engine.test_points import differences


async def test_what_would_be_refused_stops_the_task_before_it_touched_anything(instance: Instance) -> None:
    before = await instance.snapshot()
    refusal = Fault("status", code=403, verb="create", resource="deployments", dry_run=True, message="no by policy")
    instance.sim.faults.add(refusal)
    task_id = await instance.exec(await instance.save(EVERYTHING))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.NONE)
    assert "before anything was written" in task.reason
    assert await instance.journal(task_id) == []
    assert differences(before, await instance.snapshot()) == []


async def test_all_manifests_are_asked_about_at_once(instance: Instance) -> None:
    """Each dry run is answered only once all of them have come: one after another they would never end."""
    parts = [conf(f"settings-{number}", a="1") for number in range(12)]
    asked, all_there = list[str](), asyncio.Event()

    async def wait(info: RequestInfo) -> None:
        asked.append(info.name)
        if len(asked) == len(parts):
            all_there.set()
        await all_there.wait()

    ask = Fault("call", verb="create", resource="configmaps", dry_run=True, times=len(parts), call=wait)
    instance.sim.faults.add(ask)
    task_id = await instance.exec(await instance.save(parts))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert sorted(asked) == sorted(part["name"] for part in parts)


async def test_an_object_of_another_application_is_found_before_the_first_write(instance: Instance) -> None:
    mine = await instance.save([conf("settings", a="1")])
    other = await instance.save([conf("settings", a="2"), secret("keys", k="v")], name="other")
    async with instance.worker():
        await instance.settled(await instance.exec(mine))
        task_id = await instance.exec(other)
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.FAILED
    assert "shop" in task.reason
    assert await instance.journal(task_id) == []


async def test_a_dry_run_tells_and_touches_nothing(instance: Instance) -> None:
    app_id = await instance.save([conf("settings", a="1"), secret("keys", password="old-secret"), web("api")])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        before = await instance.snapshot()
        parts = [conf("settings", a="2"), secret("keys", password="new-secret"), web("api"), conf("new", b="1")]
        await instance.save(parts, app_id=app_id)
        task_id = await instance.exec(app_id, ExecOptions(dry_run=True))
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.NONE)
    told = {job.name: job.info for job in await instance.jobs(task_id)}
    assert told["settings/ConfigMap/settings"] == "would change: data.a: 1 → 2"
    assert told["new/ConfigMap/new"] == "would create"
    assert "******" in told["keys/Secret/keys"]
    assert not any("secret" in info for info in told.values())
    assert [info for name, info in told.items() if "Deployment" in name] == ["no change"]
    assert differences(before, await instance.snapshot()) == []
    assert {job.status for job in await instance.jobs(task_id)} == {JobStatus.SKIPPED}


async def test_a_namespace_is_created_only_when_asked(instance: Instance) -> None:
    before = await instance.snapshot()
    app_id = await instance.save(EVERYTHING, namespace="shop")
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
        assert task.status is TaskStatus.FAILED
        assert "shop" in task.reason
        assert differences(before, await instance.snapshot()) == []
        task = await instance.settled(await instance.exec(app_id, ExecOptions(create_namespace=True)))
        assert task.status is TaskStatus.COMPLETED, task.reason
        again = await instance.settled(await instance.exec(app_id))
        assert again.status is TaskStatus.COMPLETED
        assert again.cleanup is Cleanup.NONE
        removal = await instance.service.delete_application(app_id, "ada", delete_volumes=True)
        await instance.settled(removal.id)
    assert differences(before, await instance.snapshot()) == []


async def test_a_created_namespace_goes_with_the_rollback(instance: Instance) -> None:
    before = await instance.snapshot()
    app_id = await instance.save([*EVERYTHING, web("late", "late:never")], namespace="shop")
    async with instance.worker():
        task = await instance.settled(
            await instance.exec(app_id, ExecOptions(create_namespace=True, timeout_seconds=3))
        )
    assert (task.status, task.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE), task.cleanup_why
    assert differences(before, await instance.snapshot()) == []


async def test_what_no_namespace_would_take_is_refused_before_one_is_created(instance: Instance) -> None:
    before = await instance.snapshot()
    invalid: dict[str, Any] = {"code": 422, "dry_run": True, "times": None, "message": "spec.replicas: Invalid value"}
    instance.sim.faults.add(Fault("status", verb="create", resource="deployments", **invalid))
    app_id = await instance.save([conf("settings", a="1"), web("api")], namespace="shop")
    task_id = await instance.exec(app_id, ExecOptions(create_namespace=True))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.NONE), task.reason
    assert "spec.replicas: Invalid value" in task.reason
    assert await instance.journal(task_id) == []
    assert differences(before, await instance.snapshot()) == []


async def test_what_the_new_namespace_refuses_is_found_before_anything_is_written_to_it(instance: Instance) -> None:
    """Its own policies can be asked about only once it is there."""
    before = await instance.snapshot()
    refusal: dict[str, Any] = {"namespace": "shop", "message": "no by policy", "dry_run": True}
    instance.sim.faults.add(Fault("status", code=403, verb="create", resource="deployments", times=None, **refusal))
    task_id = await instance.exec(await instance.save(EVERYTHING, namespace="shop"), ExecOptions(create_namespace=True))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE), task.cleanup_why
    assert "no by policy" in task.reason
    assert {row.ref.kind for row in await instance.journal(task_id)} == {"Namespace"}
    assert differences(before, await instance.snapshot()) == []


async def test_what_another_namespace_forbids_is_no_refusal(instance: Instance) -> None:
    """The namespace that is asked instead may have quotas and policies of its own: they are not meant."""
    limits = {"metadata": {"name": "none"}, "spec": {"hard": {"count/configmaps": "0"}}}
    instance.sim.registry.create("resourcequotas", "default", limits, manager="admin")
    app_id = await instance.save([conf("settings", a="1")], namespace="shop")
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id, ExecOptions(create_namespace=True)))
    assert task.status is TaskStatus.COMPLETED, task.reason


async def test_a_namespace_that_others_use_by_then_stays(instance: Instance) -> None:
    app_id = await instance.save([web("late", "late:never")], namespace="shop")
    task_id = await instance.exec(app_id, ExecOptions(create_namespace=True))
    theirs: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}, "data": {}}

    async def waits() -> bool:
        return any(job.info for job in await instance.jobs(task_id))

    async with instance.worker():
        await instance.until(waits)
        instance.sim.registry.create("configmaps", "shop", theirs, manager="someone")
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    after = await instance.snapshot()
    assert ObjectRef("ConfigMap", "shop", "theirs") in after
    rows = {row.ref.kind: row for row in await instance.journal(task_id)}
    assert rows["Namespace"].state is ResourceState.KEPT
    assert "ConfigMap/theirs" in rows["Namespace"].why


async def test_a_changed_job_is_another_one_and_the_former_goes_once_all_is_done(instance: Instance) -> None:
    """The spec of a Job never changes. What has run is not touched until the run is complete (R11)."""

    def job(image: str) -> dict[str, Any]:
        return {"name": "schema", "type": "job", "image": image}

    app_id = await instance.save([job("schema:1")])
    async with instance.worker():
        first = await instance.settled(await instance.exec(app_id))
        assert first.status is TaskStatus.COMPLETED, first.reason
        (former,) = await instance.objects(app_id)
        same = await instance.exec(app_id)
        assert (await instance.settled(same)).status is TaskStatus.COMPLETED
        assert [row.state for row in await instance.journal(same)] == [ResourceState.OBSERVED]
        before, ran = await instance.snapshot(), await pods(instance)
        assert len(ran) == 1
        await instance.save([job("schema:2"), web("late", "late:never")], app_id=app_id)
        task = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=4)))
        assert (task.status, task.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE), (task.reason, task.cleanup_why)
        assert differences(before, await instance.snapshot()) == []
        assert await pods(instance) == ran  # its Pod too, with its log
        await instance.save([job("schema:2")], app_id=app_id)
        task_id = await instance.exec(app_id)
        task = await instance.settled(task_id)
        assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.DONE), (task.reason, task.cleanup_why)
    (now,) = await instance.objects(app_id)
    rows = {(row.purpose, row.state): row.ref for row in await instance.journal(task_id)}
    assert rows == {(Purpose.APPLY, ResourceState.CREATED): now, (Purpose.REMOVE, ResourceState.DELETED): former}
    assert [ref for ref in await instance.snapshot() if ref.kind == "Job"] == [now]
    assert not ran & await pods(instance)


async def pods(instance: Instance) -> set[str]:
    return {pod["metadata"]["uid"] for pod in (await instance.cluster.list("Pod", "default")).items}


@pytest.mark.parametrize("preflight", [True, False])
async def test_a_job_that_is_not_as_the_application_has_it_is_refused(instance: Instance, preflight: bool) -> None:
    app_id = await instance.save([{"name": "schema", "type": "job", "image": "schema:2"}])
    container = {"name": "theirs", "image": "theirs:1"}
    (wanted,) = await instance.objects(app_id)
    theirs = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": wanted.name},
        "spec": {"template": {"spec": {"containers": [container], "restartPolicy": "Never"}}},
    }
    instance.adopts = True
    instance.sim.registry.create("jobs", "default", theirs, manager="kubectl")
    await instance.sim.controllers.settled()
    before = await instance.snapshot()
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id, ExecOptions(preflight=preflight)))
    assert (task.status, task.cleanup_why) == (TaskStatus.FAILED, ""), task.reason
    assert differences(before, await instance.snapshot()) == []


async def test_a_webhook_that_cannot_be_asked_is_no_refusal(instance: Instance) -> None:
    message = 'admission webhook "policy.example.com" does not support dry run'
    instance.sim.faults.add(Fault("status", code=400, verb="create", dry_run=True, times=None, message=message))
    task_id = await instance.exec(await instance.save([conf("settings", a="1")]))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason


async def test_an_api_server_that_cannot_be_asked_for_a_while_is_waited_for(instance: Instance) -> None:
    away = Fault("status", code=503, verb="create", resource="configmaps", dry_run=True, times=6)
    instance.sim.faults.add(away)
    task_id = await instance.exec(await instance.save([conf("settings", a="1")]))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason
