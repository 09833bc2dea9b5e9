"""What an answer of the API server means: the object, or which error of ours."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubemin.cluster import errors
from kubemin.cluster.requests import Request

_DEFINITE: Mapping[int, type[errors.ClusterError]] = {
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Expired,
    429: errors.Throttled,
}
_MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """Status, headers (names in lower case) and body of a complete answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; ValueError when it is something else."""
        return json.loads(self.body)


def object_in(request: Request, response: ApiResponse) -> dict[str, Any]:
    """The JSON object of an answer; a ClusterError for a refusal, or for a body that is no JSON object."""
    if not 200 <= response.status < 300:
        raise error_for(request, response.status, response.headers, response.body)
    try:
        found = response.json()
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    # Some other server (a captive portal, a proxy) said "fine": whether the API server saw the request is unknown.
    kind = errors.Unanswered if request.is_write else errors.ServerError
    raise kind(f"{describe(request)}: the answer is not JSON: {_text(response.body)!r}.", status=response.status)


def error_for(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> errors.ClusterError:
    """The error that an answer with a status outside 2xx means."""
    found = _status_object(body)
    details = found.get("details") or {}
    causes = tuple(cause for cause in details.get("causes") or () if isinstance(cause, dict))
    reason = str(found.get("reason") or "")
    message = str(found.get("message") or _text(body) or "no message")
    after = _seconds(headers.get("retry-after")) or _seconds(details.get("retryAfterSeconds"))
    kind = _error_type(request, status, reason, message, causes)
    if kind is errors.Throttled and after is None:
        after = 1.0
    return kind(
        f"{describe(request)}: {message.rstrip('.')} ({status}{f' {reason}' if reason else ''}).",
        status=status,
        reason=reason,
        causes=causes,
        about=f"{details.get('kind', '')}/{details.get('name', '')}" if details else "",
        retry_after=after,
    )


def describe(request: Request) -> str:
    """``Cannot create Deployment/shop/web``: how every error message begins."""
    return f"Cannot {request.verb} {request.subject}"


def _error_type(
    request: Request, status: int, reason: str, message: str, causes: tuple[Mapping[str, Any], ...]
) -> type[errors.ClusterError]:
    if status >= 500:
        return errors.Unanswered if request.is_write else errors.ServerError
    if status == 403 and any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        return errors.NamespaceTerminating
    if status == 409 and request.method == "POST":
        # The API server says AlreadyExists for both; only the sentence tells a terminating object apart.
        if "object is being deleted" in message:
            return errors.Terminating
        if reason == "AlreadyExists":
            return errors.AlreadyExists
    if status in _DEFINITE:
        return _DEFINITE[status]
    return errors.Invalid if 400 <= status < 500 else errors.ClusterError


def _status_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("kind") == "Status" else {}


def _text(body: bytes) -> str:
    return " ".join(body[: 4 * _MAX_TEXT].decode("utf-8", "replace").split())[:_MAX_TEXT]


def _seconds(value: object) -> float | None:
    """Seconds of a Retry-After; None for an absent one, for zero and for the HTTP-date form."""
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    return seconds if 0 < seconds < 1e9 else None
