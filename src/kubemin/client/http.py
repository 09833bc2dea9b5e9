"""Requests over the standard library's HTTP: other libraries take a command's whole start."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, TypeVar, cast

from kubemin.client.address import Address, authorization
from kubemin.client.credential import Credential
from kubemin.client.errors import KubeminError, NotKubemin, ServerLost, Unauthorized
from kubemin.client.sse import Frames
from kubemin.client.steps import CONNECT_SECONDS, SILENCE_SECONDS, Answer, Call, Listening
from kubemin.client.tracing import tracing

T = TypeVar("T")

PIECE = 65536


class Http:
    """One server. Each request has a connection of its own, which no server can have closed before it."""

    def __init__(
        self, address: Address, credential: Credential, seconds: float, traceparent: str | None = None
    ) -> None:
        """``credential`` is shown with every request; ``seconds``: how long an answer may take."""
        self._address = address
        self._credential = credential
        self._seconds = seconds
        self._traceparent = traceparent

    def ask(self, call: Call[T]) -> T:
        """The data of one reply. Raises `KubeminError`."""
        return self._shown(lambda token: self._ask(call, token))

    def listen(self, stream: Listening[Any]) -> "Heard | None":
        """The stream, open; None where that broke off. Raises `KubeminError`."""
        return self._shown(lambda token: self._listen(stream, token))

    def _shown(self, ask: Callable[[str | None], T]) -> T:
        """Ask with a token; where the server does not know that, and so did nothing, once more with another one."""
        token = self._credential.token()
        try:
            return ask(token)
        except Unauthorized:
            if (other := self._credential.another(token)) is None:
                raise
        return ask(other)

    def _ask(self, call: Call[T], token: str | None) -> T:
        with closing(self._connect(min(CONNECT_SECONDS, self._seconds))) as connection:
            try:
                headers, content = {**authorization(token), **call.sent_headers()}, call.content()
                with self._send(connection, call.method, call, content, headers, self._seconds) as response:
                    answer = _answer(response, response.read())
            except (HTTPException, OSError, ValueError) as error:
                raise self._broken(error) from error
        return cast("T", call.read(answer, self._address.server))

    def _listen(self, stream: Listening[Any], token: str | None) -> "Heard | None":
        try:
            connection = self._connect(CONNECT_SECONDS)
        except ServerLost:
            return None
        with ExitStack() as opened:
            opened.callback(connection.close)
            try:
                headers = {**authorization(token), **stream.headers}
                response = opened.enter_context(self._send(connection, "GET", stream, None, headers, SILENCE_SECONDS))
                head = _answer(response, b"" if response.status == 200 else response.read())
            except (HTTPException, OSError):
                return None
            stream.check(head, self._address.server)
            return Heard(self._address.server, stream, response, opened.pop_all())

    def _connect(self, seconds: float) -> HTTPConnection:
        kind = HTTPSConnection if self._address.secure else HTTPConnection
        connection = kind(self._address.host, self._address.port, timeout=seconds)
        try:
            connection.connect()
        except OSError as error:
            raise ServerLost(f"no server answers at {self._address.server}", sent=False) from error
        except ValueError as error:  # a name that no host can have
            raise self._broken(error) from error
        return connection

    def _send(
        self,
        connection: HTTPConnection,
        method: str,
        what: Call[Any] | Listening[Any],
        content: bytes | None,
        headers: Mapping[str, str],
        seconds: float,
    ) -> HTTPResponse:
        """Send a request; the head of its answer. Raises what `http.client` does."""
        connection.sock.settimeout(seconds)
        target = self._address.target(what.path, what.params)
        connection.request(method, target, content, {**tracing(self._traceparent), **headers})
        return connection.getresponse()

    def _broken(self, error: Exception) -> KubeminError:
        if isinstance(error, TimeoutError):
            return ServerLost(f"{self._address.server} did not answer in time", sent=True)
        if isinstance(error, ValueError):
            return NotKubemin(f"the exchange with {self._address.server} failed: {error}")
        return ServerLost(f"the exchange with {self._address.server} failed: {error}", sent=True)


class Heard:
    """A stream that is open."""

    def __init__(self, server: str, stream: Listening[Any], response: HTTPResponse, opened: ExitStack) -> None:
        self.stream = stream
        self._server = server
        self._opened = opened
        self._events = _events(response, numbered=stream.numbered)

    def next(self) -> dict[str, Any] | None:
        """The next event; None once it has ended or broken off. Raises `NotKubemin`."""
        try:
            return next(self._events, None)
        except (HTTPException, OSError):
            return None
        except ValueError as error:
            raise NotKubemin(f"what answers at {self._server} is not KubeMin: {error}") from error

    def close(self) -> None:
        """Close it."""
        self._opened.close()


def _events(response: HTTPResponse, *, numbered: bool) -> Iterator[dict[str, Any]]:
    frames = Frames()
    while piece := response.read1(PIECE):
        for frame in frames.feed(piece):
            yield frame.read(numbered=numbered)


def _answer(response: HTTPResponse, body: bytes) -> Answer:
    headers = response.headers
    return Answer(response.status, headers.get_content_type(), headers.get("Retry-After"), body)
