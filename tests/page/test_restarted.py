"""The server ends and comes again while a task is shown: on the same port, with the same database and cluster."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kubesim.kubeconfig import kubeconfig
from kubesim.threaded import ThreadedServer
from tests.cli.kubemin import Kubemin, Running
from tests.page.api import Api, conf, web
from tests.page.test_task import card, show

Start = Callable[[], Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts one server after the other; the last one is stopped."""
    running: list[Running] = []

    def start() -> Running:
        port = running[-1].url.rpartition(":")[2] if running else "0"
        env = {
            "KUBEMIN_DATABASE_URL": f"sqlite:///{tmp_path / 'kubemin.db'}",
            "KUBEMIN_LEASE_SECONDS": "2",
            "KUBEMIN_MAX_ATTEMPTS": "50",  # a busy machine may renew a lease late
        }
        options = ("--in-process", "--kubeconfig", "cluster.yaml", "--port", port)
        running.append(Kubemin(tmp_path).start("serve", *options, env=env))
        running[-1].url = running[-1].wait_for(r"ready at (http://\S+)")[1]
        return running[-1]

    with ThreadedServer() as cluster:
        (tmp_path / "cluster.yaml").write_text(kubeconfig(cluster.url))
        yield start
        running[-1].stop()


@pytest.fixture
def server(start: Start) -> Running:
    """The first one."""
    return start()


def test_a_task_that_is_shown_goes_on_by_itself_after_its_server_was_killed_and_stopped(
    page: Page, api: Api, server: Running, start: Start
) -> None:
    """And so in two tabs, one of which is reloaded when there is a server again; both end in the same sentence."""
    api.ended(api.apply("survivor", conf("settings", a="1")))
    show(page, task_id := api.apply("survivor", conf("settings", a="2"), web("stuck", "web:never")))
    show(other := page.context.new_page(), task_id)
    for number in (signal.SIGKILL, signal.SIGTERM):
        for tab in (page, other):
            expect(card(tab, "stuck")).to_contain_text("0/1 ready")
        server.signal(number)
        server.end()
        for tab in (page, other):
            expect(tab.locator(".stale")).to_be_visible()
            expect(card(tab, "stuck")).to_contain_text("0/1 ready")  # what was known stays
        server = start()
        for tab in (page, other):
            expect(tab.locator(".stale")).to_have_count(0)
    other.reload()
    page.get_by_role("button", name="Cancel …").click()
    page.get_by_role("button", name="Cancel the task").click()
    for tab in (page, other):
        expect(tab.locator(".outcome")).to_contain_text("The cluster is as it was.")
        expect(tab.locator(".outcome")).to_contain_text("2 of 2 put back")
        expect(tab.locator(".stale")).to_have_count(0)
