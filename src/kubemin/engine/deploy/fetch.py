"""`config.url`: fetch a configuration into one key of a ConfigMap at run time, without opening a door inwards.

What counts is the address that a socket is about to connect to: the text of a URL, and an earlier look-up of its name,
may both mean another one. What is said of a failure holds neither what the other side sent nor the URL's query.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from kubemin.engine.errors import JobFailed
from kubemin.render import Fetch
from kubemin.spec.addresses import is_public
from kubemin.spec.config import wrong_with_url
from kubemin.spec.limits import LimitSettings
from kubemin.spec.objects import Manifest
from kubemin.spec.reason_codes import ReasonCode

_MAX_BYTES = 1024 * 1024  # what a ConfigMap may hold
_SECONDS = 10.0

LookUp = Callable[..., list[Any]]
"""As `socket.getaddrinfo`."""


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4, "kubemin-fetch")


@dataclass(frozen=True)
class Fetcher:
    """Fetches over http(s). Only public addresses are connected to, unless ``allow_private``.

    Names are looked up in threads of their own: one that nobody answers for must not keep those waiting who look up the
    database or the API server.
    """

    allow_private: bool = False
    look_up: LookUp = socket.getaddrinfo
    threads: ThreadPoolExecutor = field(default_factory=_threads)

    async def fill(self, manifest: Manifest, fetch: Fetch | None) -> Manifest:
        """The manifest with the fetched text in place; itself where nothing is to be fetched. Raises `JobFailed`."""
        if fetch is None:
            return manifest
        text = await self._get(fetch.url)
        return {**manifest, "data": {**manifest.get("data", {}), fetch.key: text}}

    async def _get(self, url: str) -> str:
        if wrong := wrong_with_url(url, LimitSettings(allow_private_urls=self.allow_private)):
            raise JobFailed(f"config.url{_named(url)} {wrong}")
        sockets = _Sockets(self.allow_private)
        connector = aiohttp.TCPConnector(resolver=_Resolver(self.look_up, self.threads), socket_factory=sockets.make)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector, timeout=aiohttp.ClientTimeout(total=_SECONDS), trust_env=False
                ) as session,
                session.get(url, allow_redirects=False) as response,
            ):
                status = response.status
                body = await _read(response) if status == 200 else b""
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            why = "leads to an address that is not public" if sockets.refused else _why(error)
            raise _failed(url, why) from None  # the error quotes the URL and what was sent
        if status != 200:
            raise _failed(url, f"answered {status}")
        if len(body) > _MAX_BYTES:
            raise _failed(url, f"is larger than {_MAX_BYTES} bytes")
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise _failed(url, "is not UTF-8 text") from None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body; where it is too large, a little more than may be."""
    body = await response.content.read(_MAX_BYTES + 1)
    while len(body) <= _MAX_BYTES and (more := await response.content.read(_MAX_BYTES + 1)):
        body += more
    return body


def _failed(url: str, why: str) -> JobFailed:
    return JobFailed(f"config.url{_named(url)} {why}", ReasonCode.FETCH)


def _named(url: str) -> str:
    """The URL as reasons and logs show it: its query, fragment and user may be secrets."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    text = f" {parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"
    return text.encode("unicode_escape").decode()


def _why(error: Exception) -> str:
    """What went wrong, in our own words."""
    match error:
        case TimeoutError():
            return f"did not answer within {_SECONDS:g} s"
        case aiohttp.InvalidURL():
            return "is not a URL"
        case aiohttp.ClientConnectorDNSError():
            return "cannot be fetched: its host has no address"
        case aiohttp.ClientSSLError():
            return "cannot be fetched: its certificate cannot be trusted, or TLS failed"
        case aiohttp.ClientConnectorError(os_error=OSError(errno=int(number))) | OSError(errno=int(number)):
            return f"cannot be fetched: {os.strerror(number)}"
        case aiohttp.ClientConnectorError():
            return "cannot be fetched: no connection"
        case _:
            return "cannot be fetched: the answer is not complete HTTP"


class _Sockets:
    """Makes the sockets of one fetch, each knowing where it will connect to."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private
        self.refused = False

    def make(self, goal: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        """A socket to connect to ``goal``, as `socket.getaddrinfo` gives it. Raises `OSError` if it is not public."""
        family, kind, protocol, _, address = goal
        if not self._allow_private and not (is_public(str(address[0])) and not any(address[2:])):
            self.refused = True
            raise OSError("not a public address")
        return socket.socket(family, kind, protocol)


class _Resolver(AbstractResolver):
    """Looks names up in given threads."""

    def __init__(self, look_up: LookUp, threads: ThreadPoolExecutor) -> None:
        self._look_up = look_up
        self._threads = threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Every address of the name. Raises `OSError`."""
        look_up, loop = self._look_up, asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, lambda: look_up(host, port, family, socket.SOCK_STREAM))
        except UnicodeError as error:
            raise OSError(f"{host!r} is no name") from error
        return [
            ResolveResult(hostname=host, host=address[0], port=port, family=kind, proto=protocol, flags=0)
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is kept."""
