"""Requests over aiohttp."""

from collections import deque
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    InvalidURL,
    TCPConnector,
)
from yarl import URL

from kubemin.client.address import Address
from kubemin.client.errors import KubeminError, NotKubemin, ServerLost
from kubemin.client.sse import Frames
from kubemin.client.steps import CONNECT_SECONDS, SILENCE_SECONDS, Answer, Call, Listening
from kubemin.client.tracing import tracing

T = TypeVar("T")


class Http:
    """One server. Each request has a connection of its own, which no server can have closed before it."""

    def __init__(
        self, address: Address, headers: Mapping[str, str], seconds: float, traceparent: str | None = None
    ) -> None:
        """``headers`` are those of every request; ``seconds``: how long an answer may take."""
        self._address = address
        self._headers = headers
        self._seconds = seconds
        self._traceparent = traceparent
        self._session: ClientSession | None = None

    async def ask(self, call: Call[T]) -> T:
        """The data of one reply. Raises `KubeminError`."""
        try:
            response = await self._send(call.method, call, call.content(), call.sent_headers(), self._seconds)
            async with response:
                answer = _answer(response, await response.read())
        except (ClientError, OSError, ValueError) as error:
            raise self._broken(error) from error
        return cast("T", call.read(answer, self._address.server))

    async def listen(self, stream: Listening[Any]) -> "Heard | None":
        """The stream, open; None where that broke off. Raises `KubeminError`."""
        try:
            response = await self._send("GET", stream, None, stream.headers, SILENCE_SECONDS)
        except (ClientError, OSError):
            return None
        try:
            stream.check(
                _answer(response, b"" if response.status == 200 else await response.read()), self._address.server
            )
        except (ClientError, OSError):
            response.close()
            return None
        except BaseException:
            response.close()
            raise
        return Heard(self._address.server, stream, response)

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _send(
        self,
        method: str,
        what: Call[Any] | Listening[Any],
        content: bytes | None,
        headers: Mapping[str, str],
        seconds: float,
    ) -> ClientResponse:
        """Send a request; its answer, of which the head is there. Raises what aiohttp does."""
        if self._session is None:
            self._session = ClientSession(connector=TCPConnector(force_close=True), headers=self._headers)
        target = URL(self._address.origin + self._address.target(what.path, what.params), encoded=True)
        timeout = ClientTimeout(total=None, sock_connect=min(CONNECT_SECONDS, seconds), sock_read=seconds)
        return await self._session.request(
            method,
            target,
            data=content,
            headers={**tracing(self._traceparent), **headers},
            timeout=timeout,
            allow_redirects=False,
        )

    def _broken(self, error: Exception) -> KubeminError:
        server = self._address.server
        if isinstance(error, ClientConnectorError | ConnectionTimeoutError):
            return ServerLost(f"no server answers at {server}", sent=False)
        if isinstance(error, TimeoutError):
            return ServerLost(f"{server} did not answer in time", sent=True)
        if isinstance(error, InvalidURL | ValueError):
            return NotKubemin(f"the exchange with {server} failed: {error}")
        return ServerLost(f"the exchange with {server} failed: {error}", sent=True)


class Heard:
    """A stream that is open."""

    def __init__(self, server: str, stream: Listening[Any], response: ClientResponse) -> None:
        self.stream = stream
        self._server = server
        self._response = response
        self._frames = Frames()
        self._events: deque[dict[str, Any]] = deque()

    async def next(self) -> dict[str, Any] | None:
        """The next event; None once it has ended or broken off. Raises `NotKubemin`."""
        try:
            while not self._events:
                if not (piece := await self._response.content.readany()):
                    return None
                self._events.extend(frame.read(numbered=self.stream.numbered) for frame in self._frames.feed(piece))
        except (ClientError, OSError):
            return None
        except ValueError as error:
            raise NotKubemin(f"what answers at {self._server} is not KubeMin: {error}") from error
        return self._events.popleft()

    def close(self) -> None:
        """Close it."""
        self._response.close()


def _answer(response: ClientResponse, body: bytes) -> Answer:
    return Answer(response.status, response.content_type, response.headers.get("Retry-After"), body)
