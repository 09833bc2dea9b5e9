"""Applications of several clusters, over HTTP."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from kubemin.api.all_events import Wanted, stream_all
from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.store import presence, tables
from tests.api.conftest import PREFIX, Api, application
from tests.api.test_all_events import heard
from tests.api.test_lists import every
from tests.api.two_clusters import knowing_two


@pytest.fixture
async def api(deps: Deps) -> AsyncIterator[Api]:
    async with knowing_two(deps) as knowing:
        transport = httpx.ASGITransport(create_app(knowing), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield Api(http, deps.db)


async def test_an_application_is_found_by_its_cluster(api: Api) -> None:
    here, there = await api.create(tmp_enable=True), await api.create(tmp_enable=True, cluster="edge")
    assert (here["cluster"], there["cluster"]) == ("default", "edge")
    for name, one in (("default~shop", here), ("default~default~shop", here), ("edge~default~shop", there)):
        assert (await api.get(f"/applications/{name}"))["id"] == one["id"]
    for path in ("/applications", "/applications/templates"):
        for cluster, ids in (("edge", {there["id"]}), ("prod", set()), (None, {here["id"], there["id"]})):
            listed = (await api.get(path, **({} if cluster is None else {"cluster": cluster})))["applications"]
            assert {one["id"] for one in listed} == ids
    said = (await api.get("/applications/default~shop-2", 404))["message"]
    assert "edge~default~shop" in said


@pytest.mark.parametrize("size", [1, 2, 1000])
async def test_tasks_are_listed_by_their_cluster(api: Api, size: int) -> None:
    ids: dict[str, list[str]] = {"default": [], "edge": []}
    for number, cluster in enumerate(("default", "edge", "edge", "default", "edge")):
        run = await api.post("/apply", {"application": application(name=f"app-{number}", cluster=cluster)})
        ids[cluster].insert(0, run["taskId"])
    await api.post(f"/workflow/tasks/{ids['edge'][0]}/cleanup")  # changes nothing of one that waits
    for cluster, expected in (*ids.items(), ("prod", [])):
        assert await every(api, "/tasks", "tasks", cluster=cluster, pageSize=size) == expected
        assert await every(api, "/tasks", "tasks", cluster=cluster, status="waiting", pageSize=size) == expected
        assert await every(api, "/tasks", "tasks", cluster=cluster, status="running", pageSize=size) == []
    mixed = await api.get("/tasks", cluster="edge", appId="default~app-0")
    assert mixed["tasks"] == []


async def test_events_are_told_of_the_cluster_that_is_asked_for(api: Api, deps: Deps) -> None:
    for cluster in ("default", "edge"):
        await api.post("/apply", {"application": application(cluster=cluster)})
    [task] = (await api.get("/tasks", cluster="edge"))["tasks"]
    source = stream_all(deps, "0", Wanted(cluster="edge"))
    assert json.loads((await heard(source))["data"])["taskId"] == task["id"]
    assert (await heard(source, event=False))[""] == "heartbeat"  # and no more
    await source.aclose()


async def test_the_cluster_of_an_application_never_changes(api: Api) -> None:
    saved = await api.create(cluster="edge")
    again = await api.post("/applications", {"id": saved["id"], "name": "shop", "alias": "Shop"})
    assert again["cluster"] == "edge"
    envelope = await api.call("POST", "/applications", 409, json=application(id=saved["id"], cluster="default"))
    assert "edge/default/shop" in envelope["message"]


@pytest.mark.parametrize("path", ["/applications", "/apply", "/applications/plan"])
async def test_a_cluster_that_is_not_known_is_refused_by_name(api: Api, path: str) -> None:
    spec = application(cluster="prod")
    envelope = await api.call("POST", path, 400, json={"application": spec} if path == "/apply" else spec)
    [error] = envelope["errors"]
    assert error["field"].endswith("cluster")
    assert error["message"] == 'The server knows no cluster "prod"; it knows: default, edge.'


async def test_plain_objects_become_an_application_of_the_cluster_that_is_said(api: Api) -> None:
    text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: '1'}}"
    for cluster in ("default", "edge"):
        found = await api.post("/applications/read", {"text": text, "name": "shop", "cluster": cluster})
        assert (found["valid"], found["application"]["cluster"]) == (True, cluster)
    found = await api.post("/applications/read", {"text": text, "name": "shop", "cluster": "prod"})
    assert [(one["field"], "knows no cluster" in one["message"]) for one in found["errors"]] == [("cluster", True)]


async def test_what_one_that_is_away_is_asked_is_refused_and_nothing_else(api: Api) -> None:
    assert (await api.get("/orphans")) == {"orphans": []}
    assert "cannot be reached" in (await api.get("/orphans", 503, cluster="edge"))["message"]
    assert "knows: default, edge" in (await api.get("/orphans", 404, cluster="prod"))["message"]


async def test_clusters_are_listed_with_what_there_is_to_do(api: Api) -> None:
    run = await api.post("/apply", {"application": application(cluster="edge")})
    async with api.db.begin("say") as tx:
        await presence.say(tx, "worker", {"default": presence.Sight("v1", "")})
    here, there = (await api.get("/clusters"))["clusters"]
    assert (here["name"], here["known"], here["reachable"], here["waiting"]) == ("default", True, True, 0)
    assert here["workers"] == [{"worker": "worker", "away": ""}]
    assert (there["name"], there["reachable"], there["waiting"], there["workers"]) == ("edge", False, 1, [])
    assert "cannot be reached" in there["message"]
    task = await api.get(f"/workflow/tasks/{run['taskId']}")
    assert task["waitsBecause"] == "no worker serves the cluster edge now"
    [queue] = (await api.get("/operations"))["queues"]
    assert (queue["cluster"], queue["waitsBecause"]) == ("edge", "no worker serves the cluster edge now")


@pytest.mark.parametrize(
    "state",
    [
        {"status": "running", "lease_expires_at": 1.0},
        {"status": "cancelled", "cleanup": "pending", "lease_expires_at": 1.0},
        {"status": "failed", "cleanup": "incomplete", "next_cleanup_at": 1.0},
    ],
)
async def test_what_had_begun_says_that_no_worker_goes_on_with_it(api: Api, state: dict[str, Any]) -> None:
    """As after a change of settings that took away its cluster."""
    run = await api.post("/apply", {"application": application(cluster="edge")})
    async with api.db.begin("begun") as tx:
        await tx.write(update(tables.tasks).where(tables.tasks.c.id == run["taskId"]).values(**state))
    answer = await api.http.get(f"{PREFIX}/workflow/tasks/{run['taskId']}")
    assert answer.json()["data"]["waitsBecause"] == "no worker serves the cluster edge now"
    assert "etag" not in answer.headers  # how that is, no event of the task says
