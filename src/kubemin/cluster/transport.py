"""Sends requests and tells exactly whether one that failed may have reached the API server."""

import asyncio
import io
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from kubemin.cluster.answers import ApiResponse, describe, error_for
from kubemin.cluster.credentials import Access, Credentials
from kubemin.cluster.errors import ClusterError, ServerError, Unanswered, Unreachable
from kubemin.cluster.requests import Request

_IN_FLIGHT = 100
_WHOLE = 256 * 1024
_AGENT = {"User-Agent": "kubemin", "Accept": "application/json"}
_KEEPALIVE_SECONDS = 15.0  # below every server's and load balancer's idle time, so that we are the side that closes


class Transport:
    """One pool of connections for calls, another for watches (a watch holds its connection for minutes)."""

    def __init__(self, credentials: Credentials, *, timeout: float) -> None:
        """``timeout``: seconds for a whole call, from when its turn in the pool has come."""
        self._credentials = credentials
        self._timeout = timeout
        self._turns = asyncio.Semaphore(_IN_FLIGHT)
        self._calls = _session(timeout)
        self._watches = _session(timeout)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._calls.close()
        await self._watches.close()

    async def send(self, request: Request) -> ApiResponse:
        """The complete answer, whatever its status.

        Raises Unreachable if the request never left; else Unanswered for a write, ServerError for a read.
        """
        async with self._turns:
            access = await self._credentials.current()
            answer = await self._send_once(request, access)
            # A 401 is a definite "nothing done": with newer credentials the request may be sent again, a write too.
            if answer.status == 401 and await self._credentials.refused(access):
                answer = await self._send_once(request, await self._credentials.current())
            return answer

    @asynccontextmanager
    async def stream(self, request: Request, *, silence: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """The chunks of a long answer as they come; broken after ``silence`` seconds without a byte.

        Raises, at the start or between chunks, Unreachable, ServerError, or what a refusal means.
        """
        access = await self._credentials.current()
        limits = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout, sock_read=silence)
        sent = SimpleNamespace(left=False)
        try:
            async with self._watches.request(
                request.method, trace_request_ctx=sent, timeout=limits, **_arguments(request, access)
            ) as response:
                if response.status != 200:
                    if response.status == 401:
                        await self._credentials.refused(access)
                    raise error_for(request, response.status, _headers(response), await response.read())
                yield response.content.iter_any()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _failure(request, error, left=sent.left) from error

    async def _send_once(self, request: Request, access: Access) -> ApiResponse:
        sent = SimpleNamespace(left=False)
        limits = aiohttp.ClientTimeout(total=self._timeout, sock_connect=self._timeout)
        # aiohttp sends PUT and DELETE a second time when a kept connection turns out dead. A second write is a new
        # request, with a new claim, and the journal's to decide (design R1).
        middlewares = (_sent_once,) if request.is_write else ()
        try:
            async with self._calls.request(
                request.method,
                trace_request_ctx=sent,
                timeout=limits,
                middlewares=middlewares,
                **_arguments(request, access),
            ) as response:
                return ApiResponse(response.status, _headers(response), await response.read())
        except (aiohttp.ClientError, OSError, TimeoutError, _Broken) as error:
            raise _failure(request, error, left=sent.left) from error


class _Broken(Exception):
    """A broken connection, hidden from aiohttp's retry, which knows only its own exceptions."""


async def _sent_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Broken(str(error) or "the server closed the connection") from error


def _failure(request: Request, error: Exception, *, left: bool) -> ClusterError:
    never = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
    text = _refused(error) or str(error) or type(error).__name__
    if isinstance(error, never) or not left:
        return Unreachable(f"{describe(request)}: the API server cannot be reached: {text}.")
    if isinstance(error, TimeoutError):
        text = "no answer in time"
    if request.is_write:
        return Unanswered(f"{describe(request)}: sent, but whether it was done is unknown: {text}.")
    return ServerError(f"{describe(request)}: no complete answer: {text}.")


def _refused(error: Exception) -> str:
    """Why there is no connection, in the system's words; empty where TLS or the name is the matter."""
    if not isinstance(error, aiohttp.ClientConnectorError) or isinstance(error, aiohttp.ClientSSLError):
        return ""
    number = error.os_error.errno or 0
    return f"{error.host}:{error.port}: {os.strerror(number).lower()}" if number > 0 else ""


def _arguments(request: Request, access: Access) -> dict[str, Any]:
    headers = [*_AGENT.items(), *access.headers]
    if request.body is not None:
        headers.append(("Content-Type", request.content_type))
    return {
        "url": URL(access.host + request.target, encoded=True),
        "headers": headers,
        "data": _payload(request.body),
        "allow_redirects": False,
        "ssl": access.tls,
        "server_hostname": access.server_name,
        "proxy": access.proxy,
    }


def _payload(body: bytes | None) -> bytes | io.BytesIO | None:
    """Large bodies in pieces: handed over whole, aiohttp warns that they hold up the event loop."""
    return io.BytesIO(body) if body is not None and len(body) > _WHOLE else body


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _session(timeout: float) -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()

    async def leaves(session: object, context: SimpleNamespace, params: object) -> None:
        # aiohttp calls this right before the first byte is handed to the socket.
        context.trace_request_ctx.left = True

    trace.on_request_headers_sent.append(leaves)

    def make_socket(address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        _limit_silence(made, timeout)
        return made

    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_SECONDS, socket_factory=make_socket)
    # No cookies: a load balancer's must not tie all our requests to one server. No environment: see credentials.
    return aiohttp.ClientSession(
        connector=connector, trace_configs=[trace], cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


def _limit_silence(made: socket.socket, timeout: float) -> None:
    """Let the kernel give up on a peer that stopped acknowledging, so that it does not deliver a request much later.

    Bytes that the kernel still holds when we gave up, or died, would otherwise be sent for a quarter of an hour.
    """
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {"TCP_USER_TIMEOUT": round(timeout * 1000), "TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
    for name, value in options.items():
        option = getattr(socket, name, None)  # some are Linux's only
        if option is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, value)
