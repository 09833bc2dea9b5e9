"""The API over HTTP, as the commands use it. The standard library's client: others take a command's whole start."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.output import Output
from kubemin.cli.sse import ServerSentEvent, server_sent_events

if TYPE_CHECKING:
    from kubemin.spec.events import Event

PREFIX = "/api/v1"
_TASK_NOT_FOUND = 20006
_FOUND = 200
_UNAVAILABLE = 503
_HINT = "; start one with `kubemin dev`, or name it with --server"
_LATER = (502, 503, 504)
_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 60
_SILENCE_SECONDS = 30
"""After so long without an event or a heartbeat a stream has broken off."""


class NoAnswer(CliError):
    """No server answers, or not now: what was asked for may be asked for again."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why + hint, Exit.LOST)
        self.why = why


class Refused(CliError):
    """The server answered with an error of its own; ``business_code`` says which, ``errors`` name the fields."""

    def __init__(self, message: str, business_code: int, errors: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.business_code = business_code
        self.errors = errors

    def to_json(self) -> dict[str, Any]:
        """With what the server said."""
        more = {"errors": self.errors} if self.errors else {}
        return {**super().to_json(), "code": self.business_code, **more}


class Client(AbstractContextManager["Client"]):
    """One server. Every method raises :class:`CliError` with a sentence when it does not get what it asks for."""

    def __init__(self, server: str, token: str | None, *, seconds: float = _ANSWER_SECONDS) -> None:
        """``seconds``: how long it waits for an answer."""
        self.server = server.rstrip("/")
        self._seconds = seconds
        self._token = token
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if not server.startswith(("http://", "https://")):
            raise CliError(f"{server!r} is not the address of a server: it begins with http:// or https://", Exit.USAGE)
        try:
            address = urlsplit(self.server)
            self._host, self._port = address.hostname or "", address.port
        except ValueError as error:
            raise CliError(f"{server!r} is not the address of a server: {error}", Exit.USAGE) from error
        if not self._host:
            raise CliError(f"{server!r} is not the address of a server: it names none", Exit.USAGE)
        self._connection = HTTPSConnection if address.scheme == "https" else HTTPConnection
        self._path = quote(address.path, safe="/%") + PREFIX

    def __exit__(self, *_: object) -> None:
        """Nothing stays open: each request has a connection of its own, which no server can have closed before it."""

    def get(self, path: str, **params: Any) -> Any:
        """The data of a GET below the prefix; parameters that are None are left out."""
        return self._ask("GET", path, params=_given(params))

    def text(self, path: str, **params: Any) -> str:
        """The text that a GET below the prefix answers with; parameters that are None are left out."""
        return str(self._ask("GET", path, params=_given(params), as_text=True))

    def post(self, path: str, body: Any = None) -> Any:
        """The data of a POST below the prefix."""
        return self._ask("POST", path, body=body)

    def delete(self, path: str, **params: Any) -> Any:
        """The data of a DELETE below the prefix."""
        return self._ask("DELETE", path, params=params)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        as_text: bool = False,
    ) -> Any:
        timeout = min(_CONNECT_SECONDS, self._seconds)
        with closing(self._connection(self._host, self._port, timeout=timeout)) as connection:
            try:
                connection.connect()
            except OSError as error:
                raise NoAnswer(f"no server answers at {self.server}", _HINT) from error
            except ValueError as error:  # a name that no host can have
                raise self._broken(error) from error
            try:
                response = self._send(connection, method, path, params=params, body=body)
                status, answer = response.status, response.read()
                if as_text and response.headers.get_content_type() == "text/plain" and status == _FOUND:
                    return answer.decode("utf-8", "replace")
            except (HTTPException, OSError, ValueError) as error:
                raise self._broken(error) from error
        return self._data(status, answer)

    def _send(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> HTTPResponse:
        """Send a request on the open connection; the head of its answer. Raises what `http.client` does."""
        connection.sock.settimeout(seconds or self._seconds)
        query = urlencode({name: _written(value) for name, value in (params or {}).items()}, doseq=True)
        sent = {**self._headers, **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        target = self._path + quote(path) + (f"?{query}" if query else "")
        connection.request(method, target, None if body is None else json.dumps(body).encode(), sent)
        return connection.getresponse()

    def _data(self, status: int, text: bytes) -> Any:
        try:
            envelope = json.loads(text)
            code, message = envelope["code"], envelope["message"]
        except (ValueError, KeyError, TypeError) as error:
            if status in _LATER:  # a proxy's, whose server is away
                raise NoAnswer(f"the server at {self.server} is away (HTTP {status})") from error
            raise CliError(f"what answers at {self.server} is not KubeMin (HTTP {status})") from error
        if code == _UNAVAILABLE:
            raise NoAnswer(message)
        if code != 0:
            hint = " `kubemin tasks` lists them." if code == _TASK_NOT_FOUND else ""
            raise Refused(message + hint, code, envelope.get("errors") or ())
        return envelope["data"]

    def patient(self, seconds: float) -> "Client":
        """The same server, asked with so many seconds for each answer."""
        return Client(self.server, self._token, seconds=seconds)

    def events(self, task_id: str, after: int = 0) -> "Iterator[tuple[int, Event | None]]":
        """The events of a task, each after its id, until the server ends the stream or the connection breaks.

        One that this version cannot read is None: the server may be of a later one.
        """
        from kubemin.spec.events import read_event

        for event in self.stream(f"/workflow/tasks/{task_id}/events", after):
            try:
                yield int(event.id), read_event(event.type, json.loads(event.data))
            except ValueError as error:
                raise self._strange(error) from error

    def stream(self, path: str, after: int = 0, **params: Any) -> Iterator[ServerSentEvent]:
        """Server-sent events, after that id.

        A connection that breaks is the caller's to open again, after the last id: the iterator just ends.
        """
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
        with closing(self._connection(self._host, self._port, timeout=_CONNECT_SECONDS)) as connection:
            try:
                connection.connect()
                response = self._send(
                    connection, "GET", path, params=_given(params), headers=headers, seconds=_SILENCE_SECONDS
                )
                if response.status != _FOUND:
                    self._data(response.status, response.read())
                if (kind := response.headers.get_content_type()) != "text/event-stream":
                    raise ValueError(f"it answers with {kind}")
                yield from server_sent_events(response)
            except (HTTPException, OSError):
                return
            except ValueError as error:
                raise self._strange(error) from error

    def _strange(self, error: ValueError) -> CliError:
        return CliError(f"what answers at {self.server} is not KubeMin: {error}")

    def _broken(self, error: Exception) -> CliError:
        if isinstance(error, TimeoutError):
            return NoAnswer(f"{self.server} did not answer in time")
        if isinstance(error, ValueError):
            return CliError(f"the exchange with {self.server} failed: {error}")
        return NoAnswer(f"the exchange with {self.server} failed: {error}")


@dataclass(frozen=True)
class Connection:
    """The server that a command asks, and how the command answers."""

    server: str
    token: str | None
    output: Output = field(default_factory=Output)

    def client(self) -> Client:
        """To ask the server. Raises :class:`CliError`."""
        return Client(self.server, self.token)


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _written(value: Any) -> Any:
    """A value as a query has it."""
    return str(value).lower() if isinstance(value, bool) else value
