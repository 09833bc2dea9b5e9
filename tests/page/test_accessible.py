"""What keeps people from using the page: axe-core finds nothing serious in any view, light or dark."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page.api import Api, conf, web

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
FIND = """async () => (await axe.run()).violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => [id, ...nodes.map(({ target, failureSummary }) => `${target}: ${failureSummary}`)])"""

NAME = """(one) => {
    const own = one.tagName === "DIV" ? one.className : one.textContent.trim();
    return `${one.tagName} ${one.getAttribute("aria-label") ?? own}`;
}"""
CONTROLS = f"""() => [...document.querySelectorAll("a[href], button:not(:disabled), select, input, [tabindex='0']")]
    .filter((one) => one.checkVisibility()).map({NAME})"""
FOCUSED = f"""() => document.activeElement.matches(':focus-visible') ? ({NAME})(document.activeElement) : 'not seen'"""


def found(page: Page) -> dict[str, list[list[str]]]:
    """By colour scheme, what is serious or critical: the rule, and where it is broken."""
    page.evaluate(AXE)
    page.emulate_media(color_scheme="light")
    light = page.evaluate(FIND)
    page.emulate_media(color_scheme="dark")
    return {"light": light, "dark": page.evaluate(FIND)}


def test_nothing_keeps_people_from_using_a_view(page: Page, api: Api) -> None:
    done = api.ended(api.apply("open", web("front"), conf("settings", a="1")))
    failed = api.ended(api.apply("open-not", web("broken", "web:crash"), hopelessAfterSeconds=1))
    stuck = api.apply("open-yet", conf("settings", a="1"), web("stuck", "web:never"))
    views = {
        "applications": page.get_by_role("row", name="open-yet"),
        f"applications/{done['appId']}": page.get_by_role("region", name="Components").get_by_role("row", name="front"),
        "plan": page.get_by_role("button", name="Preview"),
        "operations": page.get_by_text("database: ok"),
        "tasks": page.get_by_role("row", name="open-yet"),
        f"tasks/{failed['taskId']}": page.get_by_role("region", name="Log", exact=True).first,
        f"tasks/{stuck}": page.get_by_text("0/1 ready"),
    }
    for view, shown in views.items():
        page.goto(f"/#/{view}")
        expect(shown).to_be_visible()
        assert found(page) == {"light": [], "dark": []}, view
    controls = page.evaluate(CONTROLS)  # of the task, by the keyboard alone
    reached = []
    for _ in controls:
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    assert reached == controls
    page.get_by_role("button", name="Cancel …").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert found(page) == {"light": [], "dark": []}
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Cancel …")).to_be_focused()
