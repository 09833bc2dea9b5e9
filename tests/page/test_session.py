"""A server that asks who one is: logging in and out, and what one may not do is not offered."""

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cli.kubemin import Kubemin, Running
from tests.page.api import Api, web
from tests.page.test_accessible import found

STORED = "() => [...Object.values(localStorage), ...Object.values(sessionStorage)]"
NOWHERE = [{"name": "nobody", "url": "http://127.0.0.1:9/hook", "on": ["failed"], "template": "slack"}]


class Guarded(NamedTuple):
    """A server that asks for a token, and its first one."""

    running: Running
    admin: str


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """`kubemin dev` that asks who one is."""
    kubemin = Kubemin(tmp_path_factory.mktemp("guarded"))
    made = kubemin("token", "create", "first", "--role", "admin", "--owner", "root", "--local", "-q")
    assert made.returncode == 0, made.stderr
    env = {"KUBEMIN_AUTH": "token", "KUBEMIN_NOTIFICATIONS": json.dumps(NOWHERE)}
    env |= {"KUBEMIN_IMPERSONATION": "caller", "KUBEMIN_IMPERSONATION_USER_PREFIX": "kubemin:"}
    with kubemin.dev(env=env) as running:
        yield Guarded(running, made.stdout.strip())


@pytest.fixture(scope="module")
def server(guarded: Guarded) -> Running:
    """The same, for `page`."""
    return guarded.running


@pytest.fixture
def api(guarded: Guarded) -> Iterator[Api]:
    """By the first token."""
    asked = Api(guarded.running.url, guarded.admin)
    yield asked
    asked.close()


@pytest.fixture
def token(api: Api) -> Callable[..., str]:
    """Make a token of somebody with these grants."""

    def make(owner: str, *grants: dict[str, object]) -> str:
        made: str = api.post("tokens", {"name": owner, "owner": owner, "grants": list(grants)})["token"]
        return made

    return make


def log_in(page: Page, token: str) -> None:
    """By the dialog that is there."""
    page.get_by_role("dialog", name="Log in").get_by_label("API token").fill(token)
    page.get_by_role("button", name="Log in with the token").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_one_logs_in_and_out_and_comes_where_one_wanted_to_go(page: Page, guarded: Guarded) -> None:
    page.goto("/#/tasks")
    page.reload()
    login = page.get_by_role("dialog", name="Log in")
    expect(login.get_by_label("API token")).to_be_focused()
    assert found(page) == {"light": [], "dark": []}
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    login.get_by_label("API token").fill("kubemin_wrong")
    page.keyboard.press("Enter")
    expect(login.get_by_role("alert")).to_contain_text("This token is not valid")
    log_in(page, guarded.admin)
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()
    assert guarded.admin not in page.evaluate(STORED)
    assert [one["httpOnly"] for one in page.context.cookies()] == [True]
    page.reload()
    expect(page.get_by_role("link", name="root")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(login).to_be_visible()
    assert page.context.cookies() == []


def test_what_was_written_outlives_the_session(page: Page, api: Api, token: Callable[..., str]) -> None:
    mine = token("writer", {"role": "deployer"})
    log_in(page, mine)
    page.get_by_role("link", name="Plan").click()
    editor = page.get_by_role("textbox", name="Application")
    editor.fill("name: written\ncomponent:\n  - {name: a, type: config, properties: {conf: {a: '1'}}}\n")
    api.status("DELETE", "sessions", name="writer")
    # The check of what was written may have asked for a login already: then there is nothing to press.
    page.locator("button", has_text="Preview").evaluate_all("found => found.forEach((one) => one.click())")
    expect(page.get_by_role("dialog", name="Log in")).to_be_visible()
    expect(editor).not_to_be_visible()
    log_in(page, mine)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_text("The task is complete.")).to_be_visible()


OFFERED = """() => [...document.querySelectorAll("main button:not(:disabled), main a.button")]
    .map((one) => one.textContent.trim())"""
CHANGES = {"Change …", "Restart", "Delete", "Deploy again", "Cancel …"}


def test_what_one_may_not_do_is_not_offered_and_the_rest_is_allowed(
    page: Page, api: Api, guarded: Guarded, token: Callable[..., str]
) -> None:
    apps, tasks = {}, {}
    for namespace in ("shop", "other"):
        ended = api.ended(api.apply("app", web("front"), namespace=namespace, createNamespace=True))
        apps[namespace] = ended["appId"]
        tasks[namespace] = api.apply("app", web("front", "web:never"), namespace=namespace)
    refused: list[str] = []
    page.on("response", lambda one: refused.append(one.url) if one.status == 403 else None)

    def offered(namespace: str, *may: str) -> set[str]:
        page.goto(f"/#/applications/{apps[namespace]}")
        expect(page.get_by_role("button", name="Compare with the cluster")).to_be_visible()
        expect(page.get_by_role("region", name="History").get_by_role("row").nth(1)).to_be_visible()
        seen = set(page.evaluate(OFFERED))
        page.goto(f"/#/tasks/{tasks[namespace]}")
        expect(page.get_by_text("0 of 1 jobs have ended")).to_be_visible()
        if namespace in may:  # else what is waited for never comes
            expect(page.get_by_role("button", name="Cancel …")).to_be_visible()
        return (seen | set(page.evaluate(OFFERED))) & CHANGES

    def answers(mine: str, namespace: str) -> set[int]:
        asked = Api(guarded.running.url, mine)
        path = f"applications/{apps[namespace]}"
        found = {
            asked.status("POST", f"{path}/restart", {"components": ["no-such"]}),
            asked.status("DELETE", path, dryRun="true"),
            asked.status("POST", f"{path}/rollback", {"revision": 1, "dryRun": True}),
            asked.status("POST", f"{path}/workflow/cancel", {"taskId": "n" * 24}),
        }
        asked.close()
        return found

    looker = token("looker", {"role": "viewer"})
    log_in(page, looker)
    expect(page.get_by_role("link", name="Plan")).to_have_count(0)
    assert offered("shop") == set()
    assert answers(looker, "shop") == {403}
    page.goto("/#/plan")
    expect(page.get_by_text("Your role does not let you do this.")).to_be_visible()
    page.get_by_role("button", name="Log out").click()

    helper = token("helper", {"role": "viewer"}, {"role": "deployer", "namespaces": ["shop"]})
    log_in(page, helper)
    assert offered("other") == set()
    assert answers(helper, "other") == {403}
    assert 403 not in answers(helper, "shop")
    assert offered("shop", "shop") == CHANGES
    page.get_by_role("button", name="Cancel …").click()
    page.get_by_role("button", name="Cancel the task").click()
    expect(page.get_by_text("The cluster is as it was.")).to_be_visible()
    page.goto(f"/#/applications/{apps['shop']}")
    page.get_by_role("button", name="Deploy again").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("status").first).to_be_visible()
    dialog.get_by_role("button", name="Go back").click()
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The task is complete.")).to_be_visible()
    assert refused == []


def test_who_looks_after_the_server_sees_who_changed_what_and_whom_it_tells(
    page: Page, api: Api, guarded: Guarded
) -> None:
    failed = api.apply("told", web("broken", "web:crash"), hopelessAfterSeconds=1)
    api.ended(failed)
    page.goto(f"/#/tasks/{failed}")
    log_in(page, guarded.admin)
    expect(page.locator(".facts")).to_contain_text("Acts in the cluster as")
    expect(page.locator(".facts")).to_contain_text("kubemin:root")
    page.get_by_role("link", name="Audit").click()
    page.get_by_label("Caller").fill("root")
    page.get_by_label("Operation").fill("apply_application")
    page.keyboard.press("Enter")
    row = page.get_by_role("row", name="root").first
    expect(row).to_contain_text("done 200")
    page.get_by_label("Outcome").select_option("failed")
    expect(page.get_by_text("There are no such calls.")).to_be_visible()
    page.get_by_label("Outcome").select_option("done")
    expect(row).to_be_visible()
    views = {
        "Audit": row,
        "Notifications": page.get_by_role("row", name="task.failed"),
        "Operations": page.get_by_role("region", name="Clusters").get_by_role("row", name="default"),
        "root": page.get_by_role("region", name="API tokens").get_by_role("row", name="first"),
    }
    for view, shown in views.items():
        page.get_by_role("link", name=view, exact=True).click()
        expect(shown).to_be_visible()
        assert found(page) == {"light": [], "dark": []}, view
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360, view
        page.set_viewport_size({"width": 1280, "height": 800})

    page.get_by_role("button", name="Make a token …").click()
    page.get_by_label("What it is for").fill("a robot")
    page.get_by_label("Only these clusters").fill("default, edge")
    page.get_by_role("button", name="Make it").click()
    text = page.get_by_role("dialog", name="The token a robot").locator("code").inner_text()
    assert text.startswith("kubemin_")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("dialog")).to_have_count(0)
    assert text not in page.content()
    expect(page.get_by_role("row", name="a robot")).to_contain_text("viewer: Cluster default, edge")
    page.get_by_role("button", name="Revoke the token a robot").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("row", name="a robot")).to_contain_text("revoked")

    page.get_by_role("link", name="Notifications").click()
    page.get_by_role("button", name="Send a test message to nobody").click()
    expect(page.get_by_role("region", name="Targets").get_by_role("row", name="nobody")).to_contain_text("onnect")


def test_who_one_is_is_asked_in_ones_language(browser: Browser, server: Running) -> None:
    """For whoever hears it, too."""
    context = browser.new_context(base_url=server.url, locale="zh-CN")
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    context.close()
