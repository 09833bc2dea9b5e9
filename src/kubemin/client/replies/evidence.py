"""What the Pods of components that were not ready said, before a rollback."""

from typing import Any, TypedDict


class PodEvent(TypedDict):
    """An event about a Pod."""

    type: str
    reason: str
    message: str
    count: int
    at: str


class ContainerEvidence(TypedDict):
    """A container as it was; ``state`` and ``lastState`` are Kubernetes' own. Logs: the last 50 lines, if not
    ready.
    """

    name: str
    restarts: int
    ready: bool
    state: dict[str, Any]
    lastState: dict[str, Any]
    log: str
    previousLog: str
    """Of its run before this one."""
    note: str
    """Why there is no log; empty otherwise."""


class PodEvidence(TypedDict):
    """A Pod as it was; ``state`` has its ``phase`` and ``conditions``."""

    name: str
    state: dict[str, Any]
    events: list[PodEvent]
    containers: list[ContainerEvidence]
    note: str
    """Why there are no events; empty otherwise."""


class ComponentEvidence(TypedDict):
    """A component that was not ready."""

    name: str
    pods: list[PodEvidence]
    note: str


class TaskEvidence(TypedDict):
    """What the Pods of components that were not ready said before the rollback. Secret values are masked."""

    components: list[ComponentEvidence]
