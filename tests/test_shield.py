"""A round trip that was sent is never cut short, in a task of its own or in the caller's."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kubemin.shield import round_trip, to_the_end

Shield = Callable[..., Awaitable[object]]
both = pytest.mark.parametrize("shield", [to_the_end, round_trip])


class Work:
    """Waits for its answer, as a statement does."""

    def __init__(self) -> None:
        self.sent = asyncio.Event()
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.cut = False
        self.ended = False

    async def run(self) -> str:
        await asyncio.sleep(0)
        self.sent.set()
        try:
            return await self.answer
        except asyncio.CancelledError:
            self.cut = True
            raise
        finally:
            self.ended = True


async def _turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@both
async def test_it_returns_what_the_work_returns(shield: Shield) -> None:
    work = Work()
    asyncio.get_running_loop().call_soon(work.answer.set_result, "answered")
    assert await shield(work.run(), 1, 60) == "answered"


@both
async def test_it_raises_what_the_work_raises(shield: Shield) -> None:
    work = Work()
    asyncio.get_running_loop().call_soon(work.answer.set_exception, OSError("refused"))
    with pytest.raises(OSError, match="refused"):
        await shield(work.run(), 1, 60)


@both
@pytest.mark.parametrize("cancels", [1, 2])
async def test_a_cancel_is_raised_once_the_work_has_ended(shield: Shield, cancels: int) -> None:
    work = Work()
    caller = asyncio.ensure_future(shield(work.run()))
    await work.sent.wait()
    for _ in range(cancels):
        caller.cancel("asked for")
        await _turns()
    assert not caller.done()
    work.answer.set_result("answered")
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert work.ended
    assert not work.cut


@both
async def test_a_cancel_before_it_begins_cuts_nothing_either(shield: Shield) -> None:
    work = Work()

    async def call() -> None:
        own = asyncio.current_task()
        assert own is not None
        own.cancel()
        await shield(work.run())

    caller = asyncio.create_task(call())
    await work.sent.wait()
    work.answer.set_result("answered")
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert work.ended
    assert not work.cut


@both
async def test_a_cancel_hides_no_error_of_the_work(shield: Shield) -> None:
    work = Work()
    caller = asyncio.ensure_future(shield(work.run()))
    await work.sent.wait()
    caller.cancel()
    work.answer.set_exception(OSError("refused"))
    with pytest.raises(asyncio.CancelledError) as raised:
        await caller
    assert isinstance(raised.value.__cause__, OSError)


@both
async def test_after_its_grace_the_work_is_cancelled(shield: Shield) -> None:
    work = Work()
    caller = asyncio.ensure_future(shield(work.run(), 0.001))
    await work.sent.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert work.cut


@both
async def test_after_its_limit_the_work_is_cancelled_and_that_is_a_timeout(shield: Shield) -> None:
    work = Work()
    with pytest.raises(TimeoutError):
        await shield(work.run(), None, 0.001)
    assert work.cut


@both
async def test_the_limit_of_a_caller_is_kept_too(shield: Shield) -> None:
    work = Work()
    asyncio.get_running_loop().call_later(0.02, work.answer.set_result, "answered")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await shield(work.run())
    assert work.ended
    assert not work.cut


async def test_a_round_trip_comes_back_in_one_turn_of_the_loop() -> None:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[None] = loop.create_future()
    turns = 0

    async def send() -> None:
        await answer

    caller = asyncio.create_task(round_trip(send(), 1, 60))
    await _turns()
    answer.set_result(None)
    while not caller.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns == 1
