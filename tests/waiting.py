"""Waiting for what a test cannot be told of: a row, an object, another process."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120
"""Seconds after which a test gives up waiting for one thing: also a client for its answer, and a command for its end.

It is the only such limit, so that a busy machine makes no test fail: none takes the seconds when all is well. A test
that waits for several things has the `timeout` of pyproject.toml, which is longer, and ends the whole process.
"""
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.16
"""Questions more often take CPU from what is waited for, most of them are a transaction; and a server that knows its
callers answers 50 a second of each (`KUBEMIN_CALLER_RATE`)."""


async def until(condition: Callable[[], Awaitable[T | None]]) -> T:
    """The first result of ``condition`` that is true."""
    async with asyncio.timeout(PATIENCE):
        for pause in _pauses():
            if found := await condition():
                return found
            await asyncio.sleep(pause)  # nobody tells us
        raise AssertionError("pauses do not end")


async def until_true(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; it is asked without waiting."""

    async def check() -> bool:
        return bool(condition())

    await until(check)


def until_found(condition: Callable[[], T | None], what: object = "") -> T:
    """The same for a test without an event loop; ``what``, if it does not come, is said."""
    deadline = time.monotonic() + PATIENCE
    for pause in _pauses():
        if found := condition():
            return found
        assert time.monotonic() < deadline, what
        time.sleep(pause)  # nobody tells us
    raise AssertionError("pauses do not end")


def _pauses() -> Iterator[float]:
    yield from itertools.takewhile(
        lambda pause: pause < _LONGEST_PAUSE, (_FIRST_PAUSE * 2**n for n in itertools.count())
    )
    yield from itertools.repeat(_LONGEST_PAUSE)
