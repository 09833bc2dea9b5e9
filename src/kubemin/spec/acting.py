"""As whom requests are sent to a cluster on behalf of whoever asked for them (impersonation). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from kubemin.spec.limits import listed

_SYSTEM = "system:"
_MASTERS = "system:masters"
"""The API server refuses it nothing."""
_LONGEST = 1024
_MOST_BYTES = 32 * 1024
"""Of all names together: what stands between here and an API server may take no larger heads."""


class CannotActAs(Exception):
    """Nobody can be acted as for this caller; the message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Whoever asks, as they have proved it: never a name that they have merely given."""

    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of a cluster, and the groups that are said of them."""

    user: str
    groups: tuple[str, ...] = ()

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """From the JSON that `to_json` made."""
        return cls(str(stored["user"]), tuple(map(str, stored["groups"])))

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {"user": self.user, "groups": list(self.groups)}


@dataclass(frozen=True, slots=True)
class Naming:
    """How those who ask are called in a cluster."""

    user_prefix: str = ""
    group_prefix: str = ""
    groups: str = "*"
    """Of whose groups, as their issuer says them, are told; as `listed` reads it."""
    system_names: str = ""
    """Names and groups that begin with ``system:`` and may be acted as all the same; as `listed` reads it."""

    def identity(self, asker: Asker) -> Identity:
        """Whom to act as. Raises `CannotActAs`.

        Kubernetes takes a request without a user for one of KubeMin itself, and HTTP drops blanks around a value: so
        what is empty, or would come as something else, is refused here.
        """
        names = dict.fromkeys(one for one in asker.groups if listed(one, self.groups))
        found = Identity(
            self._checked(self.user_prefix, asker.name, "user"),
            tuple(self._checked(self.group_prefix, one, "group") for one in names),
        )
        if sum(len(one.encode()) for one in (found.user, *found.groups)) > _MOST_BYTES:
            raise CannotActAs(
                f"{asker.name} has {len(found.groups)} groups, too many to tell a cluster of: "
                "KUBEMIN_IMPERSONATION_GROUPS says which of them count there"
            )
        return found

    def _checked(self, prefix: str, name: str, what: str) -> str:
        full = prefix + name
        if not name or full != full.strip() or not full.isprintable() or len(full) > _LONGEST:
            raise CannotActAs(f"{full[:100]!r} cannot be the name of a {what} of a cluster, so nobody is acted as")
        if full.startswith(_SYSTEM) and (full == _MASTERS or not listed(full, self.system_names)):
            raise CannotActAs(
                f"{full} is a {what} of the cluster itself, as which nothing is done for a caller"
                + ("" if full == _MASTERS else ": KUBEMIN_IMPERSONATION_SYSTEM_NAMES does not name it")
            )
        return full
