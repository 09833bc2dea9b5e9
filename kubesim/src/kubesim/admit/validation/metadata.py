"""What every object's metadata must be."""

from collections.abc import Callable
from typing import Any

from kubesim.admit.validation import formats
from kubesim.admit.validation.causes import Causes

__all__ = ["check_annotations", "check_labels", "check_metadata", "check_selector"]

Object = dict[str, Any]

MAX_ANNOTATIONS = 256 * 1024
"""Bytes of all annotations of an object, keys and values."""

_NAMES: dict[str, Callable[[str], tuple[str, ...]]] = {
    "Namespace": formats.dns_label,
    "StatefulSet": formats.dns_label,
    "Service": formats.service_name,
    "Role": formats.path_segment,
    "RoleBinding": formats.path_segment,
    "ClusterRole": formats.path_segment,
    "ClusterRoleBinding": formats.path_segment,
}


def check_metadata(kind: str, metadata: Object, causes: Causes, *, old: Object | None = None) -> None:
    """Check metadata, of an update if there is ``old`` (identity and versions are the registry's matter)."""
    if old is None:
        names = _NAMES.get(kind, formats.dns_subdomain)
        prefix = metadata.get("generateName")
        if prefix:
            masked = f"{prefix[:-1]}a" if prefix.endswith("-") else prefix
            causes.each_invalid("metadata.generateName", prefix, names(masked))
        name = metadata.get("name")
        if not name:
            causes.required("metadata.name", "name or generateName is required")
        else:
            causes.each_invalid("metadata.name", name, names(name))
        for finalizer in metadata.get("finalizers", ()):
            causes.each_invalid("metadata.finalizers", finalizer, formats.label_key(finalizer))
    check_labels("metadata.labels", metadata.get("labels"), causes)
    check_annotations("metadata.annotations", metadata.get("annotations"), causes)
    references = metadata.get("ownerReferences")
    if references:
        _check_owners(references, causes)


def check_labels(path: str, labels: dict[str, str] | None, causes: Causes) -> None:
    """Check keys and values."""
    for key, value in (labels or {}).items():
        if wrong := formats.label_key(key):
            causes.each_invalid(path, key, wrong)
        if wrong := formats.label_value(value):
            causes.each_invalid(path, value, wrong)


def check_annotations(path: str, annotations: dict[str, str] | None, causes: Causes) -> None:
    """Check keys, and the size of all."""
    size = 0
    for key, value in (annotations or {}).items():
        causes.each_invalid(path, key, formats.label_key(key.lower()))
        size += len(key) + len(value) if value.isascii() else len(key.encode()) + len(value.encode())
    if size > MAX_ANNOTATIONS:
        causes.too_long(path, MAX_ANNOTATIONS)


def _check_owners(references: list[Object], causes: Causes) -> None:
    controller = ""
    for index, reference in enumerate(references):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not reference.get(field):
                causes.required(f"metadata.ownerReferences[{index}].{field}", "must not be empty")
        if reference.get("controller"):
            owner = f"{reference.get('kind')}/{reference.get('name')}"
            if controller:
                causes.invalid(
                    "metadata.ownerReferences",
                    references,
                    'Only one reference can have Controller set to true. Found "true" in references for '
                    f"{controller} and {owner}",
                )
            controller = owner


def check_selector(path: str, selector: Object, causes: Causes) -> None:
    """Check a label selector."""
    check_labels(f"{path}.matchLabels", selector.get("matchLabels"), causes)
    for index, term in enumerate(selector.get("matchExpressions", ())):
        where = f"{path}.matchExpressions[{index}]"
        operator, values = term["operator"], term.get("values", ())
        if operator in ("In", "NotIn"):
            if not values:
                causes.required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                causes.forbidden(
                    f"{where}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                )
        else:
            causes.invalid(f"{where}.operator", operator, "not a valid selector operator")
        causes.each_invalid(f"{where}.key", term["key"], formats.label_key(term["key"]))
        for position, value in enumerate(values):
            causes.each_invalid(f"{where}.values[{position}]", value, formats.label_value(value))


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector matches labels."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for term in selector.get("matchExpressions", ()):
        key, operator, values = term["key"], term["operator"], term.get("values", ())
        matches = key in labels and (operator in ("Exists", "NotIn") or labels[key] in values)
        if operator == "NotIn":
            matches = labels.get(key) not in values
        elif operator == "DoesNotExist":
            matches = key not in labels
        if not matches:
            return False
    return True
