"""List, then watch, for ever: all objects of a kind, and every later change, also after a broken connection."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, cast

import orjson

from kubemin.cluster import requests
from kubemin.cluster.client import Cluster
from kubemin.cluster.errors import ClusterError, Expired, ServerError, Unauthorized
from kubemin.spec.objects import Manifest

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]

_WATCH_SECONDS = 300  # the server ends the stream after this time, and we go on from the last version
_SILENCE_SECONDS = _WATCH_SECONDS + 30.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
_LONGEST_UNAUTHORIZED = 1.0  # whatever waits on the watch fails until it has the new credentials
_MAX_FAILURES = 3  # after so many failures in a row we list again: the version itself may be the reason


@dataclass(frozen=True, slots=True)
class Listed:
    """All objects, as of ``version``. Sent again whenever changes may have been missed."""

    items: list[Manifest]
    version: str


@dataclass(frozen=True, slots=True)
class Changed:
    """One change. For DELETED the object is its last state. It may still exist, without the label of the selector."""

    type: ChangeType
    object: Manifest
    version: str


@dataclass(frozen=True, slots=True)
class Reached:
    """A bookmark: up to ``version`` there are no other changes than those already sent."""

    version: str


@dataclass(frozen=True, slots=True)
class WatchFailed:
    """The request to the API server failed. It is sent again after a pause."""

    error: ClusterError


WatchEvent = Listed | Changed | Reached | WatchFailed


class Pauses:
    """Pauses between tries: they double up to a limit, with jitter, so that many processes do not retry together."""

    def __init__(
        self,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._sleep = sleep
        self._jitter = jitter
        self.failures = 0

    async def after(self, error: ClusterError | None) -> None:
        """Wait: longer after each failure in a row, and at least as long as the server asks for."""
        longest = _LONGEST_UNAUTHORIZED if isinstance(error, Unauthorized) else _LONGEST_PAUSE
        pause = min(_FIRST_PAUSE * 2**self.failures, longest) * (0.5 + self._jitter() / 2)
        self.failures = min(self.failures + 1, 16)
        await self._sleep(max(pause, error.retry_after or 0.0) if error else pause)

    def reset(self) -> None:
        """Begin again with short pauses: the server has answered."""
        self.failures = 0


async def observe(
    cluster: Cluster, kind: str, *, labels: str | None, pauses: Pauses | None = None
) -> AsyncGenerator[WatchEvent, None]:
    """Yield Listed, then Changed and Reached as they come, and Listed again after a gap. Never ends, never raises."""
    pauses = pauses or Pauses()
    version = ""
    while True:
        began = time.monotonic()
        try:
            if not version:
                listing = await cluster.list(kind, labels=labels)
                yield Listed(listing.items, listing.resource_version)
                version = listing.resource_version
            async with aclosing(_watch(cluster, kind, labels, version)) as stream:
                yield await anext(stream)
                async for event in stream:
                    version = event.version
                    pauses.reset()
                    yield event
            # The server ended the stream without an error: go on, but with a pause, in case it does so every time.
            error: ClusterError | None = None
        except Expired:
            version, error = "", None
        except ClusterError as failure:
            error = failure
            yield WatchFailed(error)
            if pauses.failures >= _MAX_FAILURES:
                version = ""
        if time.monotonic() - began > _LONGEST_PAUSE:
            pauses.reset()
        await pauses.after(error)


async def split_lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The whole lines of a byte stream, of any length.

    Bytes after the last newline are an incomplete line, and are dropped.
    """
    pending: list[bytes] = []
    async for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            pending.append(line)
            joined = b"".join(pending)
            pending.clear()
            if joined:
                yield joined
        if rest:
            pending.append(rest)


async def _watch(
    cluster: Cluster, kind: str, labels: str | None, version: str
) -> AsyncGenerator[Changed | Reached, None]:
    served = await cluster.served(kind)
    request = requests.watch(kind, None, labels=labels, version=version, seconds=_WATCH_SECONDS, served=served)
    async with cluster.stream(request, silence=_SILENCE_SECONDS) as chunks, aclosing(split_lines(chunks)) as lines:
        yield Reached(version)
        async for line in lines:
            yield _parse_event(kind, line)


def _parse_event(kind: str, line: bytes) -> Changed | Reached:
    try:
        event = orjson.loads(line)
        event_type, found = event["type"], event["object"]
        if event_type == "ERROR":
            message = f"Cannot watch {kind}: {found.get('message') or found}"
            error = Expired if found.get("code") == 410 else ServerError
            raise error(message, status=found.get("code"), reason=found.get("reason") or "")
        version = str(found["metadata"]["resourceVersion"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Expired(f"Cannot watch {kind}: a line that is no event: {line[:200]!r}") from error
    if event_type == "BOOKMARK":
        return Reached(version)
    if event_type not in {"ADDED", "MODIFIED", "DELETED"}:
        raise Expired(f"Cannot watch {kind}: an event of the unknown type {event_type!r}.")
    return Changed(cast(ChangeType, event_type), found, version)
