"""Each call that may change something is one row, whatever became of it; and no row holds a secret."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from prometheus_client import CollectorRegistry
from starlette.types import Scope

from kubemin.api.app import create_app, routes
from kubemin.api.audit_log import ADDRESS_BURST
from kubemin.api.auditing import NEVER_WAITS, STORES_NOTHING
from kubemin.api.authentication import CSRF_HEADER
from kubemin.api.deps import Deps
from kubemin.api.route_table import RouteTable
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import TaskService
from kubemin.settings.api import ApiSettings
from kubemin.settings.audit import AuditSettings
from kubemin.settings.identity import IdentitySettings
from kubemin.signals import LocalSignals
from kubemin.spec.audit import verify
from kubemin.spec.ids import application_id
from kubemin.spec.limits import Limits
from kubemin.store import Database, Unavailable
from tests.api.conftest import BODY_LIMIT, PREFIX, Api, application
from tests.api.guarded import guarded_by
from tests.waiting import PATIENCE

SECRET = "hush-5f1c"
MISSING = "a" * 24
NAMED = {"token_id": "abc", "delivery_id": "7", "name": "nobody"}
OWN_PAGE = {"Sec-Fetch-Site": "same-origin", CSRF_HEADER: "1"}
CHANGING = ("POST", "PUT", "PATCH", "DELETE")


async def stored() -> None:
    """What waits is stored, or has been tried: a cancel's reply does not wait for it."""
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "audit"))


async def rows_of(api: Api, **filters: Any) -> list[dict[str, Any]]:
    """Oldest first."""
    found: list[dict[str, Any]] = (await api.get("/audit", **filters))["rows"]
    return found[::-1]


def changing_routes() -> Iterator[tuple[str, str, str]]:
    from fastapi.routing import iter_route_contexts

    for one in iter_route_contexts(routes().routes):
        for method in sorted((one.methods or set()) & {*CHANGING}):
            yield method, str(one.path), str(one.name)


@pytest.mark.parametrize(("method", "path", "name"), sorted(changing_routes()))
async def test_each_route_makes_one_row(api: Api, method: str, path: str, name: str) -> None:
    where = path.format(app_id="default~gone", task_id=MISSING, **NAMED)
    reply = await api.http.request(method, where, json={}, headers={"X-Request-Id": "mine-1"})
    await stored()
    rows = await rows_of(api)
    if name in STORES_NOTHING:
        assert rows == []
        reply = await api.http.request(method, where, json={}, headers={"Origin": "http://evil.example"})
        assert reply.status_code == 403
        assert [(row["operation"], row["status"], row["caller"]) for row in await rows_of(api)] == [(name, 403, "-")]
        return
    (row,) = rows
    assert (row["method"], row["operation"], row["requestId"]) == (method, name, "mine-1")
    assert (row["status"], row["code"]) == (reply.status_code, reply.json()["code"])
    assert (row["caller"], row["address"]) == ("system", "127.0.0.1")
    if "{app_id}" in path:
        assert (row["target"], row["app"]) == ("default~gone", application_id("default", "gone"))
    if "{task_id}" in path:
        assert row["task"] == MISSING
    for parameter, value in NAMED.items():
        if f"{{{parameter}}}" in path:
            assert row["target"] == value


def test_what_is_said_of_operations_is_said_of_ones_that_are_there() -> None:
    assert {name for _, _, name in changing_routes()} >= STORES_NOTHING | NEVER_WAITS


async def test_reading_makes_no_row(api: Api) -> None:
    for path in ("/applications", "/tasks", "/audit", "/nowhere"):
        for method in ("GET", "HEAD", "OPTIONS"):
            await api.http.request(method, PREFIX + path)
    assert await rows_of(api) == []


@pytest.mark.parametrize(
    ("method", "path", "status", "options"),
    [
        ("POST", "/nowhere", 404, {}),
        ("PATCH", "/applications", 405, {}),
        ("BREW", "/applications", 405, {}),
        ("POST", "/applications", 400, {"json": {"name": ""}}),
        ("POST", "/applications", 400, {"content": b"{", "headers": {"Content-Type": "application/json"}}),
        ("POST", "/applications", 415, {"content": b"name=x", "headers": {"Content-Type": "text/plain"}}),
        ("POST", "/applications", 413, {"json": {"name": "x" * BODY_LIMIT}}),
        ("POST", "/applications", 403, {"json": {}, "headers": {"Origin": "http://evil.example"}}),
        ("POST", "/applications", 421, {"json": {}, "headers": {"Host": "evil.example"}}),
        ("DELETE", f"/applications/{MISSING}", 404, {}),
        ("POST", "/applications/..%2f/restart", 400, {}),
    ],
)
async def test_what_is_refused_is_a_row_too(
    api: Api, method: str, path: str, status: int, options: dict[str, Any]
) -> None:
    reply = await api.http.request(method, PREFIX + path, **options)
    assert reply.status_code == status
    (row,) = await rows_of(api)
    assert (row["status"], row["code"], row["method"]) == (status, reply.json()["code"], method)
    assert row["requestId"] == reply.headers["x-request-id"]


async def test_a_run_says_which_task_came_of_it(api: Api) -> None:
    made = await api.create()
    run = await api.post("/apply", {"application": application(name="other")})
    again = await api.post(f"/applications/{made['id']}/workflow/exec", {})
    refused = await api.post("/apply", {"application": application(name="other"), "onActive": "reject"}, 409)
    cancelled = await api.post(f"/applications/{made['id']}/workflow/cancel", {"taskId": again["taskId"]})
    await stored()
    saved, ran, executed, late, stopped = await rows_of(api)
    assert (saved["operation"], saved["app"], saved["task"]) == ("save_application", made["id"], "")
    assert (ran["operation"], ran["app"], ran["task"]) == ("apply_application", run["appId"], run["taskId"])
    assert ran["target"] == "default~other"
    assert (executed["operation"], executed["app"], executed["task"]) == ("exec_workflow", made["id"], again["taskId"])
    assert (late["status"], late["code"], late["app"], late["task"]) == (409, refused["code"], run["appId"], "")
    assert (stopped["operation"], stopped["task"]) == ("cancel_task", cancelled["taskId"])
    for filters, expected in (
        ({"task": run["taskId"]}, [ran]),
        ({"task": again["taskId"]}, [executed, stopped]),
        ({"app": "default~shop"}, [saved, executed, stopped]),
        ({"app": "never-there"}, []),
        ({"operation": "cancel_task"}, [stopped]),
        ({"outcome": "refused"}, [late]),
        ({"outcome": "done", "app": run["appId"]}, [ran]),
        ({"status": 409}, [late]),
        ({"caller": "system", "until": saved["time"]}, []),
        ({"since": ran["time"]}, [ran, executed, late, stopped]),
    ):
        assert await rows_of(api, **filters) == expected, filters


async def _called(api: Api, method: str, path: str, body: Any, request: str) -> Any:
    return await api.call(method, path, json=body, headers={"X-Request-Id": request})


async def test_a_task_has_the_request_that_asked_for_it_and_the_one_that_cancelled_it(api: Api) -> None:
    run = await _called(api, "POST", "/apply", {"application": application()}, "run-1")
    path = f"/applications/{run['appId']}"
    changed = {"application": application(version="2"), "onActive": "supersede"}
    asked = {
        "apply": ("POST", "/apply", changed),
        "exec": ("POST", f"{path}/workflow/exec", {}),
        "version": ("POST", f"{path}/version", {"components": []}),
        "deleted": ("DELETE", path, None),
    }
    tasks = {"run-1": run["taskId"]}
    for name, (method, address, body) in asked.items():
        tasks[name] = (await _called(api, method, address, body, name))["taskId"]
    await _called(api, "POST", f"{path}/workflow/cancel", {"taskId": tasks["deleted"]}, "stop")
    await _called(api, "POST", f"{path}/workflow/cancel", {"taskId": tasks["deleted"]}, "stop-again")
    await stored()
    ends = {"run-1": "apply", "apply": "deleted", "exec": "deleted", "version": "deleted", "deleted": "stop"}
    for name, task_id in tasks.items():
        status = await api.get(f"/workflow/tasks/{task_id}/status")
        assert (status["requestId"], status["cancelRequestId"]) == (name, ends[name])
        [row] = await rows_of(api, requestId=name)
        assert (row["task"], row["requestId"]) == (task_id, name)
    assert [row["operation"] for row in await rows_of(api, requestId="stop")] == ["cancel_task"]
    assert await rows_of(api, requestId="nothing") == []
    await api.get("/audit", 400, requestId="no id")


async def test_a_run_that_is_asked_for_again_has_its_first_request(api: Api) -> None:
    for request in ("first", "second"):
        headers = {"X-Request-Id": request, "Idempotency-Key": "once"}
        run = await api.call("POST", "/apply", json={"application": application()}, headers=headers)
        status = await api.get(f"/workflow/tasks/{run['taskId']}/status")
        assert status["requestId"] == "first"
        assert "cancelRequestId" not in status


async def test_pages_and_lines(api: Api) -> None:
    for number in range(7):
        await api.post("/nowhere", {"number": number}, 404)
    page = await api.get("/audit", pageSize=3)
    assert [row["seq"] for row in page["rows"]] == [7, 6, 5]
    assert page["head"] == {"seq": 7, "hash": page["rows"][0]["hash"]}
    page = await api.get("/audit", pageSize=3, after=page["nextCursor"])
    assert [row["seq"] for row in page["rows"]] == [4, 3, 2]
    page = await api.get("/audit", pageSize=3, after=page["nextCursor"])
    assert [row["seq"] for row in page["rows"]] == [1]
    assert "nextCursor" not in page
    await api.get("/audit", 400, after="x")
    await api.get("/audit", 400, until="yesterday")
    reply = await api.http.get(f"{PREFIX}/audit/export")
    assert reply.headers["content-type"].startswith("application/x-ndjson")
    rows = [json.loads(line) for line in reply.text.splitlines()]
    assert verify(rows).rows == 7
    part = await api.http.get(f"{PREFIX}/audit/export", params={"from": 3, "limit": 2})
    assert [json.loads(line)["seq"] for line in part.text.splitlines()] == [3, 4]
    assert (await api.http.get(f"{PREFIX}/audit/export", params={"caller": "nobody"})).text == ""


async def test_no_row_and_no_line_of_the_log_holds_a_secret(api: Api) -> None:
    shop = application()
    shop["component"][2]["properties"]["secret"]["token"] = SECRET
    headers = {"Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}", "Idempotency-Key": SECRET}
    with structlog.testing.capture_logs() as lines:
        for path in (
            "/applications",
            f"/apply?token={SECRET}",
            "/apply",
            f"/nowhere/{SECRET}",
            f"/applications/{SECRET}!/restart",
        ):
            body = {"application": shop, "note": SECRET} if "apply" in path else shop
            await api.http.post(PREFIX + path, json=body, headers=headers)
        await api.http.post(
            f"{PREFIX}/apply", content=f'{{"{SECRET}"'.encode(), headers={**headers, "Content-Type": "application/json"}
        )
        await api.http.delete(f"{PREFIX}/applications/{MISSING}?password={SECRET}", headers=headers)
    rows = await rows_of(api)
    assert len(rows) == 7
    assert len([line for line in lines if line["event"] == "audit"]) == 7
    assert SECRET not in json.dumps(rows)
    assert SECRET not in json.dumps(lines, default=str)


async def test_the_log_has_the_same(api: Api) -> None:
    with structlog.testing.capture_logs() as lines:
        await api.create()
    (line,) = [line for line in lines if line["event"] == "audit"]
    (row,) = await rows_of(api)
    assert {name: line[name] for name in row} == row
    assert (line["logger"], line["stored"]) == ("kubemin.audit", True)


async def test_the_caller_is_whom_authentication_found(deps: Deps) -> None:
    """By token or session, also where they were refused; of a wrong credential nothing is said."""
    settings = IdentitySettings(auth="token", caller_rate=0.5, caller_burst=2, failed_logins=1)
    async with guarded_by(deps, settings) as guarded:
        odd, bea, text = await guarded.by("ada\u202e"), await guarded.by("bea"), await guarded.token("eve")
        root = await guarded.by("root")
        for known in (text, root.token):  # right before anything was wrong
            await guarded.authenticator.of_bearer(known, "127.0.0.1")
        await odd.post("/nowhere", {}, 404)
        for status in (404, 404, 429):
            await bea.post("/nowhere", {}, status)
        wrong = {"Authorization": f"Bearer {text}x"}
        for _ in range(2):
            await guarded.http.post(f"{PREFIX}/nowhere", headers=wrong)
        await guarded.http.post(f"{PREFIX}/nowhere")
        await guarded.http.post("/auth/session", json={"token": text}, headers=OWN_PAGE)
        await guarded.http.post("/auth/session", json={"token": f"{text}x"}, headers=OWN_PAGE)
        await guarded.http.post(f"{PREFIX}/nowhere")  # the cookie is sent, but no page of this server asks
        await guarded.http.post("/auth/logout", headers=OWN_PAGE)
        await guarded.http.post("/auth/logout", headers=OWN_PAGE)
        rows = await rows_of(root)
        await guarded.deps.audit.aclose()
    assert [(row["operation"], row["status"], row["caller"], row["authenticated"]) for row in rows] == [
        ("none", 404, "ada\\u202e", "token"),
        ("none", 404, "bea", "token"),
        ("none", 404, "bea", "token"),
        ("none", 429, "bea", "token"),
        ("none", 401, "-", ""),
        ("none", 429, "-", ""),
        ("none", 401, "-", ""),
        ("open_session", 200, "eve", "session"),
        ("open_session", 429, "eve", "session"),  # who has a session already, and shows a wrong token
        ("none", 403, "eve", "session"),
        ("logout", 200, "eve", "session"),
        ("logout", 200, "-", ""),
    ]
    assert text.rpartition("_")[2] not in json.dumps(rows)


async def test_who_says_no_name_cannot_fill_the_audit(deps: Deps) -> None:
    """Of such calls only so many are rows; who is known goes on having one for each call."""
    tries = 2 * ADDRESS_BURST
    async with guarded_by(deps) as guarded:
        root = await guarded.by("root")
        for number in range(tries):
            await guarded.http.post(f"{PREFIX}/x{number}")
        await root.post("/nowhere", {}, 404)
        await stored()
        rows = await rows_of(root, pageSize=1000)
        kept = [row["caller"] for row in rows].count("-")
        left_out = guarded.deps.registry.get_sample_value("kubemin_audit_rows_total", {"how": "unknown"})
        await guarded.deps.audit.aclose()
    assert ADDRESS_BURST <= kept < tries
    assert left_out == tries - kept
    assert rows[-1]["caller"] == "root"


@asynccontextmanager
async def client(deps: Deps, address: str = "127.0.0.1") -> AsyncIterator[Api]:
    transport = httpx.ASGITransport(create_app(deps), raise_app_exceptions=False, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        yield Api(http, deps.db)
    await deps.audit.aclose()


@pytest.mark.parametrize(
    ("proxies", "address", "said", "expected"),
    [
        ("", "127.0.0.1", "203.0.113.9", "127.0.0.1"),
        ("10.0.0.1", "127.0.0.1", "203.0.113.9", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first one is the client's to say
        ("127.0.0.1, 10.0.0.0/8", "127.0.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("::1", "::1", "2001:db8::9", "2001:db8::9"),
        ("127.0.0.1", "127.0.0.1", "a\u0301b".encode().decode("latin-1"), "-"),
        ("127.0.0.1", "127.0.0.1", None, "127.0.0.1"),
    ],
)
async def test_the_address_is_what_a_trusted_proxy_says(
    deps: Deps, proxies: str, address: str, said: str | None, expected: str
) -> None:
    deps = replace(deps, settings=ApiSettings(trusted_proxies=proxies), registry=CollectorRegistry())
    async with client(deps, address) as api:
        headers = {} if said is None else {b"X-Forwarded-For": said.encode("latin-1")}
        await api.http.post(f"{PREFIX}/nowhere", headers=headers)
        (row,) = await rows_of(api)
    assert row["address"] == expected


class Gate:
    """Holds up, or fails, what the audit commits."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.reached = asyncio.Event()
        self.away = False

    async def __call__(self, point: str) -> None:
        if point == "commit:audit:before":
            self.reached.set()
            await self.open.wait()
            if self.away:
                raise Unavailable("the database is away")


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture
async def gated(tmp_path: Path, migrated: Path, gate: Gate) -> AsyncIterator[Api]:
    db = await Database.open(f"sqlite:///{shutil.copy(migrated, tmp_path / 'gated.db')}", hook=gate)
    limits = Limits()
    deps = Deps(
        db=db,
        service=TaskService(db, LocalSignals(), LocalDoorbell(), limits),
        limits=limits,
        audit_settings=AuditSettings(audit_wait_seconds=PATIENCE),
    )
    deps.audit.first_pause = 0.01
    async with client(deps) as api:
        yield api
    await db.aclose()


async def test_a_reply_waits_for_its_row(gated: Api, gate: Gate) -> None:
    gate.open.clear()
    asked = asyncio.create_task(gated.http.post(f"{PREFIX}/nowhere"))
    await gate.reached.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not asked.done()
    gate.open.set()
    assert (await asked).status_code == 404


async def test_a_cancel_does_not(gated: Api, gate: Gate) -> None:
    run = await gated.post("/apply", {"application": application()})
    gate.open.clear()
    async with asyncio.timeout(PATIENCE):
        await gated.post(f"/applications/{run['appId']}/workflow/cancel", {"taskId": run["taskId"]})
    assert [row["operation"] for row in await rows_of(gated)] == ["apply_application"]
    gate.open.set()
    await stored()
    assert len(await rows_of(gated)) == 2


async def test_calls_that_come_together_are_stored_together(gated: Api, gate: Gate) -> None:
    gate.open.clear()
    first = asyncio.create_task(gated.http.post(f"{PREFIX}/nowhere"))
    await gate.reached.wait()
    others = [asyncio.create_task(gated.http.post(f"{PREFIX}/nowhere")) for _ in range(20)]
    for _ in range(200):
        await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *others)
    rows = await rows_of(gated)
    assert verify(rows).rows == 21


async def test_the_database_is_away_and_comes_back(gated: Api, gate: Gate) -> None:
    gate.away = True
    with structlog.testing.capture_logs() as lines:
        async with asyncio.timeout(PATIENCE):
            for number in range(3):
                await gated.http.post(f"{PREFIX}/nowhere", headers={"X-Request-Id": f"lost-{number}"})
        assert [line["stored"] for line in lines if line["event"] == "audit"] == [False] * 3
        assert await rows_of(gated) == []
        text = (await gated.http.get("/metrics")).text
        assert "kubemin_audit_waiting 3.0" in text
        gate.away = False
        async with asyncio.timeout(PATIENCE):
            await stored()
        await gated.post("/nowhere", {}, 404)
    rows = await rows_of(gated)
    assert verify(rows).rows == 4
    assert [row["requestId"] for row in rows[:3]] == ["lost-0", "lost-1", "lost-2"]
    assert [line["stored"] for line in lines if line["event"] == "audit"] == [False] * 3 + [True] * 4
    text = (await gated.http.get("/metrics")).text
    assert 'kubemin_audit_rows_total{how="late"} 3.0' in text
    assert 'kubemin_audit_rows_total{how="stored"} 1.0' in text


async def test_a_client_that_goes_away_leaves_a_row(api: Api, deps: Deps) -> None:
    app = create_app(replace(deps, registry=CollectorRegistry()))
    scope: Scope = {
        "type": "http", "method": "POST", "path": f"{PREFIX}/apply", "raw_path": f"{PREFIX}/apply".encode(),
        "query_string": b"", "client": ("127.0.0.1", 1), "server": ("localhost", 80), "scheme": "http",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")], "http_version": "1.1",
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        raise AssertionError("nobody is there")

    await app(scope, receive, send)
    await stored()
    rows = await rows_of(api)
    assert [(row["operation"], row["status"]) for row in rows] == [("apply_application", 0)]
    assert len(await rows_of(api, outcome="unanswered")) == 1


async def test_a_key_seals_the_chain(deps: Deps) -> None:
    key = "k" * 32
    deps = replace(deps, audit_settings=AuditSettings(audit_key=key), registry=CollectorRegistry())
    async with client(deps) as api:
        await api.post("/nowhere", {}, 404)
        assert verify(await rows_of(api), [key]).rows == 1
    assert key not in repr(deps.audit_settings)
    with pytest.raises(ValueError, match="at least 32"):
        AuditSettings(audit_key="short")


def test_the_table_knows_what_the_router_does() -> None:
    table = RouteTable.of(routes())
    assert table.methods(f"{PREFIX}/applications") == ["GET", "POST"]
    assert table.found("POST", f"{PREFIX}/applications/try") == ("try_application", {})
    assert table.found("POST", f"{PREFIX}/nowhere") is None
