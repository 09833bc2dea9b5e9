"""An API server that refuses, restarts, throttles or forgets in the middle: handled, and nothing is lost of sight.

RBAC that changes while a task runs, tokens that expire, 429 with Retry-After, 410 on watches, restarts of the server,
namespaces that go. Each case ends complete or as it was; what could not be done is named, and done later.
"""

import asyncio
from typing import Any

import pytest

from kubemin.cluster.errors import Throttled
from kubemin.engine import ExecOptions
from kubemin.engine.backoff import Backoff
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store.tasks import Task
from kubesim.faults import Armed, Fault
from tests.engine.instance import QUICK, Instance, conf, secret, store, web
from tests.engine.test_points import differences

PARTS = [conf("settings", a="1"), secret("keys", k="v"), store("db"), web("api")]
LATE = [*PARTS, web("late", "late:never")]


def furnish(instance: Instance) -> None:
    """A ConfigMap that was there before, and that the deploy changes."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "0", "z": "9"}}
    instance.adopts = True
    instance.sim.registry.create("configmaps", "default", config, manager="kubectl")


async def waits(instance: Instance, task_id: str) -> bool:
    """Whether all is written, and only the component that never gets ready is waited for."""
    jobs = await instance.jobs(task_id)
    return all(job.status.ended or job.info for job in jobs) and any(
        job.component == "late" and job.info for job in jobs
    )


async def cancelled_under(instance: Instance, *faults: Fault) -> tuple[Task, list[Armed], dict[ObjectRef, Manifest]]:
    """Deploy, and cancel it while these faults strike; the task once its first cleanup has ended, and how it was."""
    furnish(instance)
    before = await instance.snapshot()
    app_id = await instance.save(LATE)
    task_id = await instance.exec(app_id)
    await instance.until(lambda: waits(instance, task_id))
    armed = [instance.sim.faults.add(fault) for fault in faults]
    await instance.service.cancel(app_id, task_id, "ada", "no")
    return await instance.settled(task_id), armed, before


async def ends_as_it_was(instance: Instance, task_id: str, before: dict[ObjectRef, Manifest]) -> None:
    """The faults are over: asked to, the cleanup gets done, and everything is as it was."""
    await instance.service.retry_cleanup(task_id)

    async def done() -> bool:
        return (await instance.task(task_id)).cleanup is Cleanup.DONE

    await instance.until(done)
    assert differences(before, await instance.snapshot()) == []


@pytest.mark.parametrize(
    ("verb", "resource", "named"),
    [
        ("delete", "deployments", "Deployment/default/shop-api"),
        ("delete", "persistentvolumeclaims", "StatefulSet/default/shop-db"),
        ("get", "secrets", "Secret/default/keys"),
        ("update", "configmaps", "ConfigMap/default/settings"),
    ],
)
async def test_rbac_that_refuses_the_rollback(instance: Instance, verb: str, resource: str, named: str) -> None:
    """What RBAC refuses is named with its reason; all the rest is done, and this too once it is allowed again."""
    refusal = Fault("status", code=403, verb=verb, resource=resource, times=None, message="not for the likes of you")
    async with instance.worker():
        task, armed, before = await cancelled_under(instance, refusal)
        assert task.cleanup is Cleanup.INCOMPLETE
        assert named in task.cleanup_why
        assert "not for the likes of you" in task.cleanup_why
        left = {why.split("/")[0] for why in task.cleanup_why.split("; ")}
        assert left <= {named.split("/")[0], "Deployment"}
        instance.sim.faults.remove(armed[0])
        await ends_as_it_was(instance, task.id, before)


@pytest.mark.parametrize(
    ("verb", "resource"), [("create", "deployments"), ("apply", "configmaps"), ("create", "statefulsets")]
)
async def test_rbac_that_refuses_in_the_middle(instance: Instance, verb: str, resource: str) -> None:
    """After the look and the pre-flight."""
    furnish(instance)
    before = await instance.snapshot()
    instance.sim.faults.add(Fault("status", code=403, verb=verb, resource=resource, message="no longer allowed"))
    app_id = await instance.save(PARTS)
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE), task.cleanup_why
    assert "no longer allowed" in task.reason
    assert differences(before, await instance.snapshot()) == []


async def test_rbac_that_refuses_the_watch(instance: Instance) -> None:
    """Nobody can tell whether it gets ready: said so, and given up like anything hopeless."""
    for verb in ("watch", "list"):
        instance.sim.faults.add(Fault("status", code=403, verb=verb, resource="pods", times=None, message="no Pods"))
    before = await instance.snapshot()
    app_id = await instance.save([web("api")])
    async with instance.worker():
        task_id = await instance.exec(app_id, ExecOptions(hopeless_after_seconds=0.3, timeout_seconds=20))
        task = await instance.settled(task_id)
        assert task.status is TaskStatus.FAILED
        assert "no Pods" in task.reason
        await instance.sim.faults.clear()
        if task.cleanup is Cleanup.INCOMPLETE:
            await ends_as_it_was(instance, task_id, before)
    assert differences(before, await instance.snapshot()) == []


@pytest.mark.parametrize("code", [429, 503])
async def test_a_server_that_refuses_for_a_while(instance: Instance, code: int) -> None:
    """Too many requests, no leader: each request is asked again, forward and back."""
    furnish(instance)
    before = await instance.snapshot()
    again = 1 if code == 429 else None

    def trouble() -> None:
        verbs = ("create", "apply", "get", "list", "watch", "patch", "update", "delete")
        for verb in verbs if again is None else ("create", "update", "delete"):
            instance.sim.faults.add(
                Fault(
                    "status",
                    code=code,
                    verb=verb,
                    times=1 if again else 2,
                    retry_after=again,
                    dry_run=None,
                    message="not now",
                )
            )

    trouble()
    app_id = await instance.save(LATE)
    async with instance.worker():
        task_id = await instance.exec(app_id)
        await instance.until(lambda: waits(instance, task_id))
        trouble()
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
    assert differences(before, await instance.snapshot()) == []


async def test_an_api_server_that_restarts(instance: Instance) -> None:
    """Twice: while it deploys, and while it rolls back. Nothing listens meanwhile, and all watches break."""
    furnish(instance)
    before = await instance.snapshot()
    app_id = await instance.save(LATE)
    async with instance.worker():
        created = instance.sim.faults.add(Fault("latency", verb="create", resource="deployments", seconds=0))
        task_id = await instance.exec(app_id)
        await created.struck()
        async with instance.sim.outage():
            await asyncio.sleep(0.3)
        await instance.until(lambda: waits(instance, task_id))
        deleted = instance.sim.faults.add(Fault("latency", verb="delete", seconds=0))
        await instance.service.cancel(app_id, task_id, "ada", "no")
        await deleted.struck()
        async with instance.sim.outage():
            await asyncio.sleep(0.3)
        task = await instance.settled(task_id)
        assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert differences(before, await instance.snapshot()) == []


async def test_an_api_server_that_is_away_longer_than_a_pass(instance: Instance) -> None:
    """The pass ends with every resource named, and the next one undoes them all."""
    furnish(instance)
    before = await instance.snapshot()
    app_id = await instance.save(LATE)
    async with instance.worker(QUICK.model_copy(update={"cleanup_seconds": 1})):
        task_id = await instance.exec(app_id)
        await instance.until(lambda: waits(instance, task_id))
        async with instance.sim.outage():
            await instance.service.cancel(app_id, task_id, "ada", "no")
            task = await instance.settled(task_id)
            assert task.cleanup is Cleanup.INCOMPLETE
            assert "cannot be reached" in task.cleanup_why
            for kind in ("ConfigMap", "Secret", "Service", "StatefulSet", "Deployment"):
                assert f"{kind}/default/" in task.cleanup_why

        async def done() -> bool:
            await instance.service.retry_cleanup(task_id)
            return (await instance.task(task_id)).cleanup is Cleanup.DONE

        await instance.until(done)
    assert differences(before, await instance.snapshot()) == []


@pytest.mark.parametrize("action", ["expire", "cut"])
async def test_watches_that_expire_or_break_all_the_time(instance: Instance, action: Any) -> None:
    """410 makes the watch list anew: nothing is missed, neither readiness nor what the reaper looks for."""
    instance.sim.faults.add(Fault(action, verb="watch", times=60, seconds=0.05 if action == "cut" else None))
    before = await instance.snapshot()
    app_id = await instance.save(PARTS)
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
        assert task.status is TaskStatus.COMPLETED, task.reason
        removal = await instance.service.delete_application(app_id, "ada", delete_volumes=True)
        await instance.settled(removal.id)
    assert differences(before, await instance.snapshot()) == []


async def test_the_pause_is_as_long_as_the_server_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("kubemin.engine.backoff.asyncio.sleep", sleep)
    backoff = Backoff(first=1, most=4)
    await backoff.pause(Throttled("too many", retry_after=7))
    for _ in range(5):
        await backoff.pause()
    assert slept[0] == 7
    assert all(seconds <= 4 for seconds in slept[1:])


async def test_a_namespace_that_is_being_deleted(instance: Instance) -> None:
    """Pre-flight finds it: nothing is touched."""
    registry = instance.sim.registry
    namespace(instance)
    instance.sim.faults.add(Fault("stick", resource="configmaps", namespace="shop", times=None))
    registry.create("configmaps", "shop", {"metadata": {"name": "holds"}}, manager="kubectl")
    registry.delete("namespaces", "", "shop")
    app_id = await instance.save(PARTS, namespace="shop")
    async with instance.worker():
        task_id = await instance.exec(app_id)
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.NONE)
    assert "because it is being terminated" in task.reason
    assert await instance.journal(task_id) == []


@pytest.mark.parametrize("when", ["between", "waiting"])
async def test_a_namespace_that_is_deleted_in_the_middle(instance: Instance, when: str) -> None:
    """Between two writes, or while the task waits: it fails, and nothing of it is left anywhere."""
    namespace(instance)
    before = {ref: obj for ref, obj in (await instance.snapshot()).items() if "shop" not in (ref.namespace, ref.name)}
    app_id = await instance.save(LATE, namespace="shop")

    def delete(_: Any = None) -> None:
        instance.sim.registry.delete("namespaces", "", "shop")

    if when == "between":
        instance.sim.faults.add(Fault("call", verb="create", resource="statefulsets", call=delete))
    async with instance.worker():
        task_id = await instance.exec(app_id)
        if when == "waiting":
            await instance.until(lambda: waits(instance, task_id))
            delete()
        task = await instance.settled(task_id)
        assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE), task.cleanup_why
        assert "being deleted" in task.reason or "deleted" in task.reason
        await instance.until(lambda: gone(instance, "shop"))
    assert differences(before, await instance.snapshot()) == []


def namespace(instance: Instance, name: str = "shop") -> None:
    instance.sim.registry.create("namespaces", "", {"metadata": {"name": name}}, manager="kubectl")


async def gone(instance: Instance, name: str) -> bool:
    return all(obj["metadata"]["name"] != name for obj in instance.sim.registry.scan("namespaces"))
