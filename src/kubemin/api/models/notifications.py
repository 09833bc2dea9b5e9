"""Who was told what, on the wire."""

from typing import Literal

from pydantic import Field

from kubemin.api.models.base import Absent, NextCursor, Reply, Timestamp

State = Literal["offered", "waiting", "delivered", "dead", "dropped"]


class TargetReply(Reply):
    """Who is told. Its address and its secrets are not shown."""

    name: str
    here: bool = Field(description="Whether this server has the target; of others' it knows no more than the name.")
    known: bool = Field(description="Whether some server has had it within a day: else what waits for it is dropped.")
    template: str
    on: list[str] = Field(description="What it is told of; of commit statuses: each run that names a commit.")
    waiting: int
    dead: int
    oldest: Absent[Timestamp] = Field(default=None, description="Since when the oldest message waits.")


class DeliveryReply(Reply):
    """One message to one target."""

    id: int
    target: str
    state: State = Field(
        description="`dead`: a day of tries was in vain. `dropped`: overtaken by a later status, or without a target. "
        "`offered`: of a target that another server has; that one says whether it wants it."
    )
    type: str = Field(examples=["task.failed"])
    message_id: str = Field(description="The same each time that it is sent.")
    app_id: str
    name: str = Field(description="Of the application.")
    cluster: str
    namespace: str
    task_id: Absent[str] = None
    attempts: int
    http_status: Absent[int] = Field(default=None, description="What the target answered last.")
    error: str = Field(description="Why the last attempt failed; empty otherwise.")
    create_time: Timestamp
    last_time: Absent[Timestamp] = Field(default=None, description="When it was sent last.")
    next_time: Absent[Timestamp] = Field(default=None, description="When it is sent next; absent: not by itself.")


class NotificationList(Reply):
    """Targets, and a page of deliveries, newest first."""

    targets: list[TargetReply]
    deliveries: list[DeliveryReply]
    next_cursor: NextCursor = None


class TestReply(Reply):
    """What became of a test message."""

    target: str
    delivered: bool
    http_status: Absent[int] = None
    error: str = Field(description="Why it was not delivered; empty otherwise.")
