"""Looks host names up in given threads, so that a name that nobody answers for keeps no other one waiting."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from kubemin.daemon_threads import DaemonThreads

LookUp = Callable[..., list[Any]]
"""As `socket.getaddrinfo`."""


class Resolver(AbstractResolver):
    """Looks names up in given threads."""

    def __init__(self, look_up: LookUp, threads: DaemonThreads) -> None:
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


def look_up_usable(host: str, port: int, family: int, kind: int) -> list[Any]:
    """As `socket.getaddrinfo`, without the addresses of a family that this machine has none of."""
    return socket.getaddrinfo(host, port, family, kind, flags=socket.AI_ADDRCONFIG)
