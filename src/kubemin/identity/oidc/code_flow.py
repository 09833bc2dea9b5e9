"""A browser's login by an issuer: the code flow with PKCE.

What one login needs again when the browser comes back (`Pending`) is kept by the browser itself, in a cookie that no
page can read; so any server may finish it. Of the cookie the database has a digest, until it is used: the issuer is
asked about no login that did not begin here, and about none twice.
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from typing import NamedTuple, Self

from kubemin.identity.errors import IssuerAway, Unknown
from kubemin.identity.oidc.issuer import OidcIssuer
from kubemin.identity.oidc.keys import is_safe
from kubemin.identity.oidc.logout import Ended, ended_by, logout_address
from kubemin.identity.principal import Principal
from kubemin.settings.identity import IdentitySettings
from kubemin.spec.addresses import with_query

_FAILED = "The login did not succeed: begin again."
CALLBACK = "/auth/callback"


@dataclass(frozen=True)
class Pending:
    """A login that has begun. ``back`` is the address on this server to which the browser goes afterwards."""

    state: str
    nonce: str
    verifier: str
    back: str

    @classmethod
    def new(cls, back: str) -> Self:
        """A login that nobody else has."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), local(back))

    def to_cookie(self) -> str:
        """As the browser keeps it."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode().rstrip("=")

    @classmethod
    def of_cookie(cls, text: str) -> Self | None:
        """What the browser kept; None where that is none."""
        try:
            given = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
                return None
            return cls(**{**given, "back": local(given["back"])})
        except (ValueError, TypeError, KeyError, RecursionError):
            return None


def local(address: str) -> str:
    """The address if it is one of this server, else its beginning: nobody is sent elsewhere after a login."""
    plain = address.isascii() and address.isprintable() and "\\" not in address
    return address if plain and address.startswith("/") and not address.startswith("//") else "/"


class LoggedIn(NamedTuple):
    """Who has logged in, what the issuer calls them, and its own session of them where it says so."""

    principal: Principal
    subject: str
    sid: str | None


class CodeFlow:
    """Logins and logouts of browsers. Raises `Unknown`, `IssuerAway`."""

    def __init__(self, issuer: OidcIssuer, settings: IdentitySettings) -> None:
        self._issuer = issuer
        self._settings = settings

    @property
    def _redirect(self) -> str:
        return f"{self._settings.public_url}{CALLBACK}"

    async def address(self, pending: Pending) -> str:
        """Where the browser goes to log in."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(pending.verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": self._redirect,
            "scope": self._settings.oidc_scopes,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = await self._endpoint("authorization_endpoint")
        return with_query(address, asked)

    def is_answered(self, pending: Pending, state: str, issuer: str | None) -> bool:
        """Whether what the browser brings is the answer to this login, and of this issuer (RFC 9207)."""
        same = hmac.compare_digest(pending.state.encode(), state.encode())
        return same and (issuer is None or issuer.rstrip("/") == self._issuer.name)

    async def finish(self, pending: Pending, code: str) -> LoggedIn:
        """Who has logged in: the code is changed for a token, once, by the browser that began."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "client_id": self._settings.oidc_client_id,
            "code_verifier": pending.verifier,
        }
        if self._settings.oidc_client_secret is not None:
            form["client_secret"] = self._settings.oidc_client_secret.get_secret_value()
        status, answer = await self._issuer.http.post(await self._endpoint("token_endpoint"), form)
        token = answer.get("id_token")
        if status != 200 or not isinstance(token, str):
            raise Unknown(_FAILED)
        claims = await self._issuer.claims(token, [self._settings.oidc_client_id])
        if claims.get("azp") not in (None, self._settings.oidc_client_id):
            raise Unknown(_FAILED)  # it was made for another client, which shares it with this one
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), pending.nonce.encode()):
            raise Unknown(_FAILED)
        sid = claims.get("sid")
        return LoggedIn(self._issuer.principal(claims), claims["sub"], sid if isinstance(sid, str) and sid else None)

    async def logout_address(self) -> str | None:
        """See `logout.logout_address`."""
        return await logout_address(self._issuer, self._settings)

    async def ended_by(self, text: str) -> Ended:
        """See `logout.ended_by`."""
        return await ended_by(text, self._issuer, self._settings)

    async def _endpoint(self, name: str) -> str:
        address = (await self._issuer.keys.metadata()).get(name)
        if not isinstance(address, str) or not is_safe(address, self._issuer.name):
            raise IssuerAway(f"The issuer has no usable {name}.")
        return address
