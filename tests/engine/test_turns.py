"""A worker takes up no more tasks while the turns of its loop are long."""

import asyncio
from itertools import accumulate, chain, count, repeat

from kubemin.engine.supervise.turns import until_turns_are_short


async def _measured(*cpu: float, patience: float = 1e9) -> int:
    """How often turns were measured until it went on; ``cpu`` is what each time was found, then nothing."""
    readings = iter(accumulate(chain.from_iterable((0.0, spent) for spent in chain(cpu, repeat(0.0)))))
    seconds = count()
    times = 0

    def read() -> float:
        nonlocal times
        times += 1
        return next(readings)

    async with asyncio.timeout(30):
        await until_turns_are_short(patience, read, lambda: float(next(seconds)))
    return times // 2


async def test_it_goes_on_at_once_where_nothing_is_done() -> None:
    assert await _measured() == 1


async def test_it_waits_while_turns_are_long() -> None:
    assert await _measured(0.5, 0.5, 0.5) == 4


async def test_it_goes_on_after_a_while_whatever_is_done() -> None:
    assert await _measured(*[0.5] * 100, patience=10) == 9
