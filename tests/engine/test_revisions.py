"""The run is the truth: what the database shows as current is what the cluster has."""

import asyncio
import base64
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kubemin.dispatch import LocalDoorbell
from kubemin.engine import EngineSettings, ExecOptions, TaskService
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.diffs import Diffs
from kubemin.engine.entry.sources import Draft, Former, Posted, Restart
from kubemin.engine.errors import NeverDeployed, RevisionNotFound, TaskActive
from kubemin.signals import LocalSignals
from kubemin.spec.application import parse_application
from kubemin.spec.issues import SpecError
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import OnActive, RevisionState, TaskStatus
from kubemin.store import components, revisions, workflows
from kubemin.store.tasks import Task
from tests.engine.instance import LIMITS, Instance, conf, secret, web

SETTINGS = ObjectRef("ConfigMap", "default", "settings")
MERGE = "application/merge-patch+json"


def posted(*parts: dict[str, Any], **more: Any) -> Posted:
    return Posted(parse_application({"name": "shop", "component": list(parts), **more}))


async def apply(instance: Instance, *parts: dict[str, Any], **more: Any) -> Task:
    """Run it, and wait for its end."""
    task = await instance.service.run(posted(*parts, **more), ExecOptions(), "ada", "why")
    return await instance.settled(task.id)


async def completed(instance: Instance, *parts: dict[str, Any], **more: Any) -> Task:
    task = await apply(instance, *parts, **more)
    assert task.status is TaskStatus.COMPLETED, task.reason
    return task


async def rolled_back(instance: Instance, app_id: str, number: int | None = None) -> Task:
    task = await instance.service.run(Former(app_id, number), ExecOptions(), "ada")
    task = await instance.settled(task.id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    return task


async def states(instance: Instance, app_id: str) -> dict[int, str]:
    async with instance.db.read() as tx:
        return {row.number: str(row.state) for row in await revisions.of_application(tx, app_id)}


async def current(instance: Instance, app_id: str) -> revisions.RevisionRow | None:
    async with instance.db.read() as tx:
        return await revisions.current(tx, app_id)


async def draft(instance: Instance, app_id: str) -> dict[str, Any]:
    async with instance.db.read() as tx:
        return {part.name: part.spec for part in await components.of_application(tx, app_id)}


async def data(instance: Instance, name: str = "settings") -> Any:
    listed = (await instance.cluster.list("ConfigMap", "default")).items
    return next((one["data"] for one in listed if name in one["metadata"]["name"]), None)


def diffs(instance: Instance) -> Diffs:
    return Diffs(instance.db, instance.cluster, LIMITS, ComputeThread())


async def test_a_run_that_completes_is_current_and_any_other_leaves_it(instance: Instance) -> None:
    async with instance.worker():
        first = await completed(instance, conf("settings", a="1"))
        app_id = first.app_id
        assert (await draft(instance, app_id))["settings"]["properties"]["conf"] == {"a": "1"}
        crashes = posted(conf("settings", a="2"), web("api", "api:crash"))
        failed = await instance.service.run(crashes, ExecOptions(hopeless_after_seconds=0.1), "ada")
        failed = await instance.settled(failed.id)
        assert failed.status is TaskStatus.FAILED
        slow = await instance.service.run(posted(web("api", "api:slow-200")), ExecOptions(), "ada")
        queued = await instance.service.run(posted(conf("settings", a="3")), ExecOptions(), "ada")
        await instance.service.cancel(app_id, queued.id, "ada", "no")
        await instance.service.cancel(app_id, slow.id, "ada", "no")
        await instance.settled(slow.id)
    assert await states(instance, app_id) == {4: "cancelled", 3: "cancelled", 2: "failed", 1: "current"}
    assert await data(instance) == {"a": "1"}
    assert (await draft(instance, app_id)).keys() == {"settings"}  # what failed has not replaced it


async def test_back_to_each(instance: Instance) -> None:
    """A rollback is a new revision with the old one's spec, secrets included; afterwards the draft is that too."""
    async with instance.worker():
        for value in ("1", "2", "3"):
            task = await completed(instance, conf("settings", a=value), secret("keys", token=f"token-{value}"))
        for number in (1, 3, 2, 1):
            await rolled_back(instance, task.app_id, number)
            found = await current(instance, task.app_id)
            assert found is not None
            assert await data(instance) == {"a": str(number)}
            assert found.spec["component"][1]["properties"]["secret"] == {"token": f"token-{number}"}
            assert await draft(instance, task.app_id) == {part["name"]: part for part in found.spec["component"]}
        before = await current(instance, task.app_id)
        assert before is not None
        await rolled_back(instance, task.app_id)  # the one before the current one
        assert await data(instance) == {"a": "2"}
        with pytest.raises(RevisionNotFound):
            await instance.service.run(Former(task.app_id, 99), ExecOptions(), "ada")
    assert list((await states(instance, task.app_id)).values()) == ["current", *["superseded"] * 7]


async def test_components_that_no_step_names_stay_as_they_are(instance: Instance) -> None:
    only = [{"name": "only", "components": ["settings"]}]
    async with instance.worker():
        first = await completed(instance, conf("settings", a="1"), conf("other", b="1"), conf("gone", c="1"))
        await completed(instance, conf("settings", a="2"), conf("other", b="2"), conf("new", d="1"), workflow=only)
    found = await current(instance, first.app_id)
    assert found is not None
    assert {part["name"]: part["properties"]["conf"] for part in found.spec["component"]} == {
        "settings": {"a": "2"},
        "other": {"b": "1"},
    }
    assert found.changes == {"added": [], "changed": ["settings"], "removed": ["gone"]}
    assert (await data(instance), await data(instance, "other")) == ({"a": "2"}, {"b": "1"})
    assert await data(instance, "new") is None
    assert await data(instance, "gone") is None


async def test_what_stays_is_as_it_is_at_the_end_and_not_as_it_was_when_asked(instance: Instance) -> None:
    """Two runs are queued; the second one does not name what the first one changes."""
    only = [{"name": "only", "components": ["settings"]}]
    async with instance.worker():
        first = await completed(instance, conf("settings", a="1"), conf("other", b="1"))
    between = posted(conf("settings", a="2"), conf("other", b="2"), conf("new", d="1"))
    await instance.service.run(between, ExecOptions(), "ada")
    parts = (conf("settings", a="3"), conf("other", b="3"), conf("new", d="3"))
    last = await instance.service.run(posted(*parts, workflow=only), ExecOptions(), "a")
    async with instance.worker():
        assert (await instance.settled(last.id)).status is TaskStatus.COMPLETED
    found = await current(instance, first.app_id)
    assert found is not None
    assert {part["name"]: part["properties"]["conf"] for part in found.spec["component"]} == {
        "settings": {"a": "3"},
        "other": {"b": "2"},
        "new": {"d": "1"},
    }
    assert await data(instance, "other") == {"b": "2"}
    assert await data(instance, "new") == {"d": "1"}  # it was not removed either


async def test_a_run_of_the_draft_is_a_revision_and_leaves_the_draft(instance: Instance) -> None:
    app_id = await instance.save([conf("settings", a="1")])
    task_id = await instance.exec(app_id)
    await instance.save([conf("settings", a="edited meanwhile")], app_id=app_id)
    async with instance.worker():
        await instance.settled(task_id)
    found = await current(instance, app_id)
    assert found is not None
    assert found.spec["component"][0]["properties"]["conf"] == {"a": "1"} == await data(instance)
    assert (await draft(instance, app_id))["settings"]["properties"]["conf"] == {"a": "edited meanwhile"}


async def test_restart_replaces_pods_and_nothing_else(instance: Instance) -> None:
    async def pods() -> dict[str, str]:
        found = (await instance.cluster.list("Pod", "default")).items
        return {one["metadata"]["uid"]: one["metadata"]["labels"]["app.kubernetes.io/name"] for one in found}

    async with instance.worker():
        task = await completed(instance, web("api"), web("front"), conf("settings", a="1"))
        before = await pods()
        again = await instance.service.run(Restart(task.app_id, ("api",)), ExecOptions(), "ada")
        await instance.settled(again.id)
        await instance.sim.controllers.settled()
        after = await pods()
        assert {name for uid, name in before.items() if uid not in after} == {"api"}
        await completed(instance, web("api"), web("front"), conf("settings", a="2"))
        assert (await pods()).keys() == after.keys()  # the next run goes on with it
        with pytest.raises(SpecError, match="settings"):
            await instance.service.run(Restart(task.app_id, ("settings",)), ExecOptions(), "ada")
    await instance.service.run(posted(web("api")), ExecOptions(), "ada")
    with pytest.raises(TaskActive):
        await instance.service.run(Restart(task.app_id), ExecOptions(on_active=OnActive.REJECT), "ada")
    other = await instance.save([web("api")], name="other")
    with pytest.raises(NeverDeployed):
        await instance.service.run(Restart(other), ExecOptions(), "ada")


async def test_drift_is_shown_and_mended_by_the_next_run(instance: Instance) -> None:
    parts = (conf("settings", a="1"), secret("keys", token="hush-hush"), web("api", "api:1"))
    async with instance.worker():
        task = await completed(instance, *parts)
        compare = diffs(instance).between
        assert await compare(task.app_id, "current", "live") == []
        (deployment,) = (await instance.cluster.list("Deployment", "default")).items
        name = deployment["metadata"]["name"]
        change = {"spec": {"template": {"metadata": {"labels": {"x": "y"}}}, "replicas": 3}}
        instance.sim.registry.patch("deployments", "default", name, MERGE, change, manager="kubectl")
        (found,) = [
            ref
            for ref in (ObjectRef.of(one) for one in (await instance.cluster.list("ConfigMap", "default")).items)
            if "settings" in ref.name
        ]
        instance.sim.registry.delete("configmaps", "default", found.name)
        (keys,) = (await instance.cluster.list("Secret", "default")).items
        by_hand = {"data": {"token": base64.b64encode(b"by-hand").decode()}}
        instance.sim.registry.patch("secrets", "default", keys["metadata"]["name"], MERGE, by_hand, manager="kubectl")
        drift = {one.ref.kind: one for one in await compare(task.app_id, "current", "live")}
        assert drift.keys() == {"ConfigMap", "Deployment", "Secret"}
        assert drift["ConfigMap"].action == "delete"
        assert ("spec.replicas", 1, 3) in drift["Deployment"].fields
        assert drift["Secret"].fields == (("data.token", "******", "******"),)
        mirrored = {one.ref.kind: one for one in await compare(task.app_id, "live", "current")}
        assert mirrored["ConfigMap"].action == "create"
        assert ("spec.replicas", 3, 1) in mirrored["Deployment"].fields
        await completed(instance, *parts)
        assert await compare(task.app_id, "current", "live") == []


async def test_revisions_are_compared_as_objects(instance: Instance) -> None:
    async with instance.worker():
        task = await completed(instance, conf("settings", a="1"), conf("gone", a="1"))
        await completed(instance, conf("settings", a="2"), conf("new", a="1"))
    await instance.save([conf("settings", a="3")], app_id=task.app_id)
    compare = diffs(instance).between
    found = {one.ref.name: (one.action, one.fields) for one in await compare(task.app_id, 1, "current")}
    by_part = {name.removeprefix("shop-").split("-")[0]: what for name, what in found.items()}
    assert by_part == {
        "gone": ("delete", ()),
        "new": ("create", ()),
        "settings": ("change", (("data.a", "1", "2"),)),
    }
    assert [one.fields for one in await compare(task.app_id, 2, "draft") if one.fields] == [(("data.a", "2", "3"),)]
    with pytest.raises(RevisionNotFound):
        await compare(task.app_id, 1, 99)


async def test_what_a_task_changed_is_told_field_by_field(instance: Instance) -> None:
    async with instance.worker():
        await completed(instance, conf("settings", a="1"), secret("keys", token="one"))
        task = await completed(instance, conf("settings", a="2"), secret("keys", token="two"))
    (settings,) = [ref for ref in await instance.objects(task.app_id) if ref.kind == "ConfigMap"]
    instance.sim.registry.patch("configmaps", "default", settings.name, MERGE, {"data": {"a": "3"}}, manager="kubectl")
    rows = {one.row.ref.kind: one.fields for one in await diffs(instance).of_task(task.id)}
    assert rows["ConfigMap"] == (("data.a", "1", "2", "3"),)
    assert rows["Secret"] == (("data.token", "******", "******", "******"),)
    seqs = [one.row.seq for one in await diffs(instance).of_task(task.id)]
    assert [[one.row.seq for one in await diffs(instance).of_task(task.id, seq)] for seq in seqs] == [[n] for n in seqs]


async def test_a_removal_takes_the_history_along(instance: Instance) -> None:
    async with instance.worker():
        task = await completed(instance, conf("settings", a="1"))
        await instance.service.delete_resources(task.app_id)
        assert await states(instance, task.app_id) == {1: "superseded"}  # the cluster has nothing of it
        await rolled_back(instance, task.app_id)
        assert await data(instance) == {"a": "1"}
        gone = await instance.service.delete_application(task.app_id, "ada")
        await instance.settled(gone.id)
        assert await states(instance, task.app_id) == {}
        again = await completed(instance, conf("settings", a="1"))
    assert (again.app_id, again.revision) == (task.app_id, 1)


async def test_a_pruned_history_holds_no_secret_any_more(instance: Instance, tmp_path: Path) -> None:
    """Of 30 revisions 20 are kept, and can be gone back to; the file has no byte of the others' secrets."""
    async with instance.worker():
        for n in range(30):
            parts = [conf("settings", a=f"{n}"), secret("keys", token=f"hush-{n:02}-hush")]
            task = await completed(instance, *parts)
        assert list(await states(instance, task.app_id)) == list(range(30, 10, -1))
        await rolled_back(instance, task.app_id, 12)
        assert await data(instance) == {"a": "11"}
        with pytest.raises(RevisionNotFound):
            await instance.service.run(Former(task.app_id, 10), ExecOptions(), "ada")
        assert await _found_in(instance, tmp_path, range(30)) == set(
            range(11, 30)
        )  # the 11th was pruned by the rollback
        gone = await instance.service.delete_application(task.app_id, "ada")
        await instance.settled(gone.id)
        assert await _found_in(instance, tmp_path, range(30)) == set()


def _read_all(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("kubemin.db*"))


async def _found_in(instance: Instance, folder: Path, numbers: range) -> set[int]:
    """Those whose secret stands in the database's file, plain or as a Secret has it."""

    async def checkpoint() -> bool:
        with closing(sqlite3.connect(folder / "kubemin.db")) as connection:
            return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]

    await instance.until(checkpoint)
    files = await asyncio.to_thread(_read_all, folder)
    values = {n: f"hush-{n:02}-hush".encode() for n in numbers}
    return {n for n, value in values.items() if value in files or base64.b64encode(value) in files}


async def manifest(instance: Instance, task: Task) -> Any:
    """Of the first job, as the task has it."""
    return (await instance.task(task.id)).plan["stages"][0]["jobs"][0]["manifest"]


async def test_a_cleanup_that_is_not_settled_keeps_what_it_needs(instance: Instance) -> None:
    """Its revision is pruned in a later turn."""
    instance.service = TaskService(
        instance.db, LocalSignals(instance.hub), LocalDoorbell(), LIMITS, EngineSettings(keep_revisions=2)
    )
    first = await instance.service.run(posted(conf("settings", a="0")), ExecOptions(), "ada")
    for n in range(1, 4):
        await instance.service.run(posted(conf("settings", a=str(n))), ExecOptions(), "ada")
    assert len(await states(instance, first.app_id)) == 4  # all are still to come
    assert "data" in await manifest(instance, first)
    async with instance.worker():
        last = await completed(instance, conf("settings", a="5"))
        await completed(instance, conf("settings", a="6"))
    assert list(await states(instance, last.app_id)) == [6, 5]
    assert "data" not in await manifest(instance, first)
    assert (await instance.task(first.id)).status is TaskStatus.COMPLETED


async def test_the_same_draft_is_run_by_the_workflow_that_is_asked_for(instance: Instance) -> None:
    app_id = await instance.save([conf("settings", a="1"), conf("other", b="1")])
    steps = [{"name": "only", "components": ["other"]}]
    async with instance.db.begin("workflow") as tx:
        flow = workflows.NewWorkflow(id="w" * 24, app_id=app_id, name="second", steps=steps)
        await workflows.insert(tx, flow)
    async with instance.worker():
        task = await instance.service.run(Draft(app_id, "w" * 24), ExecOptions(), "ada")
        await instance.settled(task.id)
        found = await current(instance, app_id)
        assert found is not None
        assert [part["name"] for part in found.spec["component"]] == ["other"]
        await rolled_back(instance, app_id, 1)
    found = await current(instance, app_id)
    assert found is not None
    assert found.state is RevisionState.CURRENT
    assert await data(instance) is None


async def test_a_step_that_was_put_back_leaves_its_components_as_they_were(instance: Instance) -> None:
    steps = [
        {"name": "extras", "components": ["api", "more"], "onFailure": "continue"},
        {"name": "rest", "components": ["settings"]},
    ]
    async with instance.worker():
        first = await completed(instance, web("api", "api:1"), conf("settings", a="1"))
        parts = (web("api", "api:crash"), conf("more", b="1"), conf("settings", a="2"))
        options = ExecOptions(hopeless_after_seconds=0.1)
        task = await instance.service.run(posted(*parts, workflow=steps), options, "ada")
        assert (await instance.settled(task.id)).status is TaskStatus.COMPLETED
        found = await current(instance, first.app_id)
        assert found is not None
        assert [(part["name"], part.get("image")) for part in found.spec["component"]] == [
            ("api", "api:1"),
            ("settings", None),
        ]
        assert found.changes == {"added": [], "changed": ["settings"], "removed": []}
        assert await data(instance) == {"a": "2"}
        assert await diffs(instance).between(first.app_id, "current", "live") == []


@pytest.mark.parametrize("how", ["apply", "exec"])
async def test_an_application_that_is_run_again_while_its_deletion_waits_stays(instance: Instance, how: str) -> None:
    """Else the run would bring objects of an application that nobody knows."""
    async with instance.worker():
        first = await completed(instance, conf("settings", a="1"))
    deletion = await instance.service.delete_application(first.app_id, "ada")
    source = posted(conf("settings", a="2")) if how == "apply" else Draft(first.app_id)
    again = await instance.service.run(source, ExecOptions(), "ada")
    await instance.service.run(Draft(first.app_id), ExecOptions(dry_run=True), "ada")
    async with instance.worker():
        assert (await instance.settled(deletion.id)).status is TaskStatus.COMPLETED
        assert (await instance.settled(again.id)).status is TaskStatus.COMPLETED
    assert await states(instance, first.app_id) == {1: "superseded", 2: "current"}
    assert await data(instance) == {"a": "2" if how == "apply" else "1"}


async def test_a_dry_run_does_not_keep_an_application(instance: Instance) -> None:
    async with instance.worker():
        first = await completed(instance, conf("settings", a="1"))
    deletion = await instance.service.delete_application(first.app_id, "ada")
    await instance.service.run(Draft(first.app_id), ExecOptions(dry_run=True), "ada")
    async with instance.worker():
        assert (await instance.settled(deletion.id)).status is TaskStatus.COMPLETED
    assert await states(instance, first.app_id) == {}
