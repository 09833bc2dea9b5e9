"""Who asks: found out before a byte of a body is read."""

import re
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from kubemin.api.access import unauthorized
from kubemin.api.codes import ApiCode
from kubemin.api.deps import PRINCIPAL, Deps, deps_of, principal_of
from kubemin.api.envelope import ApiError
from kubemin.api.errors import api_error
from kubemin.engine.entry.compute_thread import computing_for
from kubemin.identity.authenticator import Authenticator
from kubemin.identity.errors import IssuerAway, TooMany, Unknown
from kubemin.identity.principal import SYSTEM, Principal
from kubemin.store.errors import StoreError

log = structlog.get_logger(__name__)

_CLOSED = ("/api/", "/metrics")
"""Addresses for which nobody is let in who does not say who they are. Each route says for itself what it needs."""
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_COOKIE = re.compile(r"[A-Za-z0-9._-]{1,4096}")
CSRF_HEADER = "X-Kubemin-Page"
"""Sent by our own pages with each change: a page of another site cannot have a browser send it."""


class Authenticated:
    """ASGI middleware: puts whoever asks into the scope, or answers 401, 429 or, without the issuer's keys, 503."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deps = deps_of(scope)
        if deps.authenticator is None:
            scope[PRINCIPAL] = SYSTEM
            await self._app(scope, receive, send)
            return
        scope[PRINCIPAL] = None
        try:
            await _authenticate(deps, deps.authenticator, scope)
        except (ApiError, StoreError) as error:
            await api_error(error).response()(scope, receive, send)
            return
        found = principal_of(scope)
        with computing_for(None if found is None else found.name):
            await self._app(scope, receive, send)


async def _authenticate(deps: Deps, authenticator: Authenticator, scope: Scope) -> None:
    """Put whoever asks into the scope, also where they are refused then: the audit names them. Raises `ApiError`."""
    headers = Headers(scope=scope)
    try:
        scope[PRINCIPAL] = found = await _shown(deps, authenticator, scope, headers)
        if found is not None and found.how == "session" and scope["method"] not in _HARMLESS:
            check_own_page(deps, headers)
        if found is not None and not cancels(scope["path"]):
            authenticator.count(found)
    except Unknown as error:
        if not scope["path"].startswith(_CLOSED):
            return  # a browser whose session is over sees the page, and logs in there
        raise refused(deps, authenticator, scope, error) from error
    except TooMany as error:
        if scope[PRINCIPAL] is None and not scope["path"].startswith(_CLOSED):
            return
        raise too_many(error) from error
    except IssuerAway as error:
        raise ApiError(503, ApiCode.UNAVAILABLE, str(error), headers={"Retry-After": "5"}) from error
    if found is None and scope["path"].startswith(_CLOSED):
        raise unauthorized(deps)


def cancels(path: str) -> bool:
    """Whether a cancel is asked for at this path: no limit and no other request holds that up."""
    return path.endswith("/workflow/cancel")


async def _shown(deps: Deps, authenticator: Authenticator, scope: Scope, headers: Headers) -> Principal | None:
    given = headers.getlist("authorization")
    if given:
        scheme, _, credential = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer" or not credential.strip():
            raise Unknown("The header Authorization must be: Bearer, a blank, and a token.", "INVALID_HEADER")
        return await authenticator.of_bearer(credential.strip(), address_of(scope), urgent=cancels(scope["path"]))
    secret = cookie_of(headers, session_cookie(deps))
    if secret is None:
        return None
    return await authenticator.of_session(secret, address_of(scope), urgent=cancels(scope["path"]))


def refused(deps: Deps, authenticator: Authenticator, scope: Scope, error: Unknown) -> ApiError:
    """401 for a wrong credential; 429 if its sender has sent too many of them. A session that is over is no attempt."""
    address = address_of(scope)
    log.info("credential refused", code=error.code, address=address, path=scope["path"])
    try:
        authenticator.attempts.count(address, error)
    except TooMany as many:
        return too_many(many)
    return unauthorized(deps, str(error), error.code)


def address_of(scope: Scope) -> str:
    """Where a request comes from, for counting."""
    client = scope.get("client")
    return client[0] if client else "unknown"


def too_many(error: TooMany) -> ApiError:
    """429, with the time to come again."""
    return ApiError(429, ApiCode.TOO_MANY, str(error), headers={"Retry-After": str(error.seconds)})


def is_secure(deps: Deps) -> bool:
    """Whether browsers reach this server by HTTPS."""
    identity = deps.identity
    return (identity.public_url or "").startswith("https://") or identity.tls_certificate is not None


def session_cookie(deps: Deps) -> str:
    """The name of the cookie with a session. With the prefix no other host or path of the domain can set it."""
    return "__Host-kubemin" if is_secure(deps) else "kubemin"


def cookie_of(headers: Headers, name: str) -> str | None:
    """The value of a cookie of ours; None where it is not sent, or twice: which one is ours nobody could tell.

    Browsers send what all applications of the host have set, also what the standard library's parser stops at. So
    nothing is read of other cookies, and of ours only the characters that we write.
    """
    pairs = (part.strip(" \t").partition("=") for line in headers.getlist("cookie") for part in line.split(";"))
    found = [value for key, _, value in pairs if key == name]
    return found[0] if len(found) == 1 and _COOKIE.fullmatch(found[0]) else None


def check_own_page(deps: Deps, headers: Headers) -> None:
    """Raise 403 unless a page of this very server asks: a browser sends its cookie for whoever has it ask.

    By the browser's own words (``Sec-Fetch-Site``, or ``Origin`` of an older one), and by a header that other sites
    cannot send. What says neither is refused.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    host = None if origin is None else _host_of(origin)  # none of "null": of a sandboxed frame, or a file
    own = host is not None and host in {headers.get("host", "").lower(), _host_of(deps.identity.public_url)}
    same = (site == "same-origin" if site is not None else own) and (origin is None or own)
    if not same or CSRF_HEADER.lower() not in headers:
        message = (
            f"A change by a session must come from this server's own page, with the header {CSRF_HEADER}. "
            "Programs use a token."
        )
        raise ApiError(403, ApiCode.FORBIDDEN, message)


def _host_of(address: str | None) -> str | None:
    return None if address is None else urlsplit(address).netloc.lower() or None
