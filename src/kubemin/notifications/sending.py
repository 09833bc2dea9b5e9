"""Sending one message once: what its target answered, in our own words. No redirect is followed, no reply is read."""

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from multidict import CIMultiDictProxy

from kubemin import __version__
from kubemin.cluster.resolving import LookUp, Resolver
from kubemin.daemon_threads import DaemonThreads
from kubemin.engine.sockets import Sockets, why_not
from kubemin.notifications.message import request_of
from kubemin.notifications.signing import signed
from kubemin.notifications.statuses import status_of
from kubemin.notifications.targets import ConfigurationError, Target
from kubemin.store.outbox import Event

SECONDS = 15.0
"""Time for a target to answer; from the look-up of its name on."""
_GONE = 410
_THREADS = 4
"""For look-ups, of each target: one whose name is never found holds up no other target."""
_LONGEST_PAUSE = 3600.0
"""Seconds that a target may ask to be left alone for, at most."""


@dataclass(frozen=True)
class Answer:
    """``error`` is empty where it was delivered; it holds nothing of what the other side sent, nor the address."""

    status: int | None = None
    error: str = ""
    gone: bool = False
    """The target says that it will never take a message again."""
    retry_after: float = 0
    """Seconds that the target asks for."""


class Sender:
    """Sends over http(s). Names are looked up in threads of their own, so that no other look-up waits for them."""

    def __init__(
        self,
        public_url: str | None = None,
        seconds: float = SECONDS,
        look_up: LookUp = socket.getaddrinfo,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._public_url = public_url
        self._seconds = seconds
        self._look_up = look_up
        self._clock = clock
        self._threads: dict[str, DaemonThreads] = {}

    async def send(self, target: Target, event: Event) -> Answer:
        """Send it once. Raises nothing but a cancel."""
        try:
            address = target.address()
            if target.is_status and event.type != "test":
                request = status_of(target, event, self._public_url, target.bearer())
            else:
                request = request_of(target, event, self._public_url)
            signature = signed(target.keys(), event.id, int(self._clock()), request.body)
        except ConfigurationError as error:
            return Answer(error=str(error))
        headers = {
            "content-type": "application/json",
            "user-agent": f"kubemin/{__version__}",
            **signature,
            **request.headers,
        }
        return await self._post(
            target, address.rstrip("/") + request.path if request.path else address, request.body, headers
        )

    async def _post(self, target: Target, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        if target.name not in self._threads:
            self._threads[target.name] = DaemonThreads(_THREADS, "kubemin-notify")
        sockets = Sockets(allow_private=not target.public_only)
        connector = aiohttp.TCPConnector(
            resolver=Resolver(self._look_up, self._threads[target.name]), socket_factory=sockets.make, force_close=True
        )
        try:
            async with (
                asyncio.timeout(self._seconds),
                aiohttp.ClientSession(
                    connector=connector,
                    timeout=aiohttp.ClientTimeout(total=None),
                    trust_env=False,
                    auto_decompress=False,
                ) as session,
                session.post(url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                return _answer(response.status, response.headers)
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError, ValueError) as error:
            if sockets.refused:
                return Answer(error="it leads to an address that is not public")
            return Answer(error=f"it {why_not(error, self._seconds, 'reached')}")

    def close(self) -> None:
        """Let the threads go."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)


def _answer(status: int, headers: "CIMultiDictProxy[str]") -> Answer:
    if 200 <= status < 300:
        return Answer(status)
    if 300 <= status < 400:
        return Answer(status, f"it answered {status}: redirects are not followed")
    asked = headers.get("retry-after", "")
    pause = min(float(asked), _LONGEST_PAUSE) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
    return Answer(status, f"it answered {status}", status == _GONE, pause)
