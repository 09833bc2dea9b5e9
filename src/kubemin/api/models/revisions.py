"""Revisions on the wire: what was run, and how two of them differ."""

from typing import Any, Literal

from pydantic import Field

from kubemin.api.envelope import FieldError
from kubemin.api.models.base import Absent, Body, Reply, Timestamp
from kubemin.api.models.tasks import TASK_ID, Run
from kubemin.spec.states import RevisionState


class Apply(Run):
    """An application to run as it is; without ``workflow`` by its own one."""

    application: dict[str, Any] = Field(description="An application as a user writes it.")
    workflow: list[Any] | None = Field(None, description="The steps in order.", max_length=1000)


class Applied(Reply):
    """The revision that was made, and the task that brings it."""

    app_id: str
    revision: int
    task_id: str = Field(examples=[TASK_ID])
    warnings: list[FieldError] = Field(description="What is allowed, and probably not meant.")


class Rollback(Run):
    """The revision to go back to; without it the one before the current one."""

    revision: int | None = Field(None, ge=1, le=2**31 - 1)


class RolledBack(Reply):
    """The revision that was made, with the spec of the former one, and the task that brings it."""

    revision: int
    task_id: str = Field(examples=[TASK_ID])


class Restart(Body):
    """The components whose Pods are replaced; without them all that have Pods."""

    components: list[str] | None = Field(None, max_length=1000, min_length=1)


class Changes(Reply):
    """Names of components, compared with the revision before."""

    added: list[str]
    changed: list[str]
    removed: list[str]


class RevisionReply(Reply):
    """What was run once."""

    revision: int
    state: RevisionState
    strategy: str
    note: str
    user: str
    task_id: str = Field(examples=[TASK_ID])
    create_time: Timestamp
    changes: Changes


class RevisionList(Reply):
    """Those that are kept, the newest first."""

    revisions: list[RevisionReply]
    total: int


class RevisionDetail(Reply):
    """A revision, or the draft, which has nothing but its application."""

    revision: Absent[int] = None
    state: Absent[RevisionState] = None
    strategy: Absent[str] = None
    note: Absent[str] = None
    user: Absent[str] = None
    task_id: Absent[str] = None
    create_time: Absent[Timestamp] = None
    changes: Absent[Changes] = None
    application: dict[str, Any] = Field(description="As it was posted; values of secrets are masked.")


class FieldChange(Reply):
    """A field, and its value on either side; null where it is absent."""

    path: str = Field(examples=["spec.replicas"])
    old: Any = Field(alias="from")
    to: Any


class ObjectChangeReply(Reply):
    """An object that only one side has, or that is otherwise on the other."""

    ref: str = Field(examples=["Deployment/default/shop-web"])
    action: Literal["create", "delete", "change"]
    fields: list[FieldChange]


class Diff(Reply):
    """What leads from one side to the other. Values of Secrets are masked."""

    changes: list[ObjectChangeReply]
