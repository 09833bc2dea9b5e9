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
    page.reload()
    expect(shown).to_be_visible()
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


IN_MAIN = "document.querySelector('main').contains(document.activeElement)"


def test_the_focus_goes_where_the_view_goes(page: Page, api: Api) -> None:
    """By the keyboard alone: what was left takes it along, and the tab is called after what is shown."""
    done = api.ended(api.apply("focused", conf("settings", a="1")))
    link = page.get_by_role("link", name="focused", exact=True)
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="focused", exact=True)).to_be_visible()
    expect(page.get_by_role("main")).to_be_focused()
    expect(page).to_have_title("focused · Applications · KubeMin")
    page.keyboard.press("Tab")
    assert page.evaluate(IN_MAIN)
    page.go_back()
    expect(link).to_be_visible()
    expect(page.get_by_role("main")).to_be_focused()
    expect(page).to_have_title("Applications · KubeMin")
    tasks = page.get_by_role("link", name="Tasks", exact=True)
    tasks.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()
    expect(tasks).to_be_focused()  # it is still there
    page.goto(f"/#/tasks/{done['taskId']}")
    expect(page).to_have_title("focused revision 1 · Tasks · KubeMin")


TOO_WIDE = """() => document.documentElement.scrollWidth <= 320 ? [] : [document.documentElement.scrollWidth,
    ...[...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > 320)
        .filter((one) => !one.parentElement.closest(".wide")).map((one) => `${one.tagName} ${one.className}`)]"""


def test_a_long_name_fits_into_a_narrow_window(page: Page, api: Api) -> None:
    """A table scrolls by itself, and the page does not."""
    done = api.ended(api.apply("n" * 50, conf("settings", a="1")))
    page.set_viewport_size({"width": 320, "height": 640})
    views = ("applications", f"applications/{done['appId']}", f"tasks/{done['taskId']}", "tasks", "plan", "operations")
    for view in views:
        page.goto(f"/#/{view}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_text("Loading")).to_have_count(0)
        assert page.evaluate(TOO_WIDE) == [], view
