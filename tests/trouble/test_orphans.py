"""Orphans: found also when the database is lost, deleted by uid, and never what somebody accounts for."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kubemin.engine import ExecOptions
from kubemin.engine.entry.orphans import Orphans
from kubemin.spec.labels import APP_ID, MANAGED_BY, MANAGER, TASK_ID
from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database
from kubesim.faults import Fault, RequestInfo
from tests.cli.kubemin import Kubemin, Running
from tests.cli.terminal import Terminal
from tests.engine.instance import EVERYTHING, Instance, conf, web
from tests.engine.test_points import differences


@pytest.fixture
async def lost(tmp_path: Path, migrated: Path) -> AsyncIterator[Database]:
    """A new database, in which nothing is known."""
    shutil.copy(migrated, tmp_path / "lost.db")
    database = await Database.open(f"sqlite:///{tmp_path}/lost.db")
    yield database
    await database.aclose()


def labelled(name: str, **more: Any) -> Manifest:
    """A ConfigMap that says it was made by some task."""
    labels = {MANAGED_BY: MANAGER, TASK_ID: "n" * 24, APP_ID: "a" * 24}
    meta: Manifest = {"name": name, "namespace": "default", "labels": labels, **more}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


async def deployed(instance: Instance) -> str:
    """An application in the cluster, and a ConfigMap of others that it changed."""
    settings = {"metadata": {"name": "settings"}, "data": {"theirs": "1"}}
    instance.adopts = True
    instance.sim.registry.create("configmaps", "default", settings, manager="kubectl")
    app_id = await instance.save(EVERYTHING)
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id))
    assert task.status is TaskStatus.COMPLETED, task.reason
    return app_id


async def test_with_its_database_nothing_is_an_orphan(instance: Instance) -> None:
    """Neither what was deployed, nor what a rollback left to its owners, nor the claims of templates."""
    app_id = await deployed(instance)
    orphans = Orphans(instance.db, instance.cluster, Limits())
    assert await orphans.find() == []
    await instance.save([*EVERYTHING[:3], web("api", "api:never")], app_id=app_id)
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id, ExecOptions(timeout_seconds=1)))
    assert task.cleanup is Cleanup.DONE, task.cleanup_why
    assert await orphans.find() == []


async def test_after_the_database_was_lost_all_is_found_and_can_go(instance: Instance, lost: Database) -> None:
    before = await instance.snapshot()
    await deployed(instance)
    there = await instance.snapshot()
    orphans = Orphans(lost, instance.cluster, Limits())
    found = {one.ref: one for one in await orphans.find()}
    made = {ref for ref in there if ref not in before and ref.kind not in ("ReplicaSet", "ControllerRevision", "Pod")}
    assert found.keys() == made - {ObjectRef("ConfigMap", "default", "settings")}  # that one is others'
    claim = ObjectRef("PersistentVolumeClaim", "default", "data-shop-db-0")
    assert found[claim].why == "a claim of the orphaned StatefulSet shop-db"
    assert {one.why for one in found.values() if one.ref != claim} == {"its task is not known"}

    outcomes = {one.ref: one.error for one in await orphans.delete()}
    assert outcomes.keys() == found.keys()
    assert [ref for ref, error in outcomes.items() if error] == [claim]  # data does not go unasked

    async def only_the_claim() -> bool:
        left = await orphans.find()
        pods = (await instance.cluster.list("Pod", "default")).items
        return [one.ref for one in left] == [claim] and not pods

    await instance.until(only_the_claim)
    (left,) = await orphans.find()
    assert left.why == "holds data: kept; its StatefulSet is gone, and its application is not known"
    assert [one.error for one in await orphans.delete(volumes=True)] == [""]

    async def all_gone() -> bool:
        now = await instance.snapshot()
        return {ref for ref in now if ref not in before} == {ObjectRef("ConfigMap", "default", "settings")}

    await instance.until(all_gone)


async def test_an_object_that_is_another_by_then_is_not_deleted(instance: Instance, lost: Database) -> None:
    registry = instance.sim.registry
    for name in ("replaced", "edited", "relabelled"):
        registry.create("configmaps", "default", labelled(name), manager="kubemin")

    def meanwhile(info: RequestInfo) -> None:
        if info.name == "replaced":
            registry.delete("configmaps", "default", "replaced")
            registry.create("configmaps", "default", labelled("replaced"), manager="operator")
        else:
            change = {"data": {"a": "1"}} if info.name == "edited" else {"metadata": {"labels": {TASK_ID: "m" * 24}}}
            merge = "application/merge-patch+json"
            registry.patch("configmaps", "default", info.name, merge, change, manager="operator")

    for name in ("replaced", "edited", "relabelled"):
        instance.sim.faults.add(Fault("call", verb="delete", resource="configmaps", name=name, call=meanwhile))
    outcomes = {one.ref.name: one.error for one in await Orphans(lost, instance.cluster, Limits()).delete()}
    assert outcomes == {
        "replaced": "it is another's by now",
        "edited": "",  # changed, but still the same object that nobody accounts for
        "relabelled": "it is another's by now",
    }
    left = {item["metadata"]["name"] for item in registry.scan("configmaps")}
    assert {"replaced", "relabelled"} <= left
    assert "edited" not in left


async def test_only_what_was_shown_is_deleted(instance: Instance, lost: Database) -> None:
    """What became an orphan after the list, nobody has agreed to."""
    registry = instance.sim.registry
    registry.create("configmaps", "default", labelled("seen"), manager="kubemin")
    orphans = Orphans(lost, instance.cluster, Limits())
    seen = [one.uid for one in await orphans.find()]
    registry.create("configmaps", "default", labelled("later"), manager="kubemin")
    assert [one.ref.name for one in await orphans.delete(only=seen)] == ["seen"]
    assert [one.ref.name for one in await orphans.find()] == ["later"]
    assert await orphans.delete(only=[]) == []


async def test_what_a_controller_made_is_never_one(instance: Instance, lost: Database) -> None:
    """Controllers copy labels: what has a controller goes with it, or stays with it."""
    registry = instance.sim.registry
    owner = registry.create("configmaps", "default", {"metadata": {"name": "owner"}}, manager="operator")
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "owner",
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    registry.create("configmaps", "default", labelled("copied", ownerReferences=[reference]), manager="operator")
    registry.create("configmaps", "default", labelled("orphan"), manager="kubemin")
    assert [one.ref.name for one in await Orphans(lost, instance.cluster, Limits()).find()] == ["orphan"]


async def test_what_an_application_has_is_none_though_its_task_is_not_known(instance: Instance) -> None:
    """A database that was restored from a backup knows the application, and not the task that deployed it."""
    app_id = await instance.save([conf("kept", a="1")])
    for name in ("kept", "dropped"):
        made = labelled(name)
        made["metadata"]["labels"][APP_ID] = app_id
        instance.sim.registry.create("configmaps", "default", made, manager="kubemin")
    assert [one.ref.name for one in await Orphans(instance.db, instance.cluster, Limits()).find()] == ["dropped"]


async def test_an_application_that_only_a_setting_allows_accounts_for_no_more_than_it_has(instance: Instance) -> None:
    """What the server's own settings allow is read as such: else its application would account for everything."""
    limits = Limits(allow_host_path=True)
    volumes = [{"name": "data", "type": "host-mounted", "mountPath": "/data", "hostPath": "/data"}]
    app_id = await instance.save([web("api", traits={"storage": volumes})], limits=limits)
    made = labelled("dropped")
    made["metadata"]["labels"][APP_ID] = app_id
    instance.sim.registry.create("configmaps", "default", made, manager="kubemin")
    assert [one.ref.name for one in await Orphans(instance.db, instance.cluster, limits).find()] == ["dropped"]


@pytest.mark.parametrize("used", [False, True], ids=["empty", "used-by-others"])
async def test_a_namespace_goes_only_when_it_holds_nothing_of_others(
    instance: Instance, lost: Database, used: bool
) -> None:
    before = await instance.snapshot()
    app_id = await instance.save([conf("settings", a="1"), web("api")], namespace="shop")
    async with instance.worker():
        task = await instance.settled(await instance.exec(app_id, ExecOptions(create_namespace=True)))
    assert task.status is TaskStatus.COMPLETED, task.reason
    if used:
        theirs = {"metadata": {"name": "theirs"}, "data": {}}
        instance.sim.registry.create("configmaps", "shop", theirs, manager="kubectl")
    outcomes = {one.ref.kind: one.error for one in await Orphans(lost, instance.cluster, Limits()).delete()}
    assert outcomes.keys() == {"Namespace", "ConfigMap", "Service", "Deployment"}
    if used:
        assert outcomes["Namespace"] == "it holds ConfigMap/theirs"
        assert ObjectRef("ConfigMap", "shop", "theirs") in await instance.snapshot()
        return
    assert set(outcomes.values()) == {""}

    async def gone() -> bool:
        return all(found["metadata"]["name"] != "shop" for found in instance.sim.registry.scan("namespaces"))

    await instance.until(gone)
    assert differences(before, await instance.snapshot()) == []


async def test_a_task_at_work_and_an_incomplete_cleanup_account_for_theirs(instance: Instance) -> None:
    stuck = instance.sim.faults.add(Fault("status", code=403, verb="delete", resource="configmaps", times=None))
    app_id = await instance.save([conf("settings", a="1"), web("api", "api:never")])
    orphans = Orphans(instance.db, instance.cluster, Limits())
    async with instance.worker():
        task_id = await instance.exec(app_id, ExecOptions(timeout_seconds=1))

        async def waiting() -> bool:
            return any(job.info for job in await instance.jobs(task_id))

        await instance.until(waiting)
        assert await orphans.find() == []
        assert (await instance.settled(task_id)).cleanup is Cleanup.INCOMPLETE
        assert await orphans.find() == []
    instance.sim.faults.remove(stuck)


def test_the_command_lists_before_it_deletes(server: Running, tmp_path: Path) -> None:
    kubemin = Kubemin(tmp_path, server.url)
    cluster = server.wait_for(r"simulated cluster at (http://\S+)")[1]
    collection = f"{cluster}/api/v1/namespaces/default/configmaps"
    query = {"fieldManager": "kubemin"}
    assert httpx.post(collection, params=query, json=labelled("orphan-1"), trust_env=False).status_code == 201
    listed = kubemin("orphans")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "ConfigMap  default    orphan-1" in listed.stdout
    assert httpx.get(f"{collection}/orphan-1", trust_env=False).status_code == 200
    done = kubemin("orphans", "--delete", stdin="")  # nobody is there to be asked
    assert (done.returncode, done.stderr) == (0, "")
    before, after = done.stdout.split("\n\n")
    assert "its task is not known" in before
    assert "deleted" in after
    assert httpx.get(f"{collection}/orphan-1", trust_env=False).status_code == 404
    assert kubemin("orphans").stdout == "no orphans\n"


def test_at_a_terminal_it_asks_before_it_deletes(server: Running, tmp_path: Path) -> None:
    cluster = server.wait_for(r"simulated cluster at (http://\S+)")[1]
    collection = f"{cluster}/api/v1/namespaces/default/configmaps"
    query = {"fieldManager": "kubemin"}
    assert httpx.post(collection, params=query, json=labelled("orphan-2"), trust_env=False).status_code == 201

    def there() -> bool:
        return httpx.get(f"{collection}/orphan-2", trust_env=False).status_code == 200

    env = {"KUBEMIN_SERVER": server.url}
    for keys in ("n\n", "\n"):
        terminal = Terminal(tmp_path, "orphans", "--delete", env=env)
        terminal.wait_for(r"orphan-2[\s\S]*empty or another database[\s\S]*\[y/N\]")
        assert there()
        terminal.type(keys)
        assert terminal.end() == 0
        assert "nothing was deleted" in terminal.shown
        assert there()
    terminal = Terminal(tmp_path, "orphans", "--delete", "-o", "json", env=env)
    assert terminal.end() == 2
    assert there()
    terminal = Terminal(tmp_path, "orphans", "--delete", env=env)
    terminal.wait_for(r"\[y/N\]")
    terminal.type("y\n")
    assert terminal.end() == 0
    assert not there()
    assert httpx.post(collection, params=query, json=labelled("orphan-2"), trust_env=False).status_code == 201
    terminal = Terminal(tmp_path, "orphans", "--delete", "--yes", env=env)
    assert terminal.end() == 0
    assert "[y/N]" not in terminal.shown
    assert not there()
