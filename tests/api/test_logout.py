"""Logouts: at the issuer after one here, and here after one at the issuer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from kubemin.api.deps import Deps
from tests.api.conftest import PREFIX
from tests.api.guarded import Guarded, guarded_by
from tests.api.test_login import PAGE, logged_in, server
from tests.identity.provider import CLIENT, Provider, edwards_key, provider

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
async def issuer() -> AsyncIterator[Provider]:
    async with provider() as one:
        yield one


async def told(one: Guarded, text: str, **changes: Any) -> httpx.Response:
    """The issuer tells the server of a logout."""
    return await one.http.post("/auth/backchannel-logout", **{"data": {"logout_token": text}, **changes})


async def known(one: Guarded, session: str) -> bool:
    one.clock.now += 2  # what it remembers
    answer = await one.http.get(f"{PREFIX}/whoami", headers={"Cookie": session})
    return answer.status_code == 200


async def test_after_a_logout_the_browser_is_sent_to_the_issuer(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer) as one:
        session = await logged_in(one, issuer)
        left = await one.http.post("/auth/logout", headers={"Cookie": session, **PAGE})
        data = left.json()["data"]
        address, _, query = data["issuer"].partition("?")
        assert (data["ended"], address) == (True, f"{issuer.url}/leave")
        asked = {"client_id": [CLIENT], "post_logout_redirect_uri": ["https://localhost/"]}
        assert parse_qs(query) == asked  # no token: an address is kept and shown
        assert not await known(one, session)
        again = await one.http.post("/auth/logout", headers={"Cookie": session, **PAGE})
        assert "issuer" not in again.json()["data"]


async def test_a_logout_here_needs_no_issuer(deps: Deps, issuer: Provider) -> None:
    """That is away, or has no address for it, or none that is safe; nor has an API token's session to do with it."""
    for metadata in ({"end_session_endpoint": None}, {"end_session_endpoint": "ftp://x"}, {"end_session_endpoint": 1}):
        issuer.metadata = metadata
        async with server(deps, issuer) as one:
            session = await logged_in(one, issuer)
            left = await one.http.post("/auth/logout", headers={"Cookie": session, **PAGE})
            assert left.json()["data"] == {"ended": True}
            assert not await known(one, session)
    issuer.metadata = {}
    async with server(deps, issuer) as one:
        session = await logged_in(one, issuer)
    issuer.away = True
    async with server(deps, issuer) as other:  # which has asked it nothing yet
        left = await other.http.post("/auth/logout", headers={"Cookie": session, **PAGE})
        assert left.json()["data"] == {"ended": True}
        text = await other.token("eve")
        other.http.cookies.clear()
        opened = await other.http.post("/auth/session", json={"token": text}, headers=PAGE)
        assert opened.status_code == 200
        assert (await other.http.post("/auth/logout", headers=PAGE)).json()["data"] == {"ended": True}


@pytest.mark.parametrize(
    ("claims", "ended"),
    [
        ({"sid": "session-1"}, "first"),  # with sub
        ({"sid": "session-1", "sub": None}, "first"),
        ({}, "first second"),
        ({"sid": "session-9"}, ""),
        ({"sub": "bea"}, ""),
        ({"sub": "bea", "sid": "session-1"}, ""),
    ],
)
async def test_a_logout_at_the_issuer_ends_its_sessions_on_every_server(
    deps: Deps, issuer: Provider, claims: dict[str, Any], ended: str
) -> None:
    async with server(deps, issuer) as here, server(deps, issuer) as there:
        open_ones = {"first": await logged_in(here, issuer)}
        issuer.sid = "session-2"
        open_ones["second"] = await logged_in(there, issuer)
        answer = await told(there, issuer.logout_token(**claims))
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert answer.json()["data"] == {"ended": bool(ended)}
        for one in (here, there):
            assert {name for name, cookie in open_ones.items() if not await known(one, cookie)} == set(ended.split())


async def test_a_session_without_an_id_of_the_issuer_ends_with_its_person(deps: Deps, issuer: Provider) -> None:
    issuer.sid = None
    async with server(deps, issuer) as one:
        session = await logged_in(one, issuer)
        assert (await told(one, issuer.logout_token(sid="session-1", sub="bea"))).status_code == 200
        assert await known(one, session)
        assert (await told(one, issuer.logout_token(sid="session-1"))).status_code == 200
        assert not await known(one, session)


async def test_a_stream_of_a_session_ends_with_a_logout_at_the_issuer(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer) as one:
        session = await logged_in(one, issuer)
        principal = await one.authenticator.of_session(session.partition("=")[2], "127.0.0.1")
        with one.authenticator.watch.of(principal) as ended:
            await one.authenticator.watch.look()
            assert not ended.is_set()
            await told(one, issuer.logout_token())
            await one.authenticator.watch.look()
            assert ended.is_set()


WRONG: list[dict[str, Any]] = [
    {"iss": "https://evil.example"},
    {"aud": "somebody-else"},
    {"aud": None},
    {"iat": 2**33},
    {"iat": None},
    {"exp": 1},
    {"exp": None},
    {"jti": None},
    {"jti": 1},
    {"jti": ""},
    {"events": None},
    {"events": {}},
    {"events": [EVENT]},
    {"events": {EVENT: "yes"}},
    {"events": {"http://schemas.openid.net/event/other": {}}},
    {"nonce": "of-a-login"},
    {"sub": None},
    {"sub": ""},
    {"sid": ""},
    {"sid": 7},
]


@pytest.mark.parametrize("claims", WRONG, ids=str)
async def test_what_is_no_logout_token_ends_nothing(deps: Deps, issuer: Provider, claims: dict[str, Any]) -> None:
    async with server(deps, issuer) as one:
        session = await logged_in(one, issuer)
        answer = await told(one, issuer.logout_token(**claims))
        assert answer.status_code == 400, claims
        assert [wrong["field"] for wrong in answer.json()["errors"]] == ["logout_token"]
        assert await known(one, session)


async def test_only_what_the_issuer_has_signed_as_a_logout_ends_something(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer, failed_logins=100) as one:
        session = await logged_in(one, issuer)
        right = issuer.logout_token()
        forms: list[dict[str, Any]] = [
            {"data": {"logout_token": issuer.token(edwards_key(issuer.keys[0].id), sid="session-1")}},
            {"data": {"logout_token": issuer.token()}},  # an ID token
            {"data": {"logout_token": issuer.logout_token(header={"typ": "at+jwt"})}},
            {"data": {"logout_token": f"{right}x"}},
            {"data": {"logout_token": [right, right]}},
            {"data": {"token": right}},
            {"data": {}},
            {"data": None, "json": {"logout_token": right}},
            {"data": None, "content": f"logout_token={right}"},
            {"data": None, "content": b"\xff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        ]
        for form in forms:
            assert (await told(one, "", **form)).status_code == 400, form
        assert await known(one, session)
        assert (await told(one, right)).status_code == 200
        assert not await known(one, session)


async def test_a_logout_token_counts_once_on_all_servers(deps: Deps, issuer: Provider) -> None:
    """Who has seen one cannot end later sessions with it."""
    text = issuer.logout_token()
    async with server(deps, issuer) as here, server(deps, issuer) as there:
        answers = await asyncio.gather(told(here, text), told(there, text))
        assert sorted(one.status_code for one in answers) == [200, 400]
        session = await logged_in(here, issuer)
        assert (await told(there, text)).status_code == 400
        assert await known(here, session)


@pytest.mark.parametrize("typ", [None, "JWT", "logout+jwt", "application/logout+jwt"])
async def test_a_logout_token_lets_nobody_in(deps: Deps, issuer: Provider, typ: str | None) -> None:
    """Whatever its type is: some issuers write none."""
    async with server(deps, issuer) as one:
        text = issuer.logout_token(header={"typ": typ})
        refused = await one.http.get(f"{PREFIX}/whoami", headers={"Authorization": f"Bearer {text}"})
        assert refused.status_code == 401
        assert (await told(one, text)).status_code == 200


async def test_an_issuer_that_is_away_is_asked_to_come_again(deps: Deps, issuer: Provider) -> None:
    """Without its keys nothing is known of what it says."""
    issuer.away = True
    async with server(deps, issuer) as one:
        answer = await told(one, issuer.logout_token())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_wrong_logout_tokens_are_counted_and_the_right_one_passes(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer, failed_logins=2) as one:
        statuses = [(await told(one, "a.b.c")).status_code for _ in range(4)]
        assert statuses == [400, 400, 429, 429]
        assert (await told(one, issuer.logout_token())).status_code == 200
    async with guarded_by(deps) as without:
        assert (await told(without, "a.b.c")).status_code == 404
