"""The credentials that are in use: read again when they are old, or when the API server refuses them."""

import asyncio
import math
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from kubemin.cluster.errors import Misconfigured, Unreachable

_PLUGIN_SECONDS = 30.0
_AGAIN_SECONDS = 2.0  # a plugin whose credentials are refused is not run more often than this
_FILE_AGAIN_SECONDS = 0.2  # and a file is not read more often than this
_ROTATION_SECONDS = 1.0  # a new token may be in use a moment before the file has it
_REFUSED_SECONDS = 3.5  # a request that was refused waits no longer than this for a plugin

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Access:
    """What a request needs: base URL without a trailing slash, headers, TLS, proxy.

    After ``fresh`` seconds it is read anew. ``from_file``: that takes no time. ``origin`` names, for people, whose
    credentials these are, and ``advice`` says what to do where they are refused.
    """

    host: str
    headers: Headers
    tls: ssl.SSLContext | bool
    origin: str
    advice: str
    server_name: str | None = None
    proxy: str | None = None
    fresh: float | None = None
    from_file: bool = False


class Source(Protocol):
    """A place from which credentials are read. Raises Misconfigured."""

    async def read(self) -> Access: ...


class Credentials:
    """The current credentials. They are read again when they are old, or when the server refuses them."""

    def __init__(
        self,
        source: Source,
        access: Access,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._source = source
        self._access = access
        self._clock = clock
        self._sleep = sleep
        self._read_at = clock()
        self._refused_at = -math.inf
        """When they were last read because they had been refused."""
        self._unreadable = ""
        """Why they could not be read the last time; empty where they could."""
        self._lock = asyncio.Lock()

    @classmethod
    async def load(cls, source: Source, *, clock: Callable[[], float] = time.monotonic) -> "Credentials":
        """Read them for the first time. Raises Misconfigured: the operator has to correct the configuration."""
        return cls(source, await _read(source, _PLUGIN_SECONDS), clock=clock)

    @classmethod
    async def load_or_wait(cls, source: Source, *, clock: Callable[[], float] = time.monotonic) -> "Credentials":
        """Read them for the first time, or later: until they can be read the API server counts as unreachable."""
        try:
            return cls(source, await _read(source, _REFUSED_SECONDS), clock=clock)
        except Misconfigured as error:
            found = cls(source, Access("", (), tls=True, origin="", advice="", fresh=_AGAIN_SECONDS), clock=clock)
            found._unreadable = error.message.rstrip(".")
            return found

    @property
    def unreadable(self) -> str:
        """Why they could not be read the last time; empty where they could."""
        return self._unreadable

    async def current(self) -> Access:
        """The access to use now. Raises Unreachable while they have not been read yet."""
        if self._stale():
            async with self._lock:
                if self._stale():
                    await self._read_again(_PLUGIN_SECONDS)
        if not self._access.host:
            raise Unreachable(f"{self._unreadable}.")
        return self._access

    async def refused(self, access: Access) -> Access:
        """After a 401 to ``access``: what to use for one more try. Takes less than 5 seconds.

        However many requests were refused with the same credentials, these are read once. What is read may be the same
        as before.
        """
        async with self._lock:
            since = self._clock() - self._refused_at
            if self._access is access and since >= (_FILE_AGAIN_SECONDS if access.from_file else _AGAIN_SECONDS):
                await self._read_again(_REFUSED_SECONDS)
                if access.from_file and since >= _AGAIN_SECONDS and not differ(self._access, access):
                    await self._sleep(_ROTATION_SECONDS)
                    await self._read_again(_REFUSED_SECONDS)
                self._refused_at = self._clock()
        return self._access

    def why_refused(self, access: Access) -> str:
        """What a person is told, and what to do, once ``access`` was refused for good."""
        again = f"they could not be read again: {self._unreadable}" if self._unreadable else "also when read again"
        return f"the API server refuses the credentials of {access.origin}, {again}; {access.advice}"

    def _stale(self) -> bool:
        return self._access.fresh is not None and self._clock() - self._read_at >= self._access.fresh

    async def _read_again(self, seconds: float) -> None:
        self._read_at = self._clock()
        try:
            found = await _read(self._source, seconds)
        except Misconfigured as error:
            # The file may be half written, or the plugin may fail. The old credentials may still be valid; else
            # we get a 401.
            self._unreadable = error.message.rstrip(".")
        else:
            self._unreadable = ""
            self._access = found if differ(found, self._access) else replace(self._access, fresh=found.fresh)


def differ(one: Access, other: Access) -> bool:
    """Whether a server that refuses the one may accept the other."""
    return one.headers != other.headers or one.tls is not other.tls or one.host != other.host


async def _read(source: Source, seconds: float) -> Access:
    try:
        async with asyncio.timeout(seconds):
            return await source.read()
    except TimeoutError:
        raise Misconfigured(f"The credentials plugin gave no answer within {seconds:.0f} s.") from None
