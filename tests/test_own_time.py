"""The clock of the tests' event loop."""

import asyncio
import time

from tests.own_time import OwnTimeLoop


def test_what_other_processes_take_is_not_counted_and_timers_end() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.01)
        limit, before = asyncio.timeout(0.3), loop.time()
        async with limit:
            time.sleep(0.6)  # noqa: ASYNC251  (this process computes nothing, and does not wait for an event)
            await asyncio.sleep(0)
        assert loop.time() - before < 0.3
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            return
        raise AssertionError("a limit does not end")

    with asyncio.Runner(loop_factory=OwnTimeLoop) as runner:
        runner.run(run())
