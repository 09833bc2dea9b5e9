"""The events of a task: what the engine tells, the store keeps, the API sends on, and the command line reads.

A stored event is a type and a JSON object (`data_of`); the API adds ``at``. Fields are only ever added: whoever reads
passes over what it does not know, for the other side may be of a later version.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from kubemin.spec.model import Absent
from kubemin.spec.states import Cleanup, JobStatus, Purpose, ResourceState, TaskStatus

_SURROGATE = re.compile("[\ud800-\udfff]")


def _encodable(value: Any) -> Any:
    # What a cluster or an exception says may hold a lone surrogate, which no encoding of the stream could carry.
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value


_Text = Annotated[str, BeforeValidator(_encodable)]


class _Data(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )

    at: Absent[datetime] = Field(default=None, description="When it happened.")


class TaskEvent(_Data):
    """The task has another status; at its end with why, with its cleanup, and by whom it was cancelled."""

    type: Literal["task"] = Field(default="task", exclude=True)
    status: TaskStatus
    reason: Absent[_Text] = None
    reason_code: Absent[str] = Field(default=None, description="Why it failed, for programs.")
    advice: Absent[str] = Field(default=None, description="What to do about it.")
    cancelled_by: Absent[_Text] = None
    cleanup: Absent[Cleanup] = None


class JobEvent(_Data):
    """A job (its id in the task's stages) has another status, or waits for something else.

    Where it waits for replicas: how many are ``ready``, and how many are ``desired``.
    """

    type: Literal["job"] = Field(default="job", exclude=True)
    job: int
    step: Absent[str] = None
    stage: Absent[int] = None
    component: Absent[str] = Field(default=None, description="Empty for a pause of the workflow.")
    ref: Absent[str] = Field(default=None, description="Its object: `Kind/namespace/name`; empty for a pause.")
    status: JobStatus
    info: _Text | None = None
    error: _Text | None = None
    ready: Absent[int] = None
    desired: Absent[int] = None
    reason_code: Absent[str] = Field(default=None, description="Why it failed, for programs.")
    advice: Absent[str] = Field(default=None, description="What to do about it.")


class ResourceEvent(_Data):
    """A row of the cleanup journal has changed."""

    type: Literal["resource"] = Field(default="resource", exclude=True)
    seq: int
    job: Absent[int] = Field(default=None, description="The job that wrote it first; 0 where it was none.")
    purpose: Absent[Purpose] = None
    kind: str
    namespace: str
    name: str
    state: ResourceState
    why: _Text


class CleanupEvent(_Data):
    """The cleanup has another state, and why."""

    type: Literal["cleanup"] = Field(default="cleanup", exclude=True)
    state: Cleanup
    why: _Text = ""


class EndEvent(_Data):
    """Nothing more is under way: the stream ends."""

    type: Literal["end"] = Field(default="end", exclude=True)
    cleanup: Cleanup


END: Literal["end"] = "end"

Event = Annotated[TaskEvent | JobEvent | ResourceEvent | CleanupEvent | EndEvent, Field(discriminator="type")]

MODELS: dict[str, type[_Data]] = {model.model_fields["type"].default: model for model in get_args(get_args(Event)[0])}
"""The model of each type of event."""

_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def data_of(event: Event) -> dict[str, Any]:
    """The JSON object of an event, without its type."""
    return event.model_dump(mode="json")


def read_event(type: str, data: Mapping[str, Any]) -> Event | None:  # noqa: A002
    """The event of a type and its JSON object; None for one that this version cannot read."""
    try:
        return _ADAPTER.validate_python({**data, "type": type})
    except ValidationError:
        return None
