"""Values that follow from the application: ``${{ components.db.host }}``, ``${{ app.name }}``. ``$${{`` is ``${{``.

They may stand in environment variables, commands and arguments, configuration and secrets, annotations and hosts. They
are resolved whenever an application is checked or rendered; what is stored is what was written.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kubemin.spec.component import Component
from kubemin.spec.component_types import JOB
from kubemin.spec.issues import Issue, IssueCode

if TYPE_CHECKING:
    from kubemin.spec.application import Application

_FIELDS = frozenset(
    {"env", "command", "args", "conf", "secret", "annotations", "serviceAccountAnnotations", "hosts", "host", "static"}
)
_AS_THEY_STAND = {"properties": {"manifests"}}
_OF_APPLICATION = ("name", "namespace", "cluster", "id")
_OF_COMPONENT = ("host", "fqdn", "port", "name")
_SHOWN = 20
BEGIN = "${{"
"""What an expression begins with."""

_EXPRESSION = re.compile(r"\$\$\{\{|\$\{\{(?:[ \t]*([^{}\s]*)[ \t]*\}\})?")
_COMPONENT = re.compile(r"(?<!\$)(\$\{\{[ \t]*components\.)([^{}\s.]+)(?=\.)")

Change = Callable[[str, str], str]
"""From a text, and the path of its field, to the text that stands there instead."""


def resolved(application: "Application") -> tuple["Application", list[Issue]]:
    """The application with each expression's value in its place, and an issue for each that means nothing."""
    issues: list[Issue] = []
    parts = [
        _changed(part, f"component[{index}]", _resolver(application, part, issues))
        for index, part in enumerate(application.component)
    ]
    same = all(one is other for one, other in zip(parts, application.component, strict=True))
    return application if same else application.model_copy(update={"component": parts}), issues


def with_former_values(component: Component, before: "Application", now: "Application") -> Component:
    """The component with what its expressions meant ``before``, where they mean another thing, or none, ``now``."""

    def keep(text: str, _path: str) -> str:
        def value(found: re.Match[str]) -> str:
            meant = _value_or_none(found[1], before, component)
            return found[0] if meant in (None, _value_or_none(found[1], now, component)) else str(meant)

        return _EXPRESSION.sub(value, text)

    return _changed(component, "", keep)


def following(component: Component, names: Mapping[str, str]) -> Component:
    """The component with its expressions naming other components: of the new names, where ``names`` has one."""

    def follow(text: str, _path: str) -> str:
        return _COMPONENT.sub(lambda found: found[1] + names.get(found[2], found[2]), text)

    return _changed(component, "", follow)


def literal(component: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a component whose texts mean what they say: with each ``${{`` in them escaped."""
    found: dict[str, Any] = _mapped(component, "", lambda text, _: text.replace(BEGIN, f"${BEGIN}"), inside=False)
    return found


def _resolver(application: "Application", reader: Component, issues: list[Issue]) -> Change:
    def resolve(text: str, path: str) -> str:
        def value(found: re.Match[str]) -> str:
            if found[0] == f"${BEGIN}":
                return BEGIN
            try:
                return _value(found[1], application, reader)
            except LookupError as error:
                # Others may read the message, but not a secret that only looks like an expression.
                what = "An expression" if found[1] is None or ".secret." in path else f'"{found[1]}"'
                message = f"{what} {error}; for a plain ${{{{ write $${{{{."
                issues.append(Issue(path, IssueCode.INVALID_FIELD_VALUE, message))
                return found[0]

        return _EXPRESSION.sub(value, text)

    return resolve


def _value_or_none(expression: str | None, application: "Application", reader: Component) -> str | None:
    try:
        return _value(expression, application, reader)
    except LookupError:
        return None


def _value(expression: str | None, application: "Application", reader: Component) -> str:
    """The value; a `LookupError` says what is wrong."""
    if expression is None:
        raise LookupError('has no end: it is written as "${{ components.NAME.host }}"')
    match expression.split("."):
        case ["app", ("name" | "namespace" | "cluster") as field]:
            return str(getattr(application, field))
        case ["app", "id"]:
            return application.app_id
        case ["components", name, field] if field in _OF_COMPONENT:
            for part in application.component:
                if part.name == name:
                    return _of_component(part, field, application, reader)
    known = ", ".join(part.name for part in application.component[:_SHOWN])
    more = ", …" if len(application.component) > _SHOWN else ""
    fields = ", ".join(f"app.{field}" for field in _OF_APPLICATION)
    raise LookupError(
        f"means nothing: there are {fields} and components.NAME with {', '.join(f'.{one}' for one in _OF_COMPONENT)}, "
        f"NAME being one of {known}{more}"
    )


def _of_component(part: Component, field: str, application: "Application", reader: Component) -> str:
    if field == "name":
        if part.type == JOB:
            raise LookupError("has no value: the name of a Job changes with its spec")
        return part.main_object(application.name)
    service = part.object_of("Service", application.name)
    if service is None:
        raise LookupError(f'has no value: component "{part.name}" has no Service, as it has no ports or is a job')
    namespace = application.namespace_of(part)
    match field:
        case "port":
            return str(part.port_numbers[0])
        case "host" if namespace == application.namespace_of(reader):
            return service
        case "host":  # the name alone is looked for in the reader's own namespace
            return f"{service}.{namespace}"
    return f"{service}.{namespace}.svc"


def _changed(component: Component, path: str, change: Change) -> Component:
    """The component with the texts of those fields changed; the very same one where none has an expression.

    Manifests stay as they stand.
    """
    if BEGIN not in component.model_dump_json(exclude_unset=True, exclude=_AS_THEY_STAND):
        return component
    data = component.model_dump(
        by_alias=True, mode="json", exclude_none=True, exclude_unset=True, exclude=_AS_THEY_STAND
    )
    made = Component.model_validate(_mapped(data, path, change, inside=False))
    if not component.properties.manifests:
        return made
    properties = made.properties.model_copy(update={"manifests": component.properties.manifests})
    return made.model_copy(update={"properties": properties})


def _mapped(value: Any, path: str, change: Change, *, inside: bool) -> Any:
    if isinstance(value, str):
        return change(value, path) if inside and BEGIN in value else value
    if isinstance(value, list):
        return [_mapped(item, f"{path}[{index}]", change, inside=inside) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {
            key: _mapped(item, f"{path}.{key}", change, inside=inside or key in _FIELDS) for key, item in value.items()
        }
    return value
