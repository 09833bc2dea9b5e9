"""History on the wire: apply, revisions, rollback, restart; a secret is in no reply."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.api.codes import ApiCode
from kubemin.api.masks import masked_spec
from kubemin.engine.entry.component_health import ComponentHealth
from kubemin.spec.config import MASK
from kubemin.spec.ids import application_id
from kubemin.spec.states import Cleanup, ComponentState, TaskStatus
from kubemin.store import Database, applications, revisions, tasks
from tests.api.conftest import PREFIX, Api, application
from tests.store.history import Work

APP = application_id("default", "shop")


async def apply(api: Api, status: int = 200, **changes: Any) -> Any:
    options = {name: changes.pop(name) for name in ("workflow", "note", "dryRun", "strange") if name in changes}
    return await api.post("/apply", {"application": application(**changes), **options}, status)


async def complete(db: Database) -> None:
    """Let the next task complete, as a worker would."""
    async with db.begin("claim") as tx:
        task = await tasks.claim_next(tx, "w", 60, 3)
        assert task is not None
        assert await tasks.finish(tx, task.id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)


async def test_apply_makes_a_revision_and_a_task(api: Api) -> None:
    made = await apply(api, note="the first")
    assert made == {"appId": APP, "revision": 1, "taskId": made["taskId"], "warnings": []}
    (row,) = (await api.get(f"/applications/{APP}/revisions"))["revisions"]
    changes = {"added": ["web", "conf", "keys"], "changed": [], "removed": []}
    assert row == {
        "revision": 1,
        "state": "pending",
        "strategy": "rolling",
        "note": "the first",
        "user": "system",
        "taskId": made["taskId"],
        "createTime": row["createTime"],
        "changes": changes,
    }
    second = await apply(api)
    assert (second["revision"], (await api.get(f"/applications/{APP}/revisions"))["total"]) == (2, 2)
    task = await api.get(f"/workflow/tasks/{second['taskId']}")
    assert (task["revision"], task["queuedBehind"], task["status"]) == (2, [made["taskId"]], "waiting")
    assert task == await api.get(f"/workflow/tasks/{second['taskId']}/status")


async def test_what_is_deployed_stands_beside_the_draft(api: Api) -> None:
    await apply(api)
    assert {part["deployed"] for part in (await api.get(f"/applications/{APP}/components"))["components"]} == {None}
    await complete(api.db)
    edited = {"id": APP, **application()}
    edited["component"][0] = {**edited["component"][0], "image": "web:2", "replicas": 3}
    await api.post("/applications", edited)
    (web, *_) = (await api.get(f"/applications/{APP}/components"))["components"]
    assert (web["image"], web["replicas"]) == ("web:2", 3)
    assert web["deployed"] == {"revision": 1, "image": "web:1", "replicas": 1}
    await api.post("/applications", {**edited, "component": edited["component"][1:]})
    (dropped,) = (await api.get(f"/applications/{APP}/components"))["dropped"]
    assert (dropped["name"], dropped["deployed"]) == ("web", web["deployed"])
    await api.post("/applications", edited)
    assert (await api.get(f"/applications/{APP}/components"))["dropped"] == []
    draft = await api.get(f"/applications/{APP}/revisions/draft")
    assert draft.keys() == {"application"}
    assert draft["application"]["component"][0]["image"] == "web:2"
    current = await api.get(f"/applications/{APP}/revisions/current")
    assert (current["revision"], current["state"]) == (1, "current")
    posted = application()
    posted["component"][2]["properties"]["secret"] = {"token": MASK}
    assert current["application"] == posted


async def test_no_reply_has_a_secret(api: Api) -> None:
    await apply(api)
    await complete(api.db)
    await api.post(f"/applications/{APP}/rollback", {"revision": 1})
    paths = ["revisions", "revisions/1", "revisions/2", "revisions/current", "revisions/draft", "components"]
    for path in paths:
        answer = await api.http.get(f"/api/v1/applications/{APP}/{path}")
        assert answer.status_code == 200, answer.text
        assert "hush-hush" not in answer.text
    async with api.db.read() as tx:
        again = await revisions.get(tx, APP, 2)
    assert again is not None
    assert again.spec["component"][2]["properties"]["secret"] == {"token": "hush-hush"}  # from the stored value


async def test_a_mask_stands_for_what_is_deployed(api: Api) -> None:
    masked = application()
    masked["component"][2]["properties"]["secret"] = {"token": MASK}
    refused = await api.post("/apply", {"application": masked}, 400)
    assert refused["errors"][0]["field"] == "component[2].properties.secret.token"
    await apply(api)
    await complete(api.db)
    assert (await api.post("/apply", {"application": masked}))["revision"] == 2
    async with api.db.read() as tx:
        row = await revisions.get(tx, APP, 2)
    assert row is not None
    assert row.spec["component"][2]["properties"]["secret"] == {"token": "hush-hush"}


async def test_what_is_refused_stores_nothing(api: Api) -> None:
    wrong = await apply(api, 400, strange=1)
    assert [one["field"] for one in wrong["errors"]] == ["strange"]
    wrong = await apply(api, 400, component=[{"name": "web", "type": "webservice", "imag": "x"}])
    assert "component[0].imag" in [one["field"] for one in wrong["errors"]]
    wrong = await apply(api, 400, id="a" * 24)
    assert [one["field"] for one in wrong["errors"]] == ["id"]
    await api.post("/apply", {"application": application(workflow=[]), "workflow": [{"name": "web"}]}, 400)
    await apply(api, 503, dryRun=True)  # this server has no cluster to ask
    async with api.db.read() as tx:
        assert await applications.page(tx) == []
        assert await tasks.page(tx) == []
    assert (await api.get(f"/applications/{APP}/revisions", 404))["code"] == ApiCode.APPLICATION_NOT_FOUND


async def test_a_key_gives_the_same_task(api: Api) -> None:
    body = {"application": application()}
    first = await api.post("/apply", body, Idempotency_Key="one")
    assert await api.post("/apply", body, Idempotency_Key="one") == first
    await api.post("/apply", {"application": application(alias="other")}, 409, Idempotency_Key="one")
    assert (await api.post("/apply", body, Idempotency_Key="two"))["revision"] == 2


async def test_a_component_in_no_step_is_warned_about(api: Api) -> None:
    made = await apply(api, workflow=[{"name": "only", "components": ["web", "keys"]}])
    assert [(one["field"], one["code"]) for one in made["warnings"]] == [("component[1]", "COMPONENT_IN_NO_STEP")]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "rollback", {}, 404, ApiCode.REVISION_NOT_FOUND),
        ("POST", "rollback", {"revision": 9}, 404, ApiCode.REVISION_NOT_FOUND),
        ("POST", "rollback", {"revision": 0}, 400, ApiCode.VALIDATION),
        ("POST", "restart", None, 409, ApiCode.CONFLICT),
        ("POST", "restart", {"components": []}, 400, ApiCode.VALIDATION),
        ("GET", "revisions/9", None, 404, ApiCode.REVISION_NOT_FOUND),
        ("GET", "revisions/current", None, 404, ApiCode.REVISION_NOT_FOUND),
        ("GET", "revisions/live", None, 400, ApiCode.VALIDATION),
        ("GET", "diff?from=next", None, 400, ApiCode.VALIDATION),
        ("GET", "diff", None, 503, ApiCode.CLUSTER_UNREACHABLE),
        ("GET", "diff?from=current&to=live", None, 503, ApiCode.CLUSTER_UNREACHABLE),
        ("GET", "diff?from=1.0", None, 400, ApiCode.VALIDATION),
    ],
)
async def test_what_is_not_there(api: Api, method: str, path: str, body: Any, status: int, code: ApiCode) -> None:
    await api.create()
    options = {} if body is None else {"json": body}
    answer = await api.call(method, f"/applications/{APP}/{path}", status, **options)
    assert answer["code"] == code


async def test_restart_is_refused_while_a_task_is_active(api: Api) -> None:
    await apply(api)
    await complete(api.db)
    task = (await api.post(f"/applications/{APP}/restart", {"components": ["web"]}))["taskId"]
    assert (await api.get(f"/workflow/tasks/{task}"))["revision"] == 2
    assert (await api.post(f"/applications/{APP}/restart", None, 409))["code"] == ApiCode.TASK_ACTIVE


@given(st.dictionaries(st.text(max_size=5), st.text(min_size=1, max_size=5), min_size=1))
def test_every_value_is_masked(values: dict[str, str]) -> None:
    spec = {"component": [{"name": "keys", "properties": {"secret": values}}, {"name": "web"}]}
    shown = masked_spec(spec)
    assert set(shown["component"][0]["properties"]["secret"].values()) == {MASK}
    assert shown["component"][1] == {"name": "web"}


async def test_components_that_have_not_changed_are_not_sent_again(api: Api) -> None:
    """And each change is: of the draft, of what is deployed, of how one does."""
    await apply(api)
    edited = {"id": APP, **application()}
    fewer = {**edited, "component": edited["component"][1:]}

    async def runs() -> None:
        api.states["web"] = ComponentHealth("Running", ComponentState.RUNNING)

    path, known = f"{PREFIX}/applications/{APP}/components", ""
    changes = (lambda: complete(api.db), lambda: api.post("/applications", fewer), runs)
    for change in changes:
        await change()
        answer = await api.http.get(path, headers={"If-None-Match": known})
        assert answer.status_code == 200
        while "etag" not in answer.headers:
            answer = await api.http.get(path)
        known = answer.headers["etag"]
        work = Work()
        work.watch_sqlite(api.db)
        unchanged = await api.http.get(path, headers={"If-None-Match": known})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert not any("components.spec" in statement or "revisions.spec" in statement for statement in work.executed)
