"""API tokens: made, used, seen, and ended."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from kubemin.api.access import Access
from kubemin.api.all_events import Wanted, stream_all
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Deps
from kubemin.api.envelope import ApiError
from kubemin.api.listening import while_valid
from kubemin.api.routes import audit as audit_routes
from kubemin.api.routes.tasks import follow_task
from kubemin.identity.grants import Role, Target
from kubemin.identity.principal import Principal
from kubemin.identity.token_text import TokenText, read_token
from kubemin.settings.api import ApiSettings
from kubemin.store import audit, tokens
from tests.api.conftest import PREFIX, Api, application
from tests.api.guarded import Caller, Guarded, guarded_by, names


@pytest.fixture
async def guarded(deps: Deps) -> AsyncIterator[Guarded]:
    async with guarded_by(deps) as one:
        yield one


async def test_a_token_is_shown_once_and_nothing_of_it_is_kept(guarded: Guarded) -> None:
    admin = await guarded.by("ada")
    with capture_logs() as logs:
        made = await admin.post("/tokens", {"name": "ci", "owner": "robot", "grants": [{"role": "viewer"}]})
        text = made.pop("token")
        secret = text.rpartition("_")[2]
        found = (await admin.get("/tokens"))["tokens"]
        me = await guarded.http.get(f"{PREFIX}/whoami", headers={"Authorization": f"Bearer {text}"})
        wrong = await guarded.http.get(f"{PREFIX}/whoami", headers={"Authorization": f"Bearer {text}x"})
    assert made in found
    assert (made["owner"], made["madeBy"], made["state"]) == ("robot", "ada", "valid")
    (grant,) = made["grants"]
    assert grant.pop("role") == "viewer"
    assert grant == {field: ["*"] for field in ("clusters", "namespaces", "projects", "applications")}
    assert datetime.fromisoformat(made["expires"]) - datetime.now(UTC) > timedelta(days=89)
    assert me.json()["data"]["name"] == "robot"
    assert me.json()["data"]["how"] == "token"
    assert wrong.status_code == 401
    async with guarded.deps.db.read() as tx:
        stored = await tokens.page(tx)
    for said in (json.dumps(found), me.text, wrong.text, str(logs), str(stored)):
        assert secret not in said


async def test_a_token_of_the_right_id_and_another_secret_is_wrong(guarded: Guarded) -> None:
    first, second = await guarded.token(), await guarded.token()
    one, other = read_token(first), read_token(second)
    assert one is not None
    assert other is not None
    mixed = TokenText(one.id, other.secret).text
    answers = [
        await guarded.http.get(f"{PREFIX}/whoami", headers={"Authorization": f"Bearer {text}"})
        for text in (mixed, TokenText("a" * 12, one.secret).text)
    ]
    assert [one.status_code for one in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()  # whether there is such an id is not told


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic YTpi", "kubemin_x", "Bearer kubemin_x_y", "Bearer \t"])
async def test_what_is_no_token_is_refused(guarded: Guarded, header: str) -> None:
    answer = await guarded.http.get(f"{PREFIX}/whoami", headers={"Authorization": header})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_revoked_token_is_refused_by_every_server(deps: Deps) -> None:
    async with guarded_by(deps) as here, guarded_by(deps) as there:
        admin, text = await here.by(), await here.token("eve")
        header = {"Authorization": f"Bearer {text}"}
        for server in (here, there):
            assert (await server.http.get(f"{PREFIX}/whoami", headers=header)).status_code == 200
        token_id = text.split("_")[1]
        revoked = await admin.call("DELETE", f"/tokens/{token_id}")
        assert (revoked["state"], revoked["revokedBy"]) == ("revoked", "ada")
        assert await admin.call("DELETE", f"/tokens/{token_id}") == revoked
        gone = await here.http.get(f"{PREFIX}/whoami", headers=header)
        assert (gone.status_code, gone.json()["errors"][0]["code"]) == (401, "REVOKED")
        there.clock.now += 2  # what it remembers
        assert (await there.http.get(f"{PREFIX}/whoami", headers=header)).status_code == 401


async def test_an_expired_token_is_refused(guarded: Guarded) -> None:
    text = await guarded.token("eve", seconds=-1)
    answer = await guarded.http.get(f"{PREFIX}/whoami", headers={"Authorization": f"Bearer {text}"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "EXPIRED")
    listed = (await (await guarded.by("ada")).get("/tokens"))["tokens"]
    assert [one["state"] for one in listed if one["owner"] == "eve"] == ["expired"]


async def test_tokens_are_the_admins_and_ones_own(guarded: Guarded) -> None:
    admin = await guarded.by("ada")
    eve = await guarded.by("eve", {"role": "admin", "namespaces": ["shop"]})
    assert names(await admin.get("/tokens"), "owner") == ["ada", "eve"]
    assert names(await eve.get("/tokens"), "owner") == ["eve"]
    await eve.post("/tokens", {"name": "more", "grants": [{"role": "viewer"}]}, 403)
    await eve.call("DELETE", f"/tokens/{admin.token.split('_')[1]}", 404)
    await eve.call("DELETE", f"/tokens/{eve.token.split('_')[1]}")
    await eve.get("/whoami", 401)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"grants": []}, "grants"),
        ({"grants": [{"role": "root"}]}, "grants[0].role"),
        ({"grants": [{"role": "admin", "namespace": ["x"]}]}, "grants[0].namespace"),
        ({"grants": [{"role": "admin", "namespaces": []}]}, "grants[0].namespaces"),
        ({"grants": [{"role": "admin", "namespaces": "x"}]}, "grants[0].namespaces"),
        ({"name": ""}, "name"),
        ({"owner": ""}, "owner"),
        ({"owner": "a\nb"}, "owner"),
        ({"expiresInDays": 0}, "expiresInDays"),
        ({"expiresInDays": 99999}, "expiresInDays"),
    ],
)
async def test_what_is_wrong_with_a_new_token_is_named(guarded: Guarded, changes: dict[str, Any], field: str) -> None:
    refused = await (await guarded.by()).post("/tokens", {"name": "ci", "grants": [{"role": "viewer"}], **changes}, 400)
    assert field in {one["field"] for one in refused["errors"]}


async def test_last_use_is_written_beside_and_once_a_minute(guarded: Guarded) -> None:
    ada = await guarded.by()
    await ada.get("/whoami")
    await asyncio.gather(*guarded.authenticator._beside)
    first = (await ada.get("/tokens"))["tokens"][0]["usedTime"]
    await asyncio.gather(*guarded.authenticator._beside)
    assert (await ada.get("/tokens"))["tokens"][0]["usedTime"] == first


async def test_a_stream_ends_with_its_token(guarded: Guarded) -> None:
    admin = await guarded.by()
    text = await guarded.token("eve", {"role": "viewer"})
    principal = await guarded.authenticator.of_bearer(text, "127.0.0.1")
    waiting = asyncio.Event()

    async def events() -> Any:
        yield b"first"
        waiting.set()
        await asyncio.Event().wait()
        yield b"never"

    stream = while_valid(guarded.deps, Access(principal, Role.VIEWER), events())
    assert await anext(stream) == b"first"
    coming = asyncio.ensure_future(anext(stream))
    await waiting.wait()
    await guarded.authenticator.watch.look()
    assert not coming.done()
    await admin.call("DELETE", f"/tokens/{text.split('_')[1]}")
    await guarded.authenticator.watch.look()
    with pytest.raises(StopAsyncIteration):
        await coming
    assert guarded.authenticator.watch._listening == {}


@pytest.mark.parametrize("project", ["blue", ""])
async def test_a_stream_ends_where_its_application_goes_out_of_sight(guarded: Guarded, project: str) -> None:
    """What comes after is for who may see it then; who still may hears on."""
    admin = await guarded.by()
    sent = application(namespace="shop", project="red")
    made = await admin.post("/apply", {"application": sent})

    async def listen(*grants: dict[str, Any]) -> Any:
        principal = await guarded.authenticator.of_bearer(await guarded.token("eve", *grants), "127.0.0.1")
        target = None if principal.allows_all(Role.VIEWER) else Target("default", "shop", "red", "shop")
        return (await follow_task(guarded.deps, Access(principal, Role.VIEWER, target), made["taskId"])).body_iterator

    red = {"role": "viewer", "projects": ["red"]}
    gone = await listen(red)
    others = ((red, {"role": "viewer", "namespaces": ["shop"]}), ({"role": "admin"},))
    there = [await listen(*grants) for grants in others]
    for stream in (gone, *there):
        while b"waiting" not in await anext(stream):
            pass
    await guarded.authenticator.watch.look()
    for stream in (gone, *there):
        assert b"heartbeat" in await anext(stream)
    await admin.post("/applications", {**sent, "id": made["appId"], "project": project})
    await guarded.authenticator.watch.look()
    for _ in range(100):  # what was on its way already
        if await anext(gone, None) is None:
            break
    else:
        pytest.fail("it goes on")
    for stream in there:
        assert b"heartbeat" in await anext(stream)
        await stream.aclose()


async def test_a_stream_ends_when_its_credential_expires(guarded: Guarded) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    principal = Principal("eve", "oidc", (), expires_at=past)

    waiting = asyncio.Event()

    async def events() -> Any:
        waiting.set()
        await asyncio.Event().wait()
        yield b""

    coming = asyncio.ensure_future(anext(while_valid(guarded.deps, Access(principal, Role.VIEWER), events())))
    await waiting.wait()
    await guarded.authenticator.watch.look()
    with pytest.raises(StopAsyncIteration):
        await coming


async def test_the_stream_of_all_tasks_has_what_one_may_see(guarded: Guarded) -> None:
    admin = await guarded.by()
    eve = await guarded.by("eve", {"role": "viewer", "namespaces": ["shop"]})
    for namespace in ("shop", "other"):
        await admin.post("/apply", {"application": application(namespace=namespace, name=f"in-{namespace}")})
    principal = await guarded.authenticator.of_bearer(eve.token, "127.0.0.1")
    stream = stream_all(replace(guarded.deps, heartbeat_seconds=0.01), "0", Wanted(sight=principal.sight()))
    frames: list[bytes] = []
    async for frame in stream:
        frames.append(frame)
        if b"heartbeat" in frame:
            break
    await stream.aclose()
    said = b"".join(frames)
    mine = {one["appId"]: one["name"] for one in (await admin.get("/tasks"))["tasks"]}
    assert {name for app_id, name in mine.items() if app_id.encode() in said} == {"in-shop"}


async def test_without_authentication_nobody_has_to_say_anything(api: Api) -> None:
    me = await api.get("/whoami")
    assert (me["name"], me["how"], me["roles"]) == ("system", "none", ["viewer", "deployer", "admin"])
    ways = (await api.http.get("/auth/ways")).json()["data"]
    assert (ways["required"], "oidc" in ways) == (False, False)


async def test_no_caller_takes_the_streams_of_all(deps: Deps) -> None:
    """Of whom there are as many as there may be is told so; everybody else is heard. What ends is free again."""
    few = replace(deps, settings=ApiSettings(max_event_streams=4, max_caller_streams=2))
    async with guarded_by(few) as guarded:
        admin, eve = await guarded.by(), await guarded.by("eve", {"role": "viewer"})
        ran = await admin.post("/apply", {"application": application()})
        paths = ("/events", f"/workflow/tasks/{ran['taskId']}/events")

        async def endless() -> Any:
            yield b"first"
            await asyncio.Event().wait()

        async def stream(caller: Caller) -> Any:
            principal = await guarded.authenticator.of_bearer(caller.token, "127.0.0.1")
            one = while_valid(guarded.deps, Access(principal, Role.VIEWER), endless())
            return one, await anext(one, None)

        streams = [await stream(eve) for _ in range(3)]
        assert [first for _, first in streams] == [b"first", b"first", None]
        for path in paths:
            refused = await eve.get(path, 429)
            assert refused["code"] == ApiCode.TOO_MANY
            assert "eve has 2 event streams" in refused["message"]
        assert (await stream(admin))[1] == b"first"
        await streams.pop(0)[0].aclose()
        assert (await stream(eve))[1] == b"first"


async def test_an_export_breaks_off_with_its_token(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no end then that looks like one."""
    monkeypatch.setattr(audit_routes, "_AT_ONCE", 2)
    admin, text = await guarded.by(), await guarded.token("eve")
    for number in range(6):
        await admin.post(f"/nowhere/{number}", {}, 404)
    principal = await guarded.authenticator.of_bearer(text, "127.0.0.1")
    async with guarded.deps.db.read() as tx:
        rows = await audit.oldest(tx, audit.Wanted(), after=0, limit=2)
    lines = audit_routes._lines(guarded.deps, Access(principal, Role.ADMIN), audit.Wanted(), rows, None)
    assert (await anext(lines)).count("\n") == 2
    assert (await anext(lines)).count("\n") == 2
    await admin.call("DELETE", f"/tokens/{text.split('_')[1]}")
    await guarded.authenticator.watch.look()
    with pytest.raises(ApiError, match="has ended"):
        await anext(lines)
    assert guarded.authenticator.watch._listening == {}
