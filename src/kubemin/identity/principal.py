"""Who asks. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kubemin.identity.grants import Grant, Role, Target
from kubemin.spec.scope import Scope

How = Literal["none", "token", "oidc", "session"]
"""How somebody has said who they are; ``none``: nobody has to."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller, and what they may.

    ``credential`` names the token or session by which they came, and says nothing of its secret; ``expires_at`` is when
    that ends. ``groups`` are those that their issuer says.
    """

    name: str
    how: How
    grants: tuple[Grant, ...]
    groups: tuple[str, ...] = ()
    expires_at: datetime | None = None
    credential: str = ""

    def allows(self, role: Role, target: Target) -> bool:
        """Whether they have the role for this application."""
        return any(one.role.covers(role) and one.scope.has(*target) for one in self.grants)

    def allows_all(self, role: Role) -> bool:
        """Whether they have the role for everything."""
        return any(one.role.covers(role) and one.scope.is_all for one in self.grants)

    def allows_all_of(self, role: Role, cluster: str) -> bool:
        """Whether they have the role for everything in this cluster."""
        return any(one.role.covers(role) and one.scope.has_all_of(cluster) for one in self.grants)

    def allows_some_of(self, role: Role, cluster: str) -> bool:
        """Whether they have the role for something in this cluster."""
        return any(one.role.covers(role) and one.scope.has_some_of(cluster) for one in self.grants)

    def has(self, role: Role) -> bool:
        """Whether they have the role for anything."""
        return any(one.role.covers(role) for one in self.grants)

    def sight(self, role: Role = Role.VIEWER) -> tuple[Scope, ...] | None:
        """For which applications they have the role; None is for all."""
        return None if self.allows_all(role) else tuple(one.scope for one in self.grants if one.role.covers(role))

    def best(self, target: Target) -> Role | None:
        """The highest role that they have for this application."""
        return next((role for role in reversed(Role) if self.allows(role, target)), None)


SYSTEM = Principal("system", "none", (Grant(Role.ADMIN),))
"""Whoever asks a server where nobody has to say who they are."""
