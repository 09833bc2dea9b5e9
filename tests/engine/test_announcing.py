"""What Kubernetes Events say of a task's workloads: once a task, object and outcome, and never in the way."""

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from kubemin.cluster.object_events import CONTROLLER, ObjectEvent, ObjectEvents, counter_of_events
from kubemin.engine import ExecOptions
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from kubesim.faults import Fault
from tests.engine.instance import QUICK, Instance, conf, secret, web
from tests.waiting import until_true

SECRET = "s3cr3t-canary"


def told(instance: Instance) -> list[dict[str, Any]]:
    """The events that KubeMin told."""
    return [one for one in instance.sim.registry.scan("events") if one.get("reportingComponent") == CONTROLLER]


def reasons(instance: Instance) -> list[tuple[str, str, str]]:
    return sorted((one["involvedObject"]["name"], one["type"], one["reason"]) for one in told(instance))


async def test_a_workload_tells_what_tasks_did_to_it(instance: Instance) -> None:
    parts = [conf("settings", a="1"), secret("keys", token=SECRET), web("api", "api:1")]
    app_id = await instance.save(parts)
    async with instance.worker():
        first = await instance.settled(await instance.exec(app_id))
        await until_true(lambda: len(told(instance)) == 1)
        (event,) = told(instance)
        (api,) = instance.sim.registry.scan("deployments")
        assert event["involvedObject"] == {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "namespace": "default",
            "name": "shop-api",
            "uid": api["metadata"]["uid"],
        }
        assert (event["type"], event["reason"], event["action"]) == ("Normal", "Deployed", "Deploy")
        assert first.id in event["message"]
        assert "labels" not in event["metadata"]  # else the reaper would take it for an object of the application

        await instance.save([*parts[:2], web("api", "api:never")], app_id=app_id)
        stopped = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=1)))
        assert (stopped.status, stopped.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE)
        await until_true(lambda: len(told(instance)) == 2)
        assert reasons(instance) == [("shop-api", "Normal", "Deployed"), ("shop-api", "Warning", "RolledBack")]
        again = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=1)))
        assert again.id != stopped.id
        await until_true(lambda: len(told(instance)) == 3)  # another task is another event
    assert SECRET not in str(told(instance))
    assert all(len(one["message"].encode()) <= 1024 for one in told(instance))


async def test_what_is_tried_again_is_told_once(instance: Instance) -> None:
    app_id = await instance.save([web("api", "api:1")])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        await until_true(lambda: len(told(instance)) == 1)
        refuses = Fault("deny", verb="update", resource="deployments", times=None, message="no", name="shop-api")
        await instance.save([web("api", "api:never")], app_id=app_id)
        task_id = await instance.exec(app_id, ExecOptions(timeout_seconds=2))

        async def changed() -> bool:
            (api,) = instance.sim.registry.scan("deployments")
            return bool(api["spec"]["template"]["spec"]["containers"][0]["image"] == "api:never")

        await instance.until(changed)
        armed = instance.sim.faults.add(refuses)
        assert (await instance.settled(task_id)).cleanup is Cleanup.INCOMPLETE
        await until_true(lambda: ("shop-api", "Warning", "CleanupIncomplete") in reasons(instance))
        await instance.service.retry_cleanup(task_id)

        async def tried_again() -> bool:
            return (await instance.task(task_id)).cleanup_attempts == 2

        await instance.until(tried_again)
        instance.sim.faults.remove(armed)
        await instance.service.retry_cleanup(task_id)

        async def done() -> bool:
            return (await instance.task(task_id)).cleanup is Cleanup.DONE

        await instance.until(done)
        await until_true(lambda: len(told(instance)) == 3)
    assert reasons(instance) == [
        ("shop-api", "Normal", "Deployed"),
        ("shop-api", "Warning", "CleanupIncomplete"),
        ("shop-api", "Warning", "RolledBack"),
    ]


@pytest.mark.parametrize("action", ["hold", "status", "drop"])
async def test_what_cannot_be_told_holds_up_nothing(instance: Instance, action: Any) -> None:
    """The API server hangs, refuses or breaks the connection, at every event."""
    instance.sim.faults.add(Fault(action, verb="create", resource="events", times=None))
    app_id = await instance.save([web("api", "api:1")])
    async with instance.worker():
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        removal = await instance.service.delete_application(app_id, "ada")
        assert (await instance.settled(removal.id)).status is TaskStatus.COMPLETED
    await instance.sim.faults.clear()


async def test_with_the_setting_off_nothing_is_told(instance: Instance) -> None:
    sent: list[str] = []
    instance.sim.faults.add(
        Fault("call", verb="create", resource="events", times=None, call=lambda info: sent.append(info.name))
    )
    app_id = await instance.save([web("api", "api:1")])
    async with instance.worker(QUICK.model_copy(update={"kubernetes_events": False})):
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
    assert sent == []


async def test_what_waits_is_bounded(instance: Instance) -> None:
    registry = CollectorRegistry()
    armed = instance.sim.faults.add(Fault("hold", verb="create", resource="events", times=None))
    events = ObjectEvents(instance.cluster, "worker", counter_of_events(registry))
    ref = ObjectRef("Deployment", "default", "api")
    for number in range(1100):
        events.tell(ObjectEvent(ref, "uid", "Normal", "Deploy", "Deployed", "said", str(number)))
    await asyncio.sleep(0)
    dropped = registry.get_sample_value("kubemin_worker_kubernetes_events_total", {"outcome": "dropped"})
    assert dropped == 100
    await events.aclose()
    await armed.release()
