"""How long the turns of the loop are: whatever comes to it waits for the whole turn that goes on.

A cancel takes some ten turns to end a task's scope. With hundreds of tasks at work at once each turn would have a step
of most of them, and a stop would wait behind all of these.
"""

import asyncio
import time
from collections.abc import Callable

_SHORT = 0.004
"""Seconds of CPU: by the wall clock a machine that does other things would seem busy to a loop that is not."""
_TURNS = 4
"""So many are measured together: single ones differ much."""


async def until_turns_are_short(
    patience: float,
    cpu: Callable[[], float] = time.thread_time,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Wait until the loop's turns are short, ``patience`` seconds at most."""
    deadline = clock() + patience
    short = False
    while not short and clock() < deadline:
        began = cpu()
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        short = cpu() - began <= _TURNS * _SHORT
