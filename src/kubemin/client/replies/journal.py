"""The cleanup journal of a task: each object that it touched, and what became of it."""

from typing import Any, TypedDict

from kubemin.client.replies.states import Purpose, ResourceState


class Resource(TypedDict):
    """A row of the cleanup journal."""

    seq: int
    job: int
    """The job that wrote it first, by its id in `stages`; 0 where it was none."""
    purpose: Purpose
    kind: str
    apiVersion: str
    namespace: str
    name: str
    state: ResourceState
    uid: str
    why: str
    at: str


class TaskResources(TypedDict):
    """The cleanup journal of a task, in the order in which it touched the objects."""

    resources: list[Resource]


class FieldHistory(TypedDict):
    """A field, and what it was before the task, as the task wrote it, and what it is now; null where it is absent."""

    path: str
    before: Any
    applied: Any
    now: Any


class ResourceChanges(TypedDict):
    """A row of the cleanup journal, and the fields in which its object was or is otherwise."""

    seq: int
    job: int
    """The job that wrote it first, by its id in `stages`; 0 where it was none."""
    purpose: Purpose
    kind: str
    apiVersion: str
    namespace: str
    name: str
    state: ResourceState
    uid: str
    why: str
    at: str
    fields: list[FieldHistory]
    """Of an object that the task made: what is otherwise by now."""


class TaskChanges(TypedDict):
    """What a task changed, and what became of it. Values of Secrets are masked."""

    changes: list[ResourceChanges]
