"""`serve --console DIR`: a build of a web console at the server's own address."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.settings.api import ApiSettings

PAGE = "<!doctype html><title>console</title>"


@pytest.fixture
async def http(deps: Deps, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    build = tmp_path / "build"
    (build / "assets").mkdir(parents=True)
    (build / "index.html").write_text(PAGE)
    (build / "healthz").write_text("not the server's")
    for name in ("index-1a2b.js", "index-1a2b.css", "font-1a2b.woff2"):
        (build / "assets" / name).write_text("x")
    (build / "logo.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("not to be seen")
    (build / "link.txt").symlink_to(tmp_path / "secret.txt")
    app = create_app(replace(deps, settings=ApiSettings(console_dir=str(build))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/index.html", "/apps", "/apps/k3v9x0q2m7c4/workflow", "/assets", "/apps?tab=1"])
async def test_addresses_of_pages_get_the_page(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = await http.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.text) == (304, "")
    assert (await http.head(path)).status_code == 200


@pytest.mark.parametrize(
    ("path", "kind", "cached"),
    [
        ("/assets/index-1a2b.js", "text/javascript; charset=utf-8", True),
        ("/assets/index-1a2b.css", "text/css; charset=utf-8", True),
        ("/assets/font-1a2b.woff2", "font/woff2", True),
        ("/logo.svg", "image/svg+xml", False),
    ],
)
async def test_files_have_their_type_and_are_kept_if_their_name_has_a_digest(
    http: httpx.AsyncClient, path: str, kind: str, cached: bool
) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert ("immutable" in answer.headers["cache-control"]) is cached


@pytest.mark.parametrize("path", ["/assets/gone-9f.js", "/missing.png", "/api/v1/nowhere", "/api", "/api/v2/x"])
async def test_what_is_missing_is_no_page(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, 404)


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/..%2fsecret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/link.txt",
     "/assets/..%5c..%5csecret.txt", "//etc/passwd", "/%00", "/" + "x" * 5000],
)  # fmt: skip
async def test_nothing_beside_the_build_is_shown(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(httpx.URL("http://localhost", raw_path=path.encode()))
    assert answer.status_code in (400, 404) or answer.text == PAGE


async def test_the_api_comes_first(http: httpx.AsyncClient) -> None:
    assert (await http.get("/healthz")).json()["data"]["status"] == "ok"
    assert (await http.get("/api/v1/applications")).json()["data"] == {"applications": []}
    assert (await http.delete("/api/v1/applications")).status_code == 405
    assert (await http.post("/apps")).status_code == 405
    assert (await http.get("/docs")).headers["content-type"].startswith("text/html")


async def test_other_hosts_get_no_page(http: httpx.AsyncClient) -> None:
    assert (await http.get("/", headers={"Host": "evil.example"})).status_code == 421
