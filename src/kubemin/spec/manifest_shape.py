"""What a Kubernetes object needs to be one: kind, version, name, and labels and annotations of texts."""

from collections.abc import Iterator, Mapping
from typing import Any

from kubemin.spec import names
from kubemin.spec.issues import Issue, IssueCode


def is_object(one: Any) -> bool:
    """Whether it lacks nothing."""
    return no_object(one, "", "") is None


def no_object(one: Any, what: str, path: str) -> Issue | None:
    """What it lacks to be an object: kind, version, name; None where it lacks nothing."""
    return next(check_shape(one, what, path), None)


def check_shape(one: Any, what: str, path: str) -> Iterator[Issue]:
    """All that it lacks."""
    if not isinstance(one, dict):
        yield Issue(path, IssueCode.INVALID_FIELD_VALUE, f"{what}: {path} is not a Kubernetes object.")
        return
    for field in ("apiVersion", "kind"):
        if not isinstance(one.get(field), str) or not one[field]:
            yield Issue(f"{path}.{field}", IssueCode.MISSING_REQUIRED_FIELD, f"{what}: {path} has no {field}.")
    meta = one.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    if not isinstance(name, str) or not name:
        why = "has no name"
        if isinstance(meta, dict) and meta.get("generateName"):
            why = "has a generateName: give it a name, so that it is the same object each time"
        yield Issue(f"{path}.metadata.name", IssueCode.MISSING_REQUIRED_FIELD, f"{what}: {path} {why}.")
    if isinstance(meta, dict):
        yield from _check_metadata(meta, what, path)


def _check_metadata(meta: Mapping[str, Any], what: str, path: str) -> Iterator[Issue]:
    for field in ("labels", "annotations"):
        values = meta.get(field)
        if values is not None and not (
            isinstance(values, dict) and all(isinstance(value, str) for value in values.values())
        ):
            message = f"{what}: {path}.metadata.{field} must be texts by name: write numbers and booleans in quotes."
            yield Issue(f"{path}.metadata.{field}", IssueCode.INVALID_FIELD_VALUE, message)
    namespace = meta.get("namespace")
    if namespace not in (None, "") and not (isinstance(namespace, str) and names.is_label(namespace)):
        message = f"{what}: {path}.metadata.namespace cannot name a namespace."
        yield Issue(f"{path}.metadata.namespace", IssueCode.INVALID_NAME_FORMAT, message)
