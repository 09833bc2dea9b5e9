"""What the core asks of a driver. It does no input or output itself: a flow is a generator of these steps.

A driver takes a step, does it, and sends in what came of it, or throws in the `KubeminError` that did.
"""

import json
from collections.abc import Generator, Mapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from kubemin.client.errors import KubeminError, NotKubemin, ServerLost, class_of

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 30.0
"""After so long without an event or a heartbeat a stream has broken off."""

_LATER = (502, 503, 504)
"""A proxy's statuses, whose server is away."""
_TEXTS = ("text/plain", "application/x-ndjson")


class Answer(NamedTuple):
    """What came back: ``kind`` is the type of its content, ``retry_after`` the header of that name."""

    status: int
    kind: str
    retry_after: str | None
    body: bytes


class Call(Generic[T]):
    """One request, whose reply's data is a ``T``. ``path`` is below the server's address; a body is sent as JSON."""

    def __init__(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        as_text: bool = False,
    ) -> None:
        """A parameter that is None is left out; with ``as_text`` the reply is no envelope but text."""
        self.method = method
        self.path = path
        self.params = params or {}
        self.body = body
        self.headers = headers or {}
        self.as_text = as_text

    def __iter__(self) -> "Generator[Step, Any, T]":
        """As a flow of one step."""
        data: T = yield self
        return data

    def sent_headers(self) -> dict[str, str]:
        """Its own headers, and that of its body."""
        return {**self.headers, **({} if self.body is None else {"Content-Type": "application/json"})}

    def content(self) -> bytes | None:
        """The body as it is sent."""
        return None if self.body is None else json.dumps(self.body).encode()

    def read(self, answer: Answer, server: str) -> Any:
        """The data of the reply. Raises `KubeminError`."""
        if self.as_text and answer.status == 200 and answer.kind in _TEXTS:
            return answer.body.decode("utf-8", "replace")
        return data_of(answer, server)


class Listening(Generic[T]):
    """An event stream that is open while its events are asked for; ``numbered``: each event has an id.

    ``after`` is the last event that is known.
    """

    def __init__(
        self, path: str, params: Mapping[str, Any] | None = None, *, after: int = 0, numbered: bool = True
    ) -> None:
        self.path = path
        self.params = params or {}
        self.after = after
        self.numbered = numbered

    @property
    def headers(self) -> dict[str, str]:
        """What the request has beside those of every one."""
        return {"Accept": "text/event-stream", **({"Last-Event-ID": str(self.after)} if self.numbered else {})}

    def check(self, answer: Answer, server: str) -> None:
        """Raise where the head of the answer is not that of a stream; ``answer`` then has its body."""
        if answer.status != 200:
            data_of(answer, server)
        if answer.kind != "text/event-stream":
            raise NotKubemin(f"what answers at {server} is not KubeMin: it answers with {answer.kind}")


class Hear(NamedTuple):
    """The next event of the stream, which is opened if it is not; None once it has ended or broken off."""

    stream: Listening[Any]


class Sleep(NamedTuple):
    """Wait so many seconds."""

    seconds: float


class Give(NamedTuple):
    """Hand this to whoever iterates."""

    news: Any


Step = Call[Any] | Hear | Sleep | Give


class Flow(Protocol[T_co]):
    """Steps whose outcome is a ``T``: a call, or a generator of several."""

    def __iter__(self) -> Generator[Step, Any, T_co]:
        """Begin."""
        ...


def data_of(answer: Answer, server: str) -> Any:
    """The data of an envelope. Raises `KubeminError` by its code."""
    status = answer.status
    try:
        envelope = json.loads(answer.body)
        code, message = envelope["code"], envelope["message"]
        if code == 0:
            return envelope["data"]
    except (ValueError, KeyError, TypeError) as error:
        if status in _LATER:
            raise ServerLost(f"the server at {server} is away (HTTP {status})", sent=True, status=status) from error
        raise NotKubemin(f"what answers at {server} is not KubeMin (HTTP {status})", status=status) from error
    raise _error(code, message, envelope.get("errors") or (), answer)


def _error(code: int, message: str, fields: Any, answer: Answer) -> KubeminError:
    later = answer.retry_after
    seconds = float(later) if later is not None and later.isdecimal() else None
    kind = class_of(code, answer.status)
    return kind(message, code=code, status=answer.status, fields=fields, retry_after=seconds)
