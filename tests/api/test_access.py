"""Who may ask for what. Every route declares it, and is tried with every role."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import update

from kubemin.api.access import About, needs_of
from kubemin.api.app import routes
from kubemin.api.authentication import CSRF_HEADER
from kubemin.api.body import UNKNOWN_BODY
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Deps
from kubemin.api.routes import workflows
from kubemin.engine import TaskService
from kubemin.identity.grants import Role
from kubemin.settings.identity import IdentitySettings
from kubemin.spec.objects import ObjectRef
from kubemin.store import journal
from kubemin.store.tables import applications, revisions
from tests.api.conftest import PREFIX, application
from tests.api.guarded import Caller, Guarded, guarded_by, names
from tests.api.test_routes import found

ROUTES = list(found(routes().routes))
BY_NAME = {route.name: route for route in ROUTES}
SHOP = {"role": "viewer", "namespaces": ["shop"]}

DECIDED = {
    "OPEN": {
        *("healthz", "readyz", "openapi_json", "documentation", "application_schema"),
        *("ways", "begin_login", "finish_login", "open_session", "logout", "end_by_issuer"),
    },
    "ANYBODY": {
        "whoami",
        "list_tokens",
        "revoke_token",
        "end_sessions",
        "workflow_elsewhere",
        "exec_elsewhere",
        "cancel_elsewhere",
    },
    "EVERYTHING": {
        *("metrics", "create_token"),
        *("list_audit", "export_audit", "list_notifications", "retry_notification", "test_notification"),
    },
    "CLUSTER": {"list_orphans", "delete_orphans"},
    "SEEN": {
        *("list_applications", "list_templates", "list_tasks", "follow_all_tasks", "get_operations"),
        "list_clusters",
    },
}
"""Whoever makes a route open, or moves one here, says so twice."""


@pytest.fixture
async def guarded(deps: Deps) -> AsyncIterator[Guarded]:
    async with guarded_by(deps) as one:
        yield one


OUTSIDE = ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/schema", "/auth")


def address(path: str, app_id: str = "a" * 24, task_id: str = "b" * 24) -> str:
    """Of a route, whose router does not know where it is put."""
    prefix = "" if path.startswith(OUTSIDE) else PREFIX
    named = {"revision": "1", "token_id": "abc", "delivery_id": "1", "name": "nobody"}
    return prefix + path.format(app_id=app_id, task_id=task_id, **named)


def methods_of(route: APIRoute) -> set[str]:
    return route.methods or set()


def body_of(name: str) -> Any:
    if name in ("try_application", "save_application", "plan_application"):
        return application(namespace="shop")
    return {
        "apply_application": {"application": application(namespace="shop")},
        "read_application": {"text": "name: shop\nnamespace: shop\ncomponent: []\n"},
        "rollback_application": {},
        "make_version": {"components": [], "autoExec": False},
        "create_workflow": {"name": "more", "workflow": []},
        "change_workflow": {"workflow": []},
        "try_workflow": {"workflow": []},
        "exec_workflow": {},
        "cancel_task": {"taskId": "x" * 24},
        "create_token": {"name": "ci", "grants": [{"role": "viewer"}]},
    }.get(name)


def test_every_route_declares_what_it_needs() -> None:
    declared = {route.name: needs_of(route.endpoint) for route in ROUTES}
    assert [name for name, one in declared.items() if one is None] == []
    for about, expected in DECIDED.items():
        assert {name for name, one in declared.items() if one and one.about is About[about]} == expected
    for route in ROUTES:
        one = needs_of(route.endpoint)
        assert one is not None
        if one.about is About.APPLICATION:
            assert "{app_id}" in route.path
        if one.about is About.TASK:
            assert "{task_id}" in route.path
        if one.about in (About.OPEN, About.ANYBODY):
            assert one.role is None
            assert "{app_id}" not in route.path
            assert "{task_id}" not in route.path
        else:
            changes = methods_of(route) - {"GET", "HEAD"} and route.name not in (
                "try_application",
                "read_application",
                "try_workflow",
            )
            assert one.role is not None
            assert not changes or one.role.covers(Role.DEPLOYER)


async def test_nobody_gets_in_without_a_credential(guarded: Guarded) -> None:
    for route in ROUTES:
        one = needs_of(route.endpoint)
        assert one is not None
        path = address(route.path)
        for method in methods_of(route):
            answer = await guarded.http.request(method, path, json=body_of(route.name))
            if one.about is About.OPEN:
                assert answer.status_code != 401, path
            else:
                assert answer.status_code == 401, path
                assert answer.headers["www-authenticate"].startswith("Bearer")
                if method != "HEAD":
                    assert answer.json()["code"] == ApiCode.UNAUTHORIZED
                    assert "/auth/ways" in answer.json()["message"]
    assert (await guarded.http.get(f"{PREFIX}/nowhere")).status_code == 401  # and nobody learns what there is


ROLE_ROUTES = [
    route.name for route in ROUTES if (one := needs_of(route.endpoint)) and one.about not in (About.OPEN, About.ANYBODY)
]


async def test_roles_and_routes(guarded: Guarded) -> None:
    """Each role on each route: 403 below what it declares, and never at or above it; 404 of what is not seen."""
    admin = await guarded.by()
    made = await admin.create(namespace="shop")
    ran = await admin.post("/apply", {"application": application(namespace="shop")})
    callers = {role: await guarded.by(role.value, {"role": role.value, "namespaces": ["shop"]}) for role in Role}
    everything = {role: await guarded.by(f"{role}-all", {"role": role.value}) for role in Role}
    stranger = await guarded.by("stranger", {"role": "admin", "namespaces": ["elsewhere"]})
    for name in ROLE_ROUTES:
        if name in ("follow_all_tasks", "follow_task", "delete_application", "delete_resources"):
            continue  # streams have no end here, and the others wait for a worker; see below
        route, one = BY_NAME[name], needs_of(BY_NAME[name].endpoint)
        assert one is not None
        assert one.role is not None
        path = address(route.path, made["id"], ran["taskId"])
        method = next(iter(methods_of(route)))

        async def status(caller: Any, name: str = name, method: str = method, path: str = path) -> int:
            headers = {"Authorization": f"Bearer {caller.token}"}
            answer = await guarded.http.request(method, path, json=body_of(name), headers=headers)
            return answer.status_code

        for role in Role:
            enough = role.covers(one.role)
            assert (await status(everything[role]) != 403) == enough, (name, role)
            here = enough and one.about not in (About.EVERYTHING, About.CLUSTER)
            assert (await status(callers[role]) != 403) == here, (name, role)
        outside = await status(stranger)
        if one.about in (About.APPLICATION, About.TASK):
            assert outside == 404, name
        elif one.about is not About.SEEN:
            assert outside == 403, name


@pytest.mark.parametrize(("method", "path"), [("DELETE", ""), ("DELETE", "/resources")])
async def test_a_viewer_deletes_nothing(guarded: Guarded, method: str, path: str) -> None:
    made = await (await guarded.by()).create(namespace="shop")
    refused = await (await guarded.by("eve", SHOP)).call(method, f"/applications/{made['id']}{path}", 403)
    assert "role deployer" in refused["message"]
    assert "application shop of no project in namespace shop" in refused["message"]
    assert "eve has only viewer there" in refused["message"]


async def test_lists_show_what_one_may_see(guarded: Guarded) -> None:
    admin = await guarded.by()
    for namespace, project, name in (("shop", "red", "one"), ("shop", "blue", "two"), ("other", "red", "three")):
        await admin.post("/apply", {"application": application(namespace=namespace, project=project, name=name)})
    seen: list[tuple[dict[str, Any], list[str]]] = [
        ({"namespaces": ["shop"]}, ["one", "two"]),
        ({"projects": ["red"]}, ["one", "three"]),
        ({"namespaces": ["shop"], "projects": ["red"]}, ["one"]),
        ({"applications": ["three"]}, ["three"]),
        ({"namespaces": ["nowhere"]}, []),
        ({}, ["one", "three", "two"]),
    ]
    for scope, expected in seen:
        caller = await guarded.by("eve", {"role": "viewer", **scope})
        assert names(await caller.get("/applications")) == expected
        paged = await caller.get("/applications", pageSize=2, page=1)
        assert paged["total"] == len(expected)
        assert names(await caller.get("/tasks")) == expected
        waiting = (await caller.get("/operations"))["queues"]
        assert sum(one["tasks"] for one in waiting) == len(expected)
    both = await guarded.by(
        "eve", {"role": "viewer", "applications": ["one"]}, {"role": "viewer", "namespaces": ["other"]}
    )
    assert names(await both.get("/applications")) == ["one", "three"]


async def test_what_one_may_not_see_is_not_there(guarded: Guarded) -> None:
    """By its id, by its name, by a beginning of a task's id, and in no hint."""
    admin, eve = await guarded.by(), await guarded.by("eve", {"role": "admin", "namespaces": ["elsewhere"]})
    ran = await admin.post("/apply", {"application": application(namespace="shop")})
    known, unknown = ran["appId"], "z" * 24
    for path in ("/applications/{}", "/applications/{}/components", "/applications/{}/revisions"):
        hidden = await eve.get(path.format(known), 404)
        nothing = await eve.get(path.format(unknown), 404)
        assert hidden["message"].replace(known, unknown) == nothing["message"]
    for name in ("shop~shop", "shop~shopp", "elsewhere~shop", "shop"):
        assert "there is" not in (await eve.get(f"/applications/{name}", 404))["message"]
    for name in (ran["taskId"], ran["taskId"][:8], "shop~shop"):
        refused = await eve.get(f"/workflow/tasks/{name}", 404)
        assert refused["code"] == ApiCode.TASK_NOT_FOUND
    mine = await eve.post("/applications", application(namespace="elsewhere", name="mine"))
    cancelled = await eve.post(f"/applications/{mine['id']}/workflow/cancel", {"taskId": ran["taskId"]}, 404)
    unheard = await eve.post(f"/applications/{mine['id']}/workflow/cancel", {"taskId": unknown}, 404)
    assert cancelled["message"].replace(ran["taskId"], unknown) == unheard["message"]


async def test_a_secret_of_a_hidden_template_is_not_copied(guarded: Guarded) -> None:
    """Neither by naming the template, nor by sending a mask for a component of its name."""
    admin, eve = await guarded.by(), await guarded.by("eve", {"role": "admin", "namespaces": ["elsewhere"]})
    template = await admin.create(namespace="shop", name="template", tmpEnable=True)
    parts = [{"name": "keys", "type": "secret", "template": {"id": template["id"]}}]
    refused = await eve.post("/applications", application(namespace="elsewhere", component=parts), 400)
    assert refused["code"] == ApiCode.TEMPLATE
    parts = [{"name": "keys", "type": "secret", "properties": {"secret": {"token": "******"}}}]
    refused = await eve.post("/applications", application(namespace="elsewhere", component=parts), 400)
    assert "there is none" in refused["message"]


async def test_a_mask_tells_nothing_of_what_one_may_not_change(guarded: Guarded) -> None:
    """Whether a mask means something is told after the rights: else it would tell which secrets others have."""
    admin = await guarded.by()
    parts = [{"name": "keys", "type": "secret", "properties": {"secret": {"token": "hunter2"}}}]
    theirs = application(name="theirs", namespace="shop", project="blue", component=parts)
    deployed = (await admin.post("/apply", {"application": theirs}))["appId"]
    async with guarded.deps.db.begin("complete") as tx:
        await tx.write(update(revisions).where(revisions.c.app_id == deployed).values(state="current"))
    red = {"role": "deployer", "namespaces": ["shop"], "projects": ["red"]}
    hidden, seen = await guarded.by("eve", red), await guarded.by("bea", red, {"role": "viewer", "projects": ["blue"]})

    def masked(key: str) -> dict[str, Any]:
        part = {"name": "keys", "type": "secret", "properties": {"secret": {key: "******"}}}
        return application(name="theirs", namespace="shop", project="red", component=[part])

    async def told(caller: Caller, key: str, status: int) -> list[Any]:
        asked = masked(key)
        replies = [
            await caller.post("/apply", {"application": asked}, status),
            await caller.post("/apply", {"application": asked, "dryRun": True}, status),
            await caller.post("/applications", {**asked, "id": deployed}, 404 if caller is hidden else 403),
        ]
        return [reply["message"].replace(key, "KEY") for reply in replies]

    for caller, status in ((hidden, 400), (seen, 403)):
        assert await told(caller, "token", status) == await told(caller, "other", status)
    read = [await hidden.post("/applications/read", {"text": json.dumps(masked(key))}) for key in ("token", "other")]
    assert [one["valid"] for one in read] == [False, False]


@pytest.mark.parametrize("act", ["cancel", "promote", "retry_cleanup", "abandon_cleanup", "create", "change"])
async def test_a_right_counts_as_it_is_when_it_is_done(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """The application goes to another project after the caller's rights were looked at, and before it is done."""
    admin, eve = await guarded.by(), await guarded.by("eve", {"role": "deployer", "projects": ["red"]})
    ran = await admin.post("/apply", {"application": application(namespace="shop", project="red")})
    app_id, task_id = ran["appId"], ran["taskId"]

    def after_the_move(doing: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def moved(*given: Any, **named: Any) -> Any:
            async with guarded.deps.db.begin("move") as tx:
                mine = applications.c.id == app_id
                await tx.write(update(applications).where(mine).values(project="blue"))
            return await doing(*given, **named)

        return moved

    if act in ("create", "change"):
        monkeypatch.setattr(workflows, "_steps", after_the_move(workflows._steps))
    else:
        monkeypatch.setattr(TaskService, act, after_the_move(getattr(TaskService, act)))
    steps = [{"name": "one", "components": ["web"]}]
    flow = f"/applications/{app_id}/workflow"
    method, path, body = {
        "cancel": ("POST", f"{flow}/cancel", {"taskId": task_id}),
        "promote": ("POST", f"/workflow/tasks/{task_id}/promote", {}),
        "retry_cleanup": ("POST", f"/workflow/tasks/{task_id}/cleanup", {}),
        "abandon_cleanup": ("POST", f"/workflow/tasks/{task_id}/cleanup", {"abandon": True}),
        "create": ("POST", flow, {"name": "more", "workflow": steps}),
        "change": ("PUT", flow, {"name": "more", "workflow": steps}),
    }[act]
    refused = await eve.call(method, path, 403, json=body)
    assert "eve has no role there" in refused["message"]
    assert (await admin.get(f"/workflow/tasks/{task_id}"))["status"] == "waiting"
    found = await admin.get(f"/applications/{app_id}/workflows")
    assert [one["name"] for one in found["workflows"]] == ["shop-workflow"]


async def test_an_application_is_checked_as_it_is_written(guarded: Guarded) -> None:
    red = {"role": "deployer", "namespaces": ["shop"], "projects": ["red"]}
    eve, admin = await guarded.by("eve", red), await guarded.by()
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "other"}}
    elsewhere = {"name": "x", "type": "webservice", "image": "x:1", "namespace": "other"}
    manifests = {"name": "x", "type": "manifests", "properties": {"manifests": [config]}}
    wrong: list[dict[str, Any]] = [
        {"namespace": "other", "project": "red"},
        {"namespace": "shop", "project": "blue"},
        {"namespace": "shop"},
        {"namespace": "shop", "project": "red", "component": [elsewhere]},
        {"namespace": "shop", "project": "red", "component": [manifests]},
    ]
    for changes in wrong:
        for path, body in (
            ("/applications", application(**changes)),
            ("/applications/try", application(**changes)),
            ("/apply", {"application": application(**changes)}),
            ("/apply", {"application": application(**changes), "dryRun": True}),
        ):
            refused = await eve.post(path, body, 403)
            assert refused["code"] == ApiCode.FORBIDDEN
    assert await admin.get("/applications") == {"applications": []}
    mine = application(namespace="shop", project="red")
    made = await eve.post("/applications", mine)
    await eve.post("/apply", {"application": mine})
    await eve.post("/applications", {**mine, "id": made["id"], "project": "blue"}, 403)  # out of what one may
    theirs = await admin.create(namespace="shop", project="blue", name="theirs")
    taken = {**application(name="theirs", namespace="shop"), "id": theirs["id"]}
    for changes in ({"project": "red"}, {}):  # and into it
        await eve.post("/applications", {**taken, **changes}, 404)
    both = await guarded.by("bea", red, {"role": "viewer", "projects": ["blue"]})
    await both.post("/applications", {**taken, "project": "red"}, 403)
    await both.post("/apply", {"application": application(name="theirs", namespace="shop", project="red")}, 403)


async def test_who_is_meant_is_oneself(guarded: Guarded) -> None:
    admin = await guarded.by()
    ran = await admin.post("/apply", {"application": application(namespace="shop")})
    eve = await guarded.by("eve", {"role": "deployer", "namespaces": ["shop"]})
    path, body = f"/applications/{ran['appId']}/workflow/cancel", {"taskId": ran["taskId"]}
    refused = await eve.post(path, {**body, "user": "ada"}, 403)
    assert refused["errors"][0]["field"] == "user"
    assert "role admin" in refused["message"]
    for address in ("promote", "cleanup"):
        await eve.post(f"/workflow/tasks/{ran['taskId']}/{address}", {"user": "ada"}, 403)
    await eve.post(path, {**body, "user": "eve"})
    assert (await eve.get(f"/workflow/tasks/{ran['taskId']}"))["cancelledBy"] == "eve"
    again = await admin.post("/apply", {"application": application(namespace="shop")})
    await admin.post(path, {"taskId": again["taskId"], "user": "somebody"})
    assert (await admin.get(f"/workflow/tasks/{again['taskId']}"))["cancelledBy"] == "somebody"
    revision = (await eve.get(f"/applications/{ran['appId']}/revisions/1"))["user"]
    assert revision == "ada"


async def test_the_same_key_of_another_caller_is_another_task(guarded: Guarded) -> None:
    ada, bea = await guarded.by("ada"), await guarded.by("bea")
    body = {"application": application(namespace="shop")}
    first = await ada.post("/apply", body, Idempotency_Key="k")
    assert (await ada.post("/apply", body, Idempotency_Key="k"))["taskId"] == first["taskId"]
    assert (await bea.post("/apply", body, Idempotency_Key="k"))["taskId"] != first["taskId"]


async def test_who_asks_too_often_waits_and_cancels_all_the_same(deps: Deps) -> None:
    settings = IdentitySettings(auth="token", caller_rate=0.5, caller_burst=3)
    async with guarded_by(deps, settings) as guarded:
        ada, bea = await guarded.by("ada"), await guarded.by("bea")
        ran = await ada.post("/apply", {"application": application()})
        await ada.get("/whoami")
        await ada.get("/whoami")
        answer = await guarded.http.get(f"{PREFIX}/whoami", headers={"Authorization": f"Bearer {ada.token}"})
        assert answer.status_code == 429
        assert answer.json()["code"] == ApiCode.TOO_MANY
        assert answer.headers["retry-after"] == "2"
        await bea.get("/whoami")
        await ada.post(f"/applications/{ran['appId']}/workflow/cancel", {"taskId": ran["taskId"]})
        await ada.get("/whoami", 429)
        guarded.clock.now += 2
        await ada.get("/whoami")


async def test_what_is_wrong_with_a_part_is_told_to_who_is_known(guarded: Guarded) -> None:
    async def broken() -> str:
        return "the cluster at 10.9.8.7 is away"

    dict.update(guarded.deps.health, {"cluster": broken})
    answer = (await guarded.http.get("/readyz")).json()
    assert "10.9.8.7" not in str(answer)
    assert answer["data"]["status"] == "degraded"
    headers = {"Authorization": f"Bearer {await guarded.token()}"}
    assert "10.9.8.7" in (await guarded.http.get("/readyz", headers=headers)).text


async def test_what_others_have_written_is_run_by_who_may_in_each_namespace_that_it_reaches(guarded: Guarded) -> None:
    """A draft, a former revision, a restart, a removal: by what is run, whoever wrote it."""
    admin = await guarded.by()
    eve = await guarded.by("eve", {"role": "deployer", "namespaces": ["shop"]})
    both = await guarded.by("bea", {"role": "deployer", "namespaces": ["shop", "other"]})
    elsewhere = {"name": "far", "type": "webservice", "image": "x:1", "namespace": "other"}
    near = {"name": "near", "type": "webservice", "image": "x:1"}
    far = await admin.post("/apply", {"application": application(namespace="shop", component=[near, elsewhere])})
    path = f"/applications/{far['appId']}"
    refused = await eve.post(f"{path}/workflow/exec", {}, 403)
    assert "in namespace other" in refused["message"]
    await eve.post(f"{path}/rollback", {"revision": 1}, 403)
    await eve.post(f"{path}/version", {"components": [{"name": "near", "image": "x:2"}]}, 403)
    await both.post(f"{path}/workflow/exec", {})
    await both.post(f"{path}/rollback", {"revision": 1})
    held = journal.NewResource(seq=1, job_seq=1, ref=ObjectRef("Role", "other", "r"))
    async with guarded.deps.db.begin("hold") as tx:  # as a task of the application would have it
        await journal.add(tx, far["taskId"], [held])
    await eve.post(
        "/apply", {"application": application(namespace="shop", component=[near])}, 403
    )  # it may remove that
    await eve.call("DELETE", path, 403)
    await eve.call("DELETE", f"{path}/resources", 403)
    await both.call("DELETE", path)


async def test_objects_of_the_whole_cluster_need_every_namespace(deps: Deps) -> None:
    limits = deps.limits.model_copy(update={"allow_cluster_kinds": "Namespace"})
    async with guarded_by(replace(deps, limits=limits)) as guarded:
        eve = await guarded.by("eve", {"role": "admin", "namespaces": ["shop"]})
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
        part = {"name": "x", "type": "manifests", "properties": {"manifests": [namespace]}}
        refused = await eve.post("/applications/try", application(namespace="shop", component=[part]), 403)
        assert "objects of the whole cluster" in refused["message"]


async def test_a_large_body_is_read_of_who_is_known(guarded: Guarded) -> None:
    """Where nobody has to be: a credential is short, and reading more would keep others from being served."""
    page = {"Sec-Fetch-Site": "same-origin", CSRF_HEADER: "1"}
    text = await guarded.token("eve", {"role": "viewer"})
    for size, status in ((1_000, 401), (UNKNOWN_BODY, 413)):
        sent = {"token": "x" * size}
        assert (await guarded.http.post("/auth/session", json=sent, headers=page)).status_code == status
    await Caller(guarded, text).post("/applications/read", {"text": "#" * 2 * UNKNOWN_BODY})
