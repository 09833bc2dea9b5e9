"""What the cluster has of an application after a run that does not name all of its components. Pure.

Applications are JSON here, as they are posted and as revisions keep them.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kubemin.spec.application import Application
from kubemin.spec.component import Component
from kubemin.spec.component_types import CONFIG, SECRET
from kubemin.spec.expressions import BEGIN, with_former_values
from kubemin.spec.workflow import Mode, Step, components_in_no_step, without_missing

_REST = "rest"


def covering(steps: Sequence[Step], components: Sequence[Component]) -> list[Step]:
    """The steps, and more for the components that none of them deploys: configuration first, as others read it."""
    rest = components_in_no_step(steps, [part.name for part in components])
    configuration = [part.name for part in components if part.name in rest and part.type in (CONFIG, SECRET)]
    taken = {part.name for step in steps for part in (step, *step.sub_steps)}
    names = (name for name in (_REST, *(f"{_REST}-{n}" for n in range(len(taken) + 2))) if name not in taken)

    def step_of(members: list[str]) -> list[Step]:
        return [Step(name=next(names), mode=Mode.DAG, components=members)] if members else []

    return [*step_of(configuration), *steps, *step_of([name for name in rest if name not in configuration])]


def deployed(
    posted: Mapping[str, Any], others: Collection[str], current: Mapping[str, Any] | None, *, or_posted: bool = False
) -> dict[str, Any]:
    """The application with the components ``others`` as they are in ``current``, which the cluster has.

    What is not there is left out, or with ``or_posted`` as it was posted.
    """
    there = _by_name(current)
    parts = {part["name"]: part for part in posted.get("component", [])}
    for name in others:
        if name in there:
            parts[name] = there[name]
        elif not or_posted:
            parts.pop(name, None)
    found = {**posted, "component": list(parts.values())}
    if "workflow" in posted:
        found["workflow"] = without_missing(posted["workflow"], parts)
    return found


def as_it_is(posted: Mapping[str, Any], others: Collection[str], current: Mapping[str, Any] | None) -> dict[str, Any]:
    """`deployed`, where an expression of ``others`` that would have another value by now is replaced by what it had."""
    found = deployed(posted, others, current)
    if current is None or not any(BEGIN in json.dumps(_by_name(current).get(name)) for name in others):
        return found
    before, now = Application.model_validate(current), Application.model_validate(found)
    kept = {part.name: part for part in before.component if part.name in others}
    parts = {name: with_former_values(part, before, now).posted() for name, part in kept.items()}
    return {**found, "component": [parts.get(part["name"], part) for part in found["component"]]}


def changes(spec: Mapping[str, Any], former: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """Names of components: those that ``former`` has not, those that are otherwise in it, and those it had more."""
    new, old = _by_name(spec), _by_name(former)
    return {
        "added": [name for name in new if name not in old],
        "changed": [name for name in new if name in old and new[name] != old[name]],
        "removed": [name for name in old if name not in new],
    }


def _by_name(spec: Mapping[str, Any] | None) -> dict[str, Any]:
    return {part["name"]: part for part in (spec or {}).get("component", [])}
