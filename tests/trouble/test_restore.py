"""Put back, field by field (design R4): what we changed and nothing else, with its owners, and running again."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from kubemin.engine.objects.ownership import token_of
from kubemin.spec.kinds import KINDS
from kubemin.spec.labels import FENCE
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubesim.faults import Fault, RequestInfo
from kubesim.jsondata import Object
from kubesim.resources import Resource
from kubesim.verbs import Write
from tests.engine.held import Held, config_map, deployment, essence, owners
from tests.engine.instance import Instance, web
from tests.engine.test_points import differences
from tests.waiting import until

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


def foreign(held: Held, manifest: Manifest, **spec: Any) -> Manifest:
    """An object that others made, by way of an apply of their own."""
    meta = {key: value for key, value in manifest["metadata"].items() if key != "labels"}
    body = {**manifest, "metadata": meta} | ({"spec": {**manifest["spec"], **spec}} if spec else {})
    plural = KINDS[manifest["kind"]].plural
    return held.sim.registry.patch(plural, "default", meta["name"], APPLY, body, manager="helm", force=False)


def patch(held: Held, obj: Manifest, change: Any, *, manager: str = "someone", subresource: str = "") -> Manifest:
    plural, name = KINDS[obj["kind"]].plural, obj["metadata"]["name"]
    return held.sim.registry.patch(plural, "default", name, MERGE, change, manager=manager, subresource=subresource)


async def pods(held: Held) -> list[Manifest]:
    return (await held.cluster.list("Pod", "default")).items


async def available(held: Held, obj: Manifest, number: int) -> bool:
    now = await held.look(obj)
    assert now is not None
    status = now["status"]
    seen = status.get("observedGeneration", 0) >= now["metadata"]["generation"]
    return bool(seen and status.get("availableReplicas", 0) == status.get("updatedReplicas", 0) == number)


async def test_half_rolled_out_and_back(instance: Instance) -> None:
    """Cancelled when some Pods run the new version: all run the old one again when the cleanup is done."""
    async with instance.worker():
        app_id = await instance.save([web("api", replicas=3)])
        await instance.settled(await instance.exec(app_id))
        before = await instance.snapshot()
        running = await running_images(instance)
        await instance.save([web("api", "web:2", replicas=3)], app_id=app_id)

        new: set[str] = set()

        def stand_still(_event: str, obj: Object, _old: Object | None) -> None:
            if obj["kind"] == "Pod" and obj["spec"]["containers"][0]["image"] == "web:2" and "nodeName" in obj["spec"]:
                if not new:  # no room for the next one
                    asyncio.get_running_loop().call_soon(partial(cordon, instance, closed=True))
                new.add(obj["metadata"]["name"])

        async def half() -> bool:
            images = await running_images(instance)
            return images.count("web:2") >= 1 and images.count("web:1") >= 1

        instance.sim.registry.subscribe(stand_still)
        task_id = await instance.exec(app_id)
        await instance.until(half)
        await instance.service.cancel(app_id, task_id, "ada", "no")
        cordon(instance, closed=False)
        task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert differences(before, await instance.snapshot()) == []
    assert await running_images(instance) == running == ["web:1"] * 3


async def test_the_rollback_waits_until_the_old_version_is_available(held: Held) -> None:
    """With the strategy Recreate the old Pods are gone by then, and take their time to come back."""
    before = foreign(held, deployment(image="api:slow-20", replicas=2), strategy={"type": "Recreate"})
    await until(lambda: available(held, before, 2))
    await held.ensure(deployment(image="api:never", replicas=2))

    async def replaced() -> bool:
        return {pod["spec"]["containers"][0]["image"] for pod in await pods(held)} == {"api:never"}

    await until(replaced)
    assert await held.roll_back() == []
    assert await available(held, before, 2)
    assert {pod["spec"]["containers"][0]["image"] for pod in await pods(held)} == {"api:slow-20"}
    assert essence(await held.look(before)) == essence(before)


async def test_it_waits_within_its_budget_and_goes_on_later(held: Held) -> None:
    before = foreign(held, deployment(image="api:1"), strategy={"type": "Recreate"})
    await until(lambda: available(held, before, 1))
    await held.ensure(deployment(image="api:never"))
    cordon(held, closed=True)
    left = await held.roll_back(seconds=1.5)
    assert [(row.ref.kind, row.why) for row in left] == [("Deployment", "is put back, and not rolled out again yet")]
    assert essence(await held.look(before)) == essence(before)  # put back it is, whatever its Pods do
    cordon(held, closed=False)
    again = await held.successor()
    assert await again.roll_back() == []
    assert await available(held, before, 1)
    (row,) = again.journal.resources.values()
    assert row.state is ResourceState.RESTORED


@pytest.mark.parametrize("ours", [1, 2], ids=["not-changed-by-us", "changed-by-us"])
async def test_what_an_autoscaler_did_meanwhile_stays(held: Held, ours: int) -> None:
    before = foreign(held, deployment(replicas=1))
    await held.ensure(deployment(image="api:2", replicas=ours))
    patch(held, before, {"spec": {"replicas": 3}}, manager="kube-controller-manager", subresource="scale")
    assert await held.roll_back() == []
    after = await held.look(before)
    assert after is not None
    assert after["spec"]["replicas"] == 3
    assert after["spec"]["template"] == before["spec"]["template"]
    assert await available(held, before, 3)
    (row,) = held.journal.resources.values()
    if ours == 1:
        assert (row.state, row.why) == (ResourceState.RESTORED, "")
    else:
        assert row.state is ResourceState.KEPT
        assert "spec.replicas" in row.why


async def test_an_autoscaler_s_replicas_are_neither_declared_nor_restored(held: Held) -> None:
    """Trap 13: what an autoscaler that lives sets by the subresource is its own."""
    before = foreign(held, deployment(replicas=1))
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": before["metadata"]["name"]}
    hpa = {"metadata": {"name": "hpa"}, "spec": {"maxReplicas": 9, "scaleTargetRef": target}}
    held.sim.registry.create("horizontalpodautoscalers", "default", hpa, manager="ada")
    patch(held, before, {"spec": {"replicas": 3}}, manager="kube-controller-manager", subresource="scale")
    changed = await held.ensure(deployment(image="api:2", replicas=1))
    assert changed["spec"]["replicas"] == 3
    patch(held, before, {"spec": {"replicas": 2}}, manager="kube-controller-manager", subresource="scale")
    assert await held.roll_back() == []
    after = await held.look(before)
    assert after is not None
    assert after["spec"]["replicas"] == 2
    (row,) = held.journal.resources.values()
    assert row.state is ResourceState.RESTORED


async def test_fields_that_others_changed_since_stay_and_are_named(held: Held) -> None:
    """An environment variable edited after us stays; its neighbour, which only we changed, goes back."""
    old = deployment(image="api:1")
    old["spec"]["template"]["spec"]["containers"][0]["env"] = [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "1"},
    ]
    before = foreign(held, old)
    new = deployment(image="api:2")
    new["spec"]["template"]["spec"]["containers"][0]["env"] = [
        {"name": "A", "value": "2"},
        {"name": "B", "value": "2"},
    ]
    await held.ensure(new)
    edit = {"name": "api", "env": [{"name": "B", "value": "theirs"}]}
    held.sim.registry.patch(
        "deployments",
        "default",
        "api",
        "application/strategic-merge-patch+json",
        {"metadata": {"labels": {"theirs": "yes"}}, "spec": {"template": {"spec": {"containers": [edit]}}}},
        manager="someone",
    )
    assert await held.roll_back() == []
    after = await held.look(before)
    assert after is not None
    (container,) = after["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "api:1"
    assert container["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "theirs"}]
    assert after["metadata"]["labels"] == {"theirs": "yes"}
    assert token_of(after) is None
    (row,) = held.journal.resources.values()
    assert row.state is ResourceState.KEPT
    assert "spec.template.spec.containers[api].env[B].value" in row.why
    assert "image" not in row.why


async def test_the_former_owner_can_go_on(held: Held) -> None:
    """Trap 1: its next unforced apply meets no conflict, and a field that it drops then goes."""
    old = deployment(image="api:1", replicas=1)
    before = foreign(held, old)
    await held.ensure(deployment(image="api:2", replicas=2))
    assert await held.roll_back() == []
    after = await held.look(before)
    assert after is not None
    assert owners(after) == owners(before)
    foreign(held, old, minReadySeconds=1)
    dropped = foreign(held, old)
    assert "minReadySeconds" not in dropped["spec"]
    assert not any(entry["manager"] == "kubemin" for entry in dropped["metadata"]["managedFields"])


def webhook(held: Held, monkeypatch: pytest.MonkeyPatch, mutate: Callable[[Object], Object]) -> list[Object]:
    """Admission that rewrites, or refuses, every PUT of a ConfigMap; what it saw."""
    put, seen = held.sim.registry.verbs.put, list[Object]()

    def admit(resource: Resource, namespace: str, name: str, obj: Object, write: Write) -> Any:
        if resource.plural == "configmaps" and write.manager == "kubemin":
            seen.append(obj)
            obj = mutate(obj)
        return put(resource, namespace, name, obj, write)

    monkeypatch.setattr(held.sim.registry.verbs, "put", admit)
    return seen


async def test_admission_that_rewrites_the_restore(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap 15: another value than we asked for is kept, named, and not fought over."""
    before = foreign(held, config_map(a="1", b="1"))
    await held.ensure(config_map(a="2", b="2"))
    seen = webhook(held, monkeypatch, lambda obj: {**obj, "data": {**obj["data"], "b": "policy"}})
    assert await held.roll_back() == []
    after = await held.look(before)
    assert after is not None
    assert after["data"] == {"a": "1", "b": "policy"}
    assert token_of(after) is None
    (row,) = held.journal.resources.values()
    assert row.state is ResourceState.KEPT
    assert "data.b (admission)" in row.why
    assert len(seen) <= 4


@pytest.mark.parametrize("code", [403, 422])
async def test_admission_that_refuses_the_restore(instance: Instance, code: int) -> None:
    """Named with its words, tried again later, and done when it lets us."""
    registry = instance.sim.registry
    old: Manifest = {"metadata": {"name": "settings"}, "data": {"a": "0"}}
    instance.adopts = True
    registry.create("configmaps", "default", old, manager="kubectl")
    before = await instance.snapshot()
    refusal = Fault("status", code=code, verb="update", resource="configmaps", times=None, message="frozen by policy")
    app_id = await instance.save(
        [
            {"name": "settings", "objectName": "settings", "type": "config", "properties": {"conf": {"a": "1"}}},
            web("api", "api:never"),
        ]
    )
    async with instance.worker():
        armed = instance.sim.faults.add(refusal)
        task_id = await instance.exec(app_id)
        await instance.until(lambda: changed(instance, task_id))
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
        assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.INCOMPLETE)
        assert "ConfigMap/default/settings: the API server refuses the restore" in task.cleanup_why
        assert "frozen by policy" in task.cleanup_why
        there = await instance.snapshot()
        assert differences(before, there) != []
        assert there.keys() == before.keys()  # everything else is as it was
        instance.sim.faults.remove(armed)
        await instance.service.retry_cleanup(task_id)
        await instance.until(lambda: is_done(instance, task_id))
    assert differences(before, await instance.snapshot()) == []


async def test_an_operator_that_makes_again_what_we_delete(instance: Instance) -> None:
    """Trap 16: the one of its name is another; it is not ours, not waited for and not touched."""
    registry = instance.sim.registry
    made: list[Manifest] = []

    def again(event: str, obj: Object, old: Object | None) -> None:
        if event == "DELETED" and obj["kind"] == "ConfigMap" and obj["metadata"]["name"] == "settings":
            meta = obj["metadata"]
            body = {"metadata": {key: meta[key] for key in ("name", "labels", "annotations")}, "data": obj["data"]}
            made.append(registry.create("configmaps", "default", body, manager="operator"))

    registry.subscribe(again)
    app_id = await instance.save(
        [
            {"name": "settings", "objectName": "settings", "type": "config", "properties": {"conf": {"a": "1"}}},
            web("api", "api:never"),
        ]
    )
    async with instance.worker():
        task_id = await instance.exec(app_id)
        await instance.until(lambda: changed(instance, task_id))
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
        assert task.cleanup is Cleanup.DONE, task.cleanup_why
        assert len(made) == 1
        (row,) = [row for row in await instance.journal(task_id) if row.ref.kind == "ConfigMap"]
        assert row.state is ResourceState.DELETED
        assert row.uid != made[0]["metadata"]["uid"]
    now = (await instance.snapshot())[ObjectRef("ConfigMap", "default", "settings")]
    assert now["metadata"]["uid"] == made[0]["metadata"]["uid"]


async def test_what_an_operator_makes_again_is_not_waited_for(held: Held) -> None:
    """Trap 16: a Deployment goes in the foreground, and another one has its name at the very moment."""
    registry, made = held.sim.registry, list[Manifest]()

    def again(event: str, obj: Object, _: Object | None) -> None:
        if event == "DELETED" and obj["kind"] == "Deployment":
            body = {"metadata": {"name": obj["metadata"]["name"]}, "spec": obj["spec"]}
            made.append(registry.create("deployments", "default", body, manager="operator"))

    ours = await held.ensure(deployment())
    await until(lambda: pods(held))
    registry.subscribe(again)
    assert await held.roll_back(seconds=8) == []
    now = await held.look(ours)
    assert now is not None
    assert now["metadata"]["uid"] == made[0]["metadata"]["uid"] != ours["metadata"]["uid"]
    (row,) = held.journal.resources.values()
    assert row.state is ResourceState.DELETED


async def test_an_edit_between_the_look_and_the_restore_is_seen(held: Held) -> None:
    """One PUT a look: the version tells that it is another by now, and the edit is kept."""
    before = foreign(held, config_map(a="1", b="1"))
    await held.ensure(config_map(a="2", b="2"))

    def edit(_: RequestInfo) -> None:
        patch(held, before, {"data": {"b": "theirs"}})

    held.sim.faults.add(Fault("call", verb="update", resource="configmaps", call=edit))
    assert await held.roll_back() == []
    after = await held.look(before)
    assert after is not None
    assert after["data"] == {"a": "1", "b": "theirs"}
    (row,) = held.journal.resources.values()
    assert row.state is ResourceState.KEPT
    assert "data.b" in row.why


async def test_an_object_that_is_another_by_the_time_of_the_fence(held: Held) -> None:
    """A patch with the uid of one object on another is a 422, and no refusal: it is looked at again."""
    before = foreign(held, config_map(a="1"))
    await held.ensure(config_map(a="2"))
    patch(held, before, {"metadata": {"annotations": {FENCE: "moved"}}}, manager="kubemin")

    def another(_: RequestInfo) -> None:
        held.sim.registry.delete("configmaps", "default", "settings")
        theirs = {"metadata": {"name": "settings"}, "data": {"a": "theirs"}}
        held.sim.registry.create("configmaps", "default", theirs, manager="someone")

    held.sim.faults.add(Fault("call", verb="patch", resource="configmaps", call=another))
    assert await held.roll_back() == []
    now = await held.look(before)
    assert now is not None
    assert now["data"] == {"a": "theirs"}
    (row,) = held.journal.resources.values()
    assert row.state is ResourceState.KEPT


def cordon(world: Held | Instance, *, closed: bool) -> None:
    registry = world.sim.registry
    for node in list(registry.scan("nodes")):
        change = {"spec": {"unschedulable": closed or None}}
        registry.patch("nodes", "", node["metadata"]["name"], MERGE, change, manager="kubectl")


async def running_images(instance: Instance) -> list[str]:
    """The images of the Pods that are ready and stay."""
    return sorted(
        pod["spec"]["containers"][0]["image"]
        for pod in (await instance.cluster.list("Pod", "default")).items
        if "deletionTimestamp" not in pod["metadata"]
        and any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or [])
    )


async def changed(instance: Instance, task_id: str) -> bool:
    """Whether the ConfigMap is written, and the rest waits."""
    jobs = {job.kind: job for job in await instance.jobs(task_id)}
    return jobs["ConfigMap"].status.ended and bool(jobs["Deployment"].info)


async def is_done(instance: Instance, task_id: str) -> bool:
    return (await instance.task(task_id)).cleanup is Cleanup.DONE
