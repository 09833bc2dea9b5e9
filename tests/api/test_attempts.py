"""What strangers may try, and what that costs: an address that is over its limit costs no statement of the database."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kubemin.api.deps import Deps
from kubemin.identity.errors import TooMany, Unknown
from kubemin.identity.token_text import TokenText, new_token
from kubemin.settings.identity import IdentitySettings
from kubemin.store import Database
from tests.api.conftest import PREFIX, application
from tests.api.guarded import Guarded, guarded_by

LIMIT = 3


@pytest.fixture
async def guarded(deps: Deps) -> AsyncIterator[Guarded]:
    async with guarded_by(deps, IdentitySettings(auth="token", failed_logins=LIMIT)) as one:
        yield one


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Those that were begun."""
    begun: list[str] = []
    for name in ("read", "begin"):
        real = getattr(Database, name)

        def counted(*given: object, _real: object = real, _name: str = name, **named: object) -> object:
            begun.append(_name)
            assert callable(_real)
            return _real(*given, **named)

        monkeypatch.setattr(Database, name, counted)
    return begun


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def asked(guarded: Guarded, headers: dict[str, str]) -> int:
    return (await guarded.http.get(f"{PREFIX}/whoami", headers=headers)).status_code


async def test_a_token_with_a_wrong_checksum_costs_no_read(guarded: Guarded, transactions: list[str]) -> None:
    token = new_token()
    mistyped = TokenText(token.id, token.secret[:-1] + ("a" if token.secret[-1] != "a" else "b"))
    text = f"kubemin_{mistyped.id}_{mistyped.secret}{token.text[-6:]}"
    statuses = [await asked(guarded, bearer(one)) for one in (text, f"{token.text}x", "kubemin_x", "opaque", "a.b.c")]
    assert statuses == [401] * LIMIT + [429, 429]
    assert transactions == []


async def test_an_address_over_its_limit_costs_no_read(guarded: Guarded, transactions: list[str]) -> None:
    """Whatever it shows that was never right; what was right goes on."""
    ada, eve = await guarded.by("ada"), await guarded.by("eve")
    await ada.get("/whoami")
    await asyncio.gather(*guarded.authenticator._beside)
    transactions.clear()
    statuses = [await asked(guarded, bearer(new_token().text)) for _ in range(LIMIT + 5)]
    assert statuses == [401] * LIMIT + [429] * 5
    assert transactions == ["read"] * LIMIT
    guarded.clock.now += 2  # it is not remembered any more who had which token
    await ada.get("/whoami")
    answer = await guarded.http.get(f"{PREFIX}/whoami", headers=bearer(eve.token))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    guarded.clock.now += 20
    await eve.get("/whoami")


async def test_a_cancel_is_held_up_by_no_limit(guarded: Guarded) -> None:
    ada, eve = await guarded.by("ada"), await guarded.by("eve")
    made = await ada.post("/apply", {"application": application(namespace="shop")})
    for _ in range(LIMIT + 1):
        await asked(guarded, bearer(new_token().text))
    await eve.post(f"/applications/{made['appId']}/workflow/cancel", {"taskId": made["taskId"]})


async def test_sessions_that_are_over_are_no_wrong_credentials_and_have_a_limit_too(
    guarded: Guarded, transactions: list[str]
) -> None:
    """Browsers show the cookie of a session that is over with each request of a page."""
    ada = await guarded.by("ada")
    statuses = [await asked(guarded, {"Cookie": f"kubemin=over-{number}"}) for number in range(10 * LIMIT + 2)]
    assert statuses == [401] * 10 * LIMIT + [429, 429]
    assert transactions.count("read") == 10 * LIMIT
    assert (await guarded.http.get("/", headers={"Cookie": "kubemin=over"})).status_code == 200
    await ada.get("/whoami")  # a token is no session


async def test_of_ipv6_the_network_is_counted(guarded: Guarded) -> None:
    attempts = guarded.authenticator.attempts
    for number in range(LIMIT):
        attempts.count(f"2001:db8::{number:x}", Unknown("wrong"))
    for address in ("2001:db8::ffff", "2001:db8:0:0:1::1", "2001:db8::1%eth0"):
        with pytest.raises(TooMany):
            attempts.check(address)
    for address in ("2001:db8:0:1::1", "192.0.2.1", "unknown"):
        attempts.check(address)
