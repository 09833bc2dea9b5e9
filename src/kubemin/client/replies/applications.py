"""Applications and their components. Times are RFC 3339 in UTC."""

from typing import Any, Literal, NotRequired, TypedDict

from kubemin.client.replies.errors import FieldError, Mistake
from kubemin.client.replies.states import CleanupState, ComponentState, TaskState, TaskType


class NewestTask(TypedDict):
    """The task that was recorded last. ``endTime`` is there once it has ended."""

    taskId: str
    type: TaskType
    status: TaskState
    cleanup: CleanupState
    createTime: str
    endTime: NotRequired[str]


class Overview(TypedDict):
    """How an application does."""

    health: ComponentState
    """How its components do in the cluster: of all their states the first in this order."""
    revision: int | None
    """What is deployed; null where nothing is."""
    images: list[str]
    """Of what is deployed, each once; at most five."""
    imageCount: int
    """How many different ones there are."""
    newestTask: NewestTask | None
    waiting: int
    """Tasks of it that no worker has begun."""


class Application(TypedDict):
    """An application."""

    id: str
    name: str
    alias: str
    namespace: str
    cluster: str
    project: str
    version: str
    description: str
    icon: str
    createTime: str
    updateTime: str
    workflowId: str
    """The workflow that came with the application; empty when it has none."""
    tmpEnable: bool
    """Other applications may use it as a template."""
    status: str
    """That of its newest task; empty when it never ran."""
    overview: NotRequired[Overview]
    """In a page of a list, and of a single application."""


class ApplicationList(TypedDict):
    """All applications, or one page of them: with ``total`` and ``page`` where it was asked for by its number."""

    applications: list[Application]
    total: NotRequired[int]
    page: NotRequired[int]
    pageSize: NotRequired[int]
    nextCursor: NotRequired[str]
    """Asks for the next page, as `after`; absent on the last one."""


class Checked(TypedDict):
    """Whether an application or a workflow would be accepted, with everything that is wrong."""

    valid: bool
    errors: list[FieldError]
    warnings: NotRequired[list[FieldError]]
    """What is allowed, and probably not meant."""
    message: NotRequired[str]


class DeletedApplication(TypedDict):
    """The task that removes the application; with ``dryRun`` what it would do instead, as ``Kind/namespace/name``."""

    appId: str
    taskId: NotRequired[str]
    removes: NotRequired[list[str]]
    """What would be deleted."""
    releases: NotRequired[list[str]]
    """What would stay, without KubeMin's labels: it was there before, or is to be kept."""
    passes: NotRequired[list[str]]
    """What would pass to another application, which uses it."""
    keeps: NotRequired[list[str]]
    """Volume claims that would stay: they hold data."""


class Deployed(TypedDict):
    """What the cluster has of a component, by the application's current revision."""

    revision: int
    image: str
    replicas: int | Literal["auto"]


class ExternalLink(TypedDict):
    """An address at which a component can be reached from outside."""

    type: str
    value: str


class Component(TypedDict):
    """A component as it was saved last, and how it does in the cluster. Secret values are masked."""

    id: int
    appId: str
    name: str
    namespace: str
    image: str
    replicas: int | Literal["auto"]
    type: str
    properties: dict[str, Any]
    traits: dict[str, Any]
    deployed: Deployed | None
    """What of it is deployed; null where it is not."""
    adopt: bool | None
    """Takes over objects of others that are in its place; null: as the run says."""
    status: Literal["Running", "Pending", "Failed", "Not Deploy"]
    """Whether it is in the cluster as it is to be."""
    state: ComponentState
    """How it does: `Completed` is a job, `Scheduled` a cronjob; `Suspended`: somebody holds it back; `Idle`: it is to
    have no Pods now, scaled to 0 or for want of nodes; `Ready`: nothing of it runs, such as configuration.
    """
    lastAbnormal: str
    """What is wrong with it, or was last; empty when nothing was."""
    externalLinks: list[ExternalLink]
    createTime: str
    updateTime: str


class DroppedComponent(TypedDict):
    """A component that is deployed, and that the draft no longer has; ``deployed`` and the rest as in `components`."""

    name: str
    type: str
    deployed: Deployed
    status: Literal["Running", "Pending", "Failed", "Not Deploy"]
    """Whether it is in the cluster as it is to be."""
    state: ComponentState
    """How it does: `Completed` is a job, `Scheduled` a cronjob; `Suspended`: somebody holds it back; `Idle`: it is to
    have no Pods now, scaled to 0 or for want of nodes; `Ready`: nothing of it runs, such as configuration.
    """
    lastAbnormal: str
    externalLinks: list[ExternalLink]


class ComponentList(TypedDict):
    """The components of one application, in its order."""

    components: list[Component]
    dropped: list[DroppedComponent]
    """What is deployed and not in the draft: the next run removes it."""


class DeletedResources(TypedDict):
    """What was removed from the cluster, as ``Kind/namespace/name``, and what could not be."""

    appId: str
    deletedResources: list[str]
    failedResources: list[str]


class Version(TypedDict):
    """What was changed, and the task that brings it."""

    appId: str
    version: str
    previousVersion: str
    strategy: str
    taskId: str
    """Empty without `autoExec`."""
    updatedComponents: list[str]
    addedComponents: list[str]
    removedComponents: list[str]


class ReadText(TypedDict):
    """What a text means, and all that is wrong with it."""

    valid: bool
    application: NotRequired[dict[str, Any]]
    """As `apply` takes it."""
    errors: list[Mistake]
    warnings: list[Mistake]
    """What is allowed, and probably not meant."""
