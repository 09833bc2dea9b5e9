"""One application: what runs of it, what was deployed, the way back, and its end."""

from playwright.sync_api import Page, Route, expect

from tests.page.api import Api, conf, web


def test_rolled_back_from_the_history(page: Page, api: Api) -> None:
    name = "wayback"
    for image in ("web:1", "web:2"):
        done = api.ended(api.apply(name, web("front", image), conf("settings", image=image), note=f"with {image}"))
    api.post("applications", {"id": done["appId"], "name": name, "component": [web("front", "web:3")]})
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    front = page.get_by_role("region", name="Components").get_by_role("row", name="front")
    expect(front).to_contain_text("Running")
    expect(front.get_by_role("cell", name="web:2", exact=True)).to_be_visible()
    expect(front.get_by_role("cell", name="web:3 differs")).to_be_visible()

    page.get_by_role("button", name="Compare", exact=True).click()  # the last two
    expect(page.get_by_role("heading", name="From revision 1 to revision 2")).to_be_visible()
    field = page.get_by_role("region", name=f"Deployment/default/{name}-front").get_by_role("row", name="image")
    expect(field).to_contain_text("web:1")
    expect(field).to_contain_text("web:2")
    page.get_by_role("combobox", name="From").select_option("draft")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", name="From the draft to revision 2")).to_be_visible()

    page.get_by_role("button", name="Compare with the cluster").click()
    expect(page.get_by_text("The cluster has what was deployed.")).to_be_visible()

    page.get_by_role("button", name="Roll back to revision 1").click()
    question = page.get_by_role("dialog", name="Roll back to revision 1?")
    row = question.get_by_role("row", name=f"Deployment/default/{name}-front")
    expect(row).to_contain_text("web:2 → web:1")
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    page.get_by_role("button", name="Roll back to revision 1").click()
    expect(row).to_contain_text("change")
    question.get_by_role("button", name="Roll back").click()
    page.wait_for_url("**/#/tasks/*")
    assert api.ended(page.url.rpartition("/")[2])["status"] == "completed"
    page.go_back()
    expect(front.get_by_role("cell", name="web:1", exact=True)).to_have_count(2)  # deployed, and the draft

    page.get_by_role("button", name="Restart").click()
    page.get_by_role("dialog").get_by_role("button", name="Restart").click()
    page.wait_for_url("**/#/tasks/*")


def test_deleted_as_the_question_says(page: Page, api: Api) -> None:
    data = {"storage": [{"name": "data", "type": "persistent", "mountPath": "/data", "size": "1Gi", "tmpCreate": True}]}
    done = api.ended(api.apply("goner", web("front"), {**web("db"), "type": "store", "traits": data}))
    page.goto(f"/#/applications/{done['appId']}")
    page.get_by_role("button", name="Delete").click()
    question = page.get_by_role("dialog", name="Delete default/goner?")
    expect(question.get_by_role("heading", name="Deleted")).to_be_visible()
    expect(question.get_by_text("Deployment/default/goner-front")).to_be_visible()
    expect(question.get_by_role("heading", name="Volume claims that stay, with their data")).to_be_visible()
    question.get_by_label("Delete volume claims too").check()
    expect(question.get_by_role("heading", name="Volume claims that stay")).to_have_count(0)
    question.get_by_label("Delete volume claims too").uncheck()
    expect(question.get_by_role("heading", name="Volume claims that stay")).to_be_visible()
    question.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/#/tasks/*")
    status = api.ended(page.url.rpartition("/")[2])
    assert status["status"] == "completed"
    assert [one["kind"] for one in status["cleanup"]["volumes"]] == ["PersistentVolumeClaim"]
    page.goto("/#/applications")
    expect(page.get_by_role("heading", name="Applications")).to_be_visible()
    expect(page.get_by_role("link", name="goner")).to_have_count(0)


def test_what_is_begun_again_after_a_lost_answer_is_the_same_task(page: Page, api: Api) -> None:
    """A question that is answered once more, because nobody knows whether the first answer arrived."""
    done = api.ended(api.apply("lostling", web("front")))
    lost: list[str] = []

    def lose(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().json()["data"]["taskId"])
        route.abort()

    page.route("**/restart", lose)
    page.goto(f"/#/applications/{done['appId']}")
    page.get_by_role("button", name="Restart").click()
    question = page.get_by_role("dialog")
    question.get_by_role("button", name="Restart").click()
    expect(question.get_by_role("alert")).to_be_visible()
    api.ended(lost[0])
    question.get_by_role("button", name="Restart").click()
    page.wait_for_url(f"**/#/tasks/{lost[0]}")
