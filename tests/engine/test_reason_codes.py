"""Every code of a failure, reached through a whole task on the simulated cluster."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import update
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from kubemin.dispatch import LocalDoorbell
from kubemin.engine import Engine, ExecOptions
from kubemin.engine.deploy.fetch import Fetcher
from kubemin.engine.expects import Expects
from kubemin.engine.supervise import run
from kubemin.signals import LocalSignals
from kubemin.spec.labels import APP_ID
from kubemin.spec.reason_codes import ReasonCode, advice_for
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import tasks
from kubemin.store.tables import tasks as table
from kubemin.telemetry.requests import on_request
from kubesim.faults import Fault
from tests.engine.instance import QUICK, Instance, conf, web

QUICKLY = ExecOptions(hopeless_after_seconds=0.2)


async def run_of(instance: Instance, *parts: dict[str, Any], options: ExecOptions = QUICKLY) -> tasks.Task:
    async with instance.worker():
        return await instance.settled(await instance.exec(await instance.save(parts), options))


async def image_pull(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    return await run_of(instance, web("api", "api:pull"))


async def crash_loop(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    return await run_of(instance, web("api", "api:crash"))


async def unschedulable(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    return await run_of(instance, web("api", traits={"resources": {"cpu": "1000"}}))


async def quota(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    """Of Pods: it shows in the ReplicaSet's condition only."""
    meta = {"name": "full", "namespace": "default"}
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"pods": "0"}}}
    instance.sim.registry.create("resourcequotas", "default", body, manager="kubectl")
    return await run_of(instance, web("api"))


async def policy(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    instance.sim.faults.add(Fault("deny", verb="create", resource="deployments", times=None, message="no by policy"))
    return await run_of(instance, web("api"))


async def config_missing(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    return await run_of(instance, web("api", traits={"envFrom": [{"type": "configMap", "sourceName": "nothing"}]}))


async def fetch(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> tasks.Task:
    def no_address(*_: object) -> list[Any]:
        raise OSError

    monkeypatch.setattr("kubemin.engine.supervise.engine.Fetcher", lambda _: Fetcher(look_up=no_address))
    return await run_of(instance, conf("page", **{"config.url": "https://config.example/page"}))


async def volume(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    for found in list(instance.sim.registry.scan("storageclasses")):
        instance.sim.registry.delete("storageclasses", "", found["metadata"]["name"])
    unbound = {"name": "data", "type": "persistent", "claimName": "nothing", "mountPath": "/data", "size": "1Gi"}
    return await run_of(instance, web("api", traits={"storage": [unbound]}))


async def job_failed(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    return await run_of(instance, {"name": "mig", "type": "job", "image": "mig:fail"})


async def deadline(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    app_id = await instance.save([web("api", "api:never")])
    ref = next(ref for ref in await instance.objects(app_id) if ref.kind == "Deployment")
    async with instance.worker():
        task_id = await instance.exec(app_id, QUICKLY)

        async def there() -> bool:
            return ref in await instance.snapshot()

        await instance.until(there)
        await instance.cluster.patch(ref, {"spec": {"progressDeadlineSeconds": 5}})
        return await instance.settled(task_id)


async def timeout(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    return await run_of(instance, web("api", "api:never"), options=ExecOptions(timeout_seconds=1))


async def no_activity(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    task = await run_of(instance, web("api", "api:never"), options=ExecOptions(no_activity_seconds=1))
    assert task.status is TaskStatus.TIMEOUT
    assert task.reason.startswith("nothing moved for 1 s; it waited for Deployment/default/shop-api")
    return task


async def rights(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    said = 'services is forbidden: User "system:serviceaccount:kubemin:kubemin" cannot create resource "services"'
    instance.sim.faults.add(
        Fault("status", code=403, verb="create", resource="services", dry_run=None, times=None, message=said)
    )
    return await run_of(instance, web("api"))


async def conflict(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    meta = {"name": "settings", "namespace": "default", "labels": {APP_ID: "another"}}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
    instance.sim.registry.create("configmaps", "default", body, manager="kubectl")
    return await run_of(instance, conf("settings", a="1"))


async def plan_changed(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    """Before any job of it began."""
    expects = (await instance.preview([conf("settings", a="1")])).expects
    meta = {"name": "settings", "namespace": "default"}
    instance.sim.registry.create("configmaps", "default", {"metadata": meta}, manager="ada")
    parts = [conf("settings", a="1")]
    return await run_of(instance, *parts, options=ExecOptions(expects=Expects(objects=expects.objects)))


async def invalid(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    said: dict[str, Any] = {"code": 422, "dry_run": True, "times": None, "message": "spec.replicas: Invalid value"}
    instance.sim.faults.add(Fault("status", verb="create", resource="deployments", **said))
    return await run_of(instance, web("api"))


async def namespace(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    app_id = await instance.save([web("api")], namespace="nowhere")
    async with instance.worker():
        return await instance.settled(await instance.exec(app_id))


async def unreachable(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> tasks.Task:
    monkeypatch.setattr("kubemin.engine.deploy.preflight.PATIENCE", 0)
    instance.sim.faults.add(Fault("status", code=503, verb="create", dry_run=True, times=None))
    return await run_of(instance, web("api"))


async def worker_lost(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    task_id = await instance.exec(await instance.save([web("api")]))
    async with instance.db.begin("attempts") as tx:
        await tx.write(update(table).where(table.c.id == task_id).values(attempt=QUICK.max_attempts))
    async with instance.worker():
        return await instance.settled(task_id)


async def unreadable(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    task_id = await instance.exec(await instance.save([web("api")]))
    async with instance.db.begin("damage") as tx:
        await tx.write(update(table).where(table.c.id == task_id).values(spec="{"))
    async with instance.worker():

        async def ended() -> bool:
            async with instance.db.read() as tx:
                return not await tasks.under_way(tx, [task_id])

        await instance.until(ended)
    async with instance.db.read() as tx:
        task = await tasks.brief(tx, task_id)
    assert task is not None
    return task


async def stalled(instance: Instance, _: pytest.MonkeyPatch) -> tasks.Task:
    return await run_of(instance, web("api") | {"readiness": [{"kinds": ["Deployment"], "failed": "true"}]})


async def internal(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> tasks.Task:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(run, "deploy", broken)
    return await run_of(instance, web("api"))


Case = Callable[[Instance, pytest.MonkeyPatch], Awaitable[tasks.Task]]

CASES: dict[ReasonCode, Case] = {
    ReasonCode.IMAGE_PULL: image_pull,
    ReasonCode.CRASH_LOOP: crash_loop,
    ReasonCode.UNSCHEDULABLE: unschedulable,
    ReasonCode.QUOTA: quota,
    ReasonCode.POLICY: policy,
    ReasonCode.CONFIG_MISSING: config_missing,
    ReasonCode.FETCH: fetch,
    ReasonCode.VOLUME: volume,
    ReasonCode.JOB_FAILED: job_failed,
    ReasonCode.STALLED: stalled,
    ReasonCode.DEADLINE: deadline,
    ReasonCode.TIMEOUT: timeout,
    ReasonCode.NO_ACTIVITY: no_activity,
    ReasonCode.RIGHTS: rights,
    ReasonCode.CONFLICT: conflict,
    ReasonCode.PLAN_CHANGED: plan_changed,
    ReasonCode.INVALID: invalid,
    ReasonCode.NAMESPACE: namespace,
    ReasonCode.UNREACHABLE: unreachable,
    ReasonCode.WORKER_LOST: worker_lost,
    ReasonCode.UNREADABLE: unreadable,
    ReasonCode.INTERNAL: internal,
}


def test_every_code_has_a_case_and_an_advice_of_one_sentence() -> None:
    assert set(CASES) == set(ReasonCode)
    for code in ReasonCode:
        assert code.advice.endswith("."), code
        assert ". " not in code.advice, code
    assert advice_for(None) is advice_for("OF_A_LATER_VERSION") is None


@pytest.mark.parametrize("code", ReasonCode)
async def test_a_failure_has_its_code(instance: Instance, monkeypatch: pytest.MonkeyPatch, code: ReasonCode) -> None:
    with capture_logs() as logged:
        task = await CASES[code](instance, monkeypatch)
    assert (task.reason_code, task.cleanup in (Cleanup.NONE, Cleanup.DONE)) == (code, True), task.reason
    assert task.status is not TaskStatus.COMPLETED
    failed = [job for job in await instance.jobs(task.id) if job.error]
    assert {job.reason_code for job in failed} == {code}
    said = [entry for entry in logged if entry["event"] == "task failed"]
    assert [(entry["log_level"], entry["task"], entry["application"], entry["code"]) for entry in said] == [
        ("warning", task.id, "shop", code)
    ]
    assert said[0]["reason"] == task.reason
    before_any_job = (ReasonCode.WORKER_LOST, ReasonCode.INTERNAL, ReasonCode.UNREADABLE)
    if task.cleanup is Cleanup.DONE and code not in before_any_job:
        assert said[0]["component"] in {job.component for job in failed}


async def test_a_workers_lines_name_the_request_that_asked_for_the_task(instance: Instance) -> None:
    broken = [web("api", "api:crash")]
    with on_request("mine-1"):
        asked = await instance.exec(await instance.save(broken), QUICKLY)
    by_nobody = await instance.exec(await instance.save(broken, name="other"), QUICKLY)
    with capture_logs(processors=[merge_contextvars]) as logged:
        async with instance.worker():
            for task in (asked, by_nobody):
                await instance.settled(task)
    said = {entry["task"]: entry.get("request_id") for entry in logged if entry["event"] == "task failed"}
    assert said == {asked: "mine-1", by_nobody: None}


async def test_what_completes_or_is_cancelled_has_no_code_and_is_counted(instance: Instance) -> None:
    registry = CollectorRegistry()
    engine = Engine(
        instance.db, [instance.cluster], LocalSignals(instance.hub), LocalDoorbell(), QUICK, "worker", registry
    )
    running = asyncio.create_task(engine.run())
    with capture_logs() as logged:
        done = await instance.settled(await instance.exec(await instance.save([conf("settings", a="1")])))
    await engine.stop()
    await running
    assert done.reason_code is None
    assert [entry for entry in logged if entry["event"] == "task failed"] == []
    labels = {"cluster": "default", "status": "completed", "reason_code": ""}
    assert registry.get_sample_value("kubemin_worker_tasks_ended_total", labels) == 1
