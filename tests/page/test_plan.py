"""An application is written, mended where it is wrong, previewed, and deployed as it was previewed."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.page.api import Api

SHOP = """\
name: planned
component:
  - name: web
    type: webservice
    image: web:1
    replicas: {replicas}
    properties:
      ports: [{{port: 80}}]
"""


def test_written_mended_previewed_and_deployed(page: Page, api: Api) -> None:
    page.get_by_role("link", name="Plan", exact=True).click()
    text = page.get_by_role("textbox", name="Application")
    text.fill(SHOP.format(replicas="many"))
    page.get_by_role("button", name="Preview").click()

    mistake = page.get_by_role("listitem").filter(has_text="component[0].replicas")
    mistake.get_by_role("button", name="Line 6").click()
    assert text.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)").strip() == (
        "replicas: many"
    )
    expect(page.get_by_role("button", name="Deploy")).to_have_count(0)

    text.fill(SHOP.format(replicas=2))
    expect(mistake).to_have_count(0)
    page.get_by_role("button", name="Preview").click()
    row = page.get_by_role("row", name="Deployment/default/planned-web")
    expect(row).to_contain_text("create")
    text.press("End")
    text.press("#")
    expect(row).to_have_count(0)  # it was the preview of another text
    page.get_by_role("button", name="Preview").click()
    page.get_by_label("Note").fill("by hand")
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url("**/#/tasks/*")

    task_id = page.url.rpartition("/")[2]
    status = api.ended(task_id)
    assert status["status"] == "completed"
    (revision,) = api.get(f"applications/{status['appId']}/revisions")["revisions"]
    assert revision["note"] == "by hand"

    page.goto(f"/#/plan/{status['appId']}")  # from there it is changed, as it was saved
    expect(text).to_have_value(re.compile(r'"image": "web:1"'))
    changed = text.input_value().replace("web:1", "web:2")
    text.fill(changed)
    page.get_by_role("button", name="Preview").click()
    expect(row).to_contain_text("web:1 → web:2")
    expect(row).to_contain_text("change")


OBJECTS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: pasted-settings}
data: {mode: fast}
---
apiVersion: v1
kind: Service
metadata: {name: pasted}
spec: {selector: {app: pasted}, ports: [{port: 80}]}
"""


def test_pasted_kubernetes_objects_are_deployed_under_a_name(page: Page, api: Api) -> None:
    page.goto("/#/plan")
    name = page.get_by_label("Its name", exact=True)
    expect(name).to_have_count(0)
    page.get_by_role("textbox", name="Application").fill(OBJECTS)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("say what their application is called")).to_be_visible()
    name.fill("pasted")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("row", name="Service/default/pasted")).to_contain_text("create")
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url("**/#/tasks/*")
    status = api.ended(page.url.rpartition("/")[2])
    assert status["status"] == "completed"
    page.goto(f"/#/applications/{status['appId']}")
    expect(page.get_by_role("row", name="objects manifests")).to_contain_text("Ready")


def test_field_names_are_completed(page: Page) -> None:
    page.goto("/#/plan")
    text, fields = page.get_by_role("textbox", name="Application"), page.get_by_role("listbox")

    def field(name: str) -> Locator:
        return fields.get_by_role("option").filter(has=page.get_by_text(name, exact=True))

    def choose(beginning: str, name: str) -> None:
        text.press_sequentially(beginning)
        expect(field(name)).to_be_visible()
        text.press("ArrowDown")
        text.press("Enter")
        expect(fields).to_have_count(0)

    text.press("Control+Space")
    expect(field("namespace")).to_be_visible()
    text.press("Escape")
    expect(fields).to_have_count(0)
    choose("nam", "name")
    text.press_sequentially("typed\n")
    choose("comp", "component")
    text.press_sequentially("\n- name: web\n")
    choose("ima", "image")
    text.press_sequentially("web:1\n")
    choose("rep", "replicas")
    expect(text).to_have_value("name: typed\ncomponent:\n  - name: web\n    image: web:1\n    replicas: ")
    text.press_sequentially("a")
    field("auto").click()
    text.press_sequentially("\nprop")
    expect(field("properties")).to_be_visible()
    text.press("Tab")  # nothing is chosen: it goes on to the next control
    expect(fields).to_have_count(0)
    expect(text).not_to_be_focused()


HOOK = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: hooked-settings}
data: {mode: fast}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: hooked-once
  annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "-5"}
"""


def test_hooks_are_told_in_the_preview_and_why_one_was_left_out_in_the_task(page: Page, api: Api) -> None:
    def preview(text: str) -> Locator:
        page.goto("/#/")
        page.goto("/#/plan")
        page.get_by_role("textbox", name="Application").fill(text)
        page.get_by_label("Its name", exact=True).fill("hooked")
        page.get_by_role("button", name="Preview").click()
        return page.get_by_role("row", name="ConfigMap/default/hooked-once")

    def deploy() -> None:
        page.get_by_role("button", name="Deploy").click()
        page.wait_for_url("**/#/tasks/*")
        assert api.ended(page.url.rpartition("/")[2])["status"] == "completed"

    expect(preview(HOOK)).to_contain_text("hook pre-install, weight -5")
    deploy()
    expect(preview(HOOK.replace("fast", "slow"))).to_contain_text("it is a hook of the first deploy")
    deploy()
    objects = page.get_by_role("region", name="Objects")
    expect(objects.get_by_text("it is a hook of the first deploy")).to_be_visible()


def test_what_is_written_is_there_again_until_it_is_deployed(page: Page, api: Api) -> None:
    """Whoever looks at something else meanwhile, and comes back; of a draft only what was changed."""
    text = page.get_by_role("textbox", name="Application")
    page.goto("/#/plan")
    text.fill(SHOP.format(replicas=1).replace("planned", "resumed"))
    page.get_by_role("link", name="Tasks", exact=True).click()
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()
    page.go_back()
    expect(text).to_have_value(re.compile("name: resumed"))
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url("**/#/tasks/*")
    app_id = api.ended(page.url.rpartition("/")[2])["appId"]
    page.get_by_role("link", name="Plan", exact=True).click()
    expect(text).to_have_value("")

    page.goto(f"/#/plan/{app_id}")
    expect(text).to_have_value(re.compile('"replicas": 1'))
    draft = {"id": app_id, "name": "resumed", "component": [{"name": "web", "type": "webservice", "image": "web:9"}]}
    page.get_by_role("link", name="Tasks", exact=True).click()
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()
    api.post("applications", draft)
    page.go_back()
    expect(text).to_have_value(re.compile('"image": "web:9"'))  # nothing was written: it is the draft as it is now
