"""Rights in one cluster are none in another: in lists, hints and streams, and where something is asked or written."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from kubemin.api.all_events import Wanted, stream_all
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Deps
from kubemin.identity.grants import Role
from kubemin.spec.limits import Limits
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import applications, journal, presence, tasks
from tests.api.conftest import PREFIX, application
from tests.api.guarded import Caller, Guarded, guarded_by, names
from tests.api.two_clusters import knowing_two

EDGE = {"role": "viewer", "clusters": ["edge"]}


@pytest.fixture
async def guarded(deps: Deps) -> AsyncIterator[Guarded]:
    async with knowing_two(deps) as knowing, guarded_by(knowing) as one:
        yield one


async def deployed(admin: Caller, **changes: Any) -> Any:
    return await admin.post("/apply", {"application": application(**changes)})


async def test_lists_show_what_one_may_see(guarded: Guarded) -> None:
    admin = await guarded.by()
    for cluster, namespace, name in (
        ("default", "shop", "one"),
        ("edge", "shop", "two"),
        ("edge", "other", "three"),
    ):
        await deployed(admin, cluster=cluster, namespace=namespace, name=name)
    seen: list[tuple[dict[str, Any], list[str], list[str]]] = [
        ({"clusters": ["edge"]}, ["three", "two"], ["edge"]),
        ({"clusters": ["default"]}, ["one"], ["default"]),
        ({"clusters": ["default", "edge"], "namespaces": ["shop"]}, ["one", "two"], ["default", "edge"]),
        ({"clusters": ["edge"], "namespaces": ["shop"]}, ["two"], ["edge"]),
        ({"clusters": ["prod"]}, [], []),
        ({"clusters": ["*"], "namespaces": ["other"]}, ["three"], ["default", "edge"]),
    ]
    for scope, expected, clusters in seen:
        caller = await guarded.by("eve", {"role": "viewer", **scope})
        assert names(await caller.get("/applications")) == expected
        assert names(await caller.get("/tasks")) == expected
        of_each = [names(await caller.get("/tasks", cluster=one)) for one in ("default", "edge")]
        assert sum(map(len, of_each)) == len(expected), "a filter shows no more"
        assert (await caller.get("/applications", pageSize=2, page=1))["total"] == len(expected)
        waiting = (await caller.get("/operations"))["queues"]
        assert sum(one["tasks"] for one in waiting) == len(expected)
        found = (await caller.get("/clusters"))["clusters"]
        assert [one["name"] for one in found] == clusters
        assert sum(one["waiting"] for one in found) == len(expected)


async def test_a_namespace_of_one_cluster_is_none_of_another(guarded: Guarded) -> None:
    """Two grants do not join to a third: what one may in a cluster says nothing of the other."""
    admin = await guarded.by()
    here = await deployed(admin, namespace="shop")
    there = await deployed(admin, namespace="shop", cluster="edge")
    eve = await guarded.by(
        "eve",
        {"role": "admin", "clusters": ["default"], "namespaces": ["shop"]},
        {"role": "viewer", "clusters": ["edge"], "namespaces": ["other"]},
    )
    await eve.get(f"/applications/{here['appId']}")
    for path in (f"/applications/{there['appId']}", f"/applications/{there['appId']}/revisions"):
        await eve.get(path, 404)
    await eve.get(f"/workflow/tasks/{there['taskId']}", 404)
    body = {"taskId": there["taskId"]}
    await eve.post(f"/applications/{there['appId']}/workflow/cancel", body, 404)
    await eve.post(f"/applications/{here['appId']}/workflow/cancel", body, 404)
    for method, path in (("DELETE", ""), ("DELETE", "/resources"), ("POST", "/restart"), ("POST", "/workflow/exec")):
        await eve.call(method, f"/applications/{there['appId']}{path}", 404, json={})
    for cluster in ("edge", "nowhere"):  # and whether there is such a cluster is not told
        for path, sent in (
            ("/applications", application(namespace="shop", cluster=cluster)),
            ("/applications/try", application(namespace="shop", cluster=cluster)),
            ("/applications/plan", application(namespace="shop", cluster=cluster)),
            ("/apply", {"application": application(namespace="shop", cluster=cluster)}),
            ("/applications/read", {"text": f"name: shop\nnamespace: shop\ncluster: {cluster}\ncomponent: []\n"}),
        ):
            refused = await eve.post(path, sent, 403)
            assert refused["code"] == ApiCode.FORBIDDEN, path
            assert "it knows" not in refused["message"]
    mine = await eve.post("/applications", application(namespace="shop", name="mine"))
    await eve.post("/applications", application(id=mine["id"], namespace="shop", name="mine", cluster="edge"), 403)
    await eve.post("/applications", {**application(namespace="shop"), "id": there["appId"]}, 404)


async def test_no_hint_names_what_is_in_another_cluster(guarded: Guarded) -> None:
    admin, eve = await guarded.by(), await guarded.by("eve", {"role": "admin", "clusters": ["default"]})
    await deployed(admin, namespace="shop", cluster="edge")
    for name in ("edge~shop~shop", "edge~shop~shopp", "shop~shop", "shop"):
        refused = await eve.get(f"/applications/{name}", 404)
        assert "there is" not in refused["message"]
        refused = await eve.get(f"/workflow/tasks/{name}", 404)
        assert refused["code"] == ApiCode.TASK_NOT_FOUND


@pytest.mark.parametrize("there", ["edge~shop~shop", "shop~shop"])
async def test_what_is_hidden_is_told_from_what_is_not_there_by_nothing(guarded: Guarded, there: str) -> None:
    eve = await guarded.by("eve", {"role": "admin", "namespaces": ["elsewhere"]})
    before = [await eve.get(f"{path}/{there}", 404) for path in ("/applications", "/workflow/tasks")]
    admin = await guarded.by()
    for cluster in ("default", "edge"):
        await deployed(admin, namespace="shop", cluster=cluster)
    after = [await eve.get(f"{path}/{there}", 404) for path in ("/applications", "/workflow/tasks")]
    assert before == after


async def test_the_stream_of_all_tasks_has_what_one_may_see(guarded: Guarded) -> None:
    admin, eve = await guarded.by(), await guarded.by("eve", EDGE)
    here = await deployed(admin, namespace="shop")
    there = await deployed(admin, namespace="shop", cluster="edge")
    principal = await guarded.authenticator.of_bearer(eve.token, "127.0.0.1")
    stream = stream_all(replace(guarded.deps, heartbeat_seconds=0.01), "0", Wanted(sight=principal.sight()))
    said = b""
    async for frame in stream:
        said += frame
        if b"heartbeat" in frame:
            break
    await stream.aclose()
    assert there["appId"].encode() in said
    assert here["appId"].encode() not in said


async def test_a_secret_of_a_template_in_another_cluster_is_not_copied(guarded: Guarded) -> None:
    admin, eve = await guarded.by(), await guarded.by("eve", {"role": "admin", "clusters": ["edge"]})
    template = await admin.create(name="template", tmpEnable=True)
    parts = [{"name": "keys", "type": "secret", "template": {"id": template["id"]}}]
    refused = await eve.post("/applications", application(cluster="edge", component=parts), 400)
    assert refused["code"] == ApiCode.TEMPLATE
    parts = [{"name": "keys", "type": "secret", "properties": {"secret": {"token": "******"}}}]
    refused = await eve.post("/applications", application(cluster="edge", component=parts), 400)
    assert "there is none" in refused["message"]


@pytest.mark.parametrize("role", Role)
async def test_orphans_need_everything_of_their_cluster(guarded: Guarded, role: Role) -> None:
    whole = await guarded.by("whole", {"role": role.value, "clusters": ["default"]})
    part = await guarded.by("part", {"role": "admin", "clusters": ["default"], "namespaces": ["shop"]})
    other = await guarded.by("other", {"role": "admin", "clusters": ["edge"]})
    assert await whole.get("/orphans") == {"orphans": []}
    assert (await whole.get("/orphans", 403, cluster="edge"))["message"].startswith(
        "This needs the role viewer for everything in cluster edge; whole has it not"
    )
    await whole.call("DELETE", "/orphans", 200 if role is Role.ADMIN else 403)
    await whole.call("DELETE", "/orphans", 403, params={"cluster": "edge"})
    for caller in (part, other):
        await caller.get("/orphans", 403)
        await caller.call("DELETE", "/orphans", 403)
    twice = await guarded.http.get(
        f"{PREFIX}/orphans?cluster=default&cluster=edge", headers={"Authorization": f"Bearer {whole.token}"}
    )
    assert twice.status_code in (400, 403)
    await other.get("/orphans", 503, cluster="edge")  # that one does not answer


async def test_workers_are_shown_to_who_sees_all_of_their_cluster(guarded: Guarded) -> None:
    async with guarded.deps.db.begin("say") as tx:
        seen = presence.Sight("v1", "")
        await presence.say(tx, "worker", {"default": seen, "edge": seen, "hidden": seen})
    whole = await guarded.by("whole", EDGE)
    part = await guarded.by("part", {**EDGE, "namespaces": ["shop"]})
    for caller, workers in ((whole, 1), (part, 0)):
        (found,) = (await caller.get("/clusters"))["clusters"]
        assert (found["name"], len(found["workers"])) == ("edge", workers)
    assert names(await (await guarded.by()).get("/clusters")) == ["default", "edge", "hidden"]


async def test_objects_of_the_whole_cluster_need_every_namespace_of_it(deps: Deps) -> None:
    async with knowing_two(deps) as knowing:
        limits: Limits = knowing.limits.model_copy(update={"allow_cluster_kinds": "Namespace"})
        async with guarded_by(replace(knowing, limits=limits)) as guarded:
            eve = await guarded.by("eve", {"role": "admin", "clusters": ["edge"]})
            far = await guarded.by("far", {"role": "admin", "clusters": ["default"]})
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
            part = {"name": "x", "type": "manifests", "properties": {"manifests": [namespace]}}
            await eve.post("/applications", application(cluster="edge", component=[part]))
            await far.post("/applications", application(cluster="edge", component=[part]), 403)


async def test_the_audit_names_the_cluster_where_it_is_not_the_default(guarded: Guarded) -> None:
    admin = await guarded.by()
    await deployed(admin, namespace="shop", cluster="edge")
    await deployed(admin, namespace="shop")
    await admin.call("DELETE", "/orphans")
    rows = (await admin.get("/audit"))["rows"][::-1]
    assert [one["target"] for one in rows] == ["edge~shop~shop", "shop~shop", "default"]
    await guarded.deps.audit.aclose()


async def test_what_a_removal_would_do_is_told_to_who_may_do_it(guarded: Guarded) -> None:
    """In each namespace that it reaches, as the removal itself is admitted."""
    admin = await guarded.by()
    here = await deployed(admin, namespace="shop")
    held = journal.NewResource(seq=1, job_seq=1, ref=ObjectRef("Role", "other", "r"))
    async with guarded.deps.db.begin("hold") as tx:  # as a task of the application would have it
        await journal.add(tx, here["taskId"], [held])
    one = await guarded.by("eve", {"role": "deployer", "namespaces": ["shop"]})
    both = await guarded.by("bea", {"role": "deployer", "namespaces": ["shop", "other"]})
    for params in ({"dryRun": True}, {}):
        refused = await one.call("DELETE", f"/applications/{here['appId']}", 403, params=params)
        assert "in namespace other" in refused["message"]
        await both.call("DELETE", f"/applications/{here['appId']}", params=params)


async def test_what_waits_is_told_of_one_cluster(guarded: Guarded) -> None:
    """A filter shows no more than one may see; who works in a cluster is told to who sees all of it."""
    admin = await guarded.by()
    await deployed(admin, cluster="default", namespace="shop")
    far = await deployed(admin, cluster="edge", namespace="shop")
    await deployed(admin, cluster="edge", namespace="other")
    async with guarded.deps.db.begin("work") as tx:
        undone = await tasks.claim_next(tx, "first", 60, 3)
        held = await tasks.claim_next(tx, "second", 60, 3, ["edge"])
        assert undone is not None
        assert held is not None
        assert (undone.cluster, held.id) == ("default", far["taskId"])
        assert await tasks.start(tx, undone.id, undone.lease_epoch)
        assert await tasks.finish(tx, undone.id, undone.lease_epoch, TaskStatus.FAILED, "no", Cleanup.PENDING)
        assert await tasks.set_cleanup(tx, undone.id, undone.lease_epoch, Cleanup.INCOMPLETE, "one is left")

    async def told(caller: Caller, **given: str) -> tuple[list[str], list[str], int]:
        found = await caller.get("/operations", **given)
        workers = [one["worker"] for one in found["workers"]]
        return workers, [f"{one['cluster']}/{one['namespace']}" for one in found["queues"]], found["incompleteTotal"]

    shop = await guarded.by("eve", {"role": "viewer", "namespaces": ["shop"]})
    edge = await guarded.by("bea", EDGE)
    assert await told(admin) == (["second"], ["edge/other"], 1)
    assert await told(admin, cluster="edge") == (["second"], ["edge/other"], 0)
    assert await told(admin, cluster="default") == ([], [], 1)
    assert await told(admin, cluster="nowhere") == ([], [], 0)
    assert await told(edge) == ([], ["edge/other"], 0)
    assert await told(edge, cluster="edge") == (["second"], ["edge/other"], 0)
    assert await told(edge, cluster="default") == ([], [], 0)
    assert await told(shop, cluster="edge") == ([], [], 0)
    assert await told(shop, cluster="default") == ([], [], 1)


async def test_the_audit_is_read_of_one_cluster(guarded: Guarded) -> None:
    """Whatever became of a call, and however it named what it is about; also after that is gone."""
    admin = await guarded.by()
    eve = await guarded.by("eve", {"role": "deployer", "namespaces": ["elsewhere"]})
    far = await deployed(admin, cluster="edge", namespace="shop")
    path = f"/applications/{far['appId']}"
    body = {"taskId": far["taskId"]}
    await deployed(admin, namespace="shop")
    await eve.post("/apply", {"application": application(cluster="edge", namespace="shop", name="never")}, 403)
    await eve.post("/applications", application(cluster="edge", namespace="shop", name="never"), 403)
    await eve.post("/applications/edge~shop~nothing/restart", {}, 404)
    await admin.post("/applications", {**application(cluster="edge", namespace="shop"), "id": far["appId"]})
    await admin.post(f"{path}/workflow/cancel", body)
    await admin.post(f"/workflow/tasks/{far['taskId']}/cleanup")
    await admin.call("DELETE", "/orphans", 503, params={"cluster": "edge"})
    async with guarded.deps.db.begin("gone") as tx:
        await applications.delete(tx, far["appId"])
    await admin.post(f"{path}/restart", {}, 404)
    await admin.post("/tokens", {"name": "of no cluster", "grants": [{"role": "viewer"}]})
    rows = (await admin.get("/audit", cluster="edge"))["rows"]
    assert [one["operation"] for one in reversed(rows)] == [
        "apply_application", "apply_application", "save_application", "restart_application", "save_application",
        "cancel_task", "clean_up_again", "delete_orphans", "restart_application",
    ]  # fmt: skip
    assert {one["cluster"] for one in rows} == {"edge"}
    others = (await admin.get("/audit"))["rows"]
    assert {one["cluster"] for one in others} == {"edge", "default", ""}
    assert [one["operation"] for one in others if not one["cluster"]] == ["create_token"]
    exported = await guarded.http.get(
        f"{PREFIX}/audit/export?cluster=default", headers={"Authorization": f"Bearer {admin.token}"}
    )
    assert [json.loads(line)["operation"] for line in exported.text.splitlines()] == ["apply_application"]


async def test_what_is_in_a_namespace_is_told_to_who_may_deploy_there(guarded: Guarded) -> None:
    """Else a name in an application would be a question whether the cluster has it."""
    names_it = {"name": "web", "type": "webservice", "image": "web:1"}
    names_it |= {"traits": {"envFrom": [{"type": "secret", "sourceName": "stripe"}]}}  # type: ignore[dict-item]
    asked = {**application(namespace="tenant", component=[names_it]), "project": "own"}
    for grants, expected in (
        ([{"role": "viewer", "projects": ["own"]}], 0),
        ([{"role": "viewer", "projects": ["own"]}, {"role": "deployer", "namespaces": ["other"]}], 0),
        ([{"role": "deployer", "projects": ["own"]}], 1),
    ):
        caller = await guarded.by("eve", *grants)
        for path, sent in (("/applications/try", asked), ("/applications/read", {"text": json.dumps(asked)})):
            told = await caller.post(path, sent)
            assert told["valid"], told
            codes = [one["code"] for one in told.get("warnings") or []]
            assert codes.count("NOT_IN_APPLICATION") == expected, (grants, path)
