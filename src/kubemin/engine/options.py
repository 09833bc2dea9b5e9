"""A run's options, declared once: `exec` takes them, the task keeps them, the engine goes by them (design R9, api.md).

A new one is a field of `RunOptions`; the API takes it, and the task has it, without more being said.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from kubemin.engine.expects import Expects
from kubemin.spec.states import CleanupPolicy, OnActive
from kubemin.spec.strategy import Strategy

_WEEK = 7 * 24 * 3600


class Commit(BaseModel):
    """A commit that a run deploys: it gets a status."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository: str = Field(
        max_length=255,
        pattern=r"^\.?[A-Za-z0-9_-][A-Za-z0-9._-]*(/\.?[A-Za-z0-9_-][A-Za-z0-9._-]*)+$",  # no ".." in an address
        description="`owner/name`, or the path of a project.",
        examples=["octo/shop"],
    )
    sha: str = Field(
        pattern="^([0-9a-f]{40}|[0-9a-f]{64})$",
        description="The whole of it.",
        examples=["0123456789abcdef0123456789abcdef01234567"],
    )


class RunOptions(BaseModel):
    """What a caller of `exec` may ask for. The names on the wire are these in camelCase."""

    model_config = ConfigDict(frozen=True)

    on_active: OnActive = Field(
        default=OnActive.QUEUE, strict=False, description="What to do while another task of the application is active."
    )
    cleanup: CleanupPolicy = Field(default=CleanupPolicy.TASK, strict=False, description="What a rollback covers.")
    restore: bool = Field(default=True, description="A rollback puts changed objects back.")
    timeout_seconds: float | None = Field(default=None, gt=0, le=_WEEK, description="Of the whole task.")
    no_activity_seconds: float | None = Field(
        default=None, gt=0, le=_WEEK, description="How long nothing of the task may move; then it is `timeout`."
    )
    hopeless_after_seconds: float | None = Field(
        default=None,
        ge=0,
        le=_WEEK,
        description="How long a hopeless state (a crash loop, say) may last; 0: to the end.",
    )
    preflight: bool = Field(default=True, description="Ask the cluster about every object before the first is written.")
    adopt: bool | None = Field(
        default=None,
        description="Take over objects of these names that are not the application's; default: the server's.",
    )
    take_over: bool = Field(
        default=False, description="Remove from the application's objects what others have set in them."
    )
    strategy: Strategy | None = Field(
        default=None,
        description="How Pods are replaced, of all components that can have it; default: as each component says.",
    )
    dry_run: bool = Field(default=False, description="Ask the cluster about every object and write none.")
    delete_volumes: bool = Field(
        default=False,
        description="Delete the volume claims of what the application no longer has: their data is lost.",
    )
    create_namespace: bool = Field(
        default=False, description="Create a namespace that is not there; a rollback removes it."
    )
    expects: Expects | None = Field(
        default=None, description="Do what a preview showed, or nothing: its `expects`, sent back as it is."
    )
    commit: Commit | None = Field(
        default=None, description="The commit that is deployed: targets that take commit statuses are told of the run."
    )


class ExecOptions(RunOptions):
    """The options of a task, as it keeps them."""

    keep_application: bool = False
    """Of a removal: only what the application has in the cluster goes."""

    keep_resources: bool = False
    """Of a removal: nothing is deleted; all of it is released."""

    namespace: str = ""
    """Of a removal: the application's, for whoever is told what becomes of it once its row is gone."""

    project: str = ""
    """Of a removal, as ``namespace``."""

    @classmethod
    def of(cls, asked: RunOptions) -> Self:
        """What a caller has asked for."""
        return cls(**{name: getattr(asked, name) for name in RunOptions.model_fields})

    @classmethod
    def read(cls, stored: Mapping[str, Any] | None) -> Self:
        """From the JSON that `write` made; unknown keys of a newer version are passed over."""
        return cls.model_validate(stored or {})

    def write(self) -> dict[str, Any]:
        """As JSON."""
        kept = self if self.expects is None else self.model_copy(update={"expects": self.expects.kept()})
        return kept.model_dump(mode="json")
