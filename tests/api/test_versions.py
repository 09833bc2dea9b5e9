"""A new version: the draft is changed as it is asked for, and run."""

from typing import Any

import pytest

from kubemin.spec.config import MASK
from kubemin.spec.ids import application_id
from tests.api.conftest import Api, application
from tests.api.test_revisions import complete

APP = application_id("default", "shop")
CHANGES: list[dict[str, Any]] = [
    {"action": "update", "name": "web", "image": "web:2", "replicas": 3, "env": {"LEVEL": "debug"}},
    {"action": "add", "name": "jobs", "type": "webservice", "image": "jobs:1"},
    {"action": "remove", "name": "conf"},
]


async def version(api: Api, status: int = 200, **body: Any) -> Any:
    return await api.post(f"/applications/{APP}/version", body, status)


async def parts(api: Api) -> dict[str, Any]:
    found = (await api.get(f"/applications/{APP}/revisions/draft"))["application"]["component"]
    return {part["name"]: part for part in found}


async def test_it_changes_the_draft_and_runs_it(api: Api) -> None:
    await api.create(version="1.0")
    made = await version(api, version="2.0", strategy="canary", components=CHANGES, description="why", autoExec=True)
    assert made == {
        "appId": APP,
        "version": "2.0",
        "previousVersion": "1.0",
        "strategy": "canary",
        "taskId": made["taskId"],
        "updatedComponents": ["web"],
        "addedComponents": ["jobs"],
        "removedComponents": ["conf"],
    }
    found = await parts(api)
    assert list(found) == ["web", "keys", "jobs"]
    assert (found["web"]["image"], found["web"]["replicas"]) == ("web:2", 3)
    assert found["web"]["properties"]["ports"] == [{"port": 80}]
    assert found["web"]["properties"]["env"] == {"LEVEL": "debug"}
    assert found["keys"] == {"name": "keys", "type": "secret", "properties": {"secret": {"token": MASK}}}
    (revision,) = (await api.get(f"/applications/{APP}/revisions"))["revisions"]
    assert (revision["strategy"], revision["note"], revision["taskId"]) == ("canary", "why", made["taskId"])
    await complete(api.db)
    current = await api.get(f"/applications/{APP}/revisions/current")
    ran = current["application"]["component"]
    assert [(one["name"], one.get("image")) for one in ran] == [("web", "web:2"), ("keys", None), ("jobs", "jobs:1")]
    assert "strategy" not in ran[0], "the run's own is not of the application"


async def test_without_auto_exec_only_the_draft_changes(api: Api) -> None:
    await api.create()
    made = await version(api, components=[{"name": "web", "properties": {"ports": [{"port": 81}]}}], autoExec=False)
    assert (made["taskId"], made["strategy"], made["version"]) == ("", "rolling", "")
    web = (await parts(api))["web"]
    assert (web["image"], web["properties"]["ports"]) == ("web:1", [{"port": 81}])
    assert (await api.get(f"/applications/{APP}/revisions"))["total"] == 0


async def test_what_no_step_names_is_of_the_run_if_it_is_changed(api: Api) -> None:
    await api.create(workflow=[{"name": "web"}])
    await version(api, components=[CHANGES[1]])
    await complete(api.db)
    current = await api.get(f"/applications/{APP}/revisions/current")
    assert [part["name"] for part in current["application"]["component"]] == ["web", "jobs"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"components": [{"name": "other"}]}, "components[0].name"),
        ({"components": [{"action": "remove", "name": "other"}]}, "components[0].name"),
        ({"components": [{"action": "add", "name": "web"}]}, "components[0].name"),
        ({"components": [CHANGES[0], CHANGES[0]]}, "components[1].name"),
        ({"components": [{"name": "web", "action": "mend"}]}, "components[0].action"),
        ({"components": [{"name": "web", "image": "no image"}]}, "component[0].image"),
        ({"strategy": "instant"}, "strategy"),
        ({"strategy": {"type": "canary", "steps": [{"weight": 0}]}}, "strategy.steps[0].weight"),
        ({"speed": 1}, "speed"),
    ],
)
async def test_a_mistake_changes_nothing(api: Api, body: dict[str, Any], field: str) -> None:
    await api.create()
    before = await parts(api)
    refused = await version(api, 400, **body)
    assert [one["field"] for one in refused["errors"]] == [field]
    assert await parts(api) == before
    assert (await api.get(f"/applications/{APP}/revisions"))["total"] == 0


async def test_a_run_takes_a_strategy_in_both_spellings(api: Api) -> None:
    for strategy in ("blue-green", {"type": "blue-green", "promote": True}):
        await api.post("/apply", {"application": application(), "strategy": strategy})
    kept = (await api.get(f"/applications/{APP}/revisions"))["revisions"]
    assert [one["strategy"] for one in kept] == ["blue-green"] * 2
