"""Applications: created, saved, listed, looked at, deleted."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kubemin.api.codes import ApiCode
from kubemin.api.deps import Deps
from kubemin.engine.entry.component_health import ComponentHealth
from kubemin.spec.config import MASK
from kubemin.spec.ids import application_id
from kubemin.spec.states import Cleanup, ComponentState, TaskStatus
from kubemin.store import applications, components, tasks, workflows
from tests.api.conftest import Api, application

MISSING = "k3v9x0q2m7c4t8b1n5z6w0ya"


async def test_created_it_is_found_everywhere(api: Api) -> None:
    made = await api.create(alias="The shop", tmp_enable=True, icon="🛒")
    assert made["workflow_id"] == made["workflowId"] != ""
    assert made["tmp_enable"] is made["tmpEnable"] is True
    assert (made["namespace"], made["alias"], made["icon"], made["version"]) == ("default", "The shop", "🛒", "")
    assert made["createTime"].endswith("Z")
    assert await api.get("/applications") == {"applications": [made]}
    assert await api.get("/applications/templates") == {"applications": [made]}
    one = await api.get(f"/applications/{made['id']}")
    assert one.pop("overview")["revision"] is None
    assert one == made


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/components"),
        ("GET", "/workflows"),
        ("DELETE", "/resources"),
        ("GET", "/workflow/tasks"),
    ],
)
@pytest.mark.parametrize("app_id", [MISSING, "x", "a" * 5000, "%20", "%F0%9F%92%A9"])
async def test_an_unknown_application_is_404(api: Api, method: str, path: str, app_id: str) -> None:
    envelope = await api.call(method, f"/applications/{app_id}{path}", 404)
    assert envelope["code"] in (ApiCode.APPLICATION_NOT_FOUND, ApiCode.NOT_FOUND)


async def test_pages_are_cut_only_when_asked_for(api: Api) -> None:
    names = [(await api.create(name=f"app-{number:02}"))["name"] for number in range(5)][::-1]  # newest first
    assert [one["name"] for one in (await api.get("/applications"))["applications"]] == names
    page = await api.get("/applications", page=2, pageSize=2)
    assert [one["name"] for one in page.pop("applications")] == names[2:4]
    assert page.pop("nextCursor")
    assert page == {"total": 5, "page": 2, "pageSize": 2}
    found = await api.get("/applications", search="APP-03")
    assert [one["name"] for one in found["applications"]] == ["app-03"]
    assert (await api.get("/applications", search="app_"))["applications"] == []
    assert (await api.get("/applications/templates"))["applications"] == []


async def test_a_name_is_taken_once_a_namespace(api: Api) -> None:
    first = await api.create()
    envelope = await api.post("/applications", application(), 409)
    assert envelope["code"] == ApiCode.APPLICATION_EXISTS
    tried = await api.post("/applications/try", application())
    assert (tried["valid"], tried["message"]) == (False, envelope["message"])
    await api.create(namespace="elsewhere")
    assert (await api.post("/applications/try", {"id": first["id"], "name": "shop"})) == {"valid": True, "errors": []}


@pytest.mark.parametrize("change", [{"namespace": "elsewhere"}, {"name": "renamed"}])
async def test_a_namespace_and_name_never_change(api: Api, change: dict[str, str]) -> None:
    made = await api.create()
    changed = application(id=made["id"], **change)
    envelope = await api.post("/applications", changed, 409)
    assert envelope["code"] == ApiCode.CONFLICT
    assert "make another application" in envelope["message"]
    assert not (await api.post("/applications/try", changed))["valid"]
    assert await api.get("/applications") == {"applications": [made]}


async def test_an_application_made_anew_has_the_same_id(api: Api, deps: Deps) -> None:
    made = await api.create()
    async with deps.db.begin("delete") as tx:
        await applications.delete(tx, made["id"])
    assert (await api.create())["id"] == made["id"] == application_id("default", "shop")


async def test_saving_replaces_components_and_leaves_unchanged_rows_alone(api: Api) -> None:
    made = await api.create(description="old", icon="i", tmpEnable=True)
    path = f"/applications/{made['id']}/components"
    before = {one["name"]: one for one in (await api.get(path))["components"]}
    web = {"name": "web", "type": "webservice", "image": "web:2", "properties": {"ports": [{"port": 80}]}}
    conf = application()["component"][1]
    saved = await api.post(
        "/applications", {"id": made["id"], "name": "shop", "description": "new", "component": [conf, web]}
    )
    assert (saved["id"], saved["description"], saved["icon"], saved["tmpEnable"]) == (made["id"], "new", "i", True)
    assert saved["workflowId"] == made["workflowId"]
    after = {one["name"]: one for one in (await api.get(path))["components"]}
    assert list(after) == ["conf", "web"]
    assert after["conf"] == before["conf"]
    assert (after["web"]["id"], after["web"]["createTime"]) == (before["web"]["id"], before["web"]["createTime"])
    assert after["web"]["image"] == "web:2"
    assert after["web"]["updateTime"] > before["web"]["updateTime"]


async def test_saving_without_components_keeps_them(api: Api) -> None:
    made = await api.create()
    path = f"/applications/{made['id']}/components"
    before = await api.get(path)
    await api.post("/applications", {"id": made["id"], "name": "shop", "alias": "only this"})
    assert await api.get(path) == before


async def test_saving_what_is_not_there_is_404(api: Api) -> None:
    envelope = await api.post("/applications", application(id=MISSING), 404)
    assert envelope["code"] == ApiCode.APPLICATION_NOT_FOUND
    assert (await api.post("/applications/try", application(id=MISSING), 404))["code"] == ApiCode.APPLICATION_NOT_FOUND
    assert (await api.post("/applications", application(id=7), 400))["errors"][0]["field"] == "id"
    assert (await api.create(id=""))["name"] == "shop"


async def test_snake_case_goes_in_and_camel_case_comes_out(api: Api) -> None:
    part = {
        "name": "web",
        "type": "webservice",
        "image": "web:1",
        "traits": {"storage": [{"name": "data", "type": "ephemeral", "mount_path": "/data"}]},
    }
    made = await api.create(component=[part], tmp_enable=True)
    found = (await api.get(f"/applications/{made['id']}/components"))["components"][0]
    assert found["traits"]["storage"][0]["mountPath"] == "/data"
    assert made["tmpEnable"] is True


@pytest.mark.parametrize("replicas", ["auto", 0, 3])
async def test_replicas_come_back_as_they_were_posted(api: Api, replicas: int | str) -> None:
    part = {"name": "web", "type": "webservice", "image": "nginx", "replicas": replicas}
    made = await api.create(component=[part])
    path = f"/applications/{made['id']}/components"
    assert [one["replicas"] for one in (await api.get(path))["components"]] == [replicas]
    await api.post("/applications", {"id": made["id"], "name": "shop", "component": [{**part, "replicas": 2}]})
    assert [one["replicas"] for one in (await api.get(path))["components"]] == [2]


async def test_secret_values_are_masked_and_the_mask_can_be_saved_back(api: Api) -> None:
    made = await api.create()
    path = f"/applications/{made['id']}/components"
    shown = (await api.get(path))["components"]
    keys = next(one for one in shown if one["name"] == "keys")
    assert keys["properties"]["secret"] == {"token": MASK}

    keys["properties"]["secret"]["extra"] = "new"
    part = {name: keys[name] for name in ("name", "type", "image", "replicas", "properties", "traits")}
    await api.post("/applications", {"id": made["id"], "name": "shop", "component": [part]})
    async with api.db.read() as tx:
        stored = (await components.of_application(tx, made["id"]))[0]
    assert stored.read.properties.secret == {"token": "hush-hush", "extra": "new"}
    answer = await api.http.get(f"/api/v1{path}")
    assert "hush-hush" not in answer.text


async def test_a_mask_without_a_value_behind_it_is_refused(api: Api) -> None:
    part = {"name": "keys", "type": "secret", "properties": {"secret": {"token": MASK}}}
    envelope = await api.post("/applications", application(component=[part]), 400)
    assert envelope["errors"][0]["field"] == "component[0].properties.secret.token"
    made = await api.create()
    renamed = {**part, "name": "others"}
    await api.post("/applications", {"id": made["id"], "name": "shop", "component": [renamed]}, 400)


async def test_components_say_how_they_do(api: Api) -> None:
    made = await api.create()
    links = (("Ingress", "http://shop.example"),)
    api.states["web"] = ComponentHealth("Failed", ComponentState.FAILED, "ImagePullBackOff: no such image", links)
    found = {one["name"]: one for one in (await api.get(f"/applications/{made['id']}/components"))["components"]}
    assert (found["web"]["status"], found["web"]["state"]) == ("Failed", "Failed")
    assert found["web"]["lastAbnormal"] == "ImagePullBackOff: no such image"
    assert found["web"]["externalLinks"] == [{"type": "Ingress", "value": "http://shop.example"}]
    assert (found["conf"]["status"], found["conf"]["state"]) == ("Not Deploy", "Not Deploy")
    assert found["conf"]["externalLinks"] == []


async def test_components_lie_in_their_own_or_the_applications_namespace(api: Api) -> None:
    parts = [{"name": "a", "type": "config"}, {"name": "b", "type": "config", "namespace": "other"}]
    made = await api.create(component=parts, namespace="two")
    found = (await api.get(f"/applications/{made['id']}/components"))["components"]
    assert [one["namespace"] for one in found] == ["two", "other"]


async def test_deleting_is_a_task(api: Api) -> None:
    made = await api.create()
    answer = await api.call("DELETE", f"/applications/{made['id']}")
    status = await api.get(f"/workflow/tasks/{answer['taskId']}/status")
    assert (status["type"], status["status"], status["appId"]) == ("delete", "waiting", made["id"])
    async with api.db.begin("test") as tx:
        assert await tasks.cancel(tx, answer["taskId"], "test", "test")
    kept = await api.call("DELETE", f"/applications/{made['id']}", params={"keepResources": "true"})
    assert (await api.get(f"/workflow/tasks/{kept['taskId']}/status"))["type"] == "delete"


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"keepResources": "true", "deleteVolumes": "true"}, 400, "deleteVolumes"),
        ({"deleteVolumes": "yes"}, 400, "deleteVolumes"),
        ({"dryRun": "1"}, 400, "dryRun"),
        ({"claims": "true"}, 400, "claims"),
        ({"dryRun": "true"}, 503, ""),  # no cluster to ask
    ],
)
async def test_a_deletion_that_is_asked_for_wrongly_does_nothing(
    api: Api, query: dict[str, str], status: int, field: str
) -> None:
    made = await api.create()
    answer = await api.call("DELETE", f"/applications/{made['id']}", status, params=query)
    assert [one["field"] for one in answer.get("errors", [])] == ([field] if field else [])
    assert (await api.get("/tasks"))["tasks"] == []


async def test_a_locked_database_is_503_and_stores_nothing(api: Api, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "kubemin.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = await api.http.post("/api/v1/applications", json=application())
        assert (answer.status_code, answer.json()["code"]) == (503, ApiCode.UNAVAILABLE)
        assert answer.headers["retry-after"] == "1"
        other.execute("ROLLBACK")
    assert await api.get("/applications") == {"applications": []}


async def test_what_fails_half_way_stores_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await api.create()
    before = await api.get(f"/applications/{made['id']}/components")

    async def broken(*_: Any) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(workflows, "update", broken)
    changed = {"id": made["id"], "name": "shop", "component": [], "workflow": []}
    await api.post("/applications", changed, 500)
    assert await api.get("/applications") == {"applications": [made]}
    assert await api.get(f"/applications/{made['id']}/components") == before


async def test_readiness_names_what_is_away(api: Api, deps: Deps) -> None:
    import httpx

    from kubemin.api.app import create_app

    async def away() -> str | None:
        return "Cannot connect"

    app = create_app(
        Deps(
            db=deps.db,
            service=deps.service,
            limits=deps.limits,
            watches=deps.watches,
            health={"cluster": away},
        )
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        answer = await http.get("/readyz")
        assert answer.status_code == 200
        assert answer.json()["data"] == {
            "status": "degraded",
            "secrets": "plain",
            "checks": [
                {"name": "database", "status": "ok", "message": ""},
                {"name": "cluster", "status": "down", "message": "Cannot connect"},
            ],
        }


async def test_every_application_gets_a_key_that_no_reply_shows(api: Api) -> None:
    ids = [(await api.create(name=name))["id"] for name in ("one", "two")]
    async with api.db.read() as tx:
        rows = [await applications.with_key(tx, app_id) for app_id in ids]
    keys = [row.config_key for row in rows if row is not None and row.config_key]
    assert len(set(keys)) == 2
    for path in ("", *(f"/{app_id}" for app_id in ids), f"/{ids[0]}/components", f"/{ids[0]}/workflows"):
        shown = str(await api.get(f"/applications{path}"))
        assert not any(key in shown for key in keys)


async def test_the_list_is_filtered_by_name_namespace_and_the_status_of_the_newest_task(api: Api) -> None:
    for name, namespace in (("one", "a"), ("two", "a"), ("three", "b")):
        await api.create(name=name, namespace=namespace)

    async def names(**query: str) -> list[str]:
        found = await api.get("/applications", page=1, **query)
        assert found["total"] == len(found["applications"])
        return [one["name"] for one in found["applications"]]

    two = (await api.get("/applications", name="two"))["applications"][0]
    assert two["status"] == ""
    assert await names() == ["three", "two", "one"]
    assert await names(namespace="a") == ["two", "one"]
    assert await names(namespace="b", name="two") == []
    path = f"/applications/{two['id']}/workflow"
    task = (await api.post(f"{path}/exec", {}))["taskId"]
    assert await names(status="waiting") == ["two"]
    await api.post(f"{path}/cancel", {"taskId": task})
    assert (await names(status="waiting"), await names(status="cancelled")) == ([], ["two"])
    await api.post("/applications", {"id": two["id"], "name": "two", "alias": "changed"})
    assert await names() == ["two", "three", "one"]
    assert (await api.get(f"/applications/{two['id']}"))["status"] == "cancelled"
    for wrong in ({"status": "odd"}, {"names": "x"}, {"name": "a\nb"}):
        assert (await api.get("/applications", 400, **wrong))["errors"][0]["field"] == next(iter(wrong))


async def test_a_page_says_how_each_application_does(api: Api) -> None:
    parts = application()["component"]
    ran = [await api.post("/apply", {"application": application(name=name)}) for name in ("one", "two")]
    await api.post("/apply", {"application": application(name="one")})
    async with api.db.begin("complete") as tx:
        task = await tasks.claim_next(tx, "worker", 60, 3)
        assert task is not None
        assert (task.id, task.app_id) == (ran[0]["taskId"], ran[0]["appId"])
        assert await tasks.start(tx, task.id, task.lease_epoch)
        assert await tasks.finish(tx, task.id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)
    api.states["web"] = ComponentHealth("Running", ComponentState.RUNNING)
    found = {one["name"]: one["overview"] for one in (await api.get("/applications", page=1))["applications"]}
    one, two = found["one"], found["two"]
    assert (one["health"], one["revision"], one["images"], one["imageCount"]) == ("Running", 1, [parts[0]["image"]], 1)
    assert (one["waiting"], one["newestTask"]["status"], two["waiting"]) == (1, "waiting", 1)
    assert (two["revision"], two["images"], two["newestTask"]["taskId"]) == (None, [], ran[1]["taskId"])
    assert (await api.get(f"/applications/{ran[0]['appId']}"))["overview"] == one
