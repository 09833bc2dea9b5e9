"""What only the in-process registry has."""

from kubemin.signals import Cancelled, LocalHub, LocalSignals
from kubemin.signals.opening import open_signals
from tests.signals.helpers import Clock, Inbox


async def test_a_mark_is_kept_for_an_hour() -> None:
    clock, late, in_time = Clock(), Inbox(), Inbox()
    signals = LocalSignals(clock=clock)
    await signals.cancel("t1", "stop")
    clock.now += 3599
    await signals.watch("t1", 1, in_time)
    clock.now += 1
    await signals.watch("t1", 2, late)
    assert (in_time, late) == ([Cancelled("stop")], [])


async def test_marks_do_not_pile_up() -> None:
    clock, hub = Clock(), LocalHub()
    signals = LocalSignals(hub, clock=clock)
    for number in range(10):
        await signals.cancel(f"t{number}", "stop")
    clock.now += 3600
    await signals.cancel("last", "stop")
    assert list(hub.marks) == ["last"]


async def test_without_a_url_signals_stay_in_this_process() -> None:
    assert isinstance(await open_signals(None), LocalSignals)
