"""Secret values are written, never read: replies have a mask in their place, and saving the mask keeps the value."""

from collections.abc import Mapping
from typing import Any

from kubemin.spec.application import Application
from kubemin.spec.issues import Issue, IssueCode, SpecError

MASK = "******"


def masked(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a component as a reply shows them."""
    if not properties.get("secret"):
        return dict(properties)
    return {**properties, "secret": dict.fromkeys(properties["secret"], MASK)}


def unmasked(application: Application, stored: Mapping[str, Mapping[str, Any]]) -> Application:
    """The application with each mask replaced by the value that the component of this name has in ``stored``.

    ``stored``: component name → properties. Raises :class:`SpecError` where there is nothing that the mask could mean.
    """
    issues: list[Issue] = []
    components = []
    for index, component in enumerate(application.component):
        known = (stored.get(component.name) or {}).get("secret") or {}
        values = dict(component.properties.secret)
        for key, value in values.items():
            if value != MASK:
                continue
            if key in known:
                values[key] = known[key]
            else:
                field = f"component[{index}].properties.secret.{key}"
                message = f"{field}: {MASK} stands for a stored value, and there is none."
                issues.append(Issue(field, IssueCode.MISSING_REQUIRED_FIELD, message))
        properties = component.properties.model_copy(update={"secret": values})
        components.append(component.model_copy(update={"properties": properties}))
    if issues:
        raise SpecError(issues)
    return application.model_copy(update={"component": components})
