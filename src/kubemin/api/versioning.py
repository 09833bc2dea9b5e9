"""A new version: how it changes the components of a draft. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from kubemin.api.models.versions import ComponentVersion
from kubemin.spec.issues import Issue, IssueCode, SpecError


def edited(parts: Sequence[dict[str, Any]], changes: Sequence[ComponentVersion]) -> list[dict[str, Any]]:
    """The components as the changes leave them. Raises `SpecError` where one is there already, or is not."""
    found = {part["name"]: part for part in parts}
    if issues := list(_mistakes(set(found), changes)):
        raise SpecError(issues)
    for change in changes:
        if change.action == "remove":
            del found[change.name]
        else:
            found[change.name] = _changed(found.get(change.name, {"name": change.name}), change)
    return list(found.values())


def names(changes: Sequence[ComponentVersion], action: str) -> list[str]:
    """The components that have this change."""
    return [change.name for change in changes if change.action == action]


def _mistakes(known: set[str], changes: Sequence[ComponentVersion]) -> Iterator[Issue]:
    seen: set[str] = set()
    for index, change in enumerate(changes):
        field = f"components[{index}].name"
        if change.name in seen:
            yield Issue(field, IssueCode.DUPLICATE_COMPONENT, f'Component "{change.name}" is changed twice.')
        elif change.action == "add" and change.name in known:
            message = f'There is a component "{change.name}" already: update it.'
            yield Issue(field, IssueCode.DUPLICATE_COMPONENT, message)
        elif change.action != "add" and change.name not in known:
            message = f'There is no component "{change.name}" to {change.action}.'
            yield Issue(field, IssueCode.COMPONENT_NOT_FOUND, message)
        seen.add(change.name)


def _changed(part: dict[str, Any], change: ComponentVersion) -> dict[str, Any]:
    given = {"type": change.type, "image": change.image, "replicas": change.replicas, "traits": change.traits}
    properties = dict(part.get("properties", {}) if change.properties is None else change.properties)
    if change.env is not None:
        properties["env"] = {**(properties.get("env") or {}), **change.env}
    if change.image is not None:
        properties.pop("image", None)
    body = {name: value for name, value in given.items() if value is not None}
    return {**part, **body, "properties": properties}
