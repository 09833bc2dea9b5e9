"""The list of applications."""

from playwright.sync_api import Page, expect

from tests.page.api import Api, conf


def test_applications_come_as_they_are_made(page: Page, api: Api) -> None:
    for name in ("listed-one", "listed-two"):
        api.ended(api.apply(name, conf("settings", a="1")))
        expect(page.get_by_role("row", name=name)).to_be_visible()


def test_it_is_also_below_a_path_of_its_own(page: Page, api: Api) -> None:
    api.ended(api.apply("below", conf("settings", a="1")))
    page.goto("/page/#/applications")
    expect(page.get_by_role("row", name="below")).to_be_visible()
