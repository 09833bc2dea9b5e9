"""The engine itself, against whatever cluster: stopped half way, the namespace is as it was.

No Pod need run: that one never gets ready is what the runs are stopped for.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from kubemin.dispatch import LocalDoorbell
from kubemin.engine import ExecOptions, TaskService
from kubemin.engine.objects.ownership import token_of
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.kinds import KINDS
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubemin.store import Database
from kubesim.server import SimServer
from tests.engine.instance import LIMITS, QUICK, Instance, comparable, conf, secret, store, web
from tests.engine.test_points import differences
from tests.manifests import configmap

from .kube import Json, Kube, entries, meta

pytestmark = pytest.mark.controllers

NEVER = "image.invalid/never:1"
PATIENT = QUICK.model_copy(update={"cleanup_seconds": 90, "lease_seconds": 15})
_COMPARED = [kind.name for kind in KINDS.values() if kind.namespaced and kind.name not in ("Pod", "Event")]


@pytest.fixture
async def instance(kube: Kube, tmp_path: Path) -> AsyncIterator[Instance]:
    db = await Database.open(f"sqlite:///{tmp_path}/kubemin.db")
    await db.migrate()
    hub = LocalHub()
    service = TaskService(db, LocalSignals(hub), LocalDoorbell(), LIMITS)
    sim = cast("SimServer", None)  # of the simulated one nothing is used
    yield Instance(db, sim, kube.cluster, service, hub, adopts=True)
    await db.aclose()


async def snapshot(kube: Kube) -> dict[ObjectRef, Manifest]:
    """All that is in the namespace, with its owners, but without status and what only counts up."""
    found = {}
    for kind in _COMPARED:
        for item in (await kube.cluster.list(kind, kube.namespace)).items:
            found[ObjectRef.of(item)] = {**comparable(item), "owners": _owners(item)}
    return found


def _owners(item: Manifest) -> dict[str, Json]:
    """What each manager owns; ours together, since the engine turns one kind of entry into the other."""
    return {
        f"{manager}/{subresource}" if manager == "kubemin" else f"{manager}/{operation}/{subresource}": fields
        for (manager, operation, subresource), fields in entries(item).items()
        if subresource != "status"
    }


async def written(instance: Instance, task_id: str) -> bool:
    """Whether all is in the cluster, and only what never gets ready is waited for."""
    jobs = await instance.jobs(task_id)
    return bool(jobs) and all(job.status.ended or job.info for job in jobs)


async def stopped(instance: Instance, app_id: str) -> str:
    """Deploy, and cancel once everything is written."""
    task_id = await instance.exec(app_id)
    await instance.until(lambda: written(instance, task_id))
    await instance.service.cancel(app_id, task_id, "ada", "no")
    async with asyncio.timeout(120):
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
    return task_id


def parts(version: str) -> list[dict[str, Any]]:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
    api = web("api", NEVER, traits={"rbac": [{"rules": rules}], "ingress": [_ingress()]})
    job = {"name": "task", "type": "job", "image": NEVER}
    return [conf("settings", a=version), secret("keys", k=version), store("db", NEVER), api, job]


def _ingress() -> dict[str, Any]:
    return {"hosts": ["kubemin.test"], "routes": [{"backend": {"serviceName": "api"}}]}


async def furnish(kube: Kube) -> None:
    """Objects of others, where the application has some of the same names: one applied, one not, both with more in."""
    theirs = configmap("settings", data={"a": "theirs", "z": "9"}, labels={"theirs": "yes"})
    (await kube.apply("configmaps", theirs, manager="helm")).ok(201)
    keys = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"other": "x"}}
    await kube.make("secrets", keys, manager="kubectl-create")


async def test_a_deploy_that_is_stopped_leaves_nothing(kube: Kube, instance: Instance) -> None:
    await furnish(kube)
    before = await snapshot(kube)
    app_id = await instance.save(parts("1"), namespace=kube.namespace)
    async with instance.worker(PATIENT):
        task_id = await stopped(instance, app_id)
    assert differences(before, await snapshot(kube)) == []
    states = {row.ref.kind: row.state for row in await instance.journal(task_id)}
    assert states.pop("ConfigMap") is states.pop("Secret") is ResourceState.RESTORED
    assert set(states.values()) == {ResourceState.DELETED}
    assert {"Deployment", "StatefulSet", "Service", "Job", "Ingress", "Role", "RoleBinding", "ServiceAccount"} <= (
        states.keys()
    )
    # The former owner goes on as if nothing had been: no conflict, and what it drops goes.
    next_one = configmap("settings", data={"a": "later"}, labels={"theirs": "yes"})
    assert (await kube.apply("configmaps", next_one, manager="helm")).ok()["data"] == {"a": "later"}


async def test_an_update_that_is_stopped_is_put_back(kube: Kube, instance: Instance) -> None:
    """What a first run made, with its claims, and the objects of others that it changed."""
    await furnish(kube)
    untouched = await snapshot(kube)
    app_id = await instance.save(
        [conf("settings", a="1"), secret("keys", k="1"), conf("own", a="1")], namespace=kube.namespace
    )
    async with instance.worker(PATIENT):
        first = await instance.settled(await instance.exec(app_id))
        assert first.status is TaskStatus.COMPLETED, first.reason
        before = await snapshot(kube)
        own = ObjectRef("ConfigMap", kube.namespace, "own")
        claim = token_of(await kube.cluster.get(own))
        assert claim
        changed = [*parts("2"), conf("own", a="2", b="2")]
        await instance.save(changed, app_id=app_id, namespace=kube.namespace)
        await stopped(instance, app_id)
        assert differences(before, await snapshot(kube)) == []
        assert token_of(await kube.cluster.get(own)) == claim
        removal = await instance.service.delete_application(app_id, "ada")
        gone = await instance.settled(removal.id)
        assert gone.status is TaskStatus.COMPLETED, gone.reason
    after = await snapshot(kube)
    assert own not in after
    assert after.keys() == untouched.keys()


async def test_what_somebody_edits_meanwhile_stays(kube: Kube, instance: Instance) -> None:
    await furnish(kube)
    app_id = await instance.save(parts("1"), namespace=kube.namespace)
    async with instance.worker(PATIENT):
        task_id = await instance.exec(app_id)
        await instance.until(lambda: written(instance, task_id))
        (await kube.patch("configmaps", "settings", {"data": {"z": "edited"}}, manager="someone")).ok()
        (await kube.patch("secrets", "keys", {"stringData": {"k": "edited"}}, manager="someone")).ok()
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    rows = {row.ref.kind: row for row in await instance.journal(task_id)}
    assert rows["ConfigMap"].state is ResourceState.RESTORED
    assert (rows["Secret"].state, "data.k" in rows["Secret"].why) == (ResourceState.KEPT, True)
    assert (await kube.read("configmaps", "settings"))["data"] == {"a": "theirs", "z": "edited"}
    secret_ = await kube.read("secrets", "keys")
    assert secret_["data"] == {"other": "eA==", "k": "ZWRpdGVk"}
    assert "annotations" not in meta(secret_)


async def test_what_the_server_would_refuse_stops_it_first(kube: Kube, instance: Instance) -> None:
    sealed = {**configmap("settings", data={"a": "0"}), "immutable": True}
    await kube.make("configmaps", sealed, manager="kubectl-create")
    before = await snapshot(kube)
    app_id = await instance.save(parts("1"), namespace=kube.namespace)
    async with instance.worker(PATIENT):
        task = await instance.settled(await instance.exec(app_id))
        assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.NONE)
        assert "refused before anything was written" in task.reason
        assert "immutable" in task.reason
        elsewhere = await instance.save(
            [conf("settings", a="1"), web("api", NEVER)], namespace=f"{kube.namespace}-not-there", name="elsewhere"
        )
        lost = await instance.settled(await instance.exec(elsewhere))
        assert (lost.status, lost.cleanup) == (TaskStatus.FAILED, Cleanup.NONE)
    assert differences(before, await snapshot(kube)) == []


async def test_a_namespace_that_was_made_goes_again(kube: Kube, instance: Instance) -> None:
    name = f"{kube.namespace}-new"
    app_id = await instance.save(parts("1"), namespace=name)
    async with instance.worker(PATIENT):
        task_id = await instance.exec(app_id, ExecOptions(create_namespace=True))
        await instance.until(lambda: written(instance, task_id))
        await instance.service.cancel(app_id, task_id, "ada", "no")
        async with asyncio.timeout(120):
            task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    (await kube.get("namespaces", name)).refused(404, "NotFound")
