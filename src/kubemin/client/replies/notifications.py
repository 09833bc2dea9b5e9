"""Who was told what happened."""

from typing import Literal, NotRequired, TypedDict


class NotificationTarget(TypedDict):
    """Who is told. Its address and its secrets are not shown."""

    name: str
    here: bool
    """Whether the server that answers has the target; of others' it knows no more than the name."""
    known: bool
    """Whether some server has had it within a day: else what waits for it is dropped."""
    template: str
    on: list[str]
    """What it is told of; of commit statuses: each run that names a commit."""
    waiting: int
    dead: int
    oldest: NotRequired[str]
    """Since when the oldest message waits."""


class Delivery(TypedDict):
    """One message to one target."""

    id: int
    target: str
    state: Literal["offered", "waiting", "delivered", "dead", "dropped"]
    """``dead``: a day of tries was in vain. ``dropped``: overtaken by a later status, or without a target."""
    type: str
    messageId: str
    """The same each time that it is sent."""
    appId: str
    name: str
    cluster: str
    namespace: str
    taskId: NotRequired[str]
    attempts: int
    httpStatus: NotRequired[int]
    """What the target answered last."""
    error: str
    """Why the last attempt failed; empty otherwise."""
    createTime: str
    lastTime: NotRequired[str]
    """When it was sent last."""
    nextTime: NotRequired[str]
    """When it is sent next; absent: not by itself."""


class NotificationList(TypedDict):
    """Targets, and a page of deliveries, newest first."""

    targets: list[NotificationTarget]
    deliveries: list[Delivery]
    nextCursor: NotRequired[str]
    """Asks for the next page, as ``after``; absent on the last one."""


class NotificationTest(TypedDict):
    """What became of a test message."""

    target: str
    delivered: bool
    httpStatus: NotRequired[int]
    error: str
    """Why it was not delivered; empty otherwise."""
