"""Applications, components and workflows on the wire."""

from typing import Any, Literal

from pydantic import Field, computed_field

from kubemin.api.envelope import FieldError
from kubemin.api.models.base import Absent, Body, Name, NextCursor, Reply, Timestamp
from kubemin.api.models.tasks import TASK_ID
from kubemin.spec.states import Cleanup, ComponentState, TaskStatus, TaskType

Health = Literal["Running", "Pending", "Failed", "Not Deploy"]
"""How a component does, in the words that older clients know."""

_STATE = (
    "How it does: `Completed` is a job, `Scheduled` a cronjob; `Suspended`: somebody holds it back; `Idle`: it is to "
    "have no Pods now, scaled to 0 or for want of nodes; `Ready`: nothing of it runs, such as configuration."
)
_EXAMPLE_ID = "k3v9x0q2m7c4t8b1n5z6w0ya"


class NewestTask(Reply):
    """The task that was recorded last. ``endTime`` is there once it has ended."""

    task_id: str = Field(examples=[TASK_ID])
    type: TaskType
    status: TaskStatus
    cleanup: Cleanup
    create_time: Timestamp
    end_time: Absent[Timestamp] = None


class Overview(Reply):
    """How an application does."""

    health: ComponentState = Field(
        description="How its components do in the cluster: of all their states the first in this order."
    )
    revision: int | None = Field(description="What is deployed; null where nothing is.")
    images: list[str] = Field(description="Of what is deployed, each once; at most five.")
    image_count: int = Field(description="How many different ones there are.")
    newest_task: NewestTask | None
    waiting: int = Field(description="Tasks of it that no worker has begun.")


class ApplicationReply(Reply):
    """An application. The keys ``workflow_id`` and ``tmp_enable`` are there in both spellings."""

    id: str = Field(examples=[_EXAMPLE_ID])
    name: str = Field(examples=["shop"])
    alias: str
    namespace: str = Field(examples=["default"])
    cluster: str = Field(examples=["default"])
    project: str
    version: str
    description: str
    icon: str
    create_time: Timestamp
    update_time: Timestamp
    workflow_id: str = Field(description="The workflow that came with the application; empty when it has none.")
    tmp_enable: bool = Field(description="Other applications may use it as a template.")
    status: str = Field(description="That of its newest task; empty when it never ran.")
    overview: Absent[Overview] = Field(default=None, description="In a page of a list, and of a single application.")

    @computed_field(alias="workflow_id")
    def workflow_id_(self) -> str:
        """``workflowId`` in its older spelling."""
        return self.workflow_id

    @computed_field(alias="tmp_enable")
    def tmp_enable_(self) -> bool:
        """``tmpEnable`` in its older spelling."""
        return self.tmp_enable


class ApplicationList(Reply):
    """All applications, or one page of them: with ``total`` and ``page`` where it was asked for by its number."""

    applications: list[ApplicationReply]
    total: Absent[int] = None
    page: Absent[int] = None
    page_size: Absent[int] = None
    next_cursor: NextCursor = None


class ExternalLink(Reply):
    """An address at which a component can be reached from outside."""

    type: str
    value: str


class DeployedReply(Reply):
    """What the cluster has of a component, by the application's current revision."""

    revision: int
    image: str
    replicas: int | Literal["auto"]


class ComponentReply(Reply):
    """A component as it was saved last, and how it does in the cluster. Secret values are masked."""

    id: int
    app_id: str
    name: str
    namespace: str
    image: str
    replicas: int | Literal["auto"]
    type: str
    properties: dict[str, Any]
    traits: dict[str, Any]
    deployed: DeployedReply | None = Field(description="What of it is deployed; null where it is not.")
    adopt: bool | None = Field(description="Takes over objects of others that are in its place; null: as the run says.")
    status: Health = Field(description="Whether it is in the cluster as it is to be.")
    state: ComponentState = Field(description=_STATE)
    last_abnormal: str = Field(description="What is wrong with it, or was last; empty when nothing was.")
    external_links: list[ExternalLink]
    create_time: Timestamp
    update_time: Timestamp


class DroppedReply(Reply):
    """A component that is deployed, and that the draft no longer has; ``deployed`` and the rest as in `components`."""

    name: str
    type: str
    deployed: DeployedReply
    status: Health = Field(description="Whether it is in the cluster as it is to be.")
    state: ComponentState = Field(description=_STATE)
    last_abnormal: str
    external_links: list[ExternalLink]


class ComponentList(Reply):
    """The components of one application, in its order."""

    components: list[ComponentReply]
    dropped: list[DroppedReply] = Field(description="What is deployed and not in the draft: the next run removes it.")


class SubStepReply(Reply):
    """A part of a step."""

    name: str
    workflow_type: str
    components: list[str]


class StepReply(Reply):
    """A step of a workflow."""

    name: str
    workflow_type: str
    mode: Literal["StepByStep", "DAG"]
    components: list[str]
    sub_steps: list[SubStepReply]
    seconds: Absent[float] = None
    timeout_seconds: Absent[float] = None
    on_failure: Absent[Literal["continue"]] = None


class WorkflowReply(Reply):
    """A workflow of an application. ``status`` is that of its newest task, empty when it never ran."""

    id: str
    name: str
    alias: str
    namespace: str
    project_id: str
    description: str
    status: str
    disabled: bool
    steps: list[StepReply]
    unreadable: str = Field(description="Why its steps cannot be read; empty otherwise. It has none here then.")
    create_time: Timestamp
    update_time: Timestamp
    workflow_type: str


class WorkflowList(Reply):
    """The workflows of one application, the one that came with it first."""

    workflows: list[WorkflowReply]


class TryReply(Reply):
    """Whether an application or a workflow would be accepted, with everything that is wrong."""

    valid: bool
    errors: list[FieldError]
    warnings: Absent[list[FieldError]] = Field(default=None, description="What is allowed, and probably not meant.")
    message: Absent[str] = None


class Text(Body):
    """An application as a file has it, or Kubernetes objects: YAML or JSON."""

    text: str = Field(max_length=8 * 1024 * 1024, examples=["name: shop\ncomponent: []\n"])
    name: Name | None = Field(
        default=None, description="What the application is called that Kubernetes objects become.", examples=["shop"]
    )
    namespace: str | None = Field(
        default=None, description="Its namespace, and that of objects that name none.", max_length=255
    )
    cluster: str | None = Field(default=None, description="Its cluster.", max_length=255)


class Mistake(FieldError):
    """One thing in a text, and where it is; lines and columns count from 1."""

    line: int
    column: int


class ReadReply(Reply):
    """What a text means, and all that is wrong with it."""

    valid: bool
    application: Absent[dict[str, Any]] = Field(default=None, description="As `apply` takes it.")
    errors: list[Mistake]
    warnings: list[Mistake] = Field(description="What is allowed, and probably not meant.")


class NewWorkflow(Body):
    """A workflow to create. The steps are checked against the application's components."""

    name: Name = Field(examples=["nightly"])
    alias: str = Field("", max_length=255)
    workflow: list[Any] = Field(description="The steps in order.", max_length=1000)


class ChangedWorkflow(Body):
    """A change of a workflow; without ``workflowId`` of the one that came with the application."""

    workflow_id: str | None = Field(None, examples=[_EXAMPLE_ID])
    name: Name | None = None
    alias: str | None = Field(None, max_length=255)
    workflow: list[Any] = Field(description="The steps in order.", max_length=1000)


class TriedWorkflow(Body):
    """A workflow to try."""

    name: str | None = Field(None, max_length=255)
    alias: str | None = Field(None, max_length=255)
    workflow: list[Any] = Field(description="The steps in order.", max_length=1000)


class WorkflowId(Reply):
    """Names the workflow that was created or changed."""

    workflow_id: str = Field(examples=[_EXAMPLE_ID])


class DeletedResources(Reply):
    """What was removed from the cluster, as ``Kind/namespace/name``, and what could not be."""

    app_id: str
    deleted_resources: list[str] = Field(examples=[["Deployment/default/shop-web"]])
    failed_resources: list[str]


class DeletedApplication(Reply):
    """The task that removes the application; with ``dryRun`` what it would do instead, as ``Kind/namespace/name``."""

    app_id: str
    task_id: Absent[str] = None
    removes: Absent[list[str]] = Field(default=None, description="What would be deleted.")
    releases: Absent[list[str]] = Field(
        default=None, description="What would stay, without KubeMin's labels: it was there before, or is to be kept."
    )
    passes: Absent[list[str]] = Field(
        default=None, description="What would pass to another application, which uses it."
    )
    keeps: Absent[list[str]] = Field(default=None, description="Volume claims that would stay: they hold data.")
