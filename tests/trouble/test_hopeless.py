"""Hopeless states end the wait early, in the cluster's own words (design §7); a rollout that comes back is not one."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, TaskStatus
from kubemin.store.tasks import Task
from kubesim.faults import Fault
from kubesim.jsondata import Object
from kubesim.problems import Problem
from kubesim.server import SimServer
from tests.engine.instance import Instance, conf, store, web
from tests.engine.test_points import differences

SOON = ExecOptions(hopeless_after_seconds=0.2, timeout_seconds=30)


def job(image: str) -> dict[str, Any]:
    return {"name": "task", "type": "job", "image": image}


def env_from(name: str, key: str | None = None) -> dict[str, Any]:
    """Traits that read a ConfigMap, or one key of it."""
    if key is None:
        return {"envFrom": [{"type": "config", "sourceName": name}]}
    return {"envs": [{"name": "X", "valueFrom": {"config": {"name": name, "key": key}}}]}


def mounts(name: str, kind: str = "config") -> dict[str, Any]:
    return {"storage": [{"name": "files", "type": kind, "sourceName": name, "mountPath": "/files"}]}


def quota(instance: Instance, **hard: str) -> None:
    limits = {"metadata": {"name": "small"}, "spec": {"hard": hard}}
    instance.sim.registry.create("resourcequotas", "default", limits, manager="admin")


async def fails(instance: Instance, components: list[dict[str, Any]], options: ExecOptions = SOON) -> Task:
    """Deploy; it is to fail by itself, and to leave the cluster as it was."""
    before = await instance.snapshot()
    task_id = await instance.exec(await instance.save(components), options)
    async with instance.worker():
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE), (task.reason, task.cleanup_why)
    assert differences(before, await instance.snapshot()) == []
    failed = [one for one in await instance.jobs(task_id) if one.status is JobStatus.FAILED]
    assert failed
    assert all(one.error == task.reason for one in failed if one.error)
    return task


@pytest.mark.parametrize(
    ("components", "said"),
    [
        pytest.param([web("api", "api:pull")], ["ImagePullBackOff", "api:pull", "not found"], id="image-pull"),
        pytest.param(
            [web("api", "api:crash")],
            ["CrashLoopBackOff", "exit code 1", "it said last: api: starting api:crash\napi: fatal: simulated crash"],
            id="crash-loop",
        ),
        pytest.param(
            [web("api", traits=env_from("nowhere"))],
            ["CreateContainerConfigError", 'configmap "nowhere" not found'],
            id="no-configmap",
        ),
        pytest.param(
            [conf("settings", a="1"), web("api", traits=env_from("settings", "b"))],
            ["CreateContainerConfigError", "couldn't find key b in ConfigMap default/settings"],
            id="no-key",
        ),
        pytest.param(
            [web("api", traits=mounts("nowhere"))],
            ["FailedMount", 'configmap "nowhere" not found'],
            id="no-configmap-to-mount",
        ),
        pytest.param(
            [web("api", traits={"resources": {"cpu": "10000"}})],
            ["Unschedulable", "Insufficient cpu"],
            id="no-node",
        ),
        pytest.param([store("db", "db:crash")], ["StatefulSet", "exit code 1", "fatal: simulated crash"], id="store"),
        pytest.param([job("task:fail")], ["BackoffLimitExceeded", "specified backoff limit"], id="job"),
        pytest.param([job("task:pull")], ["ImagePullBackOff"], id="job-image-pull"),
        pytest.param(
            [web("api", traits={"init": [{"name": "prepare", "properties": {"image": "prepare:crash"}}]})],
            ["init container prepare", "exit code 1", "it said last: prepare: starting prepare:crash"],
            id="init-container",
        ),
    ],
)
async def test_a_hopeless_pod_is_told_in_its_own_words(
    instance: Instance, components: list[dict[str, Any]], said: list[str]
) -> None:
    task = await fails(instance, components)
    for words in said:
        assert words in task.reason


async def test_an_image_that_cannot_be_pulled_is_hopeless_before_the_backoff(instance: Instance) -> None:
    """ErrImagePull and ImagePullBackOff take turns: they are one state."""
    task = await fails(
        instance, [web("api", "api:pull")], ExecOptions(hopeless_after_seconds=0.001, timeout_seconds=30)
    )
    assert "ErrImagePull" in task.reason


async def test_a_claim_that_is_never_bound(instance: Instance) -> None:
    for found in list(instance.sim.registry.scan("storageclasses")):
        instance.sim.registry.delete("storageclasses", "", found["metadata"]["name"])
    task = await fails(instance, [store("db")])
    assert "Unschedulable" in task.reason
    assert "unbound" in task.reason
    assert "PersistentVolumeClaims" in task.reason


@pytest.mark.parametrize("component", [web("api"), store("db"), job("task:1")], ids=lambda one: str(one["type"]))
async def test_pods_that_a_quota_refuses(instance: Instance, component: dict[str, Any]) -> None:
    """Only a Deployment has a condition for it (ReplicaFailure); for the others only events tell."""
    quota(instance, pods="0")
    task = await fails(instance, [component])
    assert "exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0" in task.reason


@pytest.mark.parametrize("component", [web("api"), store("db"), job("task:1")], ids=lambda one: str(one["type"]))
async def test_pods_that_admission_refuses(
    instance: Instance, component: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    create = instance.sim.registry.create

    def refuse(plural: str, namespace: str, obj: Object, **more: Any) -> Object:
        if plural == "pods":
            raise Problem(403, "Forbidden", "admission webhook denied the request: root is not allowed")
        return create(plural, namespace, obj, **more)

    monkeypatch.setattr(instance.sim.registry, "create", refuse)
    task = await fails(instance, [component])
    assert "admission webhook denied the request: root is not allowed" in task.reason


class TestInAHurry:
    """Ten minutes take half a second."""

    @pytest.fixture
    async def sim(self) -> AsyncIterator[SimServer]:
        async with SimServer(speed=1200) as server:
            yield server

    async def test_a_rollout_that_makes_no_progress(self, instance: Instance) -> None:
        task = await fails(instance, [web("api", "api:never")])
        assert "ProgressDeadlineExceeded" in task.reason
        assert "has timed out progressing" in task.reason


async def test_with_zero_only_the_timeout_ends_the_wait(instance: Instance) -> None:
    before = await instance.snapshot()
    app_id = await instance.save([web("api", "api:pull")])
    async with instance.worker():
        task = await instance.settled(
            await instance.exec(app_id, ExecOptions(hopeless_after_seconds=0, timeout_seconds=1.5))
        )
    assert (task.status, task.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE)
    assert "ImagePullBackOff" in task.reason
    assert differences(before, await instance.snapshot()) == []


async def test_what_no_time_can_help_ends_the_wait_with_zero_too(instance: Instance) -> None:
    task = await fails(instance, [job("task:fail")], ExecOptions(hopeless_after_seconds=0, timeout_seconds=30))
    assert "BackoffLimitExceeded" in task.reason


async def test_a_rollout_that_recovers_in_time_completes(instance: Instance) -> None:
    """The ConfigMap that the Pod waits for comes while the grace runs: the Pod starts, and nothing was hopeless."""
    app_id = await instance.save([web("api", traits=env_from("late"))])
    async with instance.worker():
        task_id = await instance.exec(app_id, ExecOptions(hopeless_after_seconds=20, timeout_seconds=40))
        await instance.until(lambda: says(instance, task_id, "CreateContainerConfigError"))
        late = {"metadata": {"name": "late"}, "data": {}}
        instance.sim.registry.create("configmaps", "default", late, manager="kubectl")
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason


async def test_a_quota_that_is_raised_in_time_is_forgiven(instance: Instance) -> None:
    """Events are history: a refusal counts only until the controller could make a Pod after it."""
    quota(instance, pods="1")
    app_id = await instance.save([store("db", replicas=2)])
    async with instance.worker():
        task_id = await instance.exec(app_id, ExecOptions(hopeless_after_seconds=2, timeout_seconds=40))
        await instance.until(lambda: says(instance, task_id, "exceeded quota"))
        instance.sim.registry.delete("resourcequotas", "default", "small")
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason


async def test_a_healthy_deployment_that_flaps_is_not_hopeless(instance: Instance) -> None:
    """An update whose Pods are unschedulable for a moment, then run: each bad moment is shorter than the grace."""
    app_id = await instance.save([web("api")])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        await instance.save([web("api", "web:2", replicas=2)], app_id=app_id)
        _cordon(instance, True)
        task_id = await instance.exec(app_id, ExecOptions(hopeless_after_seconds=20, timeout_seconds=40))
        await instance.until(lambda: says(instance, task_id, "Unschedulable"))
        _cordon(instance, False)
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason


async def test_an_events_list_that_is_refused_does_no_harm(instance: Instance) -> None:
    instance.sim.faults.add(Fault("status", code=403, verb="list", resource="events", times=None))
    before = await instance.snapshot()
    quota(instance, pods="0")
    app_id = await instance.save([store("db")])
    async with instance.worker():
        task = await instance.settled(
            await instance.exec(app_id, ExecOptions(hopeless_after_seconds=0.1, timeout_seconds=1))
        )
    assert (task.status, task.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE)
    assert set(await instance.snapshot()) - set(before) <= {ObjectRef("ResourceQuota", "default", "small")}


async def test_a_component_has_its_own_patience(instance: Instance) -> None:
    """Zero: the task waits for it to its timeout. More: it fails while the task would wait on."""
    patient = web("api", "api:pull", properties={"hopelessAfter": 0})
    app_id = await instance.save([patient], name="patient")
    async with instance.worker():
        task = await instance.settled(
            await instance.exec(app_id, ExecOptions(hopeless_after_seconds=0.1, timeout_seconds=1))
        )
    assert task.status is TaskStatus.TIMEOUT
    task = await fails(
        instance, [web("other", "api:pull", properties={"hopelessAfter": 1})], ExecOptions(timeout_seconds=30)
    )
    assert "ImagePullBackOff" in task.reason


async def says(instance: Instance, task_id: str, words: str) -> bool:
    """Whether a job says so of what it waits for."""
    return any(words in (job.info or "") for job in await instance.jobs(task_id))


def _cordon(instance: Instance, closed: bool) -> None:
    registry = instance.sim.registry
    for node in list(registry.scan("nodes")):
        patch = {"spec": {"unschedulable": closed or None}}
        registry.patch("nodes", "", node["metadata"]["name"], "application/merge-patch+json", patch, manager="kubectl")
