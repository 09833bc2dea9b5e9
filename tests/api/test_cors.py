"""Pages of the origins that the server names may use the API; pages of others may not."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from pydantic import ValidationError

from kubemin.api.app import create_app
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Deps
from kubemin.settings.api import ApiSettings
from tests.api.conftest import Api, application

CONSOLE = "https://console.example"
OTHERS = [
    "https://evil.example",
    "http://console.example",
    "https://console.example:8443",
    "https://console.example.evil.example",
    "null",
    "http://localhost:5173",
]


@pytest.fixture
async def http(deps: Deps) -> AsyncIterator[httpx.AsyncClient]:
    settings = ApiSettings(allowed_origins=f"{CONSOLE}, http://localhost:3000")
    transport = httpx.ASGITransport(create_app(replace(deps, settings=settings)))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


def _asks(origin: str, method: str = "POST", headers: str = "content-type") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_a_page_that_asks_first_is_told_that_it_may(http: httpx.AsyncClient, method: str) -> None:
    asks = _asks(CONSOLE, method, "content-type, idempotency-key, last-event-id")
    answer = await http.options("/api/v1/applications", headers=asks)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, CONSOLE)
    assert method in answer.headers["access-control-allow-methods"]
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "asks",
    [*(_asks(origin) for origin in OTHERS), _asks(CONSOLE, "PATCH"), _asks(CONSOLE, headers="x-other")],
)
async def test_what_may_not_be_asked_is_refused_in_the_envelope(http: httpx.AsyncClient, asks: dict[str, str]) -> None:
    answer = await http.options("/api/v1/applications", headers=asks)
    assert (answer.status_code, answer.json()["code"]) == (403, ApiCode.FORBIDDEN)
    assert answer.headers.get("access-control-allow-origin") in (None, CONSOLE)
    assert (asks["Origin"] == CONSOLE) == ("access-control-allow-origin" in answer.headers)


@pytest.mark.parametrize("path", ["/api/v1/applications", "/api/v1/nowhere", "/healthz", "/api/v1/applications?odd=1"])
async def test_every_reply_can_be_read_by_such_a_page(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path, headers={"Origin": CONSOLE})
    assert answer.headers["access-control-allow-origin"] == CONSOLE
    assert "Origin" in answer.headers["vary"]


async def test_such_a_page_may_change_things_and_reads_what_was_wrong(http: httpx.AsyncClient) -> None:
    for body, status in ((application(), 200), (application(), 409), ({"name": "s"}, 400)):
        answer = await http.post("/api/v1/applications", json=body, headers={"Origin": CONSOLE})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, CONSOLE)
    text = await http.post("/api/v1/applications", content="x" * (9 << 20), headers={"Origin": CONSOLE})
    assert (text.status_code, text.headers["access-control-allow-origin"]) == (413, CONSOLE)


@pytest.mark.parametrize("origin", OTHERS)
async def test_a_page_of_another_origin_reads_nothing(http: httpx.AsyncClient, origin: str) -> None:
    answer = await http.get("/api/v1/applications", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers["vary"]
    answer = await http.post("/api/v1/applications", json=application(), headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    assert answer.status_code == (200 if "localhost" in origin else 403)


async def test_without_the_setting_nothing_is_said_of_origins(api: Api) -> None:
    answer = await api.http.get("/api/v1/applications", headers={"Origin": CONSOLE})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    asked = await api.http.options("/api/v1/applications", headers=_asks(CONSOLE))
    assert not [name for name in asked.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "text",
    ["*", "console.example", "https://console.example/", "https://x.example, *", "https://X.example", "null",
     "https://console.example:443", "http://console.example:80", "ftp://x.example"],
)  # fmt: skip
def test_what_no_browser_would_say_is_no_origin(text: str) -> None:
    with pytest.raises(ValidationError, match="no origin such as"):
        ApiSettings(allowed_origins=text)
