"""An application and a task are found by other than their ids, and an error names what was near."""

import pytest

from kubemin.api.deps import Deps
from kubemin.api.lookups import _comparable
from kubemin.spec.ids import application_id
from kubemin.store import tasks
from tests.api.conftest import Api

FIRST, SECOND = "abcdef0" + "1" * 17, "abcdef1" + "2" * 17


async def add(deps: Deps, app_id: str, *ids: str) -> None:
    for task_id in ids:
        async with deps.db.begin("task") as tx:
            new = tasks.NewTask(id=task_id, app_id=app_id, app_name="shop", workflow_id="w", workflow_name="w", spec={})
            await tasks.insert(tx, new)


@pytest.mark.parametrize("named", ["default~shop", "shop", "default~SHOP", application_id("default", "shop")])
async def test_an_application_by_its_name(api: Api, named: str) -> None:
    made = await api.create()
    found = await api.get(f"/applications/{named}")
    assert found == {**made, "overview": found["overview"]}
    assert (await api.get(f"/applications/{named}/workflow/tasks"))["tasks"] == []


async def test_what_was_near_is_named(api: Api) -> None:
    await api.create(namespace="team")
    for wrong, near in (("default~shop", "team~shop"), ("team~shp", "team~shop"), ("x" * 24, "")):
        message = (await api.get(f"/applications/{wrong}", 404))["message"]
        assert "does not exist" in message
        assert near in message


@pytest.mark.parametrize("named", [FIRST, FIRST[:7], "default~shop"])
async def test_a_task_by_its_beginning_or_its_application(api: Api, deps: Deps, named: str) -> None:
    made = await api.create()
    await add(deps, made["id"], SECOND, FIRST)
    assert (await api.get(f"/workflow/tasks/{named}/status"))["taskId"] == FIRST


@pytest.mark.parametrize(("named", "said"), [("abcdef", f"{FIRST}, {SECOND}"), ("abcde", ""), ("zzzzzz", "")])
async def test_an_ambiguous_or_short_beginning_is_none(api: Api, deps: Deps, named: str, said: str) -> None:
    made = await api.create()
    await add(deps, made["id"], FIRST, SECOND)
    assert said in (await api.get(f"/workflow/tasks/{named}/status", 404))["message"]


async def test_an_application_without_tasks_has_no_latest(api: Api) -> None:
    await api.create()
    assert "no task yet" in (await api.get("/workflow/tasks/default~shop/status", 404))["message"]


async def test_logs_need_a_cluster(api: Api) -> None:
    app_id = (await api.create())["id"]
    assert (await api.get(f"/applications/{app_id}/logs", 503))["code"] == 30001
    assert (await api.get("/applications/nobody/logs", 404))["code"] == 10005
    await api.get(f"/applications/{app_id}/logs", 400, tail=5001)


@pytest.mark.parametrize("length", [1, 20, 190, 10_000])
def test_what_is_compared_does_not_grow_with_the_names(length: int) -> None:
    """It is done on the loop, where cancels are answered."""
    compared = list(_comparable("a" * length, ["a" * length] * 1000))
    assert sum(length * len(one) for one in compared) <= 100_000
    assert compared or length == 10_000
