"""Connections to addresses that somebody names: what counts is the address that a socket is about to connect to."""

import os
import socket
from typing import Any

import aiohttp

from kubemin.spec.addresses import is_public


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
