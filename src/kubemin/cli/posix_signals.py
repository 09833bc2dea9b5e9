"""SIGINT and SIGTERM, for the commands that serve."""

import asyncio
import signal
from collections.abc import Callable, Collection
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM)


async def until_stopped(
    *others: "asyncio.Future[Any]",
    ready: Callable[[], None] = lambda: None,
    stops: Collection[signal.Signals] = STOPS,
) -> None:
    """Return at the first SIGINT or SIGTERM (of ``stops``), or when one of the others is done.

    ``ready`` is called once a signal is waited for: before that a SIGTERM kills the process. After the return either
    does: a person who presses Ctrl-C twice does not want to wait. Python's own handler of SIGINT would raise in
    whatever happens to run, which may catch it, or be in the middle of closing something.
    """
    stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if not stopped.done():
            stopped.set_result(None)

    for number in stops:
        loop.add_signal_handler(number, stop)
    try:
        ready()
        await asyncio.wait((stopped, *others), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for number in stops:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
