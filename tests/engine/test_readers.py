"""Pods that started while what they read was changed: after the rollback none runs on with the task's values."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from kubemin.spec.kinds import KINDS
from kubemin.spec.labels import RELEASED_FROM
from kubemin.spec.objects import Manifest
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubesim.faults import Fault
from tests.engine.child import Point, Script, run_child
from tests.engine.instance import PATIENT, QUICK, Instance, conf, store, web
from tests.engine.test_order import READERS, images, levels, pods, version
from tests.engine.test_points import KILLED, differences, points

FROM_SETTINGS = {"envFrom": [{"type": "config", "sourceName": "settings"}]}
"""Reads the ConfigMap ``settings``."""

HANGS = web("hangs", "hangs:never")
"""Keeps the task running until it is cancelled."""


JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
CORDON = {"spec": {"unschedulable": True}}


def application(level: str, workload: str = "Deployment", replicas: int = 2) -> list[dict[str, Any]]:
    """Its Pods are not replaced for another value, so that those of the one template read now this, now that."""
    reader = (web if workload == "Deployment" else store)("api", "api:1", replicas=replicas, traits=FROM_SETTINGS)
    return [conf("settings", LEVEL=level), without_digest(reader)]


def without_digest(component: dict[str, Any]) -> dict[str, Any]:
    """The component, whose Pods go on when configuration that they read changes."""
    return {**component, "properties": {**component["properties"], "restartOnConfigChange": False}}


async def evict(instance: Instance, image: str = "") -> None:
    """All Pods go, as by the loss of their node; their owner makes others, of the same template."""
    gone = {pod["metadata"]["uid"] for pod in pods(instance) if pod["spec"]["containers"][0]["image"].startswith(image)}
    for pod in [pod for pod in pods(instance) if pod["metadata"]["uid"] in gone]:
        instance.sim.registry.delete("pods", "default", pod["metadata"]["name"], grace=0)
    await instance.sim.controllers.settled()
    assert not gone & {pod["metadata"]["uid"] for pod in pods(instance)}


async def restart(instance: Instance) -> None:
    """All containers restart, in the same Pods."""
    for pod in pods(instance):
        for container in pod["spec"]["containers"]:
            if container["image"] == "api:1":
                instance.sim.controllers.restart("default", pod["metadata"]["name"], container["name"])
    await instance.sim.controllers.settled()


def served(instance: Instance) -> int:
    """How many Pods of the first component serve, as a Service sees it."""
    return sum(
        one["conditions"]["ready"]
        for found in instance.sim.registry.scan("endpointslices")
        if found["metadata"]["labels"]["kubernetes.io/service-name"] == "shop-api"
        for one in found["endpoints"] or ()
    )


class Watched:
    """Notes the fewest Pods that serve while the context is open."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.fewest = served(instance)
        self._on = False
        instance.sim.registry.subscribe(lambda *_: self._note())

    def __enter__(self) -> "Watched":
        self._on = True
        return self

    def __exit__(self, *_: object) -> None:
        self._on = False

    def _note(self) -> None:
        if self._on:
            self.fewest = min(self.fewest, served(self.instance))


async def cancelled_in_the_middle(
    instance: Instance, app_id: str, update_to: list[dict[str, Any]], meanwhile: Callable[[], Awaitable[None]]
) -> tuple[str, Watched]:
    """An update that hangs; once its values are there something happens; then it is cancelled, and rolled back."""
    await instance.save([*update_to, HANGS], app_id=app_id)
    task_id = await instance.exec(app_id)

    async def hangs() -> bool:
        return "hangs:never" in images(instance)

    await instance.until(hangs)
    await meanwhile()
    watched = Watched(instance)
    with watched:
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
    return task_id, watched


STARTED = [
    (workload, happens, n) for workload in ("Deployment", "StatefulSet") for happens in (evict, restart) for n in (1, 3)
]
DAILY = [STARTED[0], STARTED[3], STARTED[5], STARTED[6]]
"""Each two of workload, happening and number once together: all three are for `make proof`."""


@pytest.mark.parametrize(
    ("workload", "happens", "replicas"),
    [one if one in DAILY else pytest.param(*one, marks=pytest.mark.proof) for one in STARTED],
)
async def test_a_pod_that_started_meanwhile_is_replaced(
    instance: Instance, workload: str, happens: Callable[[Instance], Awaitable[None]], replicas: int
) -> None:
    """Its component is as it was all the time; the Deployment goes on serving, with one replica too."""
    app_id = await instance.save(application("a", workload, replicas))
    async with instance.worker():
        assert (await instance.settled(await instance.exec(app_id))).status is TaskStatus.COMPLETED
        await instance.sim.controllers.settled()
        before = await instance.snapshot()

        async def meanwhile() -> None:
            await happens(instance)
            assert set(levels(instance)) >= {"b"}

        _, watched = await cancelled_in_the_middle(instance, app_id, application("b", workload, replicas), meanwhile)
    assert differences(before, await instance.snapshot()) == []
    assert images(instance) == ["api:1"] * replicas
    assert levels(instance) == ["a"] * replicas
    assert watched.fewest >= (replicas if workload == "Deployment" else replicas - 1)


@pytest.mark.parametrize("reader", READERS)
async def test_however_it_reads(instance: Instance, reader: str) -> None:
    values, api = version("Deployment", reader, "a", "api:1")
    app_id = await instance.save([values, without_digest(api)])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        values, api = version("Deployment", reader, "b", "api:1")
        to = [values, without_digest(api)]
        await cancelled_in_the_middle(instance, app_id, to, lambda: evict(instance))
    assert levels(instance) == ["a"] * 4


async def test_a_component_that_the_task_does_not_change(instance: Instance) -> None:
    """It reads what another component brings; of those that start meanwhile, each Pod of its Deployment is replaced."""
    reader = web("api", "api:1", replicas=2, traits=FROM_SETTINGS)
    app_id = await instance.save([conf("settings", LEVEL="a"), reader])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        deployment = next(iter(instance.sim.registry.scan("deployments")))
        await cancelled_in_the_middle(instance, app_id, [conf("settings", LEVEL="b")], lambda: evict(instance))
    assert next(iter(instance.sim.registry.scan("deployments")))["metadata"]["uid"] == deployment["metadata"]["uid"]
    assert next(iter(instance.sim.registry.scan("deployments")))["spec"] == deployment["spec"]
    assert levels(instance) == ["a", "a"]


async def test_what_the_task_made_and_others_read_if_it_is_there(instance: Instance) -> None:
    app_id = await instance.save([web("api", "api:1", replicas=2)])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        optional = {"configMapRef": {"name": "settings", "optional": True}}
        (deployment,) = instance.sim.registry.scan("deployments")
        name, path = deployment["metadata"]["name"], "/spec/template/spec/containers/0/envFrom"
        instance.sim.registry.patch(
            "deployments",
            "default",
            name,
            JSON_PATCH,
            [{"op": "add", "path": path, "value": [optional]}],
            manager="ada",
        )
        await instance.sim.controllers.settled()
        before = await instance.snapshot()
        to = [conf("settings", LEVEL="b"), web("api", "api:1", replicas=2)]

        async def meanwhile() -> None:
            await evict(instance)
            assert "b" in levels(instance)

        await cancelled_in_the_middle(instance, app_id, to, meanwhile)
    assert differences(before, await instance.snapshot()) == []
    assert images(instance) == ["api:1"] * 2
    assert levels(instance) == []


def stranger(kind: str) -> Manifest:
    """A Pod, or a workload, of somebody else that reads the ConfigMap."""
    pod: dict[str, Any] = {
        "containers": [{"name": "app", "image": "other:1", "envFrom": [{"configMapRef": {"name": "settings"}}]}]
    }
    meta = {"name": f"their-{kind.lower()}", "namespace": "default"}
    if kind == "Pod":
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod}
    template: dict[str, Any] = {"metadata": {"labels": {"app": "theirs"}}, "spec": pod}
    if kind == "Job":
        template["spec"]["restartPolicy"] = "Never"
        template["spec"]["containers"][0]["image"] = "never:1"
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": template}}
    spec = {"selector": {"matchLabels": {"app": "theirs"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": spec}


@pytest.mark.parametrize("kind", ["Pod", "Job", "Deployment", "ReplicaSet"])
async def test_what_others_have_is_left_alone_and_named(instance: Instance, kind: str) -> None:
    app_id = await instance.save(application("a"))
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))

        async def meanwhile() -> None:
            instance.sim.registry.create(KINDS[kind].plural, "default", stranger(kind), manager="ada")
            await instance.sim.controllers.settled()
            await evict(instance, "api:1")
            assert "b" in levels(instance)

        task_id, _ = await cancelled_in_the_middle(instance, app_id, application("b"), meanwhile)
    theirs = [pod for pod in pods(instance) if pod["metadata"]["name"].startswith("their-")]
    assert [instance.sim.controllers.environment_of(pod["metadata"]["uid"]) for pod in theirs] == [
        {"app": {"LEVEL": "b"}}
    ]
    (row,) = [row for row in await instance.journal(task_id) if row.ref.kind == "ConfigMap"]
    assert row.state is ResourceState.KEPT
    assert f"Pod {theirs[0]['metadata']['name']}" in row.why
    assert sorted(levels(instance)) == ["a", "a", "b"]


async def test_a_pod_that_cannot_be_replaced_in_time_is_named_and_replaced_later(instance: Instance) -> None:
    """Nothing is deleted that serves while no other is ready; a pass keeps to its time; the next one goes on."""
    app_id = await instance.save(application("a", replicas=1))
    async with instance.worker(QUICK.model_copy(update={"cleanup_seconds": 3})):
        await instance.settled(await instance.exec(app_id))
        await instance.save([*application("b", replicas=1), HANGS], app_id=app_id)
        task_id = await instance.exec(app_id)

        async def hangs() -> bool:
            return "hangs:never" in images(instance)

        await instance.until(hangs)
        await evict(instance)
        (node,) = instance.sim.registry.scan("nodes")
        instance.sim.registry.patch("nodes", "", node["metadata"]["name"], MERGE_PATCH, CORDON, manager="ada")
        watched = Watched(instance)
        with watched:
            await instance.service.cancel(app_id, task_id, "ada", "no")
            task = await instance.settled(task_id)
            assert task.cleanup is Cleanup.INCOMPLETE
            assert "waits until what has read it is replaced: Pod shop-api" in task.cleanup_why
            uncordon = {"spec": {"unschedulable": None}}
            instance.sim.registry.patch("nodes", "", node["metadata"]["name"], MERGE_PATCH, uncordon, manager="ada")
            await instance.sim.controllers.settled()

            async def done() -> bool:
                await instance.service.retry_cleanup(task_id)
                return (await instance.settled(task_id)).cleanup is Cleanup.DONE

            await instance.until(done)
    assert watched.fewest >= 1
    assert levels(instance) == ["a"]


@pytest.mark.parametrize("workload", ["Deployment", "StatefulSet"])
async def test_as_before_means_that_no_pod_of_ours_still_terminates(instance: Instance, workload: str) -> None:
    """Its owner counts without it: but it runs until it is gone."""
    app_id = await instance.save(application("a", workload, replicas=1))
    async with instance.worker(QUICK.model_copy(update={"cleanup_seconds": 3})):
        await instance.settled(await instance.exec(app_id))
        await instance.save([*application("a", workload, replicas=2), HANGS], app_id=app_id)
        task_id = await instance.exec(app_id)

        async def two() -> bool:
            return images(instance).count("api:1") == 2 and "hangs:never" in images(instance)

        await instance.until(two)
        api = {pod["metadata"]["name"] for pod in pods(instance) if pod["spec"]["containers"][0]["image"] == "api:1"}
        for name in api:
            hold = {"metadata": {"finalizers": ["example.com/hold"]}}
            instance.sim.registry.patch("pods", "default", name, MERGE_PATCH, hold, manager="ada")
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
        assert task.cleanup is Cleanup.INCOMPLETE
        assert "waits for Pod" in task.cleanup_why or "not rolled out" in task.cleanup_why
        for name in api:
            let_go = {"metadata": {"finalizers": None}}
            instance.sim.registry.patch("pods", "default", name, MERGE_PATCH, let_go, manager="ada")

        async def done() -> bool:
            await instance.service.retry_cleanup(task_id)
            return (await instance.settled(task_id)).cleanup is Cleanup.DONE

        await instance.until(done)
    assert not [pod for pod in instance.sim.registry.scan("pods") if "deletionTimestamp" in pod["metadata"]]


async def test_a_right_that_is_lacking_is_named(instance: Instance) -> None:
    app_id = await instance.save(application("a", replicas=1))
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        await instance.save([*application("b", replicas=1), HANGS], app_id=app_id)
        task_id = await instance.exec(app_id)

        async def hangs() -> bool:
            return "hangs:never" in images(instance)

        await instance.until(hangs)
        await evict(instance, "api:1")  # however slow this machine is, its Pod has started since
        instance.sim.faults.add(
            Fault("status", code=403, verb="patch", resource="pods", times=None, message="not allowed")
        )
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.INCOMPLETE
    assert "not allowed" in task.cleanup_why


async def test_what_was_there_long_before_is_left_alone(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the values changed meanwhile: it has not read them."""
    app_id = await instance.save(application("a"))
    hub = instance.sim.controllers._hub
    assert hub is not None
    async with instance.worker():
        with monkeypatch.context() as long_ago:
            long_ago.setattr(hub, "now", lambda: "2020-01-01T00:00:00Z")
            await instance.settled(await instance.exec(app_id))
        before = {pod["metadata"]["uid"] for pod in pods(instance)}
        await cancelled_in_the_middle(instance, app_id, application("b"), lambda: asyncio.sleep(0))
    assert {pod["metadata"]["uid"] for pod in pods(instance)} == before
    assert levels(instance) == ["a", "a"]


async def test_where_no_value_changed_nothing_is_replaced(instance: Instance) -> None:
    app_id = await instance.save(application("a"))
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        before = {pod["metadata"]["uid"] for pod in pods(instance)}
        task_id, _ = await cancelled_in_the_middle(instance, app_id, application("a"), lambda: asyncio.sleep(0))
    assert {pod["metadata"]["uid"] for pod in pods(instance)} == before
    assert ResourceState.KEPT not in {row.state for row in await instance.journal(task_id)}


# --- one process dies, another goes on

KILLS = [
    Point("call:replace:ConfigMap/settings:after", 2),
    Point("commit:*settle*:after"),
    Point("call:patch:Pod/*:before"),
    Point("call:patch:Pod/*:after"),
    Point("call:patch:Pod/*:after", 2),
    Point("call:delete:Pod/*:before"),
    Point("call:delete:Pod/*:after"),
    Point("call:delete:Pod/*:after", 2),
]


@pytest.mark.parametrize("point", points(KILLS, 0, 0), ids=str)
async def test_killed_while_it_replaces_them(instance: Instance, tmp_path: Path, point: Point) -> None:
    """Whoever goes on finds by the journal which Pods are to go, and by their marks which were taken out already."""
    app_id = await instance.save(application("a"))
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
    await instance.sim.controllers.settled()
    before = await instance.snapshot()
    await instance.save([*application("b"), HANGS], app_id=app_id)
    task_id = await instance.exec(app_id)
    cancel_at = Point("call:create:Deployment/shop-hangs:after")
    url = f"sqlite:///{tmp_path}/kubemin.db"
    script = Script(url, instance.sim.url, app_id, task_id, str(tmp_path / "points"), cancel_at, point)
    watched = Watched(instance)
    with watched:
        assert await run_child(script) == KILLED
        async with instance.db.begin("expire") as tx:
            await tx.write(text("UPDATE tasks SET lease_expires_at = 1 WHERE lease_expires_at IS NOT NULL"))
        async with instance.worker(PATIENT):
            task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
    assert differences(before, await instance.snapshot()) == []
    assert images(instance) == ["api:1"] * 2
    assert not [pod for pod in pods(instance) if RELEASED_FROM in pod["metadata"].get("annotations", {})]
    assert levels(instance) == ["a"] * 2
    assert watched.fewest >= 2
