"""The request that something goes on for, bound to the running context: log lines and what it makes name it."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars, get_contextvars

_ID = "request_id"


@contextmanager
def on_request(request_id: str | None) -> Iterator[None]:
    """The block goes on for the request of this id; without one, for none."""
    if request_id is None:
        yield
        return
    with bound_contextvars(**{_ID: request_id}):
        yield


def request_now() -> str | None:
    """The id of the running context's request."""
    found: str | None = get_contextvars().get(_ID)
    return found
