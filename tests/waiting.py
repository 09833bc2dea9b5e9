"""Waiting for what a test cannot be told of: a row, an object, another process."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120
"""Seconds after which a test gives up waiting for one thing: also a client for its answer, and a command for its end.

It is the only such limit, so that a busy machine makes no test fail: none takes the seconds when all is well. A test
that waits for several things has the `timeout` of pyproject.toml, which is longer, and ends the whole process.
"""
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.16
"""Questions more often take CPU from what is waited for: most of them are a transaction."""


async def until(condition: Callable[[], Awaitable[T | None]]) -> T:
    """The first result of ``condition`` that is true."""
    async with asyncio.timeout(PATIENCE):
        pause = _FIRST_PAUSE
        while not (found := await condition()):
            await asyncio.sleep(pause)  # nobody tells us
            pause = min(2 * pause, _LONGEST_PAUSE)
        return found


async def until_true(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; it is asked without waiting."""

    async def check() -> bool:
        return bool(condition())

    await until(check)
