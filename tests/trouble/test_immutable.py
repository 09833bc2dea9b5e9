"""What cannot be changed is refused before anything is touched, by name and with what to do; or made the least harmful
way, which the plan and the journal say."""

from typing import Any

import pytest

from kubemin.engine import ExecOptions
from kubemin.spec.kinds import KINDS
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, Purpose, ResourceState, TaskStatus
from tests.engine.instance import Instance, conf, secret, store, web
from tests.engine.test_points import differences


def volume(**more: Any) -> dict[str, Any]:
    return {"storage": [{"name": "data", "type": "persistent", "tmpCreate": True, "mountPath": "/data", **more}]}


async def refused(instance: Instance, app_id: str, options: ExecOptions | None = None) -> str:
    """Run; it is to fail at once, and to have touched nothing. Returns what it says."""
    before = await instance.snapshot()
    task_id = await instance.exec(app_id, options)
    async with instance.worker():
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.FAILED, task.reason
    assert differences(before, await instance.snapshot()) == []
    if options is None:
        assert task.cleanup is Cleanup.NONE
        assert await instance.journal(task_id) == []
        assert task.reason.startswith("refused before anything was written: ")
    return task.reason


async def deployed(instance: Instance, *components: dict[str, Any]) -> str:
    app_id = await instance.save(components)
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
    assert task.status is TaskStatus.COMPLETED, task.reason
    return app_id


@pytest.mark.parametrize("preflight", [True, False], ids=["asked", "not-asked"])
async def test_the_volumes_of_a_stateful_set(instance: Instance, preflight: bool) -> None:
    app_id = await deployed(instance, store("db"), conf("settings", a="1"))
    await instance.save([store("db", traits=volume(size="2Gi")), conf("settings", a="2")], app_id=app_id)
    said = await refused(instance, app_id, None if preflight else ExecOptions(preflight=False))
    assert "StatefulSet/default/shop-db" in said
    assert "updates to statefulset spec" in said
    assert "kubectl delete statefulset shop-db -n default --cascade=orphan" in said


FOREIGN: dict[str, tuple[Manifest, dict[str, Any], str]] = {
    "immutable-configmap": (
        {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "0"}, "immutable": True},
        conf("settings", a="1"),
        "give the component another name, or delete the ConfigMap first",
    ),
    "immutable-secret": (
        {"kind": "Secret", "metadata": {"name": "keys"}, "data": {"a": "MA=="}, "immutable": True},
        secret("keys", a="1"),
        "give the component another name, or delete the Secret first",
    ),
    "type-of-a-secret": (
        {"kind": "Secret", "metadata": {"name": "keys"}, "type": "example.com/other"},
        secret("keys", a="1"),
        "of another type",
    ),
    "selector-of-a-deployment": (
        {
            "kind": "Deployment",
            "metadata": {"name": "shop-api"},
            "spec": {
                "selector": {"matchLabels": {"app": "other"}},
                "template": {
                    "metadata": {"labels": {"app": "other"}},
                    "spec": {"containers": [{"name": "api", "image": "api:0"}]},
                },
            },
        },
        web("api"),
        "its selector never changes",
    ),
    "address-of-a-service": (
        {"kind": "Service", "metadata": {"name": "shop-db-headless"}, "spec": {"ports": [{"port": 5432}]}},
        store("db"),
        "its address never changes",
    ),
    "spec-of-a-job": (
        {
            "kind": "Job",
            "metadata": {"name": ""},
            "spec": {
                "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "mig", "image": "mig:0"}]}}
            },
        },
        {"name": "mig", "type": "job", "image": "mig:1"},
        "a Job's spec never changes, and this one is not as the application has it: delete it first",
    ),
    "shrinking-claim": (
        {
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "shop-api-data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
        },
        web("api", traits=volume()),
        "only upwards",
    ),
}


@pytest.mark.parametrize("case", FOREIGN)
async def test_an_object_in_the_way_that_cannot_be_changed(instance: Instance, case: str) -> None:
    """All parts that cannot be changed stop the task before its first write, whatever else it would write."""
    manifest, component, advice = FOREIGN[case]
    app_id = await instance.save([component, conf("other", a="1")])
    kind = KINDS[manifest["kind"]]
    wanted = next(ref for ref in await instance.objects(app_id) if ref.kind == kind.name)
    name = manifest["metadata"]["name"].replace("{app}", app_id) or wanted.name
    body = {**manifest, "apiVersion": kind.api_version, "metadata": {"name": name}}
    instance.adopts = True
    instance.sim.registry.create(kind.plural, "default", body, manager="kubectl")
    await instance.sim.controllers.settled()
    said = await refused(instance, app_id)
    assert f"{kind.name}/default/{name}" in said
    assert advice in said


async def test_everything_refused_is_named_at_once(instance: Instance) -> None:
    for name in ("one", "two"):
        body = {"metadata": {"name": name}, "data": {"a": "0"}, "immutable": True}
        instance.adopts = True
        instance.sim.registry.create("configmaps", "default", body, manager="kubectl")
    said = await refused(instance, await instance.save([conf("one", a="1"), conf("two", a="1"), web("api")]))
    assert "ConfigMap/default/one" in said
    assert "ConfigMap/default/two" in said


async def test_a_job_that_changed_is_another_and_the_plan_and_the_journal_say_so(instance: Instance) -> None:
    app_id = await deployed(instance, {"name": "mig", "type": "job", "image": "mig:1"})
    await instance.save([{"name": "mig", "type": "job", "image": "mig:2"}], app_id=app_id)
    (former,) = [ref for ref in await instance.snapshot() if ref.kind == "Job"]
    async with instance.worker():
        dry = await instance.exec(app_id, ExecOptions(dry_run=True))
        await instance.settled(dry)
        task_id = await instance.exec(app_id)
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    (job,) = await instance.jobs(dry)
    assert job.info == f"would create: a Job's spec cannot be changed: {former} is removed once all is done"
    rows = {row.purpose: row for row in await instance.journal(task_id)}
    assert (rows[Purpose.REMOVE].state, rows[Purpose.APPLY].state) == (ResourceState.DELETED, ResourceState.CREATED)
    assert rows[Purpose.REMOVE].ref == former


async def test_a_claim_that_grew_is_kept_and_named(instance: Instance) -> None:
    """A claim may grow where its class allows it, and never shrinks: the plan says so, and so does the journal."""
    for found in list(instance.sim.registry.scan("storageclasses")):
        grows = {"allowVolumeExpansion": True}
        name = found["metadata"]["name"]
        instance.sim.registry.patch(
            "storageclasses", "", name, "application/merge-patch+json", grows, manager="kubectl"
        )
    app_id = await deployed(instance, web("api", traits=volume()))
    await instance.save([web("api", traits=volume(size="2Gi")), web("late", "late:never")], app_id=app_id)
    async with instance.worker():
        dry = await instance.exec(app_id, ExecOptions(dry_run=True))
        await instance.settled(dry)
        task_id = await instance.exec(app_id, ExecOptions(timeout_seconds=2))
        task = await instance.settled(task_id)
    told = {job.kind: job.info for job in await instance.jobs(dry)}
    assert "spec.resources.requests.storage: 1Gi → 2Gi" in told["PersistentVolumeClaim"]
    assert "never shrinks" in told["PersistentVolumeClaim"]
    assert (task.status, task.cleanup) == (TaskStatus.TIMEOUT, Cleanup.DONE), (task.reason, task.cleanup_why)
    (claim,) = [row for row in await instance.journal(task_id) if row.ref.kind == "PersistentVolumeClaim"]
    assert claim.state is ResourceState.KEPT
    assert "never shrinks" in claim.why
    after = (await instance.snapshot())[ObjectRef("PersistentVolumeClaim", "default", "shop-api-data")]
    assert after["spec"]["resources"]["requests"]["storage"] == "2Gi"


async def test_a_field_that_the_next_version_drops_is_told_and_goes(instance: Instance) -> None:
    """A POST leaves fields to its own entry in managedFields: the pre-flight sees past it, as the write does."""
    old = web("api", properties={"ports": [{"port": 80}], "env": {"A": "1", "B": "2"}})
    new = web("api", properties={"ports": [{"port": 81}], "env": {"A": "1"}})
    app_id = await deployed(instance, old, conf("settings", a="1", b="2"))
    await instance.save([new, conf("settings", a="1")], app_id=app_id)
    async with instance.worker():
        for turn in (1, 2):  # first by our POST's entry, then by our apply's
            dry = await instance.exec(app_id, ExecOptions(dry_run=True))
            assert (await instance.settled(dry)).status is TaskStatus.COMPLETED
            told = {job.kind + "/" + job.component: job.info for job in await instance.jobs(dry)}
            assert told["ConfigMap/settings"] == f"would change: data.b: {2 if turn == 1 else 3} → nothing"
            assert 'env[B]: {"name": "B", "value": "2"} → nothing' in told["Deployment/api"]
            assert "ports[80,TCP]" in told["Deployment/api"]
            assert "kubemin.io" not in "".join(told.values())
            task = await instance.settled(await instance.exec(app_id))
            assert task.status is TaskStatus.COMPLETED, task.reason
            if turn == 1:
                await instance.save([old, conf("settings", a="1", b="3")], app_id=app_id)
                await instance.settled(await instance.exec(app_id))
                await instance.save([new, conf("settings", a="1")], app_id=app_id)
    made = (await instance.snapshot())[ObjectRef("Deployment", "default", "shop-api")]
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "A", "value": "1"}]
    assert [port["containerPort"] for port in container["ports"]] == [81]


async def test_a_volume_of_another_type_under_the_same_name(instance: Instance) -> None:
    """Merged with what our POST left behind it would be two volumes in one: the pre-flight must not refuse it."""
    app_id = await deployed(instance, web("api", traits={"storage": [{"name": "data", "type": "ephemeral"}]}))
    await instance.save([web("api", traits=volume())], app_id=app_id)
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
    assert task.status is TaskStatus.COMPLETED, task.reason
