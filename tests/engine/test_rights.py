"""The engine under the rights of deploy/rbac.yaml, and no others: a cluster that enforces RBAC.

An account without ``bind`` may write a binding only while its role is there and holds nothing that the account lacks.
"""

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubemin.cluster import Cluster
from kubemin.engine import ExecOptions
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubesim.resources import RESOURCES
from kubesim.server import SimServer
from tests.engine.instance import QUICK, Instance, conf, web
from tests.engine.test_manifests import GROUP, LIMITS, definition, manifests, names, start
from tests.engine.test_points import differences
from tests.waiting import PATIENCE, until_true

ROOT = Path(__file__).parents[2]
EXAMPLES = {file.stem: yaml.safe_load(file.read_text()) for file in sorted((ROOT / "examples").glob("*.yaml"))}

ROLE = ObjectRef("Role", "default", "shop-api")
BINDING = ObjectRef("RoleBinding", "default", "shop-api")


@pytest.fixture
async def sim() -> AsyncIterator[SimServer]:
    """With what an administrator has applied."""
    async with SimServer(speed=50, authorize=True) as server:
        plurals = {resource.kind: resource.plural for resource in RESOURCES.values()}
        for item in yaml.safe_load_all((ROOT / "deploy" / "rbac.yaml").read_text()):
            namespace = item["metadata"].get("namespace", "")
            server.registry.create(plurals[item["kind"]], namespace, item, manager="kubectl")
        yield server


@pytest.fixture
async def cluster(sim: SimServer, tmp_path: Path) -> AsyncIterator[Cluster]:
    """As the ServiceAccount."""
    async with _connected(sim, tmp_path / "account", sim.account_token("kubemin", "kubemin")) as connection:
        yield connection


@pytest.fixture
async def admin(sim: SimServer, tmp_path: Path, instance: Instance) -> AsyncIterator[Instance]:
    """To look at the cluster, and to meddle with it."""
    async with _connected(sim, tmp_path / "admin", None) as connection:
        yield replace(instance, cluster=connection)


@asynccontextmanager
async def _connected(sim: SimServer, file: Path, token: str | None) -> AsyncIterator[Cluster]:
    await asyncio.to_thread(file.write_text, sim.kubeconfig(token))
    connection = await Cluster.connect(kubeconfig=str(file), context=None, timeout=PATIENCE)
    yield connection
    await connection.aclose()


def api(image: str = "api:1", verbs: str = "get", **more: Any) -> dict[str, Any]:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs.split(",")}]
    return web("api", image, traits={"rbac": [{"rules": rules, **more}]})


async def test_a_role_and_its_binding_come_change_and_go(instance: Instance, admin: Instance) -> None:
    empty = await admin.snapshot()
    app_id = await instance.save([conf("settings", a="1"), api()])
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
        assert task.status is TaskStatus.COMPLETED, task.reason
        await instance.save([conf("settings", a="1"), api(verbs="get,list", bindingLabels={"v": "2"})], app_id=app_id)
        task = await instance.settled(await instance.exec(app_id))
        assert task.status is TaskStatus.COMPLETED, task.reason
        assert (await admin.cluster.get(ROLE))["rules"][0]["verbs"] == ["get", "list"]
        assert (await admin.cluster.get(BINDING))["metadata"]["labels"]["v"] == "2"
        removal = await instance.service.delete_application(app_id, "ada")
        assert (await instance.settled(removal.id)).status is TaskStatus.COMPLETED
    assert differences(empty, await admin.snapshot()) == []


@pytest.mark.parametrize("installed", [False, True], ids=["the first time", "an update"])
async def test_a_cancel_puts_all_of_it_back(installed: bool, instance: Instance, admin: Instance) -> None:
    app_id = await instance.save([api()])
    async with instance.worker():
        if installed:
            await instance.settled(await instance.exec(app_id))
        before = await admin.snapshot()
        await instance.save([api("api:never", "get,watch", bindingLabels={"v": "2"})], app_id=app_id)
        task_id = await instance.exec(app_id)

        async def bound() -> bool:
            return any(row.ref == BINDING and row.uid for row in await instance.journal(task_id))

        await instance.until(bound)
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
    assert differences(before, await admin.snapshot()) == []


async def test_an_authorizer_that_lags_is_waited_for(instance: Instance, sim: SimServer) -> None:
    sim.authorization.policy.hold()
    task_id = await instance.exec(await instance.save([api()]))
    async with instance.worker():

        async def waits() -> bool:
            return any("until the cluster knows its role" in (job.info or "") for job in await instance.jobs(task_id))

        await instance.until(waits)
        sim.authorization.policy.release()
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason


async def test_it_is_not_waited_for_without_end(
    instance: Instance, admin: Instance, sim: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubemin.engine.deploy.write.PATIENCE", 0.3)
    before = await admin.snapshot()
    sim.authorization.policy.hold()
    task_id = await instance.exec(await instance.save([api()]))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert (task.status, task.cleanup) == (TaskStatus.FAILED, Cleanup.DONE)
    assert 'roles.rbac.authorization.k8s.io "shop-api" not found' in task.reason
    assert differences(before, await admin.snapshot()) == []


async def test_a_dry_run_knows_what_the_run_will_make(instance: Instance) -> None:
    app_id = await instance.save([api()])
    async with instance.worker():
        task_id = await instance.exec(app_id, ExecOptions(dry_run=True))
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    assert {job.info for job in await instance.jobs(task_id)} == {"would create"}


async def test_a_binding_without_its_role_is_another_matter(instance: Instance, admin: Instance) -> None:
    """Somebody deleted the role: the next run makes it again, and changes the binding if that is another now."""
    app_id = await instance.save([api()])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        role = await admin.cluster.get(ROLE)
        await admin.cluster.delete(ROLE, uid=role["metadata"]["uid"])
        for part, said in ((api(), "no change"), (api(bindingLabels={"v": "2"}), "would write")):
            await instance.save([part], app_id=app_id)
            told = await instance.exec(app_id, ExecOptions(dry_run=True))
            assert (await instance.settled(told)).status is TaskStatus.COMPLETED
            infos = {job.name.split("/")[1]: job.info for job in await instance.jobs(told)}
            assert (infos["Role"], infos["RoleBinding"]) == ("would create", said)
        task = await instance.settled(await instance.exec(app_id))
    assert task.status is TaskStatus.COMPLETED, task.reason


async def test_a_role_beyond_the_accounts_rights_is_told_before_the_first_write(
    instance: Instance, admin: Instance
) -> None:
    grants = ObjectRef("ClusterRoleBinding", "", "kubemin-grants")
    found = await admin.cluster.get(grants)
    await admin.cluster.delete(grants, uid=found["metadata"]["uid"])  # where no application is to use the trait
    rules = [{"apiGroups": [""], "resources": ["endpoints"], "verbs": ["get"]}]
    part = web("api", traits={"rbac": [{"rules": rules}]})
    task_id = await instance.exec(await instance.save([conf("settings", a="1"), part]))
    async with instance.worker():
        task = await instance.settled(task_id)
    assert task.status is TaskStatus.FAILED
    assert task.reason.startswith("refused before anything was written: Cannot create Role/default/shop-api")
    assert 'not currently held:\n{APIGroups:[""], Resources:["endpoints"], Verbs:["get"]}' in task.reason
    assert "RoleBinding" not in task.reason
    assert await instance.journal(task_id) == []


async def test_a_restore_without_its_role_is_named(instance: Instance, admin: Instance) -> None:
    """Somebody deletes the role in mid-update: the binding cannot be put back, and the task says why."""
    app_id = await instance.save([api()])
    async with instance.worker():
        await instance.settled(await instance.exec(app_id))
        await instance.save([api("api:never", bindingLabels={"v": "2"})], app_id=app_id)
        task_id = await instance.exec(app_id)

        async def changed() -> bool:
            rows = {row.ref: row.state for row in await instance.journal(task_id)}
            return rows.get(BINDING) is ResourceState.CHANGED

        await instance.until(changed)
        role = await admin.cluster.get(ROLE)
        await admin.cluster.delete(ROLE, uid=role["metadata"]["uid"])
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
    assert task.cleanup is Cleanup.INCOMPLETE
    assert "a binding is not changed without its role" in (task.cleanup_why or "")


def _changed(components: list[dict[str, Any]], image: str | None) -> list[dict[str, Any]]:
    """Each component with another label, and the last that has an image with this one."""
    parts = copy.deepcopy(components)
    for part in parts:
        part.setdefault("properties", {}).setdefault("labels", {})["version"] = "2"
    if image is not None:
        [part for part in parts if part["type"] == "webservice"][-1]["image"] = image
    return parts


_DAILY = ("monitoring", "web-with-postgres")


@pytest.mark.parametrize(
    "name", [name if name in _DAILY else pytest.param(name, marks=pytest.mark.proof) for name in EXAMPLES]
)
async def test_the_rights_are_enough_for_every_example(name: str, instance: Instance, admin: Instance) -> None:
    """Deployed, and removed with its data."""
    before = await admin.snapshot()
    app_id = await instance.save(EXAMPLES[name]["component"])
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
        assert task.status is TaskStatus.COMPLETED, task.reason
        removal = await instance.service.delete_application(app_id, "ada", delete_volumes=True)
        assert (await instance.settled(removal.id)).status is TaskStatus.COMPLETED
    assert differences(before, await admin.snapshot()) == []


@pytest.mark.parametrize("name", ["hello", "shop"])
async def test_an_example_comes_changes_and_goes(name: str, instance: Instance, admin: Instance) -> None:
    """Deployed, an update of every object cancelled, updated, removed with its data."""
    data = EXAMPLES[name]
    before = await admin.snapshot()
    app_id = await instance.save(data["component"], workflow=data.get("workflow"))
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
        assert task.status is TaskStatus.COMPLETED, task.reason
        deployed = await admin.snapshot()
        await instance.save(_changed(data["component"], "nginx:never"), app_id=app_id)
        task_id = await instance.exec(app_id)

        async def waits() -> bool:
            return any("replicas" in (job.info or "") for job in await instance.jobs(task_id)) and all(
                row.uid for row in await instance.journal(task_id)
            )

        await instance.until(waits)
        await instance.service.cancel(app_id, task_id, "ada", "no")
        task = await instance.settled(task_id)
        assert (task.status, task.cleanup) == (TaskStatus.CANCELLED, Cleanup.DONE), task.cleanup_why
        assert differences(deployed, await admin.snapshot()) == []
        await instance.save(_changed(data["component"], None), app_id=app_id)
        task = await instance.settled(await instance.exec(app_id))
        assert task.status is TaskStatus.COMPLETED, task.reason
        removal = await instance.service.delete_application(app_id, "ada", delete_volumes=True)
        assert (await instance.settled(removal.id)).status is TaskStatus.COMPLETED
    assert set(await admin.snapshot()) - set(before) == set()


async def test_a_definition_stays_where_nobody_may_see_what_is_of_its_kind(
    instance: Instance, admin: Instance, sim: SimServer
) -> None:
    """Its deletion would take along whatever there is. The right that is missing is named, and then it goes."""

    def grant(name: str, group: str, resource: str) -> None:
        rule = {"apiGroups": [group], "resources": [resource], "verbs": ["*"]}
        sim.registry.create("clusterroles", "", {"metadata": {"name": name}, "rules": [rule]}, manager="kubectl")
        bound = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
        account = {"kind": "ServiceAccount", "name": "kubemin", "namespace": "kubemin"}
        binding = {"metadata": {"name": name}, "roleRef": bound, "subjects": [account]}
        sim.registry.create("clusterrolebindings", "", binding, manager="kubectl")

    sim.registry.delete("clusterrolebindings", "", "kubemin-namespaces")  # with it everything may be listed
    grant("definitions", "apiextensions.k8s.io", "customresourcedefinitions")
    instance.service._limits = LIMITS
    async with instance.worker(QUICK):
        task_id = await start(instance, manifests("kind", definition("Widget")), web("late", "late:never"))
        await until_true(lambda: "shop-late" in names(instance, "deployments"))
        task = await instance.task(task_id)
        await instance.service.cancel(task.app_id, task_id, "ada", "no", None)

        async def named() -> bool:
            return "cannot list resource" in (await instance.task(task_id)).cleanup_why

        await instance.until(named)
        assert sim.registry.get("customresourcedefinitions", "", f"widgets.{GROUP}")
        grant("widgets", GROUP, "widgets")

        async def done() -> bool:
            return (await instance.task(task_id)).cleanup is Cleanup.DONE

        await instance.until(done)
    assert names(instance, "customresourcedefinitions") == []
