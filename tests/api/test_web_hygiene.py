"""What each reply says to a browser, which requests are no plain ones, and by which name a request is found again."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.api.request_ids import RequestIds, request_id
from kubemin.settings.api import ApiSettings
from tests.api.conftest import BODY_LIMIT, PREFIX, Api

REPLIES: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", f"{PREFIX}/applications", {}),
    ("GET", f"{PREFIX}/nowhere", {}),
    ("POST", f"{PREFIX}/applications", {"json": {}}),
    ("POST", f"{PREFIX}/applications", {"content": b"x"}),
    ("POST", f"{PREFIX}/applications", {"json": {"name": "x" * BODY_LIMIT}}),
    ("PATCH", f"{PREFIX}/applications", {}),
    ("OPTIONS", f"{PREFIX}/applications", {}),
    ("GET", f"{PREFIX}/applications", {"headers": {"Host": "evil.example"}}),
    ("POST", f"{PREFIX}/applications", {"headers": {"Origin": "http://evil.example"}}),
    ("GET", f"{PREFIX}/applications/%2e%2e", {}),
    ("GET", "/healthz", {}),
    ("GET", "/metrics", {}),
    ("GET", "/openapi.json", {}),
    ("GET", "/docs", {}),
    ("GET", "/", {}),
    ("GET", "/page/app.js", {}),
]


@pytest.mark.parametrize(("method", "path", "options"), REPLIES)
async def test_every_reply_is_guarded(api: Api, method: str, path: str, options: dict[str, Any]) -> None:
    headers = (await api.http.request(method, path, **options)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["cache-control"] == ("no-cache" if path in ("/", "/page/app.js") else "no-store")
    assert "strict-transport-security" not in headers
    assert len(headers["x-request-id"]) == 32
    assert all(len(headers.get_list(name)) == 1 for name in headers if name != "vary")


async def test_a_route_may_say_how_long_its_reply_is_good_for(api: Api) -> None:
    assert (await api.http.get("/schema/application.json")).headers["cache-control"] == "public, max-age=3600"


@pytest.mark.parametrize(
    ("settings", "scheme", "expected"),
    [
        ({}, "https", "max-age=31536000"),
        ({}, "http", None),
        ({"hsts_seconds": 60}, "http", "max-age=60"),
        ({"hsts_seconds": 0}, "https", None),
    ],
)
async def test_tls_only(deps: Deps, settings: dict[str, int], scheme: str, expected: str | None) -> None:
    app = create_app(replace(deps, settings=ApiSettings(**settings), registry=CollectorRegistry()))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"{scheme}://localhost") as http:
        assert (await http.get("/healthz")).headers.get("strict-transport-security") == expected


async def test_only_a_trusted_proxy_says_that_it_was_tls(deps: Deps) -> None:
    for proxies, expected in (("", None), ("127.0.0.1", "max-age=31536000")):
        made = ApiSettings(trusted_proxies=proxies)
        app = create_app(replace(deps, settings=made, registry=CollectorRegistry()))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
            reply = await http.get("/healthz", headers={"X-Forwarded-Proto": "https"})
            assert reply.headers.get("strict-transport-security") == expected


async def test_pages_of_named_origins_still_read_replies(deps: Deps) -> None:
    origin = "https://console.example"
    app = create_app(replace(deps, settings=ApiSettings(allowed_origins=origin), registry=CollectorRegistry()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        reply = await http.get(f"{PREFIX}/applications", headers={"Origin": origin})
        assert reply.headers["access-control-allow-origin"] == origin
        assert "X-Request-Id" in reply.headers["access-control-expose-headers"]


@pytest.mark.parametrize("given", ["a", "A-z_0.9=", "x" * 64, "0af7651916cd43dd8448eb211c80319c"])
async def test_a_plain_request_id_is_kept(api: Api, given: str) -> None:
    for path in ("/healthz", f"{PREFIX}/nowhere", f"{PREFIX}/applications/%2e%2e"):
        assert (await api.http.get(path, headers={"X-Request-Id": given})).headers["x-request-id"] == given


@given(st.lists(st.binary(max_size=80), max_size=3))
async def test_a_request_id_is_always_short_and_plain(given_ids: list[bytes]) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(request_id(scope))
        seen.append(structlog.contextvars.get_contextvars()["request_id"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        seen.append(dict(message["headers"])[b"x-request-id"].decode())

    headers = [(b"x-request-id", value) for value in given_ids]
    await RequestIds(app)({"type": "http", "headers": headers}, None, send)  # type: ignore[arg-type]
    assert len(set(seen)) == 1
    assert 0 < len(seen[0]) <= 64
    assert seen[0].isascii()
    assert set(seen[0]) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._=-")
    assert "request_id" not in structlog.contextvars.get_contextvars()


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (f"{PREFIX}/applications", "GET, OPTIONS, POST"),
        (f"{PREFIX}/applications/default~shop", "DELETE, GET, OPTIONS"),
        (f"{PREFIX}/applications/try", "DELETE, GET, OPTIONS, POST"),
        (f"{PREFIX}/orphans", "DELETE, GET, OPTIONS"),
        (f"{PREFIX}/applications/default~shop/workflow", "OPTIONS, POST, PUT"),
        ("/healthz", "GET, HEAD, OPTIONS"),
    ],
)
async def test_an_address_says_what_it_takes(api: Api, path: str, allowed: str) -> None:
    asked = await api.http.options(path)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allowed, b"")
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"):
        reply = await api.http.request(method, path)
        if method in allowed.split(", "):
            assert reply.status_code != 405, method
        else:
            assert (reply.status_code, reply.headers["allow"]) == (405, allowed), method


async def test_what_is_not_there_takes_nothing(api: Api) -> None:
    reply = await api.http.options(f"{PREFIX}/nowhere")
    assert reply.status_code == 404
    for path in ("/", "/page/app.js"):
        reply = await api.http.options(path)
        assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/applications/%2e%2e/tasks", "/api/v1/applications/.%2E", "/api/v1/applications/a%2fb",
        "/api/v1/applications%2F", "/page/..%5capp.py", "/api/v1/applications/a%00", "/api/v1/applications/%0d%0a",
        "/api/v1/applications/%1b[31m", "/api/v1/applications/a\\b", "/api/v1/applications/%ff", "/%7f",
    ],
)  # fmt: skip
async def test_an_address_that_hides_something_is_refused(api: Api, path: str) -> None:
    for method in ("GET", "POST"):
        reply = await api.http.request(method, httpx.URL("http://localhost", raw_path=path.encode()))
        assert (reply.status_code, reply.json()["code"]) == (400, 400)


@pytest.mark.parametrize("path", ["/api/v1/applications/a%20b", "/api/v1/applications/%E2%82%AC", "/a..b", "/..."])
async def test_an_address_that_does_not_is_looked_up(api: Api, path: str) -> None:
    assert (await api.http.get(path)).status_code == 404


async def test_the_page_of_the_document_needs_its_own_style_alone(api: Api) -> None:
    reply = await api.http.get("/docs")
    assert "style-src 'sha256-" in reply.headers["content-security-policy"]
    assert " style=" not in reply.text
    assert "<script" not in reply.text


async def test_each_line_of_the_log_has_the_request_s_name(
    api: Api, deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(deps.service, "run", fails)
    made = await api.create()
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        reply = await api.http.post(f"{PREFIX}/applications/{made['id']}/workflow/exec", json={})
    assert reply.status_code == 500
    (line,) = [line for line in lines if line["event"] == "request failed"]
    assert line["request_id"] == reply.headers["x-request-id"]
