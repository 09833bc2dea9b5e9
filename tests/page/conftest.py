"""One browser and one server, a fresh page for each test; what a page complains about fails its test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.browser import program
from tests.cli.kubemin import Kubemin, Running
from tests.docs.markdown import ROOT
from tests.page.api import Api
from tests.waiting import PATIENCE

REQUIRED = os.environ.get("KUBEMIN_TEST_REQUIRE_BROWSER") == "1"
ARTEFACTS = Path(os.environ.get("KUBEMIN_TEST_ARTEFACTS") or ROOT / "build" / "screenshots")
"""A folder for pictures of what the tests saw last, whether they passed or not."""

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`kubemin dev`; each test uses names of its own."""
    with Kubemin(tmp_path_factory.mktemp("server")).dev() as running:
        yield running


@pytest.fixture
def api(server: Running) -> Iterator[Api]:
    """What happens beside the page."""
    asked = Api(server.url)
    yield asked
    asked.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, headless. One for all modules here: while it runs, no test of another kind may run a loop."""
    found = program()
    if found is None and not REQUIRED:
        pytest.skip("no Chromium is installed here")
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=flags)
        yield running
        running.close()


@pytest.fixture
def page(server: Running, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that shows the server's, in English. Errors in its console fail the test; at the end it is pictured."""
    context = browser.new_context(base_url=server.url, locale="en-GB", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE * 1000)
    expect.set_options(timeout=PATIENCE * 1000)
    shown, complaints = context.new_page(), list[str]()

    def complain(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    shown.on("console", complain)
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.goto("/")
    yield shown
    shown.screenshot(path=ARTEFACTS / f"{request.node.name}.png", full_page=True)
    context.close()
    assert complaints == []
