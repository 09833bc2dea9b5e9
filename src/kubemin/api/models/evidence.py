"""A task's evidence on the wire. It is sent as it was stored, and a later version may have stored it otherwise."""

from typing import Any

from pydantic import Field

from kubemin.api.models.base import Reply


class PodEventReply(Reply):
    """An event about a Pod."""

    type: str
    reason: str
    message: str
    count: int
    at: str


class ContainerEvidence(Reply):
    """A container as it was; ``state`` and ``lastState`` are Kubernetes' own. Logs: the last 50 lines, if not ready."""

    name: str
    restarts: int
    ready: bool
    state: dict[str, Any]
    last_state: dict[str, Any]
    log: str
    previous_log: str = Field(description="Of its run before this one.")
    note: str = Field(description="Why there is no log; empty otherwise.")


class PodEvidence(Reply):
    """A Pod as it was; ``state`` has its ``phase`` and ``conditions``."""

    name: str
    state: dict[str, Any]
    events: list[PodEventReply]
    containers: list[ContainerEvidence]
    note: str = Field(description="Why there are no events; empty otherwise.")


class ComponentEvidence(Reply):
    """A component that was not ready."""

    name: str
    pods: list[PodEvidence]
    note: str = Field(description="Why its Pods cannot be shown; empty otherwise.")


class TaskEvidence(Reply):
    """What the Pods of components that were not ready said before the rollback. Secret values are masked."""

    components: list[ComponentEvidence]
