"""Tokens of an issuer: what is let in, and all that is not."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from kubemin.identity.errors import IssuerAway, Unknown
from kubemin.identity.grants import Role, Target
from kubemin.identity.oidc.issuer import OidcIssuer
from kubemin.settings.identity import IdentitySettings
from tests.identity.provider import CLIENT, Provider, edwards_key, elliptic_key, provider, rsa_key

GRANTS = """
- {group: team-shop, role: deployer, namespaces: [shop]}
- {user: root, role: admin}
"""


class Clock:
    """Moved by a test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def issuer() -> AsyncIterator[Provider]:
    async with provider() as one:
        yield one


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def checked(issuer: Provider, clock: Clock) -> AsyncIterator[OidcIssuer]:
    settings = IdentitySettings(oidc_issuer=issuer.url, oidc_client_id=CLIENT, oidc_grants=GRANTS)
    one = OidcIssuer(settings, clock)
    yield one
    await one.aclose()


async def test_groups_and_people_have_what_the_settings_say(issuer: Provider, checked: OidcIssuer) -> None:
    ada = await checked.of_bearer(issuer.token(groups=["team-shop", "others"]))
    assert (ada.name, ada.how, ada.groups) == ("oidc:ada", "oidc", ("team-shop", "others"))
    assert ada.allows(Role.DEPLOYER, Target("default", "shop", "", "web"))
    assert not ada.allows(Role.VIEWER, Target("default", "other", "", "web"))
    root = await checked.of_bearer(issuer.token(sub="root"))
    assert root.allows_all(Role.ADMIN)
    assert (await checked.of_bearer(issuer.token(sub="nobody"))).grants == ()
    assert issuer.asked == ["metadata", "keys"]


@pytest.mark.parametrize("make", [rsa_key, elliptic_key, edwards_key])
async def test_each_allowed_algorithm(issuer: Provider, checked: OidcIssuer, make: Callable[[str], Any]) -> None:
    issuer.keys = [make("one")]
    assert (await checked.of_bearer(issuer.token())).name == "oidc:ada"


WRONG_TIMES = {"expired": ("exp", -31), "not yet": ("nbf", 90), "from the future": ("iat", 90)}
"""Seconds from now; 30 are forgiven. From the test's own now: a whole run takes longer than any of them."""
WRONG: dict[str, dict[str, Any]] = {
    "never ends": {"exp": None},
    "no beginning": {"iat": None},
    "no subject": {"sub": None},
    "no audience": {"aud": None},
    "another audience": {"aud": "somebody-else"},
    "several audiences of others": {"aud": ["a", "b"]},
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "empty name": {"sub": ""},
    "name of two lines": {"sub": "ada\nroot"},
    "name that is too long": {"sub": "x" * 256},
}


@pytest.mark.parametrize("name", WRONG_TIMES)
async def test_times_that_are_wrong(issuer: Provider, checked: OidcIssuer, name: str) -> None:
    claim, seconds = WRONG_TIMES[name]
    claims: dict[str, Any] = {claim: int(time.time()) + seconds}
    with pytest.raises(Unknown):
        await checked.of_bearer(issuer.token(**claims))


@pytest.mark.parametrize("name", WRONG)
async def test_claims_that_are_wrong(issuer: Provider, checked: OidcIssuer, name: str) -> None:
    token = issuer.token(**WRONG[name])
    with pytest.raises(Unknown) as refused:
        await checked.of_bearer(token)
    assert token.rpartition(".")[2] not in str(refused.value)


async def test_a_clock_that_differs_a_little_is_forgiven(issuer: Provider, checked: OidcIssuer) -> None:
    now = int(time.time())
    near: list[dict[str, Any]] = [{"exp": now - 10}, {"nbf": now + 10, "iat": now + 10}]
    for claims in near:
        assert (await checked.of_bearer(issuer.token(**claims))).name == "oidc:ada"


def unsigned(header: dict[str, Any], payload: str, signature: bytes = b"") -> str:
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{head}.{payload}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


async def test_tokens_that_the_issuer_has_not_signed(issuer: Provider, checked: OidcIssuer) -> None:
    good = issuer.token()
    head, payload, signature = good.split(".")
    public = (
        issuer.keys[0]
        .private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    confused = unsigned({"alg": "HS256", "kid": "first", "typ": "JWT"}, payload)
    by_public_key = hmac.new(public, confused.rpartition(".")[0].encode(), hashlib.sha256).digest()
    changed = json.loads(base64.urlsafe_b64decode(payload + "=="))
    root = base64.urlsafe_b64encode(json.dumps({**changed, "sub": "root"}).encode()).decode().rstrip("=")
    other = elliptic_key("first")
    own = other.jwk()
    forged = [
        f"{head}.{root}.{signature}",
        f"{head}.{payload}.{signature[:-8]}AAAAAAAA",
        f"{head}.{payload}.",
        unsigned({"alg": "none"}, payload),
        unsigned({"alg": "None", "kid": "first"}, payload),
        unsigned({"alg": "HS256", "kid": "first", "typ": "JWT"}, payload, by_public_key),
        jwt.encode(changed, "secret" * 8, "HS256", {"kid": "shared"}),
        jwt.encode(changed, other.private, "ES256", {"kid": "first"}),
        jwt.encode(changed, other.private, "ES256", {"kid": "first", "jwk": own}),
        jwt.encode(changed, other.private, "ES256", {"kid": "unknown", "jku": f"{issuer.url}/mine"}),
        jwt.encode(changed, issuer.keys[0].private, "RS256", {"kid": "first", "crit": ["exp"]}),
        jwt.encode(changed, issuer.keys[0].private, "RS512", {"kid": "first"}),
        jwt.encode(changed, issuer.keys[0].private, "RS256", {"kid": "first", "typ": "logout+jwt"}),
        unsigned({"alg": "RS256", "kid": ["first"]}, payload),
        "",
        "a.b.c",
        "x" * 20000,
        good + "=",
        f"{good}.{good}",
    ]
    for token in forged:
        with pytest.raises(Unknown):
            await checked.of_bearer(token)
    assert (await checked.of_bearer(good)).name == "oidc:ada"


async def test_a_new_key_is_found_and_an_old_one_forgotten(issuer: Provider, checked: OidcIssuer, clock: Clock) -> None:
    old = issuer.token()
    await checked.of_bearer(old)
    issuer.keys = [elliptic_key("second")]
    with pytest.raises(Unknown):  # only once in a while does it ask for a key that it does not know
        await checked.of_bearer(issuer.token())
    clock.now += 10
    assert (await checked.of_bearer(issuer.token())).name == "oidc:ada"
    with pytest.raises(Unknown):
        await checked.of_bearer(old)


async def test_unknown_keys_do_not_make_it_ask_each_time(issuer: Provider, checked: OidcIssuer, clock: Clock) -> None:
    await checked.of_bearer(issuer.token())
    clock.now += 10
    for number in range(20):
        with pytest.raises(Unknown):
            await checked.of_bearer(issuer.token(header={"kid": f"made-up-{number}"}))
    assert issuer.asked.count("keys") == 2


async def test_without_keys_nobody_is_let_in(issuer: Provider, checked: OidcIssuer, clock: Clock) -> None:
    issuer.away = True
    for _ in range(2):  # the second time without asking
        with pytest.raises(IssuerAway):
            await checked.of_bearer(issuer.token())
    assert issuer.asked == ["metadata"]
    issuer.away = False
    clock.now += 10
    assert (await checked.of_bearer(issuer.token())).name == "oidc:ada"


async def test_known_keys_count_while_the_issuer_is_away(issuer: Provider, checked: OidcIssuer, clock: Clock) -> None:
    await checked.of_bearer(issuer.token())
    issuer.away = True
    clock.now += 7200
    assert (await checked.of_bearer(issuer.token())).name == "oidc:ada"


async def test_an_issuer_that_hangs_holds_up_nobody_whose_key_is_known(
    issuer: Provider, checked: OidcIssuer, clock: Clock
) -> None:
    """Keys are read anew beside: a cancel does not wait for them."""
    await checked.of_bearer(issuer.token())
    issuer.hangs = asyncio.Event()
    clock.now += 7200
    for _ in range(3):
        assert (await checked.of_bearer(issuer.token())).name == "oidc:ada"
    await issuer.waits.wait()
    assert (await checked.of_bearer(issuer.token())).name == "oidc:ada"
    issuer.keys.append(elliptic_key("second"))
    issuer.hangs.set()
    assert (await checked.of_bearer(issuer.token())).name == "oidc:ada"
    assert issuer.asked.count("metadata") == 2


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://evil.example"}, {"jwks_uri": None}, {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": 1}],
)
async def test_metadata_of_another_issuer_are_refused(
    issuer: Provider, checked: OidcIssuer, metadata: dict[str, Any]
) -> None:
    issuer.metadata = metadata
    with pytest.raises(IssuerAway):
        await checked.of_bearer(issuer.token())


async def test_an_address_of_mail_is_a_name_only_if_it_is_verified(issuer: Provider) -> None:
    settings = IdentitySettings(oidc_issuer=issuer.url, oidc_audience=f"{CLIENT},other", oidc_name_claim="email")
    checked = OidcIssuer(settings)
    doubtful: list[dict[str, Any]] = [{"email": "a@example"}, {"email": "a@example", "email_verified": "true"}]
    for claims in doubtful:
        with pytest.raises(Unknown):
            await checked.of_bearer(issuer.token(**claims))
    found = await checked.of_bearer(issuer.token(aud="other", email="a@example", email_verified=True))
    assert found.name == "oidc:a@example"
    await checked.aclose()


@pytest.mark.parametrize(
    "settings",
    [
        {"oidc_issuer": "http://login.example"},
        {"oidc_issuer": "ftp://login.example"},
        {"oidc_issuer": "https://"},
        {"oidc_issuer": "https://a@b/?x"},
        {"oidc_algorithms": "none"},
        {"oidc_algorithms": "HS256"},
        {"oidc_algorithms": ""},
        {"oidc_grants": "- {role: admin}"},
        {"oidc_grants": "- {group: a, user: b, role: admin}"},
        {"oidc_grants": "- {group: a, role: root}"},
        {"oidc_grants": "- {group: a, role: admin, namespace: [x]}"},
        {"oidc_grants": "/nowhere/grants.yaml"},
    ],
)
def test_settings_that_would_be_unsafe_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="Settings"):
        IdentitySettings(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "odd",
    [
        "no key", None, [], {}, {"kty": []}, {"kty": "RSA", "kid": [], "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "kid": "x", "n": 5, "e": "AQAB"}, {"kty": "RSA", "kid": "x", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": "x", "n": "AQ", "e": "AQ", "alg": {}}, {"kty": "EC", "crv": "P-256", "x": "A", "y": "A"},
        {"kty": "EC", "crv": ["P-256"], "x": 1, "y": 2}, {"kty": "OKP", "crv": "Ed25519", "x": "AQ"}, {"kty": "x"},
        {"kty": "RSA", "kid": "x", "alg": "none", "n": "AQAB", "e": "AQAB"},
    ],
)  # fmt: skip
async def test_a_key_that_cannot_be_read_costs_no_other(issuer: Provider, checked: OidcIssuer, odd: Any) -> None:
    issuer.beside = [odd]
    assert (await checked.of_bearer(issuer.token())).name == "oidc:ada"


async def test_an_answer_that_is_nested_too_deeply_is_none(issuer: Provider, checked: OidcIssuer) -> None:
    issuer.says = "[" * 20_000 + "]" * 20_000
    with pytest.raises(IssuerAway):
        await checked.of_bearer(issuer.token())
