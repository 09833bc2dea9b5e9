"""`config.url`: fetch a configuration into one key of a ConfigMap at run time, without opening a door inwards.

What counts is the address that a socket is about to connect to: the text of a URL, and an earlier look-up of its name,
may both mean another one. What is said of a failure holds neither what the other side sent nor the URL's query.
"""

import asyncio
import socket
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from kubemin.cluster.resolving import LookUp, Resolver
from kubemin.daemon_threads import DaemonThreads
from kubemin.engine.errors import JobFailed
from kubemin.engine.sockets import Sockets, why_not
from kubemin.render import Fetch
from kubemin.spec.config import wrong_with_url
from kubemin.spec.limits import LimitSettings
from kubemin.spec.objects import Manifest
from kubemin.spec.reason_codes import ReasonCode

_MAX_BYTES = 1024 * 1024  # what a ConfigMap may hold
_SECONDS = 10.0


def _threads() -> DaemonThreads:
    return DaemonThreads(4, "kubemin-fetch")


@dataclass(frozen=True)
class Fetcher:
    """Fetches over http(s). Only public addresses are connected to, unless ``allow_private``.

    Names are looked up in threads of their own: one that nobody answers for must not keep those waiting who look up the
    database or the API server.
    """

    allow_private: bool = False
    look_up: LookUp = socket.getaddrinfo
    threads: DaemonThreads = field(default_factory=_threads)

    async def fill(self, manifest: Manifest, fetch: Fetch | None) -> Manifest:
        """The manifest with the fetched text in place; itself where nothing is to be fetched. Raises `JobFailed`."""
        if fetch is None:
            return manifest
        text = await self._get(fetch.url)
        return {**manifest, "data": {**manifest.get("data", {}), fetch.key: text}}

    async def _get(self, url: str) -> str:
        if wrong := wrong_with_url(url, LimitSettings(allow_private_urls=self.allow_private)):
            raise JobFailed(f"config.url{_named(url)} {wrong}")
        sockets = Sockets(self.allow_private)
        connector = aiohttp.TCPConnector(resolver=Resolver(self.look_up, self.threads), socket_factory=sockets.make)
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
            why = "leads to an address that is not public" if sockets.refused else why_not(error, _SECONDS, "fetched")
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
