"""A task: watched to its end, cancelled, rolled back; what is not as it was."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.cli.kubemin import Kubemin, Running
from tests.page.api import Api, conf, web
from tests.servers.proxy import Proxy
from tests.waiting import PATIENCE

PAUSE = {"name": "approve", "type": "pause"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`kubemin dev`, which soon says that a cleanup is incomplete."""
    with Kubemin(tmp_path_factory.mktemp("server")).dev(env={"KUBEMIN_CLEANUP_SECONDS": "2"}) as running:
        yield running


@pytest.fixture
def cluster(server: Running) -> Iterator[httpx.Client]:
    """The simulated cluster, as somebody else who uses it."""
    found = re.search(r"simulated cluster at (http://\S+)", server.output + server.errors)
    assert found
    headers = {"User-Agent": "kubectl/v1.33"}
    with httpx.Client(base_url=found[1], headers=headers, timeout=PATIENCE) as client:
        yield client


class Way:
    """A way to the server that can be cut."""

    def __init__(self, loop: asyncio.AbstractEventLoop, proxy: Proxy) -> None:
        self._loop = loop
        self._proxy = proxy
        self.url = f"http://127.0.0.1:{proxy.port}"

    def do(self, what: Callable[[Proxy], None]) -> None:
        """Change it."""
        self._loop.call_soon_threadsafe(what, self._proxy)


@pytest.fixture
def proxy(server: Running) -> Iterator[Way]:
    """Between the browser and the server."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def begin() -> Proxy:
        port = int(server.url.rpartition(":")[2])
        return await Proxy(port).__aenter__()

    running = asyncio.run_coroutine_threadsafe(begin(), loop).result(PATIENCE)
    yield Way(loop, running)
    asyncio.run_coroutine_threadsafe(running.__aexit__(), loop).result(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


COUNT_CHANGES = """() => {
    window.changed = [];
    const note = (found) => found.forEach(({ target }) => {
        const heading = (target.closest ? target : target.parentElement).closest('.card')?.querySelector('h4');
        if (heading) window.changed.push(heading.firstChild.textContent.trim());
    });
    const options = { subtree: true, childList: true, characterData: true, attributes: true };
    new MutationObserver(note).observe(document.querySelector('.stages'), options);
}"""
"""Notes each card in which anything is changed."""


def card(page: Page, component: str) -> Locator:
    """The card of a component."""
    return page.locator(".card").filter(has=page.get_by_role("heading", name=re.compile(rf"^{component}\b")))


def show(page: Page, task_id: str) -> None:
    """Go to the task."""
    page.goto(f"/#/tasks/{task_id}")


def config_map(cluster: httpx.Client, name: str, **changes: Any) -> None:
    """Change a ConfigMap by hand."""
    path = f"/api/v1/namespaces/default/configmaps/{name}"
    headers = {"Content-Type": "application/merge-patch+json"}
    cluster.patch(path, params={"fieldManager": "kubectl-edit"}, headers=headers, json=changes).raise_for_status()


def test_a_run_is_watched_from_the_list_to_its_end_and_promoted_on_the_way(page: Page, api: Api) -> None:
    steps = [{"name": "one", "components": ["settings", "shop"]}, PAUSE, {"name": "two", "components": ["late"]}]
    parts = [conf("settings", a="1"), web("shop", replicas=2), web("late")]
    task_id = api.apply("watched", *parts, workflow=steps)
    page.goto("/#/tasks")
    page.get_by_role("row", name="watched").get_by_role("link", name=task_id[:8]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("watched revision 1")
    headings = page.locator(".stage h3")
    expect(headings).to_have_text([re.compile("one"), re.compile("one"), re.compile("approve"), re.compile("two")])
    expect(card(page, "shop")).to_contain_text("2/2 ready")
    expect(card(page, "late")).to_contain_text("queued")
    expect(page.locator(".hold")).to_contain_text("approve waits.")
    page.reload()  # in the middle: all of it is there again, with what only events say
    expect(card(page, "shop")).to_contain_text("2/2 ready")
    queued = api.apply("watched", *parts)
    show(page, queued)
    expect(page.get_by_role("paragraph").filter(has_text="It waits for these tasks")).to_be_visible()
    page.get_by_role("link", name=task_id[:8]).click()
    page.get_by_role("button", name="Promote").click()
    expect(card(page, "late")).to_contain_text("1/1 ready")
    expect(page.locator(".outcome")).to_contain_text("The task is complete.")
    expect(page.locator(".hold")).to_have_count(0)
    expect(page.locator(".axis .bar.completed")).to_have_count(4)
    api.ended(queued)
    page.goto("/#/tasks")
    page.get_by_label("Status").select_option("cancelled")
    expect(page.get_by_role("row", name="watched")).to_have_count(0)


def test_a_cancel_is_shown_before_it_is_made_and_rolled_back_in_every_tab(page: Page, api: Api) -> None:
    api.ended(api.apply("taken-back", conf("settings", a="1"), conf("same", a="1")))
    parts = [conf("settings", a="2"), conf("same", a="1"), conf("new", a="1"), web("stuck", "web:never")]
    task_id = api.apply("taken-back", *parts)
    show(page, task_id)
    other = page.context.new_page()
    other.goto(page.url)
    expect(card(other, "stuck")).to_contain_text("0/1 ready")
    expect(card(page, "stuck").locator(".fate")).to_have_text("created")
    page.get_by_role("button", name="Cancel …").click()
    dialog = page.get_by_role("dialog")
    gone = ["ConfigMap/default/taken-back-new", "Deployment/default/taken-back-stuck"]
    expect(dialog.locator("section", has_text="Would be deleted (2)").get_by_role("listitem")).to_have_text(gone)
    back = dialog.locator("section", has_text="Would be put back (1)").get_by_role("listitem")
    expect(back).to_have_text(["ConfigMap/default/taken-back-settings"])
    dialog.get_by_label("It stays as it is").check()
    expect(dialog.get_by_role("heading", name="Stays (3)")).to_be_visible()
    dialog.get_by_label("All of it is undone").check()
    dialog.get_by_label("Reason").fill("wrong image")
    dialog.get_by_role("button", name="Cancel the task").click()
    for tab in (page, other):
        expect(tab.locator(".outcome")).to_contain_text("The cluster is as it was.")
        expect(tab.locator(".outcome")).to_contain_text("3 of 3 put back")
        expect(tab.locator(".reason")).to_have_text("wrong image")
        expect(card(tab, "settings").locator(".fate")).to_have_text("changed → restored")
        expect(card(tab, "stuck").locator(".fate")).to_have_text("created → deleted")
        expect(tab.locator(".axis .bar.back")).to_have_count(3)
    status = api.get(f"workflow/tasks/{task_id}/status")
    assert (status["status"], status["reason"], status["cleanup"]["state"]) == ("cancelled", "wrong image", "done")


def test_a_lost_server_is_said_and_what_happened_meanwhile_is_seen_after(page: Page, api: Api, proxy: Way) -> None:
    task_id = api.apply("cut-off", conf("settings", a="1"), web("stuck", "web:never"))
    page.goto(f"{proxy.url}/page/#/tasks/{task_id}")
    expect(card(page, "stuck")).to_contain_text("0/1 ready")
    proxy.do(Proxy.refuse)
    expect(page.locator(".stale")).to_be_visible()
    expect(card(page, "stuck")).to_contain_text("0/1 ready")  # what was known stays
    app_id = api.get(f"workflow/tasks/{task_id}/status")["appId"]
    api.post(f"applications/{app_id}/workflow/cancel", {"taskId": task_id})
    api.ended(task_id)
    proxy.do(Proxy.heal)
    expect(page.locator(".outcome")).to_contain_text("The cluster is as it was.")
    expect(page.locator(".stale")).to_have_count(0)
    expect(card(page, "stuck")).to_contain_text("0/1 ready")


def test_a_failure_shows_its_reason_and_what_the_pods_said(page: Page, api: Api) -> None:
    task_id = api.apply("crashing", web("fine"), web("broken", "web:crash"), hopelessAfterSeconds=1)
    show(page, task_id)
    expect(card(page, "broken")).to_contain_text("CrashLoopBackOff")
    expect(page.locator(".advice")).to_contain_text("CRASH_LOOP")
    evidence = page.get_by_role("complementary", name="Evidence")
    expect(evidence.get_by_label("Log", exact=True).first).to_contain_text("fatal: simulated crash")
    expect(evidence).to_contain_text("Back-off restarting failed container")
    expect(page.locator(".outcome")).to_contain_text("The cluster is as it was.")


def test_an_incomplete_cleanup_is_tried_again_or_given_up(page: Page, api: Api, cluster: httpx.Client) -> None:
    task_id = api.apply("held", conf("one", a="1"), conf("two", a="1"), web("stuck", "web:never"))
    show(page, task_id)
    expect(card(page, "stuck")).to_contain_text("0/1 ready")
    for name in ("one", "two"):
        config_map(cluster, f"held-{name}", metadata={"finalizers": ["example.com/hold"]})
    page.get_by_role("button", name="Cancel …").click()
    page.get_by_role("button", name="Cancel the task").click()
    outcome = page.locator(".outcome")
    expect(outcome).to_contain_text("The cleanup is incomplete and goes on in the background.")
    expect(outcome).to_contain_text("1 of 3 put back")
    expect(outcome.get_by_role("listitem")).to_contain_text(["held-one", "held-two"])
    config_map(cluster, "held-one", metadata={"finalizers": None})
    outcome.get_by_role("button", name="Try again").click()
    expect(outcome).to_contain_text("2 of 3 put back")
    expect(outcome.get_by_role("listitem")).to_contain_text(["held-two"])
    outcome.get_by_role("button", name="Give up …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_contain_text(["ConfigMap/default/held-two"])
    dialog.get_by_label("Reason").fill("it is needed")
    dialog.get_by_role("button", name="Give up", exact=True).click()
    expect(outcome).to_contain_text("The cleanup was abandoned (given up by system: it is needed).")
    expect(page.locator(".card.amber")).to_contain_text("held-two")
    config_map(cluster, "held-two", metadata={"finalizers": None})


def test_what_others_changed_is_kept_and_named_with_its_fields(page: Page, api: Api, cluster: httpx.Client) -> None:
    api.ended(api.apply("kept", conf("settings", a="1", b="1")))
    task_id = api.apply("kept", conf("settings", a="2", b="2"), web("stuck", "web:never"))
    show(page, task_id)
    expect(card(page, "stuck")).to_contain_text("0/1 ready")
    config_map(cluster, "kept-settings", data={"a": "mine"})
    page.get_by_role("button", name="Cancel …").click()
    page.get_by_role("button", name="Cancel the task").click()
    expect(page.locator(".outcome")).to_contain_text("The cluster is as it was, except:")
    amber = page.locator(".card.amber")
    expect(amber).to_contain_text("not as it was")
    expect(amber).to_contain_text("kubectl-edit")
    expect(page.locator(".outcome").get_by_role("listitem")).to_contain_text("kubectl-edit")
    amber.get_by_role("button", name="kept-settings").click()
    field = page.get_by_role("dialog").get_by_role("row", name="data.a")
    expect(field.get_by_role("cell")).to_have_text(["1", "2", "mine"])
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.proof
def test_500_components_are_shown_and_an_event_of_one_changes_nothing_of_others(page: Page, api: Api) -> None:
    steps = [{"name": "many", "mode": "DAG", "components": [f"c{n}" for n in range(499)]}, PAUSE]
    parts = [conf(f"c{n}", a="1") for n in range(499)]
    task_id = api.apply("large", *parts, conf("last", a="1"), workflow=[*steps, {"name": "last"}])
    show(page, task_id)
    expect(page.locator(".hold")).to_contain_text("approve waits.")
    expect(page.locator(".card")).to_have_count(501)
    page.evaluate(COUNT_CHANGES)
    page.get_by_role("button", name="Promote").click()
    expect(page.locator(".outcome")).to_contain_text("The task is complete.")
    assert set(page.evaluate("window.changed")) <= {"approve", "last"}
