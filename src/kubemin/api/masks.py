"""Secret values are written, never read: replies have a mask in their place, and the mask sent back means the value."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubemin.spec.application import Application
from kubemin.spec.component_secrets import masked, masked_traits, values_in, values_in_json, with_values
from kubemin.spec.config import MASK
from kubemin.spec.issues import Issue, IssueCode, SpecError


def masked_components(data: Mapping[str, Any]) -> set[str]:
    """Names of the components of unread input that hold masks."""
    parts = data.get("component")
    found: set[str] = set()
    for part in parts if isinstance(parts, list) else ():
        values = values_in_json(part) if isinstance(part, dict) else {}
        if MASK in values.values() and isinstance(part.get("name"), str):
            found.add(part["name"])
    return found


def masked_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """An application as JSON, as a reply shows it."""
    return {**spec, "component": [_masked(part) for part in spec.get("component", ())]}


def _masked(part: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(part)
    if "properties" in part:
        shown["properties"] = masked(part["properties"])
    if "traits" in part:
        shown["traits"] = masked_traits(part["traits"])
    return shown


def with_deployed(application: Application, secrets: Mapping[str, Mapping[str, str]]) -> Application:
    """The application with each mask replaced by the value of its key in ``secrets``, by component, if it is there."""
    parts = [with_values(part, secrets.get(part.name, {})) for part in application.component]
    return application.model_copy(update={"component": parts})


def unmasked(application: Application, templates: Sequence[Mapping[str, Any]]) -> Application:
    """The application with each mask that is left replaced by the value of the template that it was copied from.

    A copy keeps its component's name; ``templates`` are components of templates. What is stored under the component's
    own name comes first (`with_what_is_stored`). Raises :class:`SpecError` where a mask could mean nothing, or more.
    """
    issues: list[Issue] = []
    components = []
    for index, component in enumerate(application.component):
        missing = {place for place, value in values_in(component).items() if value == MASK}
        if missing:
            known = list(_known(component.name, missing, templates))
            issues += _issues(f"component[{index}]", sorted(missing), known)
            component = with_values(component, known[0] if known else {})
        components.append(component)
    if issues:
        raise SpecError(issues)
    return application.model_copy(update={"component": components})


def _known(name: str, keys: set[str], templates: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    """What the keys are in templates that have all of them, each different answer once."""
    seen: list[dict[str, str]] = []
    for part in templates:
        secret = values_in_json(part)
        if part["name"] == name and keys <= secret.keys() and (mine := {key: secret[key] for key in keys}) not in seen:
            seen.append(mine)
            yield mine


def _issues(path: str, keys: Sequence[str], known: Sequence[object]) -> Iterator[Issue]:
    if len(known) == 1:
        return
    for place in keys:
        key = f"{path}.{_field(place)}"
        why = "several templates have one" if known else "there is none"
        message = f"{key}: {MASK} stands for a value that is known already, and {why}."
        yield Issue(key, IssueCode.MISSING_REQUIRED_FIELD, message)


def _field(place: str) -> str:
    if place.startswith("traits:"):
        return place.replace(":", ".", 1)
    return f"properties.{'manifests' if '/' in place else 'secret'}.{place}"
