"""The workflows of an application."""

from typing import Literal, NotRequired, TypedDict


class SubStep(TypedDict):
    """A part of a step."""

    name: str
    workflowType: str
    components: list[str]


class Step(TypedDict):
    """A step of a workflow."""

    name: str
    workflowType: str
    mode: Literal["StepByStep", "DAG"]
    components: list[str]
    subSteps: list[SubStep]
    seconds: NotRequired[float]
    timeoutSeconds: NotRequired[float]
    onFailure: NotRequired[Literal["continue"]]


class Workflow(TypedDict):
    """A workflow of an application. ``status`` is that of its newest task, empty when it never ran."""

    id: str
    name: str
    alias: str
    namespace: str
    projectId: str
    description: str
    status: str
    disabled: bool
    steps: list[Step]
    unreadable: str
    createTime: str
    updateTime: str
    workflowType: str


class WorkflowList(TypedDict):
    """The workflows of one application, the one that came with it first."""

    workflows: list[Workflow]


class WorkflowId(TypedDict):
    """Names the workflow that was created or changed."""

    workflowId: str
