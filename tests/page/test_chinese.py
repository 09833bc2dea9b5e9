"""In Chinese no view says something in English. States, names and codes are the same in both languages."""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cli.kubemin import Running
from tests.page.api import Api, conf, web
from tests.page.conftest import ARTEFACTS
from tests.page.test_session import Guarded, api, guarded, server
from tests.page.test_words import said
from tests.waiting import PATIENCE

__all__ = ["api", "guarded", "server"]

pytestmark = pytest.mark.proof

TEXTS = """() => {
    const given = [
        "code, pre, textarea, .why, .reason, .state, .fate, .images, .lines, .brand, dd, .warning",
        ".object p, .evidence details > :is(p, ul)",
    ].join();
    const shown = (one) => one.checkVisibility() && !one.closest(given);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) if (shown(walker.currentNode.parentElement)) found.push(walker.currentNode.data);
    for (const name of ["aria-label", "title", "placeholder"])
        for (const one of document.querySelectorAll(`[${name}]`)) if (shown(one)) found.push(one.getAttribute(name));
    return [document.title, ...found].map((one) => one.trim()).filter(Boolean);
}"""
"""What the page says; not what others have said, what is called so, and states."""
SENTENCE = re.compile(r"[A-Za-z]{2,},? [a-z]{2,}")


def english(page: Page) -> list[str]:
    """What is said in English just now: a sentence, or one of the page's words."""
    of_page = {one for one, chinese in zip(said("en").values(), said("zh").values(), strict=True) if one != chinese}
    texts: list[str] = page.evaluate(TEXTS)
    assert any(re.search("[一-鿿]", one) for one in texts), "nothing is said in Chinese"
    return [one for one in texts if one in of_page or SENTENCE.search(one)]


@pytest.fixture
def page(server: Running, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in Chinese."""
    context = browser.new_context(base_url=server.url, locale="zh-CN", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE * 1000)
    shown = context.new_page()
    shown.goto("/")
    yield shown
    shown.screenshot(path=ARTEFACTS / f"{request.node.name}.png", full_page=True)
    context.close()


def test_no_view_says_something_in_english(page: Page, api: Api, guarded: Guarded) -> None:
    zh = said("zh")
    done = api.ended(api.apply("shop", web("front"), conf("settings", a="1"), note="一"))
    failed = api.ended(api.apply("broken", web("broken", "web:crash"), hopelessAfterSeconds=1))
    stuck = api.apply("stuck", conf("settings", a="1"), web("front", "web:never"))
    api.post("tokens", {"name": "robot", "owner": "robot", "grants": [{"role": "viewer", "namespaces": ["a"]}]})
    expect(page.get_by_role("dialog")).to_be_visible()
    assert english(page) == []
    page.get_by_label(zh["loginToken"]).fill(guarded.admin)
    page.get_by_role("button", name=zh["loginNow"]).click()
    views = {
        "applications": page.get_by_role("row", name="stuck"),
        f"applications/{done['appId']}": page.get_by_role("row", name="front").first,
        "tasks": page.get_by_role("row", name="stuck"),
        f"tasks/{done['taskId']}": page.locator(".outcome"),
        f"tasks/{failed['taskId']}": page.locator(".outcome"),
        "plan": page.get_by_role("button", name=zh["planPreview"]),
        "operations": page.get_by_role("region", name=zh["clusters"]).get_by_role("row", name="default"),
        "notifications": page.get_by_role("row", name="task.failed").first,
        "audit": page.get_by_role("row", name="apply_application").first,
        "access": page.get_by_role("row", name="robot"),
        "nowhere": page.get_by_text(zh["notFound"]),
        f"tasks/{stuck}": page.get_by_text("0/1"),
    }
    for view, shown in views.items():
        page.goto(f"/#/{view}")
        expect(shown).to_be_visible()
        expect(page.get_by_text(zh["loading"])).to_have_count(0)
        assert english(page) == [], view
    assert {view.partition("/")[0] for view in views} >= every_view()

    page.get_by_role("button", name=zh["cancelAsk"]).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("section").first).to_be_visible()
    assert english(page) == []
    page.keyboard.press("Escape")
    page.goto("/#/access")
    page.get_by_role("button", name=zh["tokenNew"]).click()
    expect(dialog).to_be_visible()
    assert english(page) == []
    page.keyboard.press("Escape")
    page.goto(f"/#/applications/{done['appId']}")
    for word in ("appDelete", "appRestart"):
        page.get_by_role("button", name=zh[word]).click()
        expect(dialog).to_be_visible()
        assert english(page) == [], word
        page.keyboard.press("Escape")
    page.get_by_role("button", name=zh["driftLook"]).click()
    expect(page.get_by_text(zh["driftNone"])).to_be_visible()
    assert english(page) == []
    page.goto("/#/plan")
    page.get_by_role("textbox").first.fill("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n")
    page.get_by_label(zh["planName"]).fill("objects")
    page.get_by_role("button", name=zh["planPreview"]).click()
    expect(page.get_by_role("button", name=zh["planDeploy"])).to_be_visible()
    assert english(page) == []


def every_view() -> set[str]:
    """First parts of addresses."""
    text = (files("kubemin") / "page" / "app.js").read_text(encoding="utf-8")
    (table,) = re.findall(r"^const VIEWS = \{$(.*?)^\};$", text, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^  (\w+): \[", table, re.MULTILINE))
