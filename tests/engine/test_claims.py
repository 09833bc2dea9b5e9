"""Volume claims that a component only names: made where there are none, else used as they are."""

from typing import Any

import pytest

from kubemin.cluster.errors import AlreadyExists
from kubemin.engine import ExecOptions
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, ResourceState, TaskStatus
from kubemin.spec.warnings import warnings_in
from tests.engine.instance import Instance, web

CLAIM = ObjectRef("PersistentVolumeClaim", "default", "archive")


def using(name: str, image: str = "api:1", **fields: Any) -> dict[str, Any]:
    """A component with a volume over the claim."""
    volume = {"name": "data", "type": "persistent", "claimName": "archive", "mountPath": "/data", "size": "3Gi"}
    return web(name, image, traits={"storage": [{**volume, **fields}]})


async def strangers(instance: Instance) -> Manifest:
    """A claim that somebody else has made."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    meta = {"name": "archive", "namespace": "default"}
    return await instance.cluster.create({"apiVersion": "v1", "kind": CLAIM.kind, "metadata": meta, "spec": spec})


def content(claim: Manifest) -> Any:
    """What its owner would see of it; who binds it has written to it too."""
    meta = claim["metadata"]
    ours = [one for one in meta["managedFields"] if "kubemin" in one["manager"]]
    return meta["uid"], meta.get("labels"), ours, claim["spec"]["resources"]


async def test_an_absent_claim_is_made_once_for_all_components_that_use_it(instance: Instance) -> None:
    app_id = await instance.save([using("api"), using("worker")])
    async with instance.worker():
        task = await instance.settled(first := await instance.exec(app_id))
        assert task.status is TaskStatus.COMPLETED, task.reason
        made = await instance.cluster.get(CLAIM)
        assert made["spec"]["resources"]["requests"]["storage"] == "3Gi"
        assert [job.object_name for job in await instance.jobs(first) if job.kind == CLAIM.kind] == ["archive"]
        again = await instance.exec(app_id)
        assert (await instance.settled(again)).status is TaskStatus.COMPLETED
        [job] = [job for job in await instance.jobs(again) if job.kind == CLAIM.kind]
        assert (job.status, job.info) == (JobStatus.COMPLETED, "is there already: used as it is")
        assert CLAIM not in [row.ref for row in await instance.journal(again)]
        await instance.save([web("other")], app_id=app_id)
        last = await instance.settled(await instance.exec(app_id))
        assert last.status is TaskStatus.COMPLETED
        assert (await instance.cluster.get(CLAIM))["metadata"]["uid"] == made["metadata"]["uid"]
        kept = [row for row in await instance.journal(last.id) if row.ref == CLAIM]
        assert [row.state for row in kept] == [ResourceState.KEPT]


async def test_a_claim_that_this_task_made_goes_with_its_rollback(instance: Instance) -> None:
    app_id = await instance.save([using("api", "api:never")])
    async with instance.worker():
        before = await instance.snapshot()
        task_id = await instance.exec(app_id)

        async def made() -> bool:
            return CLAIM in await instance.snapshot()

        await instance.until(made)
        await instance.service.cancel(app_id, task_id, "ada", "enough")
        task = await instance.settled(task_id)
        assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
        assert CLAIM not in await instance.snapshot()
        assert set(await instance.snapshot()) == set(before)


@pytest.mark.parametrize("preflight", [True, False])
@pytest.mark.parametrize("image", ["api:1", "api:never"])
async def test_a_claim_that_is_there_is_used_and_stays_as_it_is(
    instance: Instance, image: str, preflight: bool
) -> None:
    theirs = await strangers(instance)
    app_id = await instance.save([using("api", image)])
    async with instance.worker():
        task_id = await instance.exec(app_id, ExecOptions(preflight=preflight, timeout_seconds=3))
        task = await instance.settled(task_id)
    assert task.status is (TaskStatus.COMPLETED if image == "api:1" else TaskStatus.TIMEOUT), task.reason
    assert content(await instance.cluster.get(CLAIM)) == content(theirs)
    assert CLAIM not in [row.ref for row in await instance.journal(task_id)]


async def test_a_dry_run_tells_which(instance: Instance) -> None:
    app_id = await instance.save([using("api")])
    said = []
    async with instance.worker():
        for make in (False, True):
            if make:
                await strangers(instance)
            task_id = await instance.exec(app_id, ExecOptions(dry_run=True))
            await instance.settled(task_id)
            said += [job.info for job in await instance.jobs(task_id) if job.kind == CLAIM.kind]
    assert said == ["would create", "is there already: used as it is"]


async def test_a_claim_that_somebody_makes_meanwhile_is_used_as_it_is(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    app_id = await instance.save([using("api")])
    create = type(instance.cluster).create
    theirs: list[Manifest] = []

    async def late(cluster: Any, manifest: Manifest, **options: Any) -> Manifest:
        if ObjectRef.of(manifest) == CLAIM and not options.get("dry_run") and not theirs:
            spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
            meta = {"name": "archive", "namespace": "default"}
            body = {"apiVersion": "v1", "kind": CLAIM.kind, "metadata": meta, "spec": spec}
            theirs.append(await create(cluster, body))
            raise AlreadyExists("archive is there", status=409)
        return await create(cluster, manifest, **options)

    monkeypatch.setattr(type(instance.cluster), "create", late)
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert content(await instance.cluster.get(CLAIM)) == content(theirs[0])


async def test_a_claim_of_another_application_is_named(instance: Instance) -> None:
    first = await instance.save([using("api")], name="first")
    second = await instance.save([using("api")], name="second")
    async with instance.worker():
        assert (await instance.settled(await instance.exec(first))).status is TaskStatus.COMPLETED
        for options in (ExecOptions(), ExecOptions(dry_run=True)):
            task = await instance.settled(await instance.exec(second, options))
            [job] = [job for job in await instance.jobs(task.id) if job.kind == CLAIM.kind]
            [warning] = warnings_in(job.info)
            assert "another application has made it" in warning
            assert "application first" in warning


@pytest.mark.parametrize("ends", ["is cancelled", "is deleted with its volumes"])
async def test_a_claim_that_another_application_uses_by_then_stays_and_is_named(instance: Instance, ends: str) -> None:
    """It has only named it, and completed with it: its data is in there."""
    maker = await instance.save([using("api", "api:never" if ends == "is cancelled" else "api:1")], name="maker")
    user = await instance.save([using("web")], name="user")
    async with instance.worker():
        making = await instance.exec(maker)

        async def made() -> bool:
            return CLAIM in await instance.snapshot()

        await instance.until(made)
        if ends != "is cancelled":
            assert (await instance.settled(making)).status is TaskStatus.COMPLETED
        assert (await instance.settled(await instance.exec(user))).status is TaskStatus.COMPLETED
        there = await instance.cluster.get(CLAIM)
        if ends == "is cancelled":
            await instance.service.cancel(maker, making, "ada", "enough")
            task = await instance.settled(making)
        else:
            told = await instance.previews.of_deletion(maker, keep_resources=False, delete_volumes=True)
            assert (CLAIM in told.removes, CLAIM in told.keeps) == (False, True)
            removal = await instance.service.delete_application(maker, "ada", delete_volumes=True)
            task = await instance.settled(removal.id)
        assert task.cleanup in (Cleanup.NONE, Cleanup.DONE), task.cleanup_why
        now = await instance.cluster.get(CLAIM)
        assert now["metadata"]["uid"] == there["metadata"]["uid"]
        assert "deletionTimestamp" not in now["metadata"]
        [why] = [row.why for row in await instance.journal(task.id) if row.ref == CLAIM]
        assert "holds data, and Pod/" in why
        assert "of application user uses it: kept" in why
