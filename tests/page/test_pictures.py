"""The story that the pictures of the documentation show: deployed, changed, cancelled, put back.

`make pictures` keeps them in docs/pictures/; else they go where all pictures of a run go.
"""

import os
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.docs.pictures import SCHEMES, SIZE, STORY, file_of
from tests.page.api import Api, conf, web
from tests.page.conftest import ARTEFACTS

FOLDER = Path(os.environ.get("KUBEMIN_TEST_PICTURES") or ARTEFACTS)

TEXT = """\
name: shop
component:
  - name: settings
    type: config
    properties: {conf: {LOG_LEVEL: debug}}
  - name: web
    type: webservice
    image: shop/web:2
    replicas: 3
    properties:
      ports: [{port: 80}]
"""


def picture(page: Page, name: str) -> None:
    """Keep what is seen now, light and dark, in one size."""
    assert name in STORY
    page.mouse.move(0, 0)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.screenshot(path=FOLDER / file_of(name, scheme), animations="disabled", caret="hide")
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")


def card(page: Page, component: str) -> Locator:
    """The card of a component."""
    return page.locator(".card").filter(has=page.get_by_role("heading", name=re.compile(rf"^{component}\b")))


def test_the_story(page: Page, api: Api) -> None:
    page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
    database = {"name": "database", "type": "store", "image": "postgres:17-alpine"}
    parts = [conf("settings", LOG_LEVEL="info"), database, web("web", "shop/web:1", replicas=2)]
    done = api.ended(api.apply("shop", *parts, note="first"))
    api.ended(api.apply("blog", conf("settings", TITLE="hello"), web("web", "blog:1")))

    page.goto("/#/applications")
    expect(page.get_by_role("row", name="blog")).to_be_visible()
    picture(page, "applications")
    page.goto(f"/#/applications/{done['appId']}")
    expect(page.get_by_role("region", name="Components").get_by_role("row", name="database")).to_contain_text("Running")
    picture(page, "application")

    page.goto("/#/plan")
    page.get_by_role("textbox", name="Application").fill(TEXT)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("row", name="Deployment/default/shop-web")).to_contain_text("change")
    picture(page, "plan")

    changed = [conf("settings", LOG_LEVEL="debug"), database, web("web", "shop/web:1", replicas=2)]
    task_id = api.apply("shop", *changed, web("search", "search:never"), note="with a search")
    page.goto(f"/#/tasks/{task_id}")
    expect(card(page, "search")).to_contain_text("0/1 ready")
    expect(card(page, "settings").locator(".fate")).to_have_text("changed")
    picture(page, "task")
    page.get_by_role("button", name="Cancel …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("section", has_text="Would be put back")).to_be_visible()
    picture(page, "cancel")
    dialog.get_by_label("Reason").fill("the image is not there yet")
    dialog.get_by_role("button", name="Cancel the task").click()
    expect(page.locator(".outcome")).to_contain_text("The cluster is as it was.")
    picture(page, "rolled-back")
