"""From stored rows to what the wire shows. Pure."""

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from operator import itemgetter
from typing import Any

from kubemin import __version__
from kubemin.api.models.applications import (
    ApplicationReply,
    ComponentReply,
    DeployedReply,
    DroppedReply,
    ExternalLink,
    Overview,
    StepReply,
    SubStepReply,
    WorkflowReply,
)
from kubemin.api.models.applications import NewestTask as NewestTaskReply
from kubemin.engine.entry.component_health import ComponentHealth
from kubemin.engine.entry.component_states import worst_of
from kubemin.spec.component import Component
from kubemin.spec.component_secrets import masked, masked_traits
from kubemin.spec.component_types import SERVING
from kubemin.spec.states import ComponentState
from kubemin.spec.workflow import OnFailure, Step, default_workflow
from kubemin.store.applications import ApplicationRow
from kubemin.store.components import ComponentRow
from kubemin.store.overview import Deployed, NewestTask
from kubemin.store.revisions import RevisionRow
from kubemin.store.tasks import Task
from kubemin.store.workflows import WorkflowRow

_IMAGES = 5
"""So many are named of an application in a list."""
_UNKNOWN = ComponentHealth("Not Deploy", ComponentState.NOT_DEPLOYED)


def application(
    row: ApplicationRow, workflow_id: str | None, status: str | None, seen: Overview | None = None
) -> ApplicationReply:
    """An application; ``status`` is that of its newest task."""
    return ApplicationReply(
        id=row.id,
        name=row.name,
        alias=row.alias,
        namespace=row.namespace,
        cluster=row.cluster,
        project=row.project,
        version=row.version,
        description=row.description,
        icon=row.icon,
        create_time=row.created_at,
        update_time=row.updated_at,
        workflow_id=workflow_id or "",
        tmp_enable=row.tmp_enable,
        status=status or "",
        overview=seen,
    )


def overview(
    deployed: Deployed | None, task: NewestTask | None, waiting: int, states: Mapping[str, ComponentHealth]
) -> Overview:
    """How an application does; ``states`` are those of its components."""
    parts = deployed.spec["component"] if deployed else []
    images = list(dict.fromkeys(part["image"] for part in parts if part.get("image")))
    return Overview(
        health=_health(parts, states),
        revision=deployed.revision if deployed else None,
        images=images[:_IMAGES],
        image_count=len(images),
        newest_task=task
        and NewestTaskReply(
            task_id=task.id,
            type=task.type,
            status=task.status,
            cleanup=task.cleanup,
            create_time=task.created_at,
            end_time=task.ended_at,
        ),
        waiting=waiting,
    )


def _health(deployed: Sequence[Mapping[str, Any]], states: Mapping[str, ComponentHealth]) -> ComponentState:
    """That of all. What is deployed, is to have Pods, and is not in the cluster is waited for."""
    found = {state.state for state in states.values()}
    if found and any(part["type"] in SERVING and part["name"] not in states for part in deployed):
        found.add(ComponentState.PENDING)
    return worst_of(found)


def tag(stamp: str, states: Mapping[str, ComponentHealth]) -> str:
    """The ETag of a list of components: as the database has them, in these states, shown by this version."""
    text = repr((__version__, stamp, sorted(states.items(), key=itemgetter(0))))
    return f'W/"{sha256(text.encode()).hexdigest()[:24]}"'


def components(
    rows: Sequence[ComponentRow], namespace: str, states: Mapping[str, ComponentHealth], current: RevisionRow | None
) -> list[ComponentReply]:
    """Components; ``namespace`` is the application's, ``states`` what the watches know, by name."""
    deployed = {one["name"]: _deployed(one, current.number) for one in current.spec["component"]} if current else {}
    return [_component(row, namespace, states, deployed.get(row.name)) for row in rows]


def _component(
    row: ComponentRow, namespace: str, states: Mapping[str, ComponentHealth], deployed: DeployedReply | None
) -> ComponentReply:
    state, part = states.get(row.name, _UNKNOWN), row.read
    return ComponentReply(
        id=row.id,
        app_id=row.app_id,
        name=row.name,
        namespace=part.namespace or namespace,
        image=part.image,
        replicas=part.replicas,
        type=part.type,
        properties=masked(part.properties.dump()),
        traits=masked_traits(part.traits.dump()),
        deployed=deployed,
        adopt=part.adopt,
        status=state.status,
        state=state.state,
        last_abnormal=state.abnormal,
        external_links=_links(state),
        create_time=row.created_at,
        update_time=row.updated_at,
    )


def dropped(
    names: Collection[str], states: Mapping[str, ComponentHealth], current: RevisionRow | None
) -> list[DroppedReply]:
    """What is deployed and not in a draft that has these ``names``."""
    if current is None:
        return []
    specs = [spec for spec in current.spec["component"] if spec["name"] not in names]
    return [_dropped(spec, current.number, states.get(spec["name"], _UNKNOWN)) for spec in specs]


def _dropped(spec: Any, revision: int, state: ComponentHealth) -> DroppedReply:
    return DroppedReply(
        name=spec["name"],
        type=spec["type"],
        deployed=_deployed(spec, revision),
        status=state.status,
        state=state.state,
        last_abnormal=state.abnormal,
        external_links=_links(state),
    )


def _links(state: ComponentHealth) -> list[ExternalLink]:
    return [ExternalLink(type=kind, value=value) for kind, value in state.links]


def _deployed(spec: Any, revision: int) -> DeployedReply:
    part = Component.model_validate(spec)
    return DeployedReply(revision=revision, image=part.image, replicas=part.replicas)


def workflow(row: WorkflowRow, components: Sequence[str], newest: Task | None) -> WorkflowReply:
    """A workflow. One without steps shows the step that it means: every component at once."""
    steps: Sequence[Step] = ()
    if not row.unreadable:
        steps = [Step.model_validate(step) for step in row.steps] or default_workflow(components)
    return WorkflowReply(
        id=row.id,
        name=row.name,
        alias=row.alias,
        namespace=row.namespace,
        project_id=row.project,
        description=row.description,
        status=newest.status if newest else "",
        disabled=row.disabled,
        steps=[_step(step) for step in steps],
        unreadable=row.unreadable,
        create_time=row.created_at,
        update_time=row.updated_at,
        workflow_type=row.type,
    )


def _step(step: Step) -> StepReply:
    return StepReply(
        name=step.name,
        workflow_type=step.type or "",
        mode=step.mode.value,
        components=step.components,
        sub_steps=[SubStepReply(name=sub.name, workflow_type="", components=sub.components) for sub in step.sub_steps],
        seconds=step.seconds,
        timeout_seconds=step.timeout_seconds,
        on_failure="continue" if step.on_failure is OnFailure.CONTINUE else None,
    )
