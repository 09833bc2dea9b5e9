"""Turns a response of the API server into an object, or into a `ClusterError`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from kubemin.cluster import errors
from kubemin.cluster.requests import APPLY_PATCH, Request

_DEFINITE: Mapping[int, type[errors.ClusterError]] = {
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Expired,
    429: errors.Throttled,
}
_MAX_TEXT = 500
_UNFIT = re.compile("failed to create typed (patch|live) object ")
"""Of an apply that does not fit its kind: answered with 500 (later versions: 400), and nothing was done (trap 46)."""
_LOST_VERSION = "request to convert CR to an invalid group/version: "
"""The same of an object whose definition has lost a version (trap 51)."""
_CANNOT_IMPERSONATE = re.compile(r'forbidden: User "[^"]*" cannot impersonate(-on)?(:\S+)? (resource|path) "')
"""Only the text tells it: the right that is missing is KubeMin's, and not that of whom it acts as."""
_HOW_TO_IMPERSONATE = (
    "KubeMin may not act here as whoever asked, for its own account lacks the right to impersonate "
    "(deploy/impersonation.yaml, or rights.impersonation of the chart): "
)


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A complete response: status, headers (names in lower case) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises ValueError if it is something else."""
        return orjson.loads(self.body)


def object_in(request: Request, response: ApiResponse) -> dict[str, Any]:
    """The JSON object in a response. Raises a ClusterError for a refusal, or if the body is no JSON object."""
    if not 200 <= response.status < 300:
        raise error_for(request, response.status, response.headers, response.body)
    try:
        found = response.json()
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    # Something in between (a proxy, a captive portal) answered with 2xx: the API server may or may not have the
    # request.
    kind = errors.Unanswered if request.is_write else errors.ServerError
    raise kind(f"{describe(request)}: the answer is not JSON: {_text(response.body)!r}.", status=response.status)


def error_for(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> errors.ClusterError:
    """The error for a response with a status outside 2xx."""
    found = _status_object(body)
    details = found.get("details") or {}
    causes = tuple(cause for cause in details.get("causes") or () if isinstance(cause, dict))
    reason = str(found.get("reason") or "")
    message = str(found.get("message") or _text(body) or "no message")
    after = _seconds(headers.get("retry-after")) or _seconds(details.get("retryAfterSeconds"))
    kind = _error_type(request, status, reason, message, causes)
    if kind is errors.Throttled and after is None:
        after = 1.0
    advice = _HOW_TO_IMPERSONATE if kind is errors.NotImpersonated else ""
    return kind(
        f"{describe(request)}: {advice}{message.rstrip('.')} ({status}{f' {reason}' if reason else ''}).",
        status=status,
        reason=reason,
        causes=causes,
        about=f"{details.get('kind', '')}/{details.get('name', '')}" if details else "",
        retry_after=after,
    )


def describe(request: Request) -> str:
    """The beginning of every error message: ``Cannot create Deployment/shop/web``."""
    return f"Cannot {request.verb} {request.subject}"


def _error_type(
    request: Request, status: int, reason: str, message: str, causes: tuple[Mapping[str, Any], ...]
) -> type[errors.ClusterError]:
    if status in (400, 500) and request.content_type == APPLY_PATCH:
        if _LOST_VERSION in message:
            return errors.LostVersion
        if _UNFIT.match(message):
            return errors.Unfit
    if status >= 500:
        return errors.Unanswered if request.is_write else errors.ServerError
    if status == 403 and any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        return errors.NamespaceTerminating
    if status == 403 and request.acting_as is not None:
        return errors.NotImpersonated if _CANNOT_IMPERSONATE.search(message) else errors.CallerForbidden
    if status == 409 and request.method == "POST":
        # The reason is AlreadyExists in both cases; only the message shows that the object is being deleted.
        if "object is being deleted" in message:
            return errors.Terminating
        if reason == "AlreadyExists":
            return errors.AlreadyExists
    if status in _DEFINITE:
        return _DEFINITE[status]
    return errors.Invalid if 400 <= status < 500 else errors.ClusterError


def _status_object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("kind") == "Status" else {}


def _text(body: bytes) -> str:
    return " ".join(body[: 4 * _MAX_TEXT].decode("utf-8", "replace").split())[:_MAX_TEXT]


def _seconds(value: object) -> float | None:
    """The seconds of a Retry-After; None if it is absent, zero, or an HTTP date."""
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    return seconds if 0 < seconds < 1e9 else None
