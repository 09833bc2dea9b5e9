"""The API over HTTP, as the commands use it."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx
from httpx_sse import EventSource, SSEError

from kubemin.cli.exits import CliError, Exit

if TYPE_CHECKING:
    from kubemin.spec.events import Event

PREFIX = "/api/v1"
_TASK_NOT_FOUND = 20006


class Refused(CliError):
    """The server answered with an error of its own; ``business_code`` says which."""

    def __init__(self, message: str, business_code: int) -> None:
        super().__init__(message)
        self.business_code = business_code


class Client(AbstractContextManager["Client"]):
    """One server. Every method raises :class:`CliError` with a sentence when it does not get what it asks for."""

    def __init__(self, server: str, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.server = server.rstrip("/")
        if not server.startswith(("http://", "https://")):
            raise CliError(f"{server!r} is not the address of a server: it begins with http:// or https://", Exit.USAGE)
        try:
            self._http = httpx.Client(
                base_url=self.server, headers=headers, timeout=httpx.Timeout(60, connect=5), trust_env=False
            )
        except (httpx.InvalidURL, UnicodeError) as error:
            raise CliError(f"{server!r} is not the address of a server: {error}", Exit.USAGE) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def get(self, path: str, **params: Any) -> Any:
        """The data of a GET below the prefix; parameters that are None are left out."""
        return self._data(self._send("GET", path, params={k: v for k, v in params.items() if v is not None}))

    def post(self, path: str, body: Any = None) -> Any:
        """The data of a POST below the prefix."""
        return self._data(self._send("POST", path, **({} if body is None else {"json": body})))

    def delete(self, path: str, **params: Any) -> Any:
        """The data of a DELETE below the prefix."""
        return self._data(self._send("DELETE", path, params=params))

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._http.request(method, PREFIX + path, **options)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise self._unanswered(error) from error

    def _data(self, response: httpx.Response) -> Any:
        try:
            envelope = response.json()
            code, message = envelope["code"], envelope["message"]
        except (ValueError, KeyError, TypeError) as error:
            raise CliError(f"what answers at {self.server} is not KubeMin (HTTP {response.status_code})") from error
        if code != 0:
            raise Refused(f"{message} `kubemin tasks` lists them." if code == _TASK_NOT_FOUND else message, code)
        return envelope["data"]

    def events(self, task_id: str, after: int = 0) -> "Iterator[tuple[int, Event | None]]":
        """The events of a task, each after its id, until the server ends the stream.

        One that this version cannot read is None: the server may be of a later one. A connection that breaks is the
        caller's to open again, after the last id: the iterator just ends.
        """
        from kubemin.spec.events import read_event

        path = f"{PREFIX}/workflow/tasks/{task_id}/events"
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
        try:
            with self._http.stream("GET", path, headers=headers, timeout=httpx.Timeout(30, connect=5)) as response:
                if response.status_code != httpx.codes.OK:
                    response.read()
                    self._data(response)
                for event in EventSource(response).iter_sse():
                    if event.data:
                        yield int(event.id), read_event(event.event, json.loads(event.data))
        except (SSEError, ValueError) as error:
            raise CliError(f"what answers at {self.server} is not KubeMin: {error}") from error
        except httpx.TransportError:
            return

    def _unanswered(self, error: Exception) -> CliError:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return CliError(
                f"no server answers at {self.server}; start one with `kubemin dev`, or name it with --server"
            )
        if isinstance(error, httpx.TimeoutException):
            return CliError(f"{self.server} did not answer in time")
        return CliError(f"the exchange with {self.server} failed: {error}")
