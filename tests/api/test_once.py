"""An Idempotency-Key: whatever begins a task, asked for again, is the same task."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest

from kubemin.api.app import routes
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Deps
from kubemin.spec.ids import application_id
from kubemin.store import applications, tasks
from tests.api.conftest import Api, application
from tests.api.guarded import Guarded, guarded_by
from tests.api.test_revisions import APP, apply, complete
from tests.api.test_routes import found
from tests.waiting import until


class Ask(NamedTuple):
    """A request that begins a task; ``other`` is a different one to the same address."""

    method: str
    path: str
    body: Any
    other: Any

    async def by(self, api: Api, key: str, status: int = 200, *, other: bool = False) -> Any:
        body = self.other if other else self.body
        given = {"params": body} if self.method == "DELETE" else {"json": body}
        return await api.call(self.method, self.path, status, headers={"Idempotency-Key": key}, **given)


ASKS = {
    "apply": Ask("POST", "/apply", {"application": application()}, {"application": application(alias="other")}),
    "exec": Ask("POST", f"/applications/{APP}/workflow/exec", {}, {"restore": False}),
    "rollback": Ask("POST", f"/applications/{APP}/rollback", {"revision": 1}, {"revision": 1, "note": "other"}),
    "restart": Ask("POST", f"/applications/{APP}/restart", {}, {"components": ["web"]}),
    "version": Ask(
        "POST",
        f"/applications/{APP}/version",
        {"components": [{"name": "web", "env": {"LEVEL": "debug"}}]},
        {"components": [{"name": "web", "env": {"LEVEL": "info"}}]},
    ),
    "delete": Ask("DELETE", f"/applications/{APP}", {}, {"deleteVolumes": True}),
}


@pytest.fixture
async def deployed(api: Api) -> Api:
    await apply(api)
    await complete(api.db)
    return api


async def number_of_tasks(api: Api) -> int:
    return len((await api.get("/tasks"))["tasks"])


@pytest.mark.parametrize("name", ASKS)
async def test_asked_again_it_is_the_same_task(deployed: Api, name: str) -> None:
    """As after a lost answer; several at once, too."""
    asked = await asyncio.gather(*(ASKS[name].by(deployed, "key") for _ in range(3)))
    asked.append(await ASKS[name].by(deployed, "key"))
    assert len({one["taskId"] for one in asked}) == 1
    assert await number_of_tasks(deployed) == 2


@pytest.mark.parametrize("name", ASKS)
async def test_a_key_is_for_one_request(deployed: Api, name: str) -> None:
    """Neither for another body, nor for another thing to do."""
    await ASKS[name].by(deployed, "key")
    assert (await ASKS[name].by(deployed, "key", 409, other=True))["code"] == ApiCode.CONFLICT
    for other, ask in ASKS.items():
        if other != name:
            assert (await ask.by(deployed, "key", 409))["code"] == ApiCode.CONFLICT
    assert await number_of_tasks(deployed) == 2


@pytest.mark.parametrize("name", ASKS)
async def test_what_is_no_key_is_named(deployed: Api, name: str) -> None:
    assert (await ASKS[name].by(deployed, "k" * 256, 400))["errors"][0]["field"] == "Idempotency-Key"
    assert await number_of_tasks(deployed) == 1


async def gone(api: Api, task_id: str) -> None:
    """Complete the removal, as a worker would."""
    await complete(api.db)
    async with api.db.begin("gone") as tx:
        removal = await tasks.brief(tx, task_id)
        assert removal is not None
        await applications.delete(tx, removal.app_id)
        await tasks.forget_idempotency_keys(tx, removal)


@pytest.mark.parametrize("named", [APP, "default~shop"])
async def test_a_removal_is_known_by_its_key_once_it_is_done(deployed: Api, named: str) -> None:
    """Then it deletes nothing that is made anew under the name. Without its key there is no such application."""
    ask = ASKS["delete"]._replace(path=f"/applications/{named}")
    made = await ask.by(deployed, "key")
    await gone(deployed, made["taskId"])
    assert await ask.by(deployed, "key") == made
    await ask.by(deployed, "another", 404)
    await ask.by(deployed, "key", 409, other=True)
    await deployed.call("DELETE", f"/applications/{named}", 404)
    await deployed.call("GET", f"/applications/{named}", 404, headers={"Idempotency-Key": "key"})
    await apply(deployed)
    assert await ask.by(deployed, "key") == made
    assert (await deployed.get(f"/applications/{named}"))["id"] == APP


@pytest.fixture
async def guarded(deps: Deps) -> AsyncIterator[Guarded]:
    async with guarded_by(deps) as one:
        yield one


RED = {"role": "deployer", "namespaces": ["shop"], "projects": ["red"]}


@pytest.mark.parametrize("named", [application_id("shop", "shop"), "shop~shop"])
async def test_a_removal_is_known_to_who_asked_for_it(guarded: Guarded, named: str) -> None:
    """And to nobody else; its key opens nothing that is made anew under the name."""
    eve = await guarded.by("eve", RED)
    await eve.post("/apply", {"application": application(namespace="shop", project="red")})
    await complete(eve.db)
    ask = ASKS["delete"]._replace(path=f"/applications/{named}")
    removal = await ask.by(eve, "key")
    await gone(eve, removal["taskId"])
    assert await ask.by(eve, "key") == removal
    for other in (await guarded.by("bea", RED), await guarded.by("eve", {**RED, "projects": ["blue"]})):
        await ask.by(other, "key", 404)
    admin = await guarded.by()
    await admin.post("/apply", {"application": application(namespace="shop", project="blue")})
    for method in ("GET", "DELETE"):
        await eve.call(method, ask.path, 404, headers={"Idempotency-Key": "key"})


KEYED = {
    *("apply_application", "exec_workflow", "rollback_application", "restart_application", "make_version"),
    *("delete_application", "delete_resources"),
}
AGAIN_IS_NO_MORE = {
    **dict.fromkeys(("try_application", "read_application", "plan_application", "try_workflow"), "stores nothing"),
    **dict.fromkeys(("workflow_elsewhere", "exec_elsewhere", "cancel_elsewhere"), "answers 501"),
    "save_application": "what has been saved is saved; a second one of a name is refused",
    "create_workflow": "a second one of a name is refused",
    "change_workflow": "the steps are those that are sent",
    "cancel_task": "the same answer",
    "promote_task": "with seq the same answer",
    "clean_up_again": "it is tried once more, or given up already",
    "delete_orphans": "what is gone is gone",
    "create_token": "a second token, which whoever has lost the text of the first needs",
    **dict.fromkeys(("revoke_token", "end_sessions", "logout", "open_session"), "ended is ended; a login is a new one"),
    "end_by_issuer": "each message counts once",
    "retry_notification": "refused while it waits to be sent",
    "test_notification": "a person asked for one more",
}


def test_whatever_changes_something_takes_a_key_or_does_no_more_when_asked_again() -> None:
    """Whoever adds a route decides. What records a task takes a key."""
    changing = [route for route in found(routes().routes) if (route.methods or set()) - {"GET", "HEAD", "OPTIONS"}]
    keyed = {
        route.name for route in changing if any(one.alias == "Idempotency-Key" for one in route.dependant.header_params)
    }
    assert keyed == KEYED
    assert {route.name for route in changing} - keyed == set(AGAIN_IS_NO_MORE)


async def test_a_removal_of_resources_asked_for_again_is_the_same_task(deployed: Api) -> None:
    """Also while the first one is still waited for."""
    path = f"/applications/{APP}/resources"
    headers = {"Idempotency-Key": "key"}
    asked = [asyncio.create_task(deployed.call("DELETE", path, headers=headers)) for _ in range(2)]

    async def is_recorded() -> bool:
        return await number_of_tasks(deployed) == 2

    await until(is_recorded)
    await complete(deployed.db)
    assert len({str(one) for one in await asyncio.gather(*asked)}) == 1
    await deployed.call("DELETE", path, headers=headers)
    assert await number_of_tasks(deployed) == 2
    await deployed.call("DELETE", path, 409, headers=headers, params={"deleteVolumes": True})
    await ASKS["restart"].by(deployed, "key", 409)
