"""Logins of browsers: by an issuer, or by an API token that is given once."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qs, urlsplit, urlunsplit

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from kubemin.api.access import About, needs
from kubemin.api.authentication import (
    address_of,
    check_own_page,
    cookie_of,
    is_secure,
    refused,
    session_cookie,
    too_many,
)
from kubemin.api.body import StrictRoute
from kubemin.api.codes import ApiCode
from kubemin.api.deps import PRINCIPAL, Deps, Given
from kubemin.api.envelope import ApiError, Envelope, FieldError
from kubemin.api.models.identity import LoggedOut, SessionBody, Whoami
from kubemin.api.openapi import errors
from kubemin.api.parameter_check import any_parameters
from kubemin.api.routes.identity import whoami_of
from kubemin.identity.authenticator import Authenticator
from kubemin.identity.errors import IssuerAway, TooMany, Unknown

if TYPE_CHECKING:
    from kubemin.identity.oidc.code_flow import CodeFlow

log = structlog.get_logger(__name__)

router = APIRouter(tags=["Identity"], route_class=StrictRoute)

_LOGIN_SECONDS = 600
_NO_STORE = {"Cache-Control": "no-store"}
_MOST_FIELDS = 10
_Text = Annotated[str, Query(max_length=4096)]


@router.get("/auth/login", include_in_schema=False, response_class=RedirectResponse, status_code=303)
@needs(About.OPEN)
async def begin_login(
    request: Request, deps: Given, back: Annotated[str, Query(max_length=2000)] = "/"
) -> RedirectResponse:
    """Sends the browser to the issuer; afterwards it comes to `back`, an address of this server."""
    from kubemin.identity.oidc.code_flow import Pending

    flow, authenticator = _by_issuer(deps)
    pending = Pending.new(back)
    kept = pending.to_cookie()
    try:
        await authenticator.begin_login(kept, address_of(request.scope), _LOGIN_SECONDS)
        address = await flow.address(pending)
    except TooMany as error:
        raise too_many(error) from error
    except IssuerAway as error:
        raise _away(error) from error
    answer = RedirectResponse(address, 303, headers=_NO_STORE)
    _set_cookie(deps, answer, _login_cookie(deps), kept, _LOGIN_SECONDS)
    return answer


@router.get(
    "/auth/callback", include_in_schema=False, response_class=RedirectResponse, status_code=303, responses=errors(401)
)
@needs(About.OPEN)
@any_parameters
async def finish_login(
    request: Request, deps: Given, code: _Text = "", state: _Text = "", iss: _Text | None = None
) -> RedirectResponse:
    """Where the issuer sends the browser: begins its session, for the browser that began the login alone."""
    from kubemin.identity.oidc.code_flow import Pending

    flow, authenticator = _by_issuer(deps)
    kept = cookie_of(request.headers, _login_cookie(deps)) or ""
    pending = Pending.of_cookie(kept)
    try:
        if pending is None or not code or not state or not flow.is_answered(pending, state, iss):
            raise Unknown("The login did not succeed, or took too long: begin again.")
        await authenticator.take_login(kept, address_of(request.scope))
        found = await flow.finish(pending, code)
        request.scope[PRINCIPAL] = found.principal
    except Unknown as error:
        refusal = refused(deps, authenticator, request.scope, error)
        if refusal.status == 401 and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(_told(pending.back if pending else "/"), 303, headers=_NO_STORE)
        raise refusal from error
    except TooMany as error:
        raise too_many(error) from error
    except IssuerAway as error:
        raise _away(error) from error
    answer = RedirectResponse(pending.back, 303, headers=_NO_STORE)
    _begin_session(deps, answer, await authenticator.open_session(*found))
    _set_cookie(deps, answer, _login_cookie(deps), "", 0)
    return answer


@router.post("/auth/session", summary="Log a browser in by an API token", responses=errors(401, 404))
@needs(About.OPEN)
async def open_session(request: Request, response: Response, deps: Given, body: SessionBody) -> Envelope[Whoami]:
    """The token is given once; what the browser keeps is a cookie that no page can read."""
    authenticator = deps.authenticator
    if authenticator is None:
        raise ApiError(404, ApiCode.NOT_FOUND, "Nobody has to log in here.")
    check_own_page(deps, request.headers)
    try:
        principal = await authenticator.of_bearer(body.token.strip(), address_of(request.scope))
        if principal.how != "token":
            raise Unknown("A session is begun by an API token, or by a login at the issuer.")
        secret = await authenticator.open_session(principal)
        request.scope[PRINCIPAL] = opened = await authenticator.of_session(secret, address_of(request.scope))
    except Unknown as error:
        raise refused(deps, authenticator, request.scope, error) from error
    except IssuerAway as error:
        raise _away(error) from error
    except TooMany as error:
        raise too_many(error) from error
    request.scope[PRINCIPAL] = opened  # for the audit
    _begin_session(deps, response, secret)
    return Envelope(data=whoami_of(opened, deps))


@router.post("/auth/logout", summary="Log a browser out")
@needs(About.OPEN)
async def logout(request: Request, response: Response, deps: Given) -> Envelope[LoggedOut]:
    """Ends the session of the cookie on every server, and takes the cookie away. The issuer's own session ends where
    the browser is then sent to.
    """
    authenticator = deps.authenticator
    secret = cookie_of(request.headers, session_cookie(deps))
    ended, at_issuer = authenticator is not None and secret is not None, False
    if authenticator is not None and secret is not None:
        check_own_page(deps, request.headers)
        at_issuer = await authenticator.end_session(secret)
    _set_cookie(deps, response, session_cookie(deps), "", 0)
    return Envelope(data=LoggedOut(ended=ended, issuer=await _leave(deps) if at_issuer else None))


@router.post("/auth/backchannel-logout", include_in_schema=False, responses=errors(400))
@needs(About.OPEN)
async def end_by_issuer(request: Request, response: Response, deps: Given) -> Envelope[LoggedOut]:
    """The issuer posts a form with one `logout_token` (OpenID Connect Back-Channel Logout 1.0): the sessions of
    what it names end, on every server and within seconds. Each token counts once.
    """
    flow, authenticator = _by_issuer(deps)
    try:
        ended = await flow.ended_by(await _logout_token(request))
        number = await authenticator.end_by_issuer(*ended)
    except Unknown as error:
        refusal = refused(deps, authenticator, request.scope, error)
        if refusal.status != 401:
            raise refusal from error
        wrong = FieldError(field="logout_token", code="INVALID_LOGOUT_TOKEN", message=str(error))
        raise ApiError(400, ApiCode.VALIDATION, str(error), errors=[wrong], headers=_NO_STORE) from error
    except IssuerAway as error:
        raise _away(error) from error
    response.headers.update(_NO_STORE)
    return Envelope(data=LoggedOut(ended=number > 0))


def _by_issuer(deps: Deps) -> "tuple[CodeFlow, Authenticator]":
    """What logs people in by an issuer. Raises 404 where nobody does so."""
    if deps.code_flow is None or deps.authenticator is None:
        raise ApiError(404, ApiCode.NOT_FOUND, "Nobody logs in here by an issuer: GET /auth/ways tells how one does.")
    return deps.code_flow, deps.authenticator


async def _logout_token(request: Request) -> str:
    """The one in a form. Raises `Unknown`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        given = parse_qs((await request.body()).decode("ascii"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        given = {}
    found = given.get("logout_token", [])
    if kind != "application/x-www-form-urlencoded" or len(found) != 1:
        raise Unknown("The body must be a form (application/x-www-form-urlencoded) with one logout_token.")
    return found[0]


async def _leave(deps: Deps) -> str | None:
    """Where the issuer's own session ends. One that is away is no reason not to log out here."""
    try:
        return None if deps.code_flow is None else await deps.code_flow.logout_address()
    except IssuerAway as error:
        log.warning("the issuer is not told of a logout", error=str(error))
        return None


def _told(back: str) -> str:
    """The address, by which the page there says that the login did not succeed."""
    return urlunsplit(urlsplit(back)._replace(query="login=failed"))


def _begin_session(deps: Deps, answer: Response, secret: str) -> None:
    answer.headers.update(_NO_STORE)
    _set_cookie(deps, answer, session_cookie(deps), secret, int(deps.identity.session_seconds))


def _set_cookie(deps: Deps, answer: Response, name: str, value: str, seconds: int) -> None:
    # Lax and not Strict: the browser comes back from the issuer, another site, and is to be known then.
    answer.set_cookie(name, value, max_age=seconds, path="/", secure=is_secure(deps), httponly=True, samesite="lax")


def _login_cookie(deps: Deps) -> str:
    return f"{session_cookie(deps)}-login"


def _away(error: IssuerAway) -> ApiError:
    return ApiError(503, ApiCode.UNAVAILABLE, str(error), headers={"Retry-After": "5"})
