"""Connections to addresses that somebody names: what counts is the address that a socket is about to connect to."""

import asyncio
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from kubemin.spec.addresses import is_public

LookUp = Callable[..., list[Any]]
"""As `socket.getaddrinfo`."""


def why_not(error: Exception, seconds: float, done: str) -> str:
    """What went wrong, in our own words; nothing of it is what the other side sent. ``done``: what it cannot be."""
    match error:
        case TimeoutError():
            return f"did not answer within {seconds:g} s"
        case aiohttp.InvalidURL():
            return "is not a URL"
        case aiohttp.ClientConnectorDNSError():
            return f"cannot be {done}: its host has no address"
        case aiohttp.ClientSSLError():
            return f"cannot be {done}: its certificate cannot be trusted, or TLS failed"
        case aiohttp.ClientConnectorError(os_error=OSError(errno=int(number))) | OSError(errno=int(number)):
            return f"cannot be {done}: {os.strerror(number)}"
        case aiohttp.ClientConnectorError():
            return f"cannot be {done}: no connection"
        case _:
            return f"cannot be {done}: the answer is not complete HTTP"


class Sockets:
    """Makes the sockets of one request, each knowing where it will connect to."""

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


class Resolver(AbstractResolver):
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
