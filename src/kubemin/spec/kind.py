"""What KubeMin has to know of a kind; the rows are in `kubemin.spec.kinds`.

No fact has a default: a row that lacks one fails when it is imported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Health(Enum):
    """What an object tells about its component."""

    READINESS = "readiness"
    """Whether it is ready: a job waits for that."""
    EXISTENCE = "existence"
    """It is well when it is there."""
    ADDRESS = "address"
    """Only where the component is reached."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Written:
    """Facts of a kind that tasks write."""

    own: bool
    """Whether components make it by themselves: the reaper and ``orphans`` always look at it. At other kinds only where
    a journal names them."""
    priority: int
    """Objects of a lower priority are ready before those of a higher one are written."""
    deleted: int
    """Its place in the order in which orphans are deleted."""
    advice: str
    """What to do where the API server refuses a change for good; empty for a kind of which it refuses none."""


@dataclass(frozen=True, slots=True)
class Controller:
    """Facts of a kind whose controller makes Pods."""

    told_by: tuple[str, ...]
    """The kinds whose objects tell how it does: they are watched beside it."""
    leaves: tuple[str, ...]
    """The kinds of what the controller makes and does not remove again (design R6)."""
    history: str | None
    """The kind in which it keeps former versions; they get a copy of the object's annotations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind: how the API server serves it, and how KubeMin treats it."""

    name: str
    group: str
    """Empty for the core group."""
    version: str
    plural: str
    """Version and plural are empty where only the API server knows how the kind is served."""
    namespaced: bool
    written: Written | None
    """None for a kind that no task writes."""
    controller: Controller | None
    """None for a kind without Pods."""
    health: Health
    large: bool
    """An object may be a megabyte: many are never asked for at once."""
    secret: bool
    """Its values are masked for people."""
    list_keys: Mapping[str, tuple[str, ...]] = field(hash=False, compare=False)
    """The lists that the API server merges item by item: field name → the keys that tell the items apart.

    From ``x-kubernetes-list-map-keys`` of the OpenAPI document. Any other list is one value.
    """

    @property
    def api_version(self) -> str:
        """``<group>/<version>``, or ``v1`` for the core group."""
        return self.api_version_in("")

    def api_version_in(self, version: str) -> str:
        """The same with another version, where one is given."""
        return "/".join(part for part in (self.group, version or self.version) if part)

    @property
    def kind(self) -> str:
        """What manifests say: the name without the group."""
        return self.name.partition(".")[0]

    @property
    def told_by(self) -> tuple[str, ...]:
        """The kinds whose objects tell how one of this kind does."""
        return self.controller.told_by if self.controller else ()
