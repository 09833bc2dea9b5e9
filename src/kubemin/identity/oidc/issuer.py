"""Whom an issuer's token is of."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import jwt
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from kubemin.identity.errors import Unknown
from kubemin.identity.names import is_reserved
from kubemin.identity.oidc.http import IssuerHttp
from kubemin.identity.oidc.keys import Keys
from kubemin.identity.principal import Principal
from kubemin.settings.identity import IdentitySettings

_MOST_CHARACTERS = 16 * 1024
_MOST_GROUPS = 1000
_NAME_LENGTH = 255
_WRONG = "The issuer's token is not valid here: its signature, issuer or audience is wrong, or it is no token."
_EXPIRED = "The issuer's token has expired: log in again."
_OTHER_TYPES = frozenset({"logout+jwt", "secevent+jwt", "dpop+jwt"})
"""Of tokens that say something else than who somebody is."""
_NEEDS = ("exp", "iat", "iss", "aud", "sub")


class OidcIssuer:
    """Checks tokens by the issuer's keys. Raises `Unknown`, and `IssuerAway` where it has no keys and gets none."""

    def __init__(self, settings: IdentitySettings, clock: Callable[[], float] = time.monotonic) -> None:
        assert settings.oidc_issuer is not None
        self.name = settings.oidc_issuer
        self.http = IssuerHttp()
        self.keys = Keys(self.name, self.http, clock)
        self._settings = settings

    async def of_bearer(self, text: str) -> Principal:
        """Whom this token is of, and what they may."""
        claims = await self.claims(text, self._settings.audiences)
        if "events" in claims:
            raise Unknown(_WRONG)  # of a logout, say, by an issuer that writes no type
        return self.principal(claims)

    async def claims(
        self, text: str, audiences: list[str], types: Collection[str] | None = None, needs: Sequence[str] = _NEEDS
    ) -> Mapping[str, Any]:
        """What a token says, once its signature, issuer, audience and times are right.

        ``types``: only these; without it any, but for those of other things than who somebody is. ``needs``: claims.
        """
        try:
            header = jwt.get_unverified_header(text) if len(text) <= _MOST_CHARACTERS else {}
        except PyJWTError as error:
            raise Unknown(_WRONG) from error
        algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ")
        # The list has neither `none` nor an algorithm with a shared secret: the issuer's public key is no such secret.
        if algorithm not in self._settings.algorithms or "crit" in header:
            raise Unknown(_WRONG)
        kind = kind.lower().removeprefix("application/") if isinstance(kind, str) else ""
        if not isinstance(key_id, str | None) or (kind in _OTHER_TYPES if types is None else kind not in types):
            raise Unknown(_WRONG)
        for key in await self.keys.named(key_id):
            if key.algorithm not in (None, algorithm):
                continue
            try:
                found: dict[str, Any] = jwt.decode(
                    text,
                    key.key,
                    algorithms=[algorithm],
                    audience=audiences,
                    issuer=[self.name, f"{self.name}/"],
                    leeway=self._settings.oidc_clock_skew_seconds,
                    options={"require": list(needs)},
                )
            except ExpiredSignatureError as error:
                raise Unknown(_EXPIRED, "EXPIRED") from error
            except (PyJWTError, TypeError, ValueError):
                continue
            return found
        raise Unknown(_WRONG)

    def principal(self, claims: Mapping[str, Any]) -> Principal:
        """Who it is by these claims."""
        settings = self._settings
        given = claims.get(settings.oidc_name_claim)
        name = f"{settings.oidc_name_prefix}{given}"
        if not isinstance(given, str) or not given or len(name) > _NAME_LENGTH or not name.isprintable():
            raise Unknown(f"The issuer's token has no usable claim {settings.oidc_name_claim!r}, which is the name.")
        if settings.oidc_name_claim == "email" and claims.get("email_verified") is not True:
            raise Unknown("The issuer does not say that it has verified the address of mail, which is the name.")
        if is_reserved(name):
            raise Unknown(f"Nobody may have the name that the issuer's token has: {name[:100]!r} is reserved.")
        listed = claims.get(settings.oidc_groups_claim, ())
        groups = tuple(one for one in (listed if isinstance(listed, list) else [listed]) if isinstance(one, str))
        groups = groups[:_MOST_GROUPS]
        expires = datetime.fromtimestamp(float(claims["exp"]) + settings.oidc_clock_skew_seconds, UTC)
        return Principal(name, "oidc", settings.issuer_grants.of(given, groups), groups, expires)

    async def aclose(self) -> None:
        """Close what is open to it."""
        await self.keys.aclose()
        await self.http.aclose()
