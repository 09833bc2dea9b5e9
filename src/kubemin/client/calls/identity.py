"""Who asks, API tokens, and how one may say who one is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubemin.client.address import below
from kubemin.client.steps import Call

if TYPE_CHECKING:
    from kubemin.client.replies import ApiToken, EndedSessions, NewToken, TokenPage, Ways, Whoami


def whoami() -> "Call[Whoami]":
    """Who this is, to the server, and what they may."""
    return Call("GET", below("whoami"))


def ways() -> "Call[Ways]":
    """How one may say who one is."""
    return Call("GET", "/auth/ways")


def tokens() -> "Call[TokenPage]":
    """API tokens: all of them for an admin, else one's own."""
    return Call("GET", below("tokens"))


def create_token(
    name: str,
    grants: Sequence[Mapping[str, Any]],
    *,
    owner: str | None = None,
    expires_in_days: int | None = 90,
) -> "Call[NewToken]":
    """Make one. ``grants``: each ``{role, clusters, namespaces, projects, applications}``; what is left out is any.

    Its text is in the reply, and nowhere else ever. ``expires_in_days`` None: until it is revoked.
    """
    body = {"name": name, "grants": [dict(one) for one in grants], "expiresInDays": expires_in_days}
    return Call("POST", below("tokens"), body={**body, **({} if owner is None else {"owner": owner})})


def end_sessions(name: str | None = None) -> "Call[EndedSessions]":
    """End all sessions of browsers of somebody, without a name one's own."""
    return Call("DELETE", below("sessions"), {"name": name})


def revoke_token(token_id: str) -> "Call[ApiToken]":
    """End it."""
    return Call("DELETE", below("tokens", token_id))
