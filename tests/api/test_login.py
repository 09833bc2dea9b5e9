"""Sessions of browsers: begun at an issuer or by a token, known to every server, and of use to no other page."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.datastructures import Headers

from kubemin.api.authentication import CSRF_HEADER, check_own_page, cookie_of
from kubemin.api.deps import Deps
from kubemin.api.envelope import ApiError
from kubemin.identity.oidc.code_flow import CodeFlow, Pending, local
from kubemin.identity.oidc.issuer import OidcIssuer
from kubemin.settings.identity import IdentitySettings
from tests.api.conftest import PREFIX, application
from tests.api.guarded import Guarded, guarded_by
from tests.identity.provider import CLIENT, SECRET, Provider, provider

GRANTS = "- {group: team-shop, role: deployer, namespaces: [shop]}"
PAGE = {"Sec-Fetch-Site": "same-origin", CSRF_HEADER: "1"}


@pytest.fixture
async def issuer() -> AsyncIterator[Provider]:
    async with provider() as one:
        yield one


@asynccontextmanager
async def server(deps: Deps, issuer: Provider, **changes: Any) -> AsyncIterator[Guarded]:
    """One of those behind https://kubemin.example."""
    settings = IdentitySettings(
        oidc_issuer=issuer.url,
        oidc_client_id=CLIENT,
        oidc_client_secret=SecretStr(SECRET),
        oidc_grants=GRANTS,
        public_url="https://localhost",
        **changes,
    )
    checked = OidcIssuer(settings)
    flow = CodeFlow(checked, settings)
    async with guarded_by(replace(deps, code_flow=flow), settings, checked) as one:
        yield one


def cookies(answer: httpx.Response) -> SimpleCookie:
    found: SimpleCookie = SimpleCookie()
    for one in answer.headers.get_list("set-cookie"):
        found.load(one)
    return found


async def begun(one: Guarded, back: str = "/page") -> tuple[str, str]:
    """The address that the browser is sent to, and the cookie that it keeps."""
    one.http.cookies.clear()
    answer = await one.http.get("/auth/login", params={"back": back})
    assert answer.status_code == 303, answer.text
    assert answer.headers["cache-control"] == "no-store"
    kept = cookies(answer)["__Host-kubemin-login"]
    assert (kept["httponly"], kept["secure"], kept["samesite"], kept["path"]) == (True, True, "lax", "/")
    one.http.cookies.clear()
    return answer.headers["location"], f"__Host-kubemin-login={kept.value}"


async def finished(one: Guarded, params: dict[str, str], cookie: str) -> httpx.Response:
    answer = await one.http.get("/auth/callback", params=params, headers={"Cookie": cookie})
    one.http.cookies.clear()
    return answer


async def logged_in(one: Guarded, issuer: Provider) -> str:
    """The cookie of a session."""
    address, cookie = await begun(one)
    answer = await finished(one, issuer.login(address), cookie)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/page"
    kept = cookies(answer)["__Host-kubemin"]
    assert (kept["httponly"], kept["secure"], kept["samesite"], kept["path"]) == (True, True, "lax", "/")
    assert "domain" not in answer.headers["set-cookie"].lower()
    return f"__Host-kubemin={kept.value}"


async def test_a_login_at_the_issuer_begins_a_session_that_every_server_knows(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer) as here, server(deps, issuer) as there:
        address, cookie = await begun(here)
        answer = await finished(there, issuer.login(address), cookie)  # the browser comes back to another one
        session = f"__Host-kubemin={cookies(answer)['__Host-kubemin'].value}"
        (row,) = (await (await here.by("root")).get("/audit"))["rows"]  # a GET, and it changes something
        assert (row["operation"], row["status"], row["caller"]) == ("finish_login", 303, "oidc:ada")
        assert (row["method"], row["authenticated"]) == ("GET", "oidc")
        for one in (here, there):
            me = (await one.http.get(f"{PREFIX}/whoami", headers={"Cookie": session})).json()["data"]
            assert (me["name"], me["how"], me["groups"]) == ("oidc:ada", "session", ["team-shop"])
        made = await here.http.post(
            f"{PREFIX}/applications", json=application(namespace="shop"), headers={"Cookie": session, **PAGE}
        )
        assert made.status_code == 200, made.text
        ended = await here.http.post("/auth/logout", headers={"Cookie": session, **PAGE})
        assert ended.json()["data"]["ended"] is True
        there.clock.now += 2
        for one in (here, there):
            over = await one.http.get(f"{PREFIX}/whoami", headers={"Cookie": session})
            assert over.status_code == 401
            assert over.json()["errors"][0]["code"] == "SESSION_OVER"


async def test_a_login_is_finished_once_and_by_the_browser_that_began_it(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer, failed_logins=100) as one:
        address, cookie = await begun(one)
        _, other = await begun(one)
        params = issuer.login(address)
        for wrong, given in (
            (params, ""),
            (params, other),
            (params, "__Host-kubemin-login=bm9uc2Vuc2U"),
            (params, f"__Host-kubemin-login={base64.urlsafe_b64encode(b'[' * 3000).decode()}"),
            ({**params, "state": "guessed"}, cookie),
            ({**params, "iss": "https://evil.example"}, cookie),
            ({"state": params["state"], "error": "access_denied"}, cookie),
            ({"code": params["code"]}, cookie),
        ):
            answer = await finished(one, wrong, given)
            assert answer.status_code == 401, wrong
            assert "__Host-kubemin" not in cookies(answer)
        assert (await finished(one, params, cookie)).status_code == 303
        assert (await finished(one, params, cookie)).status_code == 401
        assert issuer.asked.count("authorization_code") == 1  # it is asked about no other


async def test_the_issuer_is_asked_about_no_login_that_did_not_begin_here(deps: Deps, issuer: Provider) -> None:
    """However well somebody invents one: cookie and state fit each other."""
    async with server(deps, issuer, failed_logins=2) as one:
        for expected in (401, 401, 429):
            invented = Pending.new("/")
            cookie = f"__Host-kubemin-login={invented.to_cookie()}"
            answer = await finished(one, {"code": "any", "state": invented.state}, cookie)
            assert answer.status_code == expected
        one.clock.now += 60
        address, cookie = await begun(one)
        one.http.cookies.clear()
        changed = Pending.of_cookie(cookie.partition("=")[2])
        assert changed is not None
        cookie = f"__Host-kubemin-login={replace(changed, back='/elsewhere').to_cookie()}"
        assert (await finished(one, issuer.login(address), cookie)).status_code == 401
    assert "authorization_code" not in issuer.asked


async def test_of_two_that_finish_a_login_at_once_one_does(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer) as here, server(deps, issuer) as there:
        address, cookie = await begun(here)
        params = issuer.login(address)
        answers = await asyncio.gather(*(finished(one, params, cookie) for one in (here, there)))
    assert sorted(one.status_code for one in answers) == [303, 401]
    assert issuer.asked.count("authorization_code") == 1


async def test_logins_that_begin_have_a_limit(deps: Deps, issuer: Provider) -> None:
    """Each is a row, until it is over."""
    async with server(deps, issuer, failed_logins=1) as one:
        statuses = [(await one.http.get("/auth/login")).status_code for _ in range(11)]
    assert statuses == [303] * 10 + [429]


async def test_a_token_of_another_login_is_refused(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer) as one:
        issuer.audience, issuer.authorized = [CLIENT, "somebody-else"], "somebody-else"
        address, cookie = await begun(one)
        assert (await finished(one, issuer.login(address), cookie)).status_code == 401
        issuer.audience, issuer.authorized = CLIENT, None
        address, cookie = await begun(one)
        issuer.nonce = "of-another-login"
        assert (await finished(one, issuer.login(address), cookie)).status_code == 401
        issuer.nonce, issuer.audience = None, "somebody-else"
        address, cookie = await begun(one)
        assert (await finished(one, issuer.login(address), cookie)).status_code == 401


CHANGES: list[dict[str, str]] = [
    {},
    {CSRF_HEADER: "1"},
    {"Sec-Fetch-Site": "same-origin"},
    {CSRF_HEADER: "1", "Sec-Fetch-Site": "cross-site"},
    {CSRF_HEADER: "1", "Sec-Fetch-Site": "same-site"},
    {CSRF_HEADER: "1", "Sec-Fetch-Site": "none"},
    {CSRF_HEADER: "1", "Sec-Fetch-Site": "same-origin", "Origin": "https://localhost:8443"},
    {CSRF_HEADER: "1", "Origin": "null"},
]


async def test_a_session_changes_nothing_for_another_page(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer) as one:
        session = await logged_in(one, issuer)
        body = application(namespace="shop")
        for headers in CHANGES:
            for path in (f"{PREFIX}/applications", "/auth/logout"):
                answer = await one.http.post(path, json=body, headers={"Cookie": session, **headers})
                assert answer.status_code == 403, headers
        for headers in (PAGE, {CSRF_HEADER: "1", "Origin": "https://localhost"}):
            answer = await one.http.post(
                f"{PREFIX}/applications/try", json=body, headers={"Cookie": session, **headers}
            )
            assert answer.status_code == 200, headers


def test_a_page_without_an_origin_is_not_ours(deps: Deps) -> None:
    """A sandboxed frame, say, also of a server that knows no address of its own."""
    with pytest.raises(ApiError):
        check_own_page(deps, Headers({CSRF_HEADER: "1", "Origin": "null", "Host": "localhost"}))


async def test_a_token_given_once_begins_a_session_that_ends_with_it(deps: Deps) -> None:
    async with guarded_by(deps) as one:
        text = await one.token("eve", {"role": "viewer"})
        for headers in CHANGES[:3]:
            assert (await one.http.post("/auth/session", json={"token": text}, headers=headers)).status_code == 403
        answer = await one.http.post("/auth/session", json={"token": text}, headers=PAGE)
        assert answer.json()["data"]["name"] == "eve"
        assert text not in answer.text
        assert text not in answer.headers["set-cookie"]
        assert "Secure" not in answer.headers["set-cookie"]  # this one is plain HTTP on loopback
        me = await one.http.get(f"{PREFIX}/whoami")
        assert me.json()["data"]["how"] == "session"
        admin = await one.by()
        one.http.cookies.delete("kubemin")
        await admin.call("DELETE", f"/tokens/{text.split('_')[1]}")
        session = {"Cookie": f"kubemin={cookies(answer)['kubemin'].value}"}
        assert (await one.http.get(f"{PREFIX}/whoami", headers=session)).status_code == 401
        assert (await one.http.post("/auth/session", json={"token": text}, headers=PAGE)).status_code == 401


async def test_without_an_issuer_nobody_logs_in_there(deps: Deps) -> None:
    async with guarded_by(deps) as one:
        assert (await one.http.get("/auth/login")).status_code == 404
        assert (await one.http.get("/auth/callback", params={"code": "a", "state": "b"})).status_code == 404


async def test_an_issuer_that_is_away_lets_nobody_in(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer) as one:
        issuer.away = True
        assert (await one.http.get("/auth/login")).status_code == 503
        answer = await one.http.get(f"{PREFIX}/whoami", headers={"Authorization": f"Bearer {issuer.token()}"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        ada = await one.by("ada")  # API tokens need no issuer
        await ada.get("/whoami")


async def test_a_bearer_of_the_issuer_may_what_its_groups_may(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer) as one:
        headers = {"Authorization": f"Bearer {issuer.token(groups=['team-shop'])}"}
        made = await one.http.post(f"{PREFIX}/applications", json=application(namespace="shop"), headers=headers)
        assert made.status_code == 200
        refused = await one.http.post(f"{PREFIX}/applications", json=application(namespace="x"), headers=headers)
        assert refused.status_code == 403
        ways = (await one.http.get("/auth/ways")).json()["data"]
        assert ways["oidc"]["issuer"] == issuer.url
        assert (ways["oidc"]["clientId"], ways["oidc"]["login"]) == (CLIENT, "/auth/login")
        assert SECRET not in str(ways)


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "", "/a\nb"]
)
def test_nobody_is_sent_elsewhere_after_a_login(back: str) -> None:
    assert local(back) == "/"
    assert local("/page#/tasks/1?x=y") == "/page#/tasks/1?x=y"


OTHERS = [
    "foo[bar]=1",
    'a={"b": "c, d"}',
    "a b=c",
    "=x",
    "x",
    "",
    '"',
    "a=\\",
    "é=ü",
    "kubemin=1",
    "__Host-kubemin-x=1",
    "$Version=1",
]


@pytest.mark.parametrize("other", OTHERS)
async def test_cookies_of_other_applications_are_no_matter(deps: Deps, issuer: Provider, other: str) -> None:
    """Neither for a login nor for a session, wherever they stand."""
    async with server(deps, issuer) as one:
        address, cookie = await begun(one)
        answer = await one.http.get(
            "/auth/callback", params=issuer.login(address), headers={b"Cookie": f"{other}; {cookie};{other}".encode()}
        )
        assert answer.status_code == 303, answer.text
        session = f"__Host-kubemin={cookies(answer)['__Host-kubemin'].value}"
        one.http.cookies.clear()
        for line in (f"{other}; {session}", f"{session};{other}", f"{other};{session}; {other}"):
            me = await one.http.get(f"{PREFIX}/whoami", headers={b"Cookie": line.encode()})
            assert me.status_code == 200, line
        for line in (f"{session}; {session}", f"{session}; __Host-kubemin=another", f"x{session}", f"{session}\u00e9"):
            me = await one.http.get(f"{PREFIX}/whoami", headers={b"Cookie": line.encode()})
            assert me.status_code == 401, line


@given(st.text(st.characters(codec="latin-1"), max_size=200))
def test_no_cookie_stops_the_reading(other: str) -> None:
    """Whatever it is, unless it has our name."""
    assume("kubemin=" not in other)
    line = f"{other};kubemin=a_secret-1.x;{other}"
    assert cookie_of(Headers(raw=[(b"cookie", line.encode("latin-1"))]), "kubemin") == "a_secret-1.x"


async def test_an_admin_ends_the_sessions_of_others_and_everybody_their_own(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer) as here, server(deps, issuer) as there:
        first, second = await logged_in(here, issuer), await logged_in(there, issuer)
        admin, eve = await here.by("root"), await here.by("eve", {"role": "admin", "namespaces": ["shop"]})
        refused = await eve.call("DELETE", "/sessions", 403, params={"name": "oidc:ada"})
        assert refused["errors"][0]["field"] == "name"
        assert await eve.call("DELETE", "/sessions") == {"name": "eve", "ended": 0}
        assert await admin.call("DELETE", "/sessions", params={"name": "oidc:ada"}) == {"name": "oidc:ada", "ended": 2}
        for one in (here, there):
            one.clock.now += 2
            for session in (first, second):
                assert (await one.http.get(f"{PREFIX}/whoami", headers={"Cookie": session})).status_code == 401


async def test_nobody_of_the_issuer_has_the_name_of_another(deps: Deps, issuer: Provider) -> None:
    """Whatever name they have there: neither of a token's owner, nor of the server itself, nor of nobody."""
    async with server(deps, issuer, failed_logins=100) as one:
        robot = await one.by("robot")
        for name in ("robot", "system", "anonymous", "-", "system:admin"):
            headers = {"Authorization": f"Bearer {issuer.token(sub=name, groups=['team-shop'])}"}
            me = (await one.http.get(f"{PREFIX}/whoami", headers=headers)).json()["data"]
            assert me["name"] == f"oidc:{name}"
            assert (await one.http.get(f"{PREFIX}/tokens", headers=headers)).json()["data"]["tokens"] == []
        await robot.call("DELETE", f"/tokens/{robot.token.split('_')[1]}")
    async with server(deps, issuer, failed_logins=100, oidc_name_prefix="") as one:
        for name in ("system", "System", "anonymous", "-", "system:admin", "SYSTEM:node"):
            headers = {"Authorization": f"Bearer {issuer.token(sub=name)}"}
            refused = await one.http.get(f"{PREFIX}/whoami", headers=headers)
            assert refused.status_code == 401, name
            assert "reserved" in refused.json()["message"]


async def test_an_admin_may_make_a_token_for_one_of_the_issuers_people(deps: Deps, issuer: Provider) -> None:
    """Then both are the same person; nobody else may decide that, and nobody may for a reserved name."""
    async with server(deps, issuer) as one:
        admin, eve = await one.by("root"), await one.by("eve", {"role": "admin", "namespaces": ["shop"]})
        body = {"name": "of ada", "owner": "oidc:ada", "grants": [{"role": "viewer"}]}
        await eve.post("/tokens", body, 403)
        made = await admin.post("/tokens", body)
        session = await logged_in(one, issuer)
        mine = (await one.http.get(f"{PREFIX}/tokens", headers={"Cookie": session})).json()["data"]["tokens"]
        assert [token["id"] for token in mine] == [made["id"]]
        for owner in ("system", "Anonymous", "system:masters"):
            refused = await admin.post("/tokens", {**body, "owner": owner}, 400)
            assert [(wrong["field"], wrong["code"]) for wrong in refused["errors"]] == [("owner", "RESERVED")]


async def test_a_session_from_before_another_prefix_is_over(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer, oidc_name_prefix="") as before, server(deps, issuer) as after:
        session = await logged_in(before, issuer)
        assert (await before.http.get(f"{PREFIX}/whoami", headers={"Cookie": session})).status_code == 200
        assert (await after.http.get(f"{PREFIX}/whoami", headers={"Cookie": session})).status_code == 401


async def test_grants_name_people_as_the_issuer_does(deps: Deps, issuer: Provider) -> None:
    async with server(deps, issuer) as one:
        settings = one.deps.identity.model_copy(update={"oidc_grants": "- {user: ada, role: viewer}"})
        checked = OidcIssuer(settings)
        assert [grant.role for grant in (await checked.of_bearer(issuer.token())).grants] == ["viewer"]
        assert (await checked.of_bearer(issuer.token(sub="oidc:ada"))).grants == ()
        await checked.aclose()


@pytest.mark.parametrize("prefix", ["oidc", "system:x:", "System:", "a\n:", "x" * 64 + ":"])
def test_a_prefix_that_is_part_of_a_name_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="oidc_name_prefix"):
        IdentitySettings(oidc_name_prefix=prefix)
