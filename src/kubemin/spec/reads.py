"""What a component's Pods read of the application's own configuration, and that it is deployed before them. Pure.

Pods read their environment once, when they start: of a value that a later step changes they would never know.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING

from kubemin.spec.component import Component
from kubemin.spec.component_types import CONFIG, SECRET, WORKLOADS
from kubemin.spec.issues import Issue, IssueCode, SpecError, first
from kubemin.spec.limits import Limits
from kubemin.spec.traits.container import ContainerTraits
from kubemin.spec.workflow import Mode, Step, SubStep, parse_workflow

if TYPE_CHECKING:
    from kubemin.spec.application import Application


def read_components(application: "Application", reader: Component) -> list[str]:
    """The names of the ``config`` and ``secret`` components that the Pods of ``reader`` need, in order.

    They read them, or their images are pulled with them.
    """
    if reader.type not in WORKLOADS:
        return []
    traits = reader.traits
    containers = [traits, *(one.traits for one in traits.init), *(one.traits for one in traits.sidecar)]
    read = {named for container in containers for named in _named(container)}
    read |= {(SECRET, secret.name) for secret in reader.properties.pod.image_pull_secrets or ()}
    namespace = application.namespace_of(reader)
    return [
        part.name
        for part in application.component
        if (part.type, part.name) in read and application.namespace_of(part) == namespace
    ]


def parse_steps(data: object, application: "Application", limits: Limits | None = None) -> list[Step]:
    """Read the steps of a workflow of an application. Raises `SpecError` with what is wrong."""
    steps = parse_workflow(data, [part.name for part in application.component], limits)
    if issues := first(check_order(application, steps, "workflow")):
        raise SpecError(issues)
    return steps


def check_order(application: "Application", steps: Sequence[Step], path: str) -> Iterator[Issue]:
    """What is wrong with the steps: they deploy a component before the configuration that its Pods read."""
    places = {name: (place, field) for place, name, field in _places(steps, path)}
    for reader in application.component:
        for name in read_components(application, reader) if reader.name in places else ():
            if name in places and places[name][0] > places[reader.name][0]:
                message = (
                    f'Component "{reader.name}" reads "{name}", which the workflow deploys after it: its Pods would '
                    f'start without the values. Name "{name}" before it, or in the same DAG step.'
                )
                yield Issue(places[reader.name][1], IssueCode.INVALID_FIELD_VALUE, message)


def _named(container: ContainerTraits) -> Iterator[tuple[str, str]]:
    for storage in container.storage:
        yield storage.type, storage.source
    for source in container.env_from:
        yield SECRET if source.type == SECRET else CONFIG, source.source_name
    for env in container.envs:
        for kind, ref in ((CONFIG, env.value_from.config), (SECRET, env.value_from.secret)):
            if ref is not None:
                yield kind, ref.name


def _places(steps: Sequence[Step], path: str) -> Iterator[tuple[int, str, str]]:
    """Of each component when it is deployed, as a number, its name, and the field that names it."""
    numbers = count()
    for index, step in enumerate(steps):
        together = next(numbers) if step.mode is Mode.DAG else None
        parts: list[tuple[Step | SubStep, str]] = [(step, f"{path}[{index}]")]
        parts += [(sub, f"{path}[{index}].subSteps[{place}]") for place, sub in enumerate(step.sub_steps)]
        for part, here in parts:
            for place, name in enumerate(part.targets):
                number = next(numbers) if together is None else together
                yield number, name, f"{here}.components[{place}]" if part.components else f"{here}.name"
