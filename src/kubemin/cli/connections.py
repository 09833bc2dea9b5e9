"""One connection of a client: what it may take its time for, and how many there may be.

uvicorn closes a connection that is idle after a reply, and bounds the size of a head. What it does not bound is here:
the time for a head and a body to arrive and for a reply to be read, and the number of connections.
"""

import asyncio
import resource
from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar, Self

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from kubemin.api.authentication import cancels
from kubemin.api.codes import ApiCode
from kubemin.api.envelope import ApiError
from kubemin.api.security_headers import HEADERS
from kubemin.cli.heads import ambiguous
from kubemin.settings.api import ApiSettings

_REFUSED_SECONDS = 1.0
"""How long a connection that is one too many may take to send something, so that its reply can be read."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Seconds, and how many at once."""

    most: int
    head_seconds: float
    body_seconds: float
    read_seconds: float
    idle_seconds: int

    @classmethod
    def of(cls, settings: ApiSettings) -> Self:
        """What the settings say; no more connections than half of the files that this process may open."""
        limits = cls(
            most=settings.max_connections,
            head_seconds=settings.head_seconds,
            body_seconds=settings.body_seconds,
            read_seconds=settings.read_seconds,
            idle_seconds=settings.idle_seconds,
        )
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return limits if files == resource.RLIM_INFINITY else replace(limits, most=max(1, min(limits.most, files // 2)))


class _Awaited(Enum):
    """What the client is to send next."""

    NOTHING = "nothing"
    HEAD = "head"
    BODY = "body"
    REFUSAL = "refusal"
    """Whatever it sends: then it is told that it is one too many, unless that is a cancel."""


class LimitedConnection(H11Protocol):
    """A connection that is closed once its client takes too long."""

    limits: ClassVar[ConnectionLimits]

    _awaited = _Awaited.NOTHING
    _timer: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _is_one_too_many = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, or refuse to."""
        super().connection_made(transport)
        if len(self.connections) > 2 * self.limits.most:
            transport.abort()
        elif len(self.connections) > self.limits.most:
            self._is_one_too_many = True
            self._await(_Awaited.REFUSAL, _REFUSED_SECONDS)
        else:
            self._await(_Awaited.HEAD, self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._await(_Awaited.NOTHING)
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Go on with what the client sent."""
        if self._awaited is _Awaited.REFUSAL:
            if not _is_cancel(data):
                self._end(ApiCode.UNAVAILABLE, "Too many connections are open: try again.")
                return
            self._await(_Awaited.HEAD, self.limits.head_seconds)
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Go on with the next request, if there may be one."""
        if self._is_one_too_many:
            self.transport.close()
        super().on_response_complete()

    def handle_events(self) -> None:
        """Find out what comes next."""
        if self.conn.their_state is h11.IDLE and (wrong := ambiguous(self.conn.trailing_data[0])):
            self._end(ApiCode.BAD_REQUEST, wrong)
            return
        super().handle_events()
        if self.transport.is_closing():
            self._await(_Awaited.NOTHING)
        elif self.conn.their_state is h11.SEND_BODY:
            self._await(_Awaited.BODY, self.limits.body_seconds)
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._await(_Awaited.HEAD, self.limits.head_seconds)
        else:
            self._await(_Awaited.NOTHING)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request."""
        self._end(ApiCode.BAD_REQUEST, msg)

    def pause_writing(self) -> None:
        """The client does not read what is sent to it."""
        super().pause_writing()
        self._reading = self.loop.call_later(self.limits.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _await(self, awaited: _Awaited, seconds: float = 0) -> None:
        """Give the client so long for all of it, from the moment that it is awaited."""
        if awaited is self._awaited:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._awaited = awaited
        self._timer = None if awaited is _Awaited.NOTHING else self.loop.call_later(seconds, self._is_late)

    def _is_late(self) -> None:
        if self._awaited is _Awaited.REFUSAL:
            self._end(ApiCode.UNAVAILABLE, "Too many connections are open: try again.")
        elif self._awaited is _Awaited.HEAD and not self.conn.trailing_data[0]:
            self.transport.close()
        else:
            self._end(ApiCode.REQUEST_TIMEOUT, f"The {self._awaited.value} of the request did not arrive in time.")

    def _end(self, status: ApiCode, message: str) -> None:
        """Answer, if no answer has begun, and close."""
        self._await(_Awaited.NOTHING)
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            retry = {"Retry-After": "1"} if status is ApiCode.UNAVAILABLE else {}
            reply = ApiError(status, status, message, headers={**HEADERS, "Connection": "close", **retry}).response()
            head = h11.Response(status_code=status, headers=reply.raw_headers)
            for event in (head, h11.Data(data=bytes(reply.body)), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


def _is_cancel(data: bytes) -> bool:
    """Whether a request begins that no number of others may hold up."""
    method, _, rest = data.partition(b" ")
    return method == b"POST" and cancels(rest.partition(b" ")[0].partition(b"?")[0].decode("ascii", "replace"))
