# ruff: noqa: RUF012  (Pydantic copies defaults)
"""Workflows: in which order an application's components are deployed."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, Strict, model_validator

from kubemin.spec.issues import Issue, IssueCode, SpecError, first
from kubemin.spec.limits import Limits
from kubemin.spec.model import SpecModel, Text
from kubemin.spec.reading import read, refuse_bulk, relevant

MAX_STEP_NAME = 253
DEFAULT_STEP = "deploy"
"""Name of the one step that an application without a workflow has."""

PAUSE = "pause"
"""The type of a step that deploys nothing: the run waits."""

WEEK = 7 * 24 * 3600
"""The longest time that a wait may last, in seconds."""

Seconds = Annotated[float, Strict()]


class Mode(StrEnum):
    """``StepByStep``: a step's components one after another · ``DAG``: together."""

    STEP_BY_STEP = "StepByStep"
    DAG = "DAG"


class OnFailure(StrEnum):
    """``stop``: the run fails · ``continue``: what the step did is put back, and the run goes on without it."""

    STOP = "stop"
    CONTINUE = "continue"


def _mode(value: Any) -> Any:
    if isinstance(value, str):
        return next((mode for mode in Mode if mode.lower() == value.lower()), value)
    return value


def _is_default(value: object) -> bool:
    return value is OnFailure.STOP


def _type(value: str) -> str:
    return PAUSE if value.lower() == PAUSE else value


class _Named(SpecModel):
    """A name and components; ``properties.policies`` is an older spelling of ``components``."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: Text = Field("", description="unique in the workflow")
    components: list[Text] = Field([], description="which it deploys; default: the component of its own name")

    @model_validator(mode="before")
    @classmethod
    def _policies(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        properties = data.get("properties")
        if properties is None or properties == {}:
            return {key: value for key, value in data.items() if key != "properties"}
        if not isinstance(properties, dict) or set(properties) != {"policies"}:
            return data
        policies, components = properties["policies"], data.get("components")
        if components and policies and components != policies:
            return data
        rest = {key: value for key, value in data.items() if key != "properties"}
        return {**rest, "components": components or policies}

    @property
    def targets(self) -> list[str]:
        """The components that it deploys."""
        return self.components or [self.name]


class SubStep(_Named):
    """A part of a step. Without components it means the component of its own name."""


class Step(_Named):
    """A step. Without components and sub-steps it means the component of its own name; a pause means none."""

    # ``workflowType`` is what GET gives back.
    other_spellings = dict.fromkeys(("jobType", "job_type", "workflowType", "workflow_type"), "type")

    mode: Annotated[Mode, BeforeValidator(_mode)] = Mode.STEP_BY_STEP
    sub_steps: list[SubStep] = []
    type: Annotated[Text, AfterValidator(_type)] | None = Field(
        default=None, description="`pause`: the run waits; anything else means nothing"
    )
    seconds: Seconds | None = Field(
        default=None, description="of a pause: how long it waits; without it, for `promote`"
    )
    timeout_seconds: Seconds | None = Field(
        default=None, description="how long the step, or the wait for `promote`, may take"
    )
    on_failure: OnFailure = Field(default=OnFailure.STOP, exclude_if=_is_default)

    @property
    def is_pause(self) -> bool:
        """It deploys nothing: the run waits."""
        return self.type == PAUSE

    @property
    def targets(self) -> list[str]:
        """The components that it deploys by itself, without those of its sub-steps."""
        return self.components or ([] if self.sub_steps or self.is_pause else [self.name])


class _Workflow(SpecModel):
    workflow: list[Step] = []


def parse_workflow(data: object, components: Collection[str], limits: Limits | None = None) -> list[Step]:
    """Read the steps of a workflow over the named components.

    Raises:
        SpecError: with everything that is wrong.
    """
    refuse_too_many(data, limits or Limits())
    refuse_bulk(data)
    model, issues, broken = read(_Workflow, {"workflow": data})
    if model is not None:
        issues = first(chain(issues, relevant(check_workflow(model.workflow, components, "workflow"), broken)))
    if issues or model is None:
        raise SpecError(issues)
    return model.workflow


def refuse_too_many(steps: object, limits: Limits) -> None:
    """Refuse a workflow with too many steps before it is looked at more closely."""
    if isinstance(steps, list) and len(steps) > limits.max_steps:
        message = f"The workflow has {len(steps)} steps; at most {limits.max_steps} are allowed."
        raise SpecError([Issue("workflow", IssueCode.INVALID_FIELD_VALUE, message)])


def default_workflow(components: Sequence[str]) -> list[Step]:
    """The workflow of an application that gives none: one DAG step with every component."""
    return [Step(name=DEFAULT_STEP, mode=Mode.DAG, components=list(components))] if components else []


def check_workflow(steps: Sequence[Step], components: Collection[str], path: str) -> Iterator[Issue]:
    """What is wrong with a workflow over the given components."""
    names: dict[str, str] = {}
    used: dict[str, str] = {}
    known = set(components)
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        yield from _check_name(step.name, names, f"{here}.name")
        yield from _check_waits(step, here)
        yield from _check_targets(step, known, used, here)
        for place, sub in enumerate(step.sub_steps):
            below = f"{here}.subSteps[{place}]"
            if sub.name and sub.name == step.name:
                yield Issue(
                    f"{below}.name",
                    IssueCode.DUPLICATE_WORKFLOW_STEP,
                    f'Step "{step.name}" contains itself as a sub-step.',
                )
            else:
                yield from _check_name(sub.name, names, f"{below}.name")
            yield from _check_targets(sub, known, used, below)


def components_in_no_step(steps: Sequence[Step], components: Iterable[str]) -> list[str]:
    """The components that no step names: a run leaves them as they are."""
    named = {name for step in steps for part in (step, *step.sub_steps) for name in part.targets}
    return [name for name in components if name not in named]


def check_times(seconds: float | None, timeout_seconds: float | None, path: str, whose: str = "") -> Iterator[Issue]:
    """What is wrong with how long something waits; ``whose`` follows the field's name in the message."""
    for field, value in (("seconds", seconds), ("timeoutSeconds", timeout_seconds)):
        if value is not None and not 0 < value <= WEEK:
            message = f"The {field}{whose} must be more than 0, and at most {WEEK} (a week)."
            yield Issue(f"{path}.{field}", IssueCode.INVALID_FIELD_VALUE, message)


def _check_waits(step: Step, path: str) -> Iterator[Issue]:
    """What is wrong with a pause, and with times."""
    yield from check_times(step.seconds, step.timeout_seconds, path, " of a step")
    if not step.is_pause:
        if step.seconds is not None:
            message = f'Only a pause has seconds: give step "{step.name}" the type "{PAUSE}", or leave them out.'
            yield Issue(f"{path}.seconds", IssueCode.INVALID_FIELD_VALUE, message)
        return
    for field, given in (("components", step.components), ("subSteps", step.sub_steps)):
        if given:
            message = f'Step "{step.name}" is a pause, which deploys nothing: put its {field} into another step.'
            yield Issue(f"{path}.{field}", IssueCode.INVALID_FIELD_VALUE, message)
    if step.seconds is not None and step.timeout_seconds is not None:
        message = f'Pause "{step.name}" waits for its seconds or, without them, for promote until its timeoutSeconds.'
        yield Issue(f"{path}.timeoutSeconds", IssueCode.INVALID_FIELD_VALUE, message)


def _check_name(name: str, names: dict[str, str], path: str) -> Iterator[Issue]:
    if not name:
        yield Issue(path, IssueCode.MISSING_REQUIRED_FIELD, "A workflow step has no name.")
    elif len(name) > MAX_STEP_NAME:
        yield Issue(path, IssueCode.NAME_TOO_LONG, f'The step name "{name[:80]}…" is longer than {MAX_STEP_NAME}.')
    elif not name.isprintable() or name != name.strip():
        yield Issue(
            path,
            IssueCode.INVALID_NAME_FORMAT,
            "A step name must be printable, without blanks at its beginning and end.",
        )
    elif name in names:
        yield Issue(
            path,
            IssueCode.DUPLICATE_WORKFLOW_STEP,
            f'The workflow has two steps named "{name}" (the other: {names[name]}).',
        )
    names.setdefault(name, path)


def _check_targets(step: _Named, known: set[str], used: dict[str, str], path: str) -> Iterator[Issue]:
    for index, name in enumerate(step.targets):
        if not name:
            if step.components:
                yield Issue(
                    f"{path}.components[{index}]",
                    IssueCode.MISSING_REQUIRED_FIELD,
                    f'Step "{step.name}" lists a component without a name.',
                )
            continue
        here = f"{path}.components[{index}]" if step.components else f"{path}.name"
        if name not in known:
            sentence = f'Step "{step.name}" names component "{name}", which does not exist'
            yield Issue.of_word(here, IssueCode.COMPONENT_NOT_FOUND, sentence, name, sorted(known))
        elif name in used:
            yield Issue(
                here,
                IssueCode.DUPLICATE_WORKFLOW_STEP,
                f'Component "{name}" is named by step "{step.name}", and already by step "{used[name]}".',
            )
        used.setdefault(name, step.name)


def without_missing(steps: list[dict[str, Any]], names: Collection[str]) -> list[dict[str, Any]]:
    """The stored steps without components that are not there any more, and without steps that are left with none."""
    kept = []
    for stored in steps:
        step = Step.model_validate(stored)
        subs = [
            sub.model_copy(update={"components": [name for name in sub.components if name in names]})
            for sub in step.sub_steps
            if any(name in names for name in sub.targets)
        ]
        mine = [name for name in step.targets if name in names]
        if mine or subs or step.is_pause:
            components_left = [name for name in step.components if name in names]
            kept.append(step.model_copy(update={"components": components_left, "sub_steps": subs}).dump())
    return kept
