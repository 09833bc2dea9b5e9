"""Roles, and where somebody has one. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from kubemin.spec.names import DEFAULT_CLUSTER
from kubemin.spec.scope import ANY, EVERYTHING, Scope


class Role(StrEnum):
    """What somebody may do. Each may do what the ones before it may."""

    VIEWER = "viewer"
    """See applications, tasks and logs."""
    DEPLOYER = "deployer"
    """Run, cancel, promote and delete applications."""
    ADMIN = "admin"
    """Speak for others, and, where it is for everything, look after tokens and orphans."""

    @property
    def rank(self) -> int:
        """How much it may."""
        return list(Role).index(self)

    def covers(self, other: "Role") -> bool:
        """Whether it may all that the other one may."""
        return self.rank >= other.rank


class Target(NamedTuple):
    """An application, by what grants name."""

    cluster: str
    namespace: str
    project: str
    application: str

    def __str__(self) -> str:
        """For a sentence."""
        return self._said(f" of project {self.project}" if self.project else " of no project")

    def without_project(self) -> str:
        """The same, for whoever may not know the project."""
        return self._said("")

    def _said(self, project: str) -> str:
        return f"application {self.application}{project} in namespace {self.namespace}{in_cluster(self.cluster)}"


def in_cluster(name: str) -> str:
    """For a sentence: the cluster, where it is not `DEFAULT_CLUSTER`."""
    return "" if name == DEFAULT_CLUSTER else f" of cluster {name}"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, and the applications for which it is."""

    role: Role
    scope: Scope = EVERYTHING

    def to_json(self) -> dict[str, Any]:
        """As it is stored, and sent."""
        return {"role": self.role.value, **self.scope.to_json()}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """From the JSON that `to_json` made."""
        return cls(Role(stored["role"]), Scope.of(dict(stored)))

    def within(self, others: Iterable["Grant"]) -> bool:
        """Whether one of the others may all that this one may."""
        return any(other.role.covers(self.role) and self.scope.within(other.scope) for other in others)


_Name = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[^\x00-\x1f\x7f]*$")]
Names = Annotated[list[_Name], Field(min_length=1, max_length=100)]


class GrantBody(BaseModel):
    """A grant as people write it: exact names, or `*` for any. What is left out is any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    clusters: Names = Field(default=[ANY], description="Exact names, or `*` for any.")
    namespaces: Names = Field(default=[ANY], description="Exact names, or `*` for any.")
    projects: Names = Field(default=[ANY], description="Exact names, or `*` for any.")
    applications: Names = Field(default=[ANY], description="Exact names, or `*` for any.")

    @property
    def grant(self) -> Grant:
        """The grant that it means."""
        return Grant(self.role, Scope.of(self.model_dump(include=set(Scope._fields))))
