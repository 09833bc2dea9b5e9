"""The event loop of the processes that serve or work."""

import asyncio
import errno
import math
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from kubemin.daemon_threads import DaemonThreads
from kubemin.spec.addresses import is_address

T = TypeVar("T")

log = structlog.get_logger(__name__)

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_MINUTE = 60.0
_THREADS = 16
"""For the names of the database, of Redis and of the issuer: the others are looked up in threads of their own."""
_ALONE_SECONDS = 0.25
"""So long an address of a name is tried alone, as RFC 8305 recommends; then the next one is tried beside it."""


def run_in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, in uvloop where it is installed (the extra ``fast``): it is faster, and behaves the same."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        loop = runner.get_loop()
        loop.set_exception_handler(_Complaints())
        loop.set_default_executor(DaemonThreads(_THREADS, "kubemin"))
        return runner.run(work)


class _Complaints:
    """What the loop has to say that nobody awaits.

    While no file can be opened, it says so with a traceback for each connection that it tries to accept: once a minute
    and in one line is enough. It then waits a second by itself. A driver that closes a connection whose other side is
    gone says so too; whoever used the connection has been told already.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said_at = -math.inf

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError):
            loop.default_exception_handler(context)
        elif error.errno not in _EXHAUSTED:
            log.warning("a connection broke that nobody waits for", error=f"{type(error).__name__}: {error}")
        elif self._clock() - self._said_at >= _MINUTE:
            self._said_at = self._clock()
            log.warning("connections wait: this process can open no more files", error=error.strerror)


class _ByAddresses(asyncio.AbstractEventLoop):
    """A loop that looks names up in its default executor, and tries the addresses of one side by side.

    uvloop has threads of its own for names, and neither the loop nor the process ends while one of them hangs. And
    either loop would wait for an address that does not answer until the caller gives up, and never come to the next.
    """

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002  its callers name it
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        return await self.run_in_executor(None, socket.getaddrinfo, host, port, family, type, proto, flags)

    async def create_connection(
        self,
        protocol_factory: Any,
        host: Any = None,
        port: Any = None,
        *,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        happy_eyeballs_delay: float | None = _ALONE_SECONDS,
        interleave: int | None = None,
        **given: Any,
    ) -> tuple[Any, Any]:
        connect: Callable[..., Coroutine[Any, Any, tuple[Any, Any]]] = super().create_connection
        if not host or is_address(str(host)) or given.get("local_addr") is not None:
            return await connect(protocol_factory, host, port, family=family, proto=proto, flags=flags, **given)
        from aiohappyeyeballs import start_connection

        if given.get("ssl") and given.get("server_hostname") is None:
            given["server_hostname"] = host
        kind = {"family": family, "type": socket.SOCK_STREAM, "proto": proto, "flags": flags}
        found = await self.getaddrinfo(host, port, **kind)
        connected = await start_connection(
            found, happy_eyeballs_delay=happy_eyeballs_delay, interleave=interleave, loop=self
        )
        return await connect(protocol_factory, sock=connected, **given)  # the socket is the transport's from here on


class _PythonsLoop(_ByAddresses, asyncio.SelectorEventLoop):
    """Python's own."""


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return _PythonsLoop()

    class Loop(_ByAddresses, uvloop.Loop):  # type: ignore[misc]  # its stubs say less than the protocol
        """uvloop's."""

    return Loop()
