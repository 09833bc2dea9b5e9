"""`config.url`: fetch a configuration into one key of a ConfigMap at run time, without opening a door inwards."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from kubemin.engine.errors import JobFailed
from kubemin.render import Fetch
from kubemin.spec.objects import Manifest

_MAX_BYTES = 1024 * 1024  # what a ConfigMap may hold
_SECONDS = 10.0


@dataclass(frozen=True)
class Fetcher:
    """Fetches over http(s). Private and link-local addresses are refused unless ``allow_private``."""

    allow_private: bool = False

    async def fill(self, manifest: Manifest, fetch: Fetch | None) -> Manifest:
        """The manifest with the fetched text in place; itself where nothing is to be fetched. Raises `JobFailed`."""
        if fetch is None:
            return manifest
        text = await self._get(fetch.url)
        return {**manifest, "data": {**manifest.get("data", {}), fetch.key: text}}

    async def _get(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise JobFailed(f"config.url {url!r} is not an http or https address")
        self._refuse(parts.hostname, url)
        resolver = _Guard(lambda address: self._refuse(address, url))
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(resolver=resolver),
                    timeout=aiohttp.ClientTimeout(total=_SECONDS),
                ) as session,
                session.get(url, allow_redirects=False) as response,
            ):
                if response.status != 200:
                    raise JobFailed(f"config.url {url} answered {response.status}")
                body = await response.content.read(_MAX_BYTES + 1)
                while len(body) <= _MAX_BYTES and (more := await response.content.read(_MAX_BYTES + 1)):
                    body += more
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            raise JobFailed(f"config.url {url} cannot be fetched: {error}") from error
        if len(body) > _MAX_BYTES:
            raise JobFailed(f"config.url {url} is larger than {_MAX_BYTES} bytes")
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            raise JobFailed(f"config.url {url} is not UTF-8 text") from error

    def _refuse(self, host: str, url: str) -> None:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return  # a name: the resolver sees its addresses
        if not self.allow_private and not address.is_global:
            raise JobFailed(f"config.url {url} leads to {host}, which is not a public address")


class _Guard(AbstractResolver):
    """Checks each address that a name leads to, at the moment of the connect: a second look-up could differ."""

    def __init__(self, check: Callable[[str], None]) -> None:
        self._check = check
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            self._check(result["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()
