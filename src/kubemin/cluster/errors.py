"""The errors of requests to the API server. No other exception leaves this room."""

from collections.abc import Mapping
from typing import Any, ClassVar


class ClusterError(Exception):
    """A request that failed. ``message`` is a sentence that names kind, namespace and object.

    ``status`` is the HTTP status (None without an answer), ``reason`` the machine-readable word of the API server's
    ``Status`` object, ``causes`` its list of ``{reason, message, field}``, ``about`` the object that it names
    (``roles/reader``), which need not be the one that was asked for, ``retry_after`` the seconds it asks us to wait,
    where it does.
    """

    retryable: ClassVar[bool] = False
    """The same request may well succeed later."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        reason: str = "",
        causes: tuple[Mapping[str, Any], ...] = (),
        about: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason
        self.causes = causes
        self.about = about
        self.retry_after = retry_after


class Misconfigured(ClusterError):
    """No usable kubeconfig, context or credentials. Nothing was sent."""


class Unreachable(ClusterError):
    """The request was not sent: no connection (address, DNS, TLS, proxy) within the timeout."""

    retryable = True


class Unanswered(ClusterError):
    """A write was sent, and its outcome is unknown: broken connection, timeout, or a 5xx."""

    retryable = True


class ServerError(ClusterError):
    """A read that got a 5xx, or no complete answer."""

    retryable = True


class NotFound(ClusterError):
    """404: the object, its namespace or its kind is not there."""


class VersionNotServed(NotFound):
    """The kind is served, and not in the version that was asked for: its objects may be there."""


class Conflict(ClusterError):
    """409: a precondition (uid, resourceVersion) is not met, or another manager owns a field."""


class AlreadyExists(ClusterError):
    """409 to a POST: an object of that name is there."""


class Terminating(ClusterError):
    """409 to a POST: an object of that name is there and is being deleted."""

    retryable = True


class Forbidden(ClusterError):
    """403: not permitted by RBAC, by quota or by admission."""


class CallerForbidden(Forbidden):
    """403 to a request that was sent as whoever asked for it: they may not."""


class NotImpersonated(Forbidden):
    """403: KubeMin's own account may not act as whoever asked. Nothing was done."""


class NamespaceTerminating(Forbidden):
    """403 to a POST: the namespace is being deleted."""


class Unauthorized(ClusterError):
    """401: the credentials are refused, also after they were read again. Only a person can help."""


class Invalid(ClusterError):
    """The request itself is refused: 422, 400 and the other 4xx, or names that cannot be put into a URL."""


class Unfit(Invalid):
    """500 or 400 to an apply: what is sent, or is there, does not fit the schema of its kind. Nothing was done."""


class LostVersion(Unfit):
    """500 to an apply: managedFields of the object name a version that its kind has no more. Nothing was done."""


class Throttled(ClusterError):
    """429: not done; to be sent again after ``retry_after`` seconds."""

    retryable = True


class Expired(ClusterError):
    """410: the resourceVersion or continue token is too old; list again."""

    retryable = True


class Closed(ClusterError):
    """The watches were closed while something waited on them, because the process is ending."""
