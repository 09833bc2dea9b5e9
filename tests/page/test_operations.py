"""For whoever runs the server: what is left undone, what nobody accounts for, and a server that is away for a while."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from kubemin.spec.labels import MANAGED_BY, MANAGER, TASK_ID
from tests.cli.kubemin import Kubemin, Running
from tests.page.api import Api, conf, web
from tests.waiting import PATIENCE, until_found

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`kubemin dev` that does not wait long for what is not deleted."""
    with Kubemin(tmp_path_factory.mktemp("server")).dev(env={"KUBEMIN_CLEANUP_SECONDS": "1"}) as running:
        yield running


@pytest.fixture
def cluster(server: Running) -> Iterator[httpx.Client]:
    """The simulated cluster's own API."""
    url = server.wait_for(r"simulated cluster at (http://\S+)")[1]
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        yield client


def test_a_cleanup_is_tried_again_and_given_up(page: Page, api: Api, cluster: httpx.Client) -> None:
    task_id = api.apply("undone", conf("held", a="1"), web("front", "web:never"))
    until_found(lambda: cluster.get(f"{CONFIG_MAPS}/undone-held").is_success)
    patch = {"metadata": {"finalizers": ["example.com/held"]}}
    headers = {"Content-Type": "application/merge-patch+json"}
    cluster.patch(f"{CONFIG_MAPS}/undone-held", json=patch, headers=headers).raise_for_status()
    page.reload()
    page.get_by_role("link", name="Operations").click()
    expect(page.get_by_role("region", name="Workers with tasks").get_by_role("row")).to_have_count(2)
    app_id = api.get(f"workflow/tasks/{task_id}/status")["appId"]
    api.post(f"applications/{app_id}/workflow/cancel", {"taskId": task_id})
    api.ended(task_id)

    row = page.get_by_role("region", name="Incomplete cleanups").get_by_role("row", name="undone")
    expect(row).to_contain_text("ConfigMap")
    row.get_by_role("button", name="Try again").click()
    while api.get(f"workflow/tasks/{task_id}/status")["cleanup"].get("attempts", 0) < 2:
        pass
    page.get_by_role("link", name="Applications").click()
    page.get_by_role("link", name="Cleanups that are incomplete: 1").click()
    row.get_by_role("button", name="Give up").click()
    question = page.get_by_role("dialog", name="Give up the cleanup of undone?")
    question.get_by_label("Reason").fill("it is somebody else's")
    question.get_by_role("button", name="Give up").click()
    expect(page.get_by_text("All cleanups are complete.")).to_be_visible()
    status = api.get(f"workflow/tasks/{task_id}/status")
    assert "it is somebody else's" in status["cleanup"]["abandoned"]


def test_orphans_are_deleted_by_name(page: Page, cluster: httpx.Client) -> None:
    for name in ("lost", "kept"):
        labels = {MANAGED_BY: MANAGER, TASK_ID: "m8d2h5s0r4f7j1l9p3u6e0xb"}
        cluster.post(CONFIG_MAPS, json={"metadata": {"name": name, "labels": labels}}).raise_for_status()
    page.goto("/#/operations")
    page.reload()
    expect(page.get_by_text("database: ok")).to_be_visible()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    parts = ["Operations", "Readiness", "Workers with tasks", "Queue", "Incomplete cleanups", "Clusters", "Orphans"]
    assert page.get_by_role("heading").all_inner_texts() == parts  # whichever of them is there first
    page.get_by_role("button", name="Look for orphans").click()
    expect(page.get_by_role("row", name="ConfigMap/default/kept")).to_be_visible()
    page.get_by_label("ConfigMap/default/lost").check()
    page.get_by_role("button", name="Delete … (1)").click()
    question = page.get_by_role("dialog", name="Delete these objects (1)?")
    expect(question.get_by_role("listitem")).to_have_text(["ConfigMap/default/lost"])
    question.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row", name="ConfigMap/default/lost")).to_have_count(0)
    expect(page.get_by_role("row", name="ConfigMap/default/kept")).to_be_visible()


def test_a_server_that_was_away_is_shown_again(page: Page, tmp_path: Path) -> None:
    kubemin, stale = Kubemin(tmp_path), page.get_by_text("The server does not answer")
    with kubemin.dev() as first:
        with closing(Api(first.url)) as api:
            api.ended(api.apply("before", conf("settings", a="1")))
        page.goto(first.url)
        row = page.get_by_role("row", name="before")
        expect(row).to_be_visible()
    expect(stale).to_be_visible()
    expect(row).to_be_visible()
    again = kubemin.start("dev", "--in-process", "--port", first.url.rpartition(":")[2])
    try:
        again.wait_for("ready at")
        expect(stale).to_have_count(0)
        with closing(Api(first.url)) as api:
            api.ended(api.apply("after", conf("settings", a="1")))
        expect(page.get_by_role("row", name="after")).to_be_visible()
    finally:
        again.stop()
