"""The list of applications."""

import re
from collections.abc import Callable

from playwright.sync_api import Browser, Page, Route, expect

from tests.cli.kubemin import Running
from tests.page.api import Api, conf, web


def test_applications_come_as_they_are_made(page: Page, api: Api) -> None:
    for name in ("listed-one", "listed-two"):
        api.ended(api.apply(name, conf("settings", a="1")))
        expect(page.get_by_role("row", name=name)).to_be_visible()


def test_one_is_found_among_many(page: Page, api: Api) -> None:
    for number in range(51):
        api.post("applications", {"name": f"many-{number:02}"})
    shop = api.ended(api.apply("needle", web("front", "needle:1"), note="deployed"))
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    search = page.get_by_role("searchbox")
    search.fill("NEEDLE")  # and it is on the first page again
    row = page.get_by_role("row", name="needle")
    for shown in ("default", "Running", "needle:1", "completed"):
        expect(row).to_contain_text(shown)
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("combobox", name="Newest task").select_option("failed")
    expect(page.get_by_text("No application fits.")).to_be_visible()
    page.get_by_role("combobox", name="Newest task").select_option("completed")
    row.get_by_role("link", name="needle").click()
    expect(page.get_by_role("heading", name="needle")).to_be_visible()
    assert page.url.endswith(shop["appId"])


def test_a_mistyped_address_is_said(page: Page) -> None:
    for address in ("nothing", "%"):
        page.goto(f"/page/#/{address}")
        expect(page.get_by_text("There is no such page.")).to_be_visible()
    page.goto("/page/#/applications/%")
    expect(page.get_by_role("alert")).to_contain_text(re.compile("Application|appId"))


def test_an_address_that_changes_as_the_page_is_drawn_is_followed(page: Page) -> None:
    """Nothing comes between the drawing and the listening: the views of a task listen to their parts alike."""
    page.add_init_script(
        """const looking = setInterval(() => {
            if (!document.querySelector("nav a")) return;
            clearInterval(looking);
            location.hash = "#/tasks";
        }, 1);"""
    )
    page.reload()
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()


def test_it_is_also_below_a_path_of_its_own(page: Page, api: Api) -> None:
    api.ended(api.apply("below", conf("settings", a="1")))
    page.goto("/page/#/applications")
    expect(page.get_by_role("row", name="below")).to_be_visible()


def test_in_chinese_what_a_code_means_is_before_the_server_s_own_words(server: Running, browser: Browser) -> None:
    with browser.new_context(base_url=server.url, locale="zh-CN") as context:
        page = context.new_page()
        page.goto("/#/applications/nothing-like-it")
        expect(page.get_by_role("alert")).to_contain_text(re.compile(r"没有这个应用（10005）：.*nothing-like-it"))
        expect(page.get_by_role("link", name="应用", exact=True)).to_be_visible()


FOLLOW = """async () => {
    const { follow } = await import("/page/stream.js");
    const ids = [];
    let begun = 0;
    await follow("events", undefined, (events) => ids.push(...events.map(({ id }) => id)), new AbortController().signal,
        () => { begun += 1; });
    return [begun, ids];
}"""


def test_the_id_of_all_events_is_text(page: Page) -> None:
    """It has more than a number where earlier events were not there yet. The first one says that the stream began."""
    first, event = "id: 9:7-8\n\n", "id: 10:7-8\nevent: task\ndata: {}\n\n"
    for body, told in ((first, [1, []]), (first + event, [1, ["10:7-8"]])):
        page.route("**/api/v1/events", _saying(body))
        assert page.evaluate(FOLLOW) == told
        page.unroute("**/api/v1/events")


def _saying(body: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(content_type="text/event-stream", body=body)
