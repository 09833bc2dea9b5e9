"""What part of all applications is meant: by cluster, namespace, project and name. Pure."""

from collections.abc import Iterable
from typing import Any, NamedTuple

ANY = "*"


class Scope(NamedTuple):
    """The applications of these names, in these projects, namespaces and clusters; None is any. Names are exact."""

    clusters: frozenset[str] | None = None
    namespaces: frozenset[str] | None = None
    projects: frozenset[str] | None = None
    applications: frozenset[str] | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self == EVERYTHING

    def has(self, cluster: str, namespace: str, project: str, name: str) -> bool:
        """Whether the application is one of them."""
        asked = (cluster, namespace, project, name)
        return all(known is None or value in known for known, value in zip(self, asked, strict=True))

    def has_some_of(self, cluster: str) -> bool:
        """Whether it has something in this cluster."""
        return self.clusters is None or cluster in self.clusters

    def has_all_of(self, cluster: str) -> bool:
        """Whether it has all that is in this cluster."""
        return self._replace(clusters=None).is_all and self.has_some_of(cluster)

    def within(self, other: "Scope") -> bool:
        """Whether the other one has all that this one has."""
        return all(
            theirs is None or (mine is not None and mine <= theirs) for mine, theirs in zip(self, other, strict=True)
        )

    def to_json(self) -> dict[str, list[str]]:
        """Lists of names; `ANY` alone is any."""
        return {name: _names(known) for name, known in self._asdict().items()}

    @classmethod
    def of(cls, given: dict[str, Any]) -> "Scope":
        """From the JSON that `to_json` made; what is left out is any."""
        return cls(*(_known(given.get(name, (ANY,))) for name in cls._fields))


def _names(known: frozenset[str] | None) -> list[str]:
    return [ANY] if known is None else sorted(known)


def _known(names: Iterable[str]) -> frozenset[str] | None:
    found = frozenset(names)
    return None if ANY in found else found


EVERYTHING = Scope()
