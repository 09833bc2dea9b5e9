"""Pages of other hosts reach nothing: neither by a name of their own for this address, nor by posting across sites."""

import httpx
import pytest

from kubemin.api.app import create_app
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Deps
from kubemin.settings.api import ApiSettings
from tests.api.conftest import Api, application

MINE = ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:8000", "127.8.9.10", "[::1]", "[::1]:8000"]
FOREIGN = [
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "10.0.0.1",
    "[::2]:1",
    "[::1",
    "",
    "a b",
    "x@y",
]


@pytest.mark.parametrize("host", MINE)
async def test_this_machine_may_ask(api: Api, host: str) -> None:
    assert await api.call("GET", "/applications", headers={"Host": host}) == {"applications": []}


@pytest.mark.parametrize("host", FOREIGN)
async def test_another_host_is_misdirected(api: Api, host: str) -> None:
    for method, path in (("GET", "/applications"), ("POST", "/applications"), ("GET", "/nowhere")):
        envelope = await api.call(method, path, 421, headers={"Host": host})
        assert envelope["code"] == ApiCode.MISDIRECTED
        assert "KUBEMIN_ALLOWED_HOSTS" in envelope["message"]
    for path in ("/healthz", "/docs", "/metrics"):
        assert (await api.http.get(path, headers={"Host": host})).status_code == 421


@pytest.mark.parametrize("host", MINE)
async def test_pages_of_this_machine_may_change_things(api: Api, host: str) -> None:
    await api.call("POST", "/applications", json=application(), headers={"Origin": f"http://{host}"})


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://evil.example:8000", "null", "", "file://", "localhost"]
)
async def test_a_page_of_another_host_changes_nothing(api: Api, origin: str) -> None:
    made = await api.create()
    for method, path in (
        ("POST", "/applications"),
        ("DELETE", f"/applications/{made['id']}"),
        ("PUT", f"/applications/{made['id']}/workflow"),
        ("POST", f"/workflow/tasks/{made['id']}/cleanup"),
    ):
        envelope = await api.call(method, path, 403, headers={"Origin": origin})
        assert envelope["code"] == ApiCode.FORBIDDEN
    assert await api.call("GET", "/applications", headers={"Origin": origin}) == {"applications": [made]}


async def test_more_hosts_may_be_named(deps: Deps) -> None:
    given = {name: getattr(deps, name) for name in ("db", "service", "limits", "watches")}
    app = create_app(Deps(**given, settings=ApiSettings(allowed_hosts="Kubemin.example")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kubemin.example:1") as http:
        api = Api(http, deps.db)
        await api.call("POST", "/applications", json=application(), headers={"Origin": "https://kubemin.example"})
        await api.call("GET", "/applications", 421, headers={"Host": "other.example"})
