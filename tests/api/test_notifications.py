"""What the API says of notifications: targets without their secrets, deliveries by pages, once more, and a test."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.notifications.service import Notifications
from kubemin.settings.notifications import NotificationSettings
from tests.api.conftest import Api
from tests.notifications.receiver import Receiver, answers, receiving
from tests.notifications.rows import SECRET, deliverer, due_now, ended, prepared, target

HUSH = "hush-hush"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.fixture
async def telling(deps: Deps, receiver: Receiver) -> AsyncIterator[Api]:
    """The API of a server that tells a target, and a chat."""
    chat = {"name": "chat", "template": "slack", "url": f"https://hooks.example/{HUSH}"}
    text = yaml.safe_dump([{"name": "ops", "url": f"{receiver.url}?{HUSH}", "secret": SECRET}, chat])
    notifications = Notifications(deps.db, NotificationSettings(notifications=SecretStr(text)), CollectorRegistry())
    transport = httpx.ASGITransport(create_app(replace(deps, notifications=notifications)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        yield Api(http, deps.db)


async def send(api: Api, receiver: Receiver) -> None:
    to = target(receiver.url)
    sends = deliverer(api.db, to)
    await sends.take()
    while await sends.deliver(to):
        pass


async def test_who_was_told_what(telling: Api, receiver: Receiver) -> None:
    await prepared(telling.db)
    for name in ("one", "two", "three"):
        await ended(telling.db, name)
        receiver.answer = answers("500 No") if name == "three" else answers("200 OK")
        await send(telling, receiver)
    found = await telling.get("/notifications")
    assert HUSH not in str(found)
    assert SECRET not in str(found)
    assert [(one["name"], one["template"], one["waiting"], one["dead"]) for one in found["targets"]] == [
        ("ops", "standard", 1, 0),
        ("chat", "slack", 0, 0),
    ]
    assert [(one["taskId"].rstrip("."), one["state"], one["error"]) for one in found["deliveries"]] == [
        ("three", "waiting", "it answered 500"),
        ("two", "delivered", ""),
        ("one", "delivered", ""),
    ]
    newest = found["deliveries"][0]
    assert (newest["attempts"], newest["httpStatus"], newest["namespace"], newest["name"]) == (1, 500, "prod", "shop")
    page = await telling.get("/notifications", pageSize=2)
    rest = await telling.get("/notifications", pageSize=2, after=page["nextCursor"])
    assert page["deliveries"] + rest["deliveries"] == found["deliveries"]
    assert "nextCursor" not in rest
    assert len((await telling.get("/notifications", state="delivered", target="ops"))["deliveries"]) == 2
    assert (await telling.get("/notifications", target="chat"))["deliveries"] == []


async def test_once_more(telling: Api, receiver: Receiver) -> None:
    await prepared(telling.db)
    await ended(telling.db, "one")
    receiver.answer = answers("410 Gone")
    await send(telling, receiver)
    (one,) = (await telling.get("/notifications", state="dead"))["deliveries"]
    again = await telling.post(f"/notifications/{one['id']}/retry")
    assert again["state"] == "waiting"
    receiver.answer = answers("200 OK")
    await due_now(telling.db)
    await send(telling, receiver)
    refused = await telling.post(f"/notifications/{one['id']}/retry", status=409)
    assert "is delivered" in refused["message"]
    await telling.post("/notifications/999/retry", status=404)
    await telling.post("/notifications/0/retry", status=400)


async def test_a_test(telling: Api, receiver: Receiver) -> None:
    assert await telling.post("/notifications/targets/ops/test") == {
        "target": "ops",
        "delivered": True,
        "httpStatus": 200,
        "error": "",
    }
    assert receiver.got[0].json["type"] == "test"
    receiver.answer = answers("403 No", body=HUSH)
    found: dict[str, Any] = await telling.post("/notifications/targets/ops/test")
    assert (found["delivered"], found["error"]) == (False, "it answered 403")
    await telling.post("/notifications/targets/nobody/test", status=404)


async def test_a_server_that_tells_nobody(api: Api) -> None:
    assert await api.get("/notifications") == {"targets": [], "deliveries": []}
    await api.post("/notifications/targets/ops/test", status=404)
    for wrong in ("x", "-1", "9" * 30):
        await api.get("/notifications", 400, after=wrong)
    await api.get("/notifications", 400, state="exploded")


@pytest.mark.parametrize(
    "commit",
    [
        {"repository": "octo/shop", "sha": "abc"},
        {"repository": "../../x", "sha": "a" * 40},
        {"repository": "octo", "sha": "a" * 40},
        {"repository": "octo/shop?x=1", "sha": "a" * 40},
        {"repository": "octo/shop", "sha": "a" * 40, "more": 1},
        {"repository": "octo/shop"},
    ],
)
async def test_a_commit_that_is_none_is_refused(api: Api, commit: dict[str, str]) -> None:
    app = await api.create()
    refused = await api.post(f"/applications/{app['id']}/workflow/exec", {"commit": commit}, 400)
    assert any(error["field"].startswith("commit") for error in refused["errors"])
