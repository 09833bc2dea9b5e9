"""Sends requests. The error of one that failed says whether it may have reached the API server."""

import asyncio
import io
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from kubemin.cluster.answers import ApiResponse, describe, error_for
from kubemin.cluster.credentials import Access, Credentials
from kubemin.cluster.errors import ClusterError, NotImpersonated, ServerError, Unanswered, Unauthorized, Unreachable
from kubemin.cluster.request_metrics import RequestMetrics, code_of
from kubemin.cluster.requests import Request
from kubemin.cluster.resolving import Resolver, look_up_usable
from kubemin.daemon_threads import DaemonThreads
from kubemin.spec.acting import Identity
from kubemin.telemetry.tracing import record_request

_IN_FLIGHT = 100
_POOLS = 2
"""Of connections; each looks a name up once for all that wait for it."""
_WHOLE = 256 * 1024
_AGENT = ("User-Agent", "kubemin")
_SLOW_SECONDS = 1.0
"""A read that took so long, or failed, is recorded in a trace; a write always is."""
_KEEPALIVE_SECONDS = 15.0  # below every server's and load balancer's idle time, so that we are the side that closes


class Transport:
    """One pool of connections for calls, another for watches (a watch holds its connection for minutes)."""

    def __init__(self, credentials: Credentials, *, timeout: float, metrics: RequestMetrics | None = None) -> None:
        """``timeout``: seconds for a whole call. The time in which it waits for a connection is not counted."""
        self._credentials = credentials
        self._metrics = metrics
        self._timeout = timeout
        self._turns = asyncio.Semaphore(_IN_FLIGHT)
        # Names are looked up in threads of its own: one that nobody answers for must not keep those waiting who look
        # up another API server, or the database.
        self._threads = DaemonThreads(_POOLS, "kubemin-cluster")
        self._calls = _session(timeout, self._threads)
        self._watches = _session(timeout, self._threads)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._calls.close()
        await self._watches.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def send(self, request: Request) -> ApiResponse:
        """The complete response, whatever its status except 401.

        Raises Unauthorized if a 401 is not cured by reading the credentials again;
        Unreachable if the request was not sent; else Unanswered for a write, ServerError for a read.
        """
        async with self._turns:
            access = await self._credentials.current()
            answer = await self._send_once(request, access)
            # After a 401 nothing was done. So the request may be sent again, a write too.
            if answer.status == 401:
                access = await self._credentials.refused(access)
                answer = await self._send_once(request, access)
            if answer.status == 401:
                raise self._unauthorized(request, access)
            return answer

    @asynccontextmanager
    async def stream(self, request: Request, *, silence: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """The chunks of a long response as they come. It fails after ``silence`` seconds without a byte.

        Raises, at the start or between chunks, Unreachable, ServerError, or the error of a refusal.
        """
        access = await self._credentials.current()
        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(self._open(request, access, silence))
            except Unauthorized:
                access = await self._credentials.refused(access)
                try:
                    response = await stack.enter_async_context(self._open(request, access, silence))
                except Unauthorized:
                    raise self._unauthorized(request, access) from None
            yield response.content.iter_any()

    @asynccontextmanager
    async def _open(self, request: Request, access: Access, silence: float) -> AsyncIterator[aiohttp.ClientResponse]:
        """A response with the status 200, to be read in the context."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout, sock_read=silence)
        sent = SimpleNamespace(left=False, answered=False)
        began = time.perf_counter()
        try:
            async with self._watches.request(
                request.method, trace_request_ctx=sent, timeout=limits, **_arguments(request, access)
            ) as response:
                sent.answered = True
                self._tell(request, str(response.status), time.perf_counter() - began)
                if response.status != 200:
                    raise error_for(request, response.status, _headers(response), await response.read())
                yield response
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            failure = _failure(request, error, left=sent.left)
            if not sent.answered:
                self._tell(request, code_of(failure), time.perf_counter() - began)
            raise failure from error

    def _unauthorized(self, request: Request, access: Access) -> Unauthorized:
        message = f"{describe(request)}: {self._credentials.why_refused(access)} (401 Unauthorized)."
        return Unauthorized(message, status=401, reason="Unauthorized")

    async def _send_once(self, request: Request, access: Access) -> ApiResponse:
        began = time.perf_counter()
        try:
            answer = await self._exchange(request, access)
        except BaseException as error:
            self._tell(request, code_of(error), time.perf_counter() - began)
            raise
        self._tell(request, str(answer.status), time.perf_counter() - began)
        return answer

    def _tell(self, request: Request, code: str, seconds: float) -> None:
        """Count a request that is over, and record it in the trace, if it is one to see there."""
        if self._metrics is not None:
            self._metrics.answered(request, code, seconds)
        looked = code in _SEEN and not request.is_write
        if looked and seconds < _SLOW_SECONDS:
            return
        said = {"http.request.method": request.method, "kubemin.object": request.subject, "kubemin.code": code}
        record_request(f"kubernetes {request.verb}", seconds, said, "" if code in _SEEN else code)

    async def _exchange(self, request: Request, access: Access) -> ApiResponse:
        sent = SimpleNamespace(left=False)
        limits = aiohttp.ClientTimeout(total=self._timeout, sock_connect=self._timeout)
        # aiohttp sends PUT and DELETE again if a kept connection is dead. But a second write needs a write token of
        # its own, and only the journal gives one (design R1).
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


class ActingTransport:
    """The same connections, and every request is sent as somebody else."""

    def __init__(self, transport: Transport, identity: Identity) -> None:
        self._transport = transport
        self._identity = identity

    async def send(self, request: Request) -> ApiResponse:
        """As `Transport.send`. Raises `CallerForbidden`, `NotImpersonated` too."""
        request = replace(request, acting_as=self._identity)
        answer = await self._transport.send(request)
        if answer.status == 403:
            raise error_for(request, answer.status, answer.headers, answer.body)
        return answer

    def stream(self, request: Request, *, silence: float) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """As `Transport.stream`."""
        return self._transport.stream(replace(request, acting_as=self._identity), silence=silence)

    async def aclose(self) -> None:
        """Nothing: the connections are not its own."""


_SEEN = frozenset({"200", "201", "202", "404"})
"""Codes of answers that are none of a failure: whether something is there is asked all the time."""


class _Broken(Exception):
    """A broken connection. aiohttp does not retry after this, because it is not one of its own exceptions."""


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
    """The operating system's reason why there is no connection; empty if TLS or the host name is the reason."""
    if not isinstance(error, aiohttp.ClientConnectorError) or isinstance(error, aiohttp.ClientSSLError):
        return ""
    number = error.os_error.errno or 0
    return f"{error.host}:{error.port}: {os.strerror(number).lower()}" if number > 0 else ""


def _arguments(request: Request, access: Access) -> dict[str, Any]:
    headers = [_AGENT, ("Accept", request.accept), *access.headers, *_impersonating(request, access)]
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


def _impersonating(request: Request, access: Access) -> list[tuple[str, str]]:
    """Names as they are, in UTF-8: the API server takes them so (`Naming.identity` has refused what is no value)."""
    if (identity := request.acting_as) is None:
        return []
    if any(name.lower().startswith("impersonate-") for name, _ in access.headers):
        # Of two users the API server takes the first, and the groups of both.
        why = "the kubeconfig acts as somebody itself (as), so nobody else can be acted as"
        raise NotImpersonated(f"{describe(request)}: {why}.", status=403)
    return [("Impersonate-User", identity.user), *(("Impersonate-Group", one) for one in identity.groups)]


def _payload(body: bytes | None) -> bytes | io.BytesIO | None:
    """A large body as a stream: if it got the bytes, aiohttp would warn that they block the event loop."""
    return io.BytesIO(body) if body is not None and len(body) > _WHOLE else body


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _session(timeout: float, threads: DaemonThreads) -> aiohttp.ClientSession:
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

    connector = aiohttp.TCPConnector(
        limit=0,
        keepalive_timeout=_KEEPALIVE_SECONDS,
        resolver=Resolver(look_up_usable, threads),
        socket_factory=make_socket,
    )
    # No cookies: a load balancer's cookie would send all requests to one server. Proxies: see credentials.
    return aiohttp.ClientSession(
        connector=connector, trace_configs=[trace], cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


def _limit_silence(made: socket.socket, timeout: float) -> None:
    """Make the kernel close a connection whose peer no longer acknowledges, so that it sends no request much later.

    Otherwise the kernel would try for a quarter of an hour to send bytes that we gave up, also after our death.
    """
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {"TCP_USER_TIMEOUT": round(timeout * 1000), "TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
    for name, value in options.items():
        option = getattr(socket, name, None)  # some exist only on Linux
        if option is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, value)
