"""Spans, bound to the running context: whoever does a part of something says so here, and passes nothing on.

A span begins below that of the context. Where there is none, since nobody has asked for traces, nothing is recorded.
Names and attributes say what was done to which object, and never what was in it: no values, no messages of others.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from hashlib import sha256
from typing import Protocol

Value = str | int | float | bool
Attributes = Mapping[str, Value]


class Span(Protocol):
    """Something that goes on, in this process. No method blocks or raises."""

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""

    @property
    def span_id(self) -> str:
        """16 hexadecimal digits."""

    @property
    def traceparent(self) -> str:
        """Both, as W3C Trace Context spells them: what goes on elsewhere begins below it."""

    def child(self, name: str, attributes: Attributes, *, began_ns: int | None = None, request: bool = False) -> "Span":
        """A part of it; ``began_ns`` since 1970, now if None. ``request``: to another system."""

    def has_room(self) -> bool:
        """Whether one more request is recorded below this root; each answer of yes takes a place."""

    def rename(self, name: str) -> None:
        """Name it, once that is known."""

    def set(self, name: str, value: Value) -> None:
        """Say more of it."""

    def end(self, failed: str = "") -> None:
        """It is over; ``failed``: a word for what it came to, if it did not succeed."""


class Tracer(Protocol):
    """Begins the spans that come from outside the process, and sends all of them away."""

    def begin(self, name: str, parent: str | None, attributes: Attributes, *, serves: bool = False) -> Span:
        """A span below a ``traceparent``; without a valid one, the first of a trace. ``serves``: a client's request."""

    async def aclose(self) -> None:
        """Send what waits, within two seconds; what is left then is lost."""


_current: ContextVar[Span | None] = ContextVar("kubemin.span", default=None)


def current_span() -> Span | None:
    """The span of the running context."""
    return _current.get()


def traceparent_now() -> str | None:
    """The ``traceparent`` of the running context's span: what is begun elsewhere for it has this as its parent."""
    now = _current.get()
    return None if now is None else now.traceparent


@contextmanager
def within(made: Span) -> Iterator[None]:
    """Make a span that of the context, and end it with the block."""
    token = _current.set(made)
    failed = ""
    try:
        yield
    except BaseException as error:
        failed = type(error).__name__
        raise
    finally:
        _current.reset(token)
        made.end(failed)


@contextmanager
def span(name: str, attributes: Attributes) -> Iterator[Span | None]:
    """A part of what goes on in the context; None where nothing is recorded."""
    parent = _current.get()
    if parent is None:
        yield None
        return
    made = parent.child(name, attributes)
    with within(made):
        yield made


def record_request(name: str, seconds: float, attributes: Attributes, failed: str = "") -> None:
    """A request to another system that is over now; of one task only so many are recorded."""
    parent = _current.get()
    if parent is None or not parent.has_room():
        return
    parent.child(name, attributes, began_ns=time.time_ns() - int(seconds * 1e9), request=True).end(failed)


def detached() -> Context:
    """This context without its span: for what is begun here, and goes on after it."""
    context = copy_context()
    context.run(_current.set, None)
    return context


def traceparent_of(name: str) -> str:
    """The same for the same name in each process: for what was recorded by one that keeps no traces."""
    digest = sha256(name.encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-01"
