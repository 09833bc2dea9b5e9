"""Workflows: what they are, and what saving an application does to them."""

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.api.codes import ApiCode
from kubemin.spec.application import dump_steps
from kubemin.spec.issues import SpecError
from kubemin.spec.workflow import parse_workflow, without_missing
from tests.api.conftest import Api, application

STEPS = [
    {"name": "first", "components": ["conf", "keys"]},
    {"name": "then", "mode": "DAG", "components": ["web"], "jobType": "deploy"},
]


async def _steps(api: Api, app_id: str, index: int = 0) -> Any:
    return (await api.get(f"/applications/{app_id}/workflows"))["workflows"][index]["steps"]


async def test_without_one_there_is_one_with_every_component_whatever_they_are(api: Api) -> None:
    made = await api.create()
    shown = (await api.get(f"/applications/{made['id']}/workflows"))["workflows"]
    assert len(shown) == 1
    assert shown[0]["id"] == made["workflowId"]
    assert (shown[0]["status"], shown[0]["disabled"], shown[0]["namespace"]) == ("", False, "default")
    step = {"name": "deploy", "workflowType": "", "mode": "DAG", "subSteps": []}
    assert shown[0]["steps"] == [{**step, "components": ["web", "conf", "keys"]}]
    more = [*application()["component"], {"name": "more", "type": "config"}]
    await api.post("/applications", {"id": made["id"], "name": "shop", "component": more})
    assert await _steps(api, made["id"]) == [{**step, "components": ["web", "conf", "keys", "more"]}]


async def test_given_steps_come_back(api: Api) -> None:
    made = await api.create(workflow=STEPS)
    assert await _steps(api, made["id"]) == [
        {"name": "first", "workflowType": "", "mode": "StepByStep", "components": ["conf", "keys"], "subSteps": []},
        {"name": "then", "workflowType": "deploy", "mode": "DAG", "components": ["web"], "subSteps": []},
    ]


async def test_saving_without_workflow_keeps_it_without_the_components_that_are_gone(api: Api) -> None:
    made = await api.create(workflow=STEPS)
    web, _, keys = application()["component"]
    await api.post("/applications", {"id": made["id"], "name": "shop", "component": [web, keys]})
    assert [step["components"] for step in await _steps(api, made["id"])] == [["keys"], ["web"]]
    await api.post("/applications", {"id": made["id"], "name": "shop", "component": [web]})
    assert [step["components"] for step in await _steps(api, made["id"])] == [["web"]]
    steps = [{"name": "web"}]
    await api.post("/applications", {"id": made["id"], "name": "shop", "component": [web], "workflow": steps})
    assert [step["name"] for step in await _steps(api, made["id"])] == ["web"]


async def test_further_workflows_are_created_and_changed(api: Api) -> None:
    made = await api.create()
    path = f"/applications/{made['id']}/workflow"
    answer = await api.post(path, {"name": "nightly", "alias": "Every night", "workflow": STEPS})
    shown = (await api.get(f"{path}s"))["workflows"]
    assert [one["id"] for one in shown] == [made["workflowId"], answer["workflowId"]]
    assert (shown[1]["name"], shown[1]["alias"]) == ("nightly", "Every night")
    assert (await api.post(path, {"name": "nightly", "workflow": []}, 409))["code"] == ApiCode.WORKFLOW_EXISTS

    changed = {"workflowId": answer["workflowId"], "name": "weekly", "workflow": [{"name": "web"}]}
    assert await api.call("PUT", path, json=changed) == {"workflowId": answer["workflowId"]}
    shown = (await api.get(f"{path}s"))["workflows"]
    assert (shown[1]["name"], shown[1]["alias"], len(shown[1]["steps"])) == ("weekly", "Every night", 1)
    first = await api.call("PUT", path, json={"workflow": [{"name": "keys"}]})
    assert first == {"workflowId": made["workflowId"]}
    taken = {"workflowId": made["workflowId"], "name": "weekly", "workflow": []}
    assert (await api.call("PUT", path, 409, json=taken))["code"] == ApiCode.WORKFLOW_EXISTS


async def test_what_is_wrong_with_steps_is_named(api: Api) -> None:
    made = await api.create()
    path = f"/applications/{made['id']}/workflow"
    body = {"name": "nightly", "workflow": [{"name": "one", "components": ["ghost"]}, {"name": "one"}]}
    envelope = await api.post(path, body, 400)
    assert "workflow[0].components[0]" in [error["field"] for error in envelope["errors"]]
    tried = await api.post(f"{path}/try", body)
    assert (tried["valid"], tried["errors"]) == (False, envelope["errors"])
    assert await api.post(f"{path}/try", {"workflow": STEPS}) == {"valid": True, "errors": []}
    assert len((await api.get(f"{path}s"))["workflows"]) == 1
    assert (await api.post(path, {"workflow": []}, 400))["errors"][0]["field"] == "name"
    assert (await api.post(path, {"name": "x", "workflow": [], "more": 1}, 400))["errors"][0]["field"] == "more"


async def test_another_applications_workflow_is_not_found(api: Api) -> None:
    one, other = await api.create(), await api.create(name="other")
    path = f"/applications/{one['id']}/workflow"
    body = {"workflowId": other["workflowId"]}
    assert (await api.call("PUT", path, 404, json={**body, "workflow": []}))["code"] == ApiCode.WORKFLOW_NOT_FOUND
    assert (await api.post(f"{path}/exec", body, 404))["code"] == ApiCode.WORKFLOW_NOT_FOUND


names = st.sampled_from("abcdef")


@st.composite
def workflows(draw: st.DrawFn) -> list[dict[str, Any]]:
    free = draw(st.permutations("abcdef"))
    steps = []
    for number in range(draw(st.integers(0, 3))):
        size = draw(st.integers(0, 2))
        taken, free = free[:size], free[size:]
        subs = [{"name": name} for name in free[: draw(st.integers(0, 1))]]
        free = free[len(subs) :]
        if not taken and not subs and not free:
            break
        name = f"step-{number}"
        if not taken and not subs:
            name, free = free[0], free[1:]
        steps.append({"name": name, "components": taken, "subSteps": subs})
    return steps


@given(workflows(), st.sets(names))
def test_a_pruned_workflow_is_one_and_keeps_what_is_left(steps: list[dict[str, Any]], left: Collection[str]) -> None:
    stored = dump_steps(parse_workflow(steps, "abcdef"))
    pruned = without_missing(stored, left)

    def named(of: list[dict[str, Any]]) -> list[str]:
        parsed = parse_workflow(of, "abcdef")
        return [name for step in parsed for name in (*step.targets, *(n for s in step.sub_steps for n in s.targets))]

    try:
        parse_workflow(pruned, left)
    except SpecError as error:
        pytest.fail(str(error.issues))
    assert named(pruned) == [name for name in named(stored) if name in left]
