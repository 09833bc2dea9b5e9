"""The request that something goes on for, bound to the running context: log lines and what it makes name it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

_current: ContextVar[str | None] = ContextVar("kubemin.request", default=None)


@contextmanager
def on_request(request_id: str | None) -> Iterator[None]:
    """The block goes on for the request of this id; without one, for none."""
    if request_id is None:
        yield
        return
    token = _current.set(request_id)
    try:
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            yield
    finally:
        _current.reset(token)


def request_now() -> str | None:
    """The id of the running context's request."""
    return _current.get()
