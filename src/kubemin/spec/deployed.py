"""What the cluster has of an application after a run that does not name all of its components. Pure.

Applications are JSON here, as they are posted and as revisions keep them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kubemin.spec.workflow import Mode, Step, components_in_no_step, without_missing

_REST = "rest"


def covering(steps: Sequence[Step], components: Sequence[str]) -> list[Step]:
    """The steps, and one more for the components that none of them deploys."""
    rest = components_in_no_step(steps, components)
    if not rest:
        return list(steps)
    names = {part.name for step in steps for part in (step, *step.sub_steps)}
    name = next(one for one in (_REST, *(f"{_REST}-{n}" for n in range(len(names) + 1))) if one not in names)
    return [*steps, Step(name=name, mode=Mode.DAG, components=rest)]


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
