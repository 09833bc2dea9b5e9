"""What a run would do, on the wire."""

from typing import Literal

from pydantic import Field

from kubemin.api.envelope import FieldError
from kubemin.api.models.base import Absent, Reply
from kubemin.engine.expects import Expects

Action = Literal["create", "change", "same", "adopt", "write", "skip", "refused"]


class PlannedJob(Reply):
    """One object, and what a run would do to it."""

    id: int
    component: str = Field(examples=["web"])
    kind: str = Field(examples=["ConfigMap"])
    namespace: str = Field(examples=["default"])
    name: str = Field(examples=["settings"])
    action: Action = Field(
        description="`adopt`: take over what others have there. `write`: the cluster cannot tell without doing it."
    )
    changes: list[str] = Field(
        description="A line a field, Secrets' values masked; who manages it, where adopted; why, where refused.",
        examples=[["data.a: 1 → 2"]],
    )
    hook: Absent[str] = Field(
        default=None,
        description="Where its chart marks it as a hook: when it runs, for people.",
        examples=["hook pre-install, weight -5"],
    )
    warnings: list[str] = Field(
        description="What would be otherwise than in the application: fields that others have set and that stay, "
        "replicas that an autoscaler has, fields that the cluster drops.",
        examples=[["keeps spec.template.spec.containers[web].env[X] (manager kubectl-set)"]],
    )


class PlannedStage(Reply):
    """Jobs that run together."""

    step: str
    mode: str
    priority: int
    jobs: list[PlannedJob]
    hold: Absent[str] = Field(default=None, description="What it waits for, once its jobs are ready.")


class PlannedObject(Reply):
    """An object that would be made first, or removed last."""

    kind: str
    namespace: str
    name: str


class PreviewReply(Reply):
    """What a run would do, in order. Nothing of it was written or stored."""

    stages: list[PlannedStage]
    creates: list[PlannedObject] = Field(description="Namespaces that would be created first.")
    removes: list[PlannedObject] = Field(
        description="What the application no longer has: removed once all of it is completed."
    )
    releases: list[PlannedObject] = Field(
        description="What it no longer has and did not make: it stays, without KubeMin's labels."
    )
    passes: list[PlannedObject] = Field(
        description="What it no longer has and another application uses: that one has it from then on."
    )
    warnings: list[FieldError] = Field(description="What is allowed, and probably not meant.")
    expects: Expects = Field(description="Sent back with the run, that does this, or is refused.")
    keeps: list[PlannedObject] = Field(description="Volume claims that are no longer used, and stay: they hold data.")
