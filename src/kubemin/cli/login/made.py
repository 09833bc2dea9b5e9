"""What an issuer answers at the end of a login, and what of it is kept."""

from collections.abc import Mapping
from typing import Any

from kubemin.cli.language import tr
from kubemin.cli.login.issuer import Issuer, claims_of
from kubemin.cli.login.stored import Login
from kubemin.client.errors import Refused

PRESENTED = ("id_token", "access_token")
"""What may be shown to a server, in this order: an ID token is for the client alone, so nobody else can use it."""


def login_of(answer: Mapping[str, Any], issuer: Issuer, client_id: str, presents: str, now: float) -> Login | None:
    """The login that shows this one of the tokens; None where the answer has none that a server can check."""
    token = answer.get(presents)
    claims = claims_of(token)
    if not claims:
        return None
    expires, refresh = claims.get("exp"), answer.get("refresh_token")
    if not isinstance(expires, int | float):
        seconds = answer.get("expires_in")
        expires = now + seconds if isinstance(seconds, int | float) else None
    return Login(
        token=str(token),
        expires=None if expires is None else float(expires),
        refresh_token=refresh if isinstance(refresh, str) and refresh else None,
        issuer=issuer.name,
        client_id=client_id,
        presents=presents,
    )


def check_id_token(answer: Mapping[str, Any], issuer: Issuer, client_id: str, nonce: str | None) -> None:
    """Raise `Refused` where the ID token of an answer is of another login, issuer or client."""
    claims = claims_of(answer.get("id_token"))
    if not claims:
        return
    audience = claims.get("aud")
    right = claims.get("iss") in (issuer.name, f"{issuer.name}/")
    right = right and client_id in (audience if isinstance(audience, list) else [audience])
    if not right or (nonce is not None and claims.get("nonce") != nonce):
        raise Refused(tr("the issuer {issuer} has answered with a token of another login", issuer=issuer.name))
