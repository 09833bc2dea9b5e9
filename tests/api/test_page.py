"""The page's files: what is served where, and what a browser is allowed to do with them."""

import re
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import pytest

from tests.api.conftest import Api

ADDRESSES = ("/", "/page", "/page/", "/page/app.js", "/page/style.css", "/page/vendor/htm-preact.js")


@pytest.mark.parametrize("path", ADDRESSES)
async def test_a_file_is_served_with_what_a_browser_may_do(api: Api, path: str) -> None:
    reply = await api.http.get(path)
    assert reply.status_code == 200
    assert "script-src 'self'" in reply.headers["content-security-policy"]
    assert "unsafe" not in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"
    again = await api.http.get(path, headers={"If-None-Match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await api.http.head(path)).headers["content-length"] == str(len(reply.content))
    refused = await api.http.post(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/page/nothing", "/page/../app.py", "/page/vendor/", "/pages", "/app.js"])
async def test_what_is_not_there_is_an_error_in_the_envelope(api: Api, path: str) -> None:
    for reply in (await api.http.get(path), await api.http.post(path)):
        assert (reply.status_code, reply.json()["code"]) == (404, 404)


async def test_each_file_that_the_page_names_is_there(api: Api) -> None:
    for address, folder in (("/", "/"), ("/page", "/"), ("/page/", "/page/")):
        names = re.findall(r'(?:src|href)="([^":]+)"', (await api.http.get(address)).text)
        assert names
        for name in names:
            assert (await api.http.get(f"{folder}{name}")).status_code == 200


@pytest.mark.parametrize(
    "folder", [files("kubemin") / "page" / "vendor", Path(__file__).parents[1] / "page" / "vendor"]
)
def test_vendored_files_are_what_their_list_says(folder: Traversable) -> None:
    listed = dict(re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", (folder / "README.md").read_text(), re.MULTILINE))
    scripts = [one for one in folder.iterdir() if one.name.endswith(".js")]
    assert listed == {one.name: sha256(one.read_bytes()).hexdigest() for one in scripts}
