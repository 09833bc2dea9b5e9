"""A stored text that does not open is its own row's matter: what needs it says so, all else goes on."""

from typing import Any

import pytest
from sqlalchemy import update

from kubemin.store import evidence, tables
from tests.api.conftest import Api, application

DAMAGE = {"its key is lost": "s1:gone:AAAA", "it is no JSON": '[{"name":', "it is no list": "5"}
STEPS = [{"name": "web", "components": ["web"]}]


@pytest.fixture
async def made(api: Api) -> dict[str, Any]:
    """An application with two workflows: ``first`` came with it, ``other`` was made later."""
    first = await api.create(workflow=STEPS)
    other = await api.post(f"/applications/{first['id']}/workflow", {"name": "other", "workflow": STEPS})
    return {"app": first["id"], "first": first["workflowId"], "other": other["workflowId"]}


async def damage(api: Api, workflow_id: str, text: str) -> None:
    async with api.db.begin("damage") as tx:
        mine = update(tables.workflows).where(tables.workflows.c.id == workflow_id)
        assert await tx.write(mine.values(steps=text)) == 1


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("which", ["first", "other"])
async def test_a_workflow_that_does_not_open_stops_no_other(
    api: Api, made: dict[str, Any], which: str, how: str
) -> None:
    whole = "other" if which == "first" else "first"
    await damage(api, made[which], DAMAGE[how])
    place = f"/applications/{made['app']}"
    shown = {one["id"]: one for one in (await api.get(f"{place}/workflows"))["workflows"]}
    assert shown[made[which]]["steps"] == []
    assert "workflows.steps" in shown[made[which]]["unreadable"]
    assert [step["name"] for step in shown[made[whole]]["steps"]] == ["web"]
    assert shown[made[whole]]["unreadable"] == ""
    await api.post(f"{place}/workflow/exec", {"workflowId": made[whole]})
    assert len((await api.get(f"{place}/workflow/tasks"))["tasks"]) == 1
    # Nothing else is run in its place, such as all components at once.
    answer = await api.http.post(f"/api/v1{place}/workflow/exec", json={"workflowId": made[which]})
    assert answer.status_code == 503
    assert f"workflows.steps of {made[which]}" in answer.json()["message"]
    # A save takes what is gone out of what can be read, and new steps mend the other.
    web = application()["component"][0]
    await api.post("/applications", {"id": made["app"], "name": "shop", "component": [web]})
    if which == "first":
        await api.post("/applications", {"id": made["app"], "name": "shop", "component": [web], "workflow": STEPS})
    else:
        body = {"workflowId": made[which], "workflow": STEPS}
        assert (await api.http.put(f"/api/v1{place}/workflow", json=body)).status_code == 200
    assert {one["unreadable"] for one in (await api.get(f"{place}/workflows"))["workflows"]} == {""}


async def test_a_template_is_cloned_without_its_workflow(api: Api) -> None:
    template = await api.create(tmpEnable=True, workflow=STEPS, component=application()["component"][:1])
    await damage(api, template["workflowId"], DAMAGE["its key is lost"])
    body = {"name": "copy", "component": [{"name": "mine", "template": {"id": template["id"]}}]}
    await api.post("/applications", body)


@pytest.mark.parametrize("how", ["its key is lost", "it is no JSON"])
async def test_evidence_of_one_component_hides_none_of_the_others(api: Api, how: str) -> None:
    task_id = (await api.post(f"/applications/{(await api.create())['id']}/workflow/exec", {}))["taskId"]
    async with api.db.begin("damage") as tx:
        await evidence.add(tx, task_id, {"api": [{"name": "api-1"}], "web": [{"name": "web-1"}]})
        mine = (tables.evidence.c.task_id == task_id, tables.evidence.c.component == "api")
        await tx.write(update(tables.evidence).where(*mine).values(pods=DAMAGE[how]))
    broken, whole = (await api.get(f"/workflow/tasks/{task_id}/evidence"))["components"]
    assert (broken["name"], broken["pods"]) == ("api", [])
    assert "evidence.pods" in broken["note"]
    assert whole == {"name": "web", "pods": [{"name": "web-1"}], "note": ""}
