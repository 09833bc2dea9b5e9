"""A server with two clusters: each is named where it matters, and one that is away harms no other, and is shown so."""

import json
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.cli.kubemin import Kubemin, Running
from tests.page.api import Api, conf, web
from tests.page.test_accessible import found
from tests.waiting import PATIENCE

pytestmark = pytest.mark.proof
PLAIN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1'}\n"


class Two(NamedTuple):
    """A server that knows ``default`` and ``edge``; the second is a process of its own."""

    kubemin: Kubemin
    running: Running
    edge: Running
    port: str


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    kubemin = Kubemin(tmp_path_factory.mktemp("two"))
    edge = kubemin.start("sim", "--kubeconfig-out", "edge.yaml")
    try:
        port = edge.wait_for(r"http://127\.0\.0\.1:(\d+)")[1]
        edge_at = str(kubemin.folder / "edge.yaml")
        clusters = {"default": {"simulate": True}, "edge": {"kubeconfig": edge_at}}
        with kubemin.dev(env={"KUBEMIN_CLUSTERS": json.dumps(clusters)}) as running:
            yield Two(kubemin, running, edge, port)
    finally:
        edge.stop()


@pytest.fixture(scope="module")
def server(two: Two) -> Running:
    """The same, for `page` and `api`."""
    return two.running


def row(page: Page, region: str, name: str) -> Locator:
    """A row of a table, by its first cell."""
    return page.get_by_role("region", name=region).get_by_role("row", name=name)


def names(page: Page, view: str) -> Locator:
    """The names of the applications of a list, in each row."""
    column = {"Applications": "th[scope=row]", "Tasks": "td:nth-of-type(1)"}[view]
    return page.get_by_role("region", name=view).locator(f"tbody {column}")


def test_each_cluster_is_named_and_lists_are_filtered_by_it(page: Page, api: Api) -> None:
    for cluster, name in (("default", "here"), ("edge", "there"), ("edge", "shop"), ("default", "shop")):
        assert api.ended(api.apply(name, conf("settings", a=cluster), cluster=cluster))["status"] == "completed"
    for view, word in (("Applications", "applications"), ("Tasks", "tasks")):
        page.goto(f"/#/{word}")
        expect(names(page, view)).to_have_text(["shop", "shop", "there", "here"])
        for cluster, expected in (("edge", ["shop", "there"]), ("default", ["shop", "here"])):
            page.get_by_label("Cluster").select_option(cluster)
            expect(names(page, view)).to_have_text(expected)
            edges = page.get_by_role("region", name=view).get_by_role("cell", name="edge")
            expect(edges).to_have_count(2 if cluster == "edge" else 0)
        page.get_by_label("Status" if view == "Tasks" else "Newest task").select_option("failed")
        expect(names(page, view)).to_have_count(0)
        page.reload()
    page.goto("/#/operations")
    page.get_by_role("search").get_by_label("Cluster").select_option("edge")
    expect(page.get_by_text("No task waits")).to_be_visible()
    assert found(page) == {"light": [], "dark": []}
    page.goto("/#/audit")
    page.get_by_label("Cluster").select_option("edge")
    expect(page.get_by_role("region", name="Audit").locator("tbody tr")).to_have_count(2)
    assert found(page) == {"light": [], "dark": []}

    page.goto("/#/applications")
    page.get_by_label("Cluster").select_option("edge")
    expect(names(page, "Applications")).to_have_text(["shop", "there"])
    page.get_by_role("link", name="shop").click()
    expect(page.get_by_text("Cluster edge")).to_be_visible()
    page.get_by_role("button", name="Compare with the cluster").click()
    expect(page.get_by_text("The cluster has what was deployed.")).to_be_visible()
    page.get_by_role("link", name="completed").first.click()
    expect(page.locator(".facts")).to_contain_text("edge")


def test_plain_objects_are_deployed_to_the_cluster_that_is_chosen(page: Page) -> None:
    page.get_by_role("link", name="Plan").click()
    page.get_by_role("textbox", name="Application").fill(PLAIN)
    page.get_by_label("Its name", exact=True).fill("objects")
    page.get_by_label("Cluster").select_option("edge")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_text("The task is complete.")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("edge")


def test_a_cluster_that_is_away_harms_no_other_and_is_shown_until_it_is_back(page: Page, api: Api, two: Two) -> None:
    before = api.ended(api.apply("before", web("front"), cluster="edge"))
    two.edge.stop()
    page.goto("/#/operations")
    page.reload()
    at_edge = row(page, "Clusters", "edge")
    expect(at_edge).to_contain_text("down")
    expect(at_edge).to_contain_text("annot be reached")
    expect(row(page, "Clusters", "default")).to_contain_text("ok")
    until = time.monotonic() + PATIENCE
    while not any(one["away"] for one in api.get("clusters")["clusters"][1]["workers"]):
        assert time.monotonic() < until
    waits = api.apply("waits", conf("settings", a="1"), cluster="edge")
    expect(row(page, "Queue", "edge")).to_contain_text("the cluster edge does not answer")
    assert found(page) == {"light": [], "dark": []}

    page.goto(f"/#/tasks/{waits}")
    expect(page.get_by_text("It waits: the cluster edge does not answer")).to_be_visible()
    page.goto(f"/#/applications/{before['appId']}")
    expect(page.get_by_role("heading", name="before")).to_be_visible()
    page.get_by_role("button", name="Compare with the cluster").click()
    expect(page.get_by_role("alert")).to_be_visible()

    page.goto("/#/plan")
    page.get_by_role("textbox", name="Application").fill(PLAIN)
    page.get_by_label("Its name", exact=True).fill("meanwhile")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_text("The task is complete.")).to_be_visible()

    page.goto(f"/#/tasks/{waits}")
    again = two.kubemin.start("sim", "--port", two.port, "--kubeconfig-out", "again.yaml")
    try:
        expect(page.get_by_text("The task is complete.")).to_be_visible()
        expect(page.get_by_text("It waits: the cluster")).to_have_count(0)
        page.get_by_role("link", name="Operations").click()
        expect(at_edge).to_contain_text("ok")
    finally:
        again.stop()
