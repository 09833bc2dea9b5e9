"""The errors of a Kubernetes API server: a status code and a ``Status`` body."""

from collections.abc import Sequence
from typing import Any

from kubesim.resources import Resource


class Problem(Exception):
    """A request that the API server refuses. ``body()`` is the ``Status`` object that goes on the wire."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        causes: Sequence[dict[str, str]] = (),
        list_meta: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.list_meta = list_meta or {}
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
        if causes:
            self.details["causes"] = list(causes)

    def body(self) -> dict[str, Any]:
        """The ``Status`` object."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.list_meta,
            "status": "Failure",
            "message": self.message,
            **({"reason": self.reason} if self.reason else {}),
            **({"details": self.details} if self.details else {}),
            "code": self.code,
        }


def _details(resource: Resource, name: str) -> dict[str, Any]:
    details = {"name": name, "group": resource.group, "kind": resource.plural}
    return {key: value for key, value in details.items() if value}


def not_found(resource: Resource, name: str) -> Problem:
    """404: no such object."""
    return Problem(404, "NotFound", f'{resource.qualified} "{name}" not found', details=_details(resource, name))


def already_exists(resource: Resource, name: str, *, terminating: bool = False) -> Problem:
    """409 to a POST: the name is taken, perhaps by an object that is on its way out."""
    prefix = "object is being deleted: " if terminating else ""
    message = f'{prefix}{resource.qualified} "{name}" already exists'
    return Problem(409, "AlreadyExists", message, details=_details(resource, name))


def conflict(resource: Resource, name: str, why: str) -> Problem:
    """409: the object is not the one, or not in the state, that the request was meant for."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return Problem(409, "Conflict", message, details=_details(resource, name))


def modified(resource: Resource, name: str) -> Problem:
    """409: the resourceVersion is not the current one."""
    return conflict(
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version and try again",
    )


def precondition_failed(resource: Resource, key: tuple[str, str], what: str, wanted: str, found: str) -> Problem:
    """409: a UID in the body of a PUT, or a precondition, names another object."""
    path = "/".join(part for part in ("/registry", resource.plural, *key) if part)
    return conflict(
        resource,
        key[1],
        f"StorageError: invalid object, Code: 4, Key: {path}, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}",
    )


def forbidden(resource: Resource, name: str, why: str, *, causes: Sequence[dict[str, str]] = ()) -> Problem:
    """403 by admission."""
    subject = f'{resource.qualified} "{name}"' if name else resource.qualified
    message = f"{subject} is forbidden: {why}"
    return Problem(403, "Forbidden", message, details=_details(resource, name), causes=causes)


def bad_request(message: str) -> Problem:
    """400: the request makes no sense."""
    return Problem(400, "BadRequest", message)


def invalid(group: str, kind: str, name: str, *causes: tuple[str, str, str]) -> Problem:
    """422. A cause is (field, reason, message), where the reason is ``FieldValueInvalid`` and the like."""
    lines = [f"{field}: {message}" for field, _, message in causes]
    text = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    qualified = f"{kind}.{group}" if group else kind
    details = {key: value for key, value in {"name": name, "group": group, "kind": kind}.items() if value}
    return Problem(
        422,
        "Invalid",
        f'{qualified} "{name}" is invalid: {text}',
        details=details,
        causes=[{"reason": reason, "message": message, "field": field} for field, reason, message in causes],
    )


def bad_option(kind: str, field: str, reason: str, message: str) -> Problem:
    """422 for an option of a request: ``kind`` is ``PatchOptions`` and the like."""
    return invalid("meta.k8s.io", kind, "", (field, reason, message))


def expired(message: str, *, list_meta: dict[str, str] | None = None) -> Problem:
    """410: what is asked for is no longer in the log."""
    return Problem(410, "Expired", message, list_meta=list_meta)
