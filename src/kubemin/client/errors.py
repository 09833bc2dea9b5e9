"""What goes wrong, by the server's codes (docs/api.md). A class each where a caller acts otherwise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubemin.client.replies import FieldError
    from kubemin.client.result import Result


class KubeminError(Exception):
    """Anything that this client raises: a sentence for a person, and what the server said with it.

    ``code`` is the server's, 0 where it said none; ``status`` is HTTP's, 0 where there was no answer; ``fields`` name
    what is wrong with the request; ``retry_after`` are the seconds after which to ask again, if the server said so.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int = 0,
        status: int = 0,
        fields: "Sequence[FieldError]" = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.fields = fields
        self.retry_after = retry_after


class Unavailable(KubeminError):
    """Not now: the same may be asked again, and whether it was done is not known."""


class ServerLost(Unavailable):
    """No server answers, or its answer is lost. ``sent``: the request may have reached it."""

    def __init__(self, message: str, *, sent: bool, status: int = 0) -> None:
        super().__init__(message, status=status)
        self.sent = sent


class Busy(Unavailable):
    """The server answers, and can do nothing just now: its database is away, or it has too much to do."""


class NotKubemin(KubeminError):
    """Something else answers at this address."""


class Refused(KubeminError):
    """The server answered, and did not do what was asked for."""


class Invalid(Refused):
    """The request is wrong as it is; ``fields`` say where."""


class Denied(Refused):
    """Whoever asks may not."""


class Unauthorized(Denied):
    """The server does not know who asks: no token is given, or it is wrong, revoked or expired."""


class TooMany(Unavailable):
    """Too many requests, or wrong tokens, in a short time: ``retry_after`` says when to ask again. Nothing was done."""


class NotFound(Refused):
    """There is no such application, revision, workflow or task."""


class Conflict(Refused):
    """It does not fit what is there now: look, and ask for something else."""


class TaskEnded(Conflict):
    """The task has ended already, and not as completed."""


class TaskActive(Conflict):
    """Another task of the application is active; ``fields`` name it."""


class PlanChanged(Conflict):
    """What was planned is not what would be run; ``fields`` say what has changed."""


class ServerFault(Refused):
    """The server could not do it, through no fault of the request."""


class ClusterUnreachable(ServerFault):
    """The server does not reach its cluster."""


class SignalFailed(ServerFault):
    """The cancel is recorded, and its worker finds it; only the signal that hastens it failed."""


class NotCompleted(KubeminError):
    """A task ended otherwise than completed; ``result`` says how."""

    def __init__(self, message: str, result: "Result") -> None:
        super().__init__(message)
        self.result = result


BY_CODE: dict[int, type[KubeminError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Denied,
    404: NotFound,
    405: Invalid,
    408: Busy,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    421: Invalid,
    429: TooMany,
    500: ServerFault,
    501: Invalid,
    503: Busy,
    507: ServerFault,
    10000: Invalid,
    10001: Invalid,
    10003: Conflict,
    10005: NotFound,
    10006: NotFound,
    10010: Invalid,
    10020: Invalid,
    10021: Invalid,
    10022: Invalid,
    10023: Invalid,
    10024: Invalid,
    10025: Invalid,
    10026: Invalid,
    10027: Invalid,
    10028: Invalid,
    20000: Invalid,
    20001: Conflict,
    20005: NotFound,
    20006: NotFound,
    20010: TaskEnded,
    20011: TaskActive,
    20012: SignalFailed,
    20013: PlanChanged,
    30001: ClusterUnreachable,
}
"""The class of each code of the server."""


def class_of(code: int, status: int) -> type[KubeminError]:
    """The class of a code; of one that a later server may have, by the HTTP status that came with it."""
    if code in BY_CODE:
        return BY_CODE[code]
    return BY_CODE.get(status, ServerFault if status >= 500 else Invalid)
