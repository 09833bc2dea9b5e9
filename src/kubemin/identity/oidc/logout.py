"""Logouts at an issuer: where a browser is sent to, and what the issuer says itself (back-channel logout)."""

import time
from typing import NamedTuple

from kubemin.identity.errors import IssuerAway, Unknown
from kubemin.identity.oidc.issuer import OidcIssuer
from kubemin.identity.oidc.keys import is_safe
from kubemin.settings.identity import IdentitySettings
from kubemin.spec.addresses import with_query

_WRONG = "This is no logout token: {why}."
_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_TYPES = frozenset({"", "jwt", "logout+jwt"})
_NEEDS = ("exp", "iat", "iss", "aud", "jti", "events")


class Ended(NamedTuple):
    """What has ended at the issuer: its session ``sid``, or, without one, all of the person ``subject``.

    ``id`` is the message's own, which counts once, and is valid for so many ``seconds`` more.
    """

    id: str
    subject: str | None
    sid: str | None
    seconds: float


async def logout_address(issuer: OidcIssuer, settings: IdentitySettings) -> str | None:
    """Where a browser ends the issuer's own session, and comes back from; None where there is no such address.

    The token that the issuer gave is not in it: here it would be a credential, and addresses are kept and shown.
    """
    address = (await issuer.keys.metadata()).get("end_session_endpoint")
    if address is None:
        return None
    if not isinstance(address, str) or not is_safe(address, issuer.name):
        raise IssuerAway("The issuer has no usable end_session_endpoint.")
    asked = {"client_id": settings.oidc_client_id, "post_logout_redirect_uri": f"{settings.public_url}/"}
    return with_query(address, asked)


async def ended_by(text: str, issuer: OidcIssuer, settings: IdentitySettings) -> Ended:
    """What a logout token says, as OpenID Connect Back-Channel Logout 1.0 has it. Raises `Unknown`, `IssuerAway`."""
    claims = await issuer.claims(text, [settings.oidc_client_id], types=_TYPES, needs=_NEEDS)
    events, subject, sid, own_id = (claims.get(name) for name in ("events", "sub", "sid", "jti"))
    if not isinstance(events, dict) or not isinstance(events.get(_EVENT), dict):
        raise Unknown(_WRONG.format(why="its events do not have a logout"))
    if "nonce" in claims:
        raise Unknown(_WRONG.format(why="it has a nonce, so it is of a login"))
    if not isinstance(own_id, str) or not own_id:
        raise Unknown(_WRONG.format(why="its jti is no text"))
    if not all(one is None or (isinstance(one, str) and one) for one in (subject, sid)) or (subject or sid) is None:
        raise Unknown(_WRONG.format(why="it names neither a person nor a session"))
    seconds = float(claims["exp"]) + settings.oidc_clock_skew_seconds - time.time()
    return Ended(own_id, subject, sid, max(1.0, seconds))
