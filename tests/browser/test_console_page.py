"""A page in a real browser drives the requests of a web console: from another origin, and from the server's own."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.browser.browser import PAGE, Pages, program, reported
from tests.cli.kubemin import Kubemin

REQUIRED = os.environ.get("KUBEMIN_TEST_REQUIRE_BROWSER") == "1"
pytestmark = pytest.mark.skipif(program() is None and not REQUIRED, reason="no Chromium is installed here")


@pytest.fixture
def pages() -> Iterator[Pages]:
    served = Pages()
    yield served
    served.close()


def _check(report: Any) -> None:
    """Every step did what a console relies on."""
    assert report["error"] is None, report
    steps = {step["name"]: step["result"] for step in report["steps"]}
    keys, web = steps["save"]
    assert keys["properties"]["secret"] == {"token": "******"}
    assert (web["image"], web["replicas"], web["properties"]["labels"]) == ("web:2", 0, {"tier": "front"})
    assert web["traits"]["envFrom"] == [{"type": "secret", "sourceName": "keys"}]
    assert web["traits"]["probes"][0]["httpGet"]["port"] == 80
    assert steps["cancel too late"]["status"] == "completed"
    assert steps["cancel"]["status"] == steps["undone"]["status"] == "cancelled"
    assert steps["newest first"]["applications"][0]["id"] == steps["create"]["id"]
    assert steps["delete"]["appId"] == steps["create"]["id"]


def test_a_page_of_an_allowed_origin_does_all_that_a_console_does(tmp_path: Path, pages: Pages) -> None:
    origin = pages.origin("console.test")
    with Kubemin(tmp_path).dev(env={"KUBEMIN_ALLOWED_ORIGINS": origin}) as server:
        query = urlencode({"api": server.url, "report": f"{origin}/report"})
        report = reported(pages, f"{origin}/?{query}", tmp_path)
    assert report["origin"] == origin
    _check(report)


@pytest.mark.proof
def test_a_page_of_another_origin_gets_nowhere(tmp_path: Path, pages: Pages) -> None:
    allowed, other = pages.origin("console.test"), pages.origin("other.test")
    with Kubemin(tmp_path).dev(env={"KUBEMIN_ALLOWED_ORIGINS": allowed}) as server:
        query = urlencode({"api": server.url, "report": f"{other}/report"})
        report = reported(pages, f"{other}/?{query}", tmp_path)
    assert (report["origin"], report["steps"]) == (other, [])
    assert report["error"].startswith("TypeError")


@pytest.mark.proof
def test_a_console_at_the_servers_own_address_needs_no_leave(tmp_path: Path, pages: Pages) -> None:
    build = tmp_path / "build"
    build.mkdir()
    (build / "index.html").write_bytes(PAGE.read_bytes())
    with Kubemin(tmp_path).server("serve", "--in-process", "--simulate", "--console", str(build)) as server:
        query = urlencode({"report": f"{pages.origin('127.0.0.1')}/report"})
        report = reported(pages, f"{server.url}/apps/some/page?{query}", tmp_path)
    assert (report["origin"], report["path"]) == (server.url, "/apps/some/page")
    _check(report)
