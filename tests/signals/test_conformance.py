"""What any carrier of signals promises: the same for the in-process one and for Redis."""

from kubemin.signals import Cancelled, TakenOver
from tests.signals.helpers import Carrier, Inbox


async def test_a_cancel_reaches_the_watcher_with_its_reason(carrier: Carrier) -> None:
    worker, api, inbox, other = carrier.connect(), carrier.connect(), Inbox(), Inbox()
    await worker.watch("t1", 1, inbox)
    await worker.watch("t2", 1, other)
    await carrier.look()
    assert inbox == []
    await api.cancel("t1", "wrong image: v2 ≠ v3")
    await carrier.look()
    assert inbox == [Cancelled("wrong image: v2 ≠ v3")]
    assert other == []


async def test_a_task_that_is_cancelled_before_its_claim_never_starts(carrier: Carrier) -> None:
    worker, api, inbox = carrier.connect(), carrier.connect(), Inbox()
    await api.cancel("t1", "too late")
    await worker.watch("t1", 1, inbox)
    assert inbox == [Cancelled("too late")]


async def test_the_mark_outlives_the_watcher_and_stops_the_next_one_too(carrier: Carrier) -> None:
    worker, next_worker, inbox, next_inbox = carrier.connect(), carrier.connect(), Inbox(), Inbox()
    await worker.watch("t1", 1, inbox)
    await worker.cancel("t1", "stop")
    await carrier.look()
    await worker.unwatch("t1")
    await next_worker.watch("t1", 2, next_inbox)
    assert next_inbox == [Cancelled("stop")]


async def test_the_last_of_several_cancels_is_the_mark(carrier: Carrier) -> None:
    worker, api, inbox = carrier.connect(), carrier.connect(), Inbox()
    await api.cancel("t1", "first")
    await api.cancel("t1", "second")
    await worker.watch("t1", 1, inbox)
    assert inbox == [Cancelled("second")]


async def test_a_watcher_is_called_once(carrier: Carrier) -> None:
    worker, api, inbox = carrier.connect(), carrier.connect(), Inbox()
    await worker.watch("t1", 1, inbox)
    for _ in range(2):
        await api.cancel("t1", "stop")
        await carrier.look()
    assert inbox == [Cancelled("stop")]


async def test_a_later_epoch_takes_over(carrier: Carrier) -> None:
    old, new, old_inbox, new_inbox = carrier.connect(), carrier.connect(), Inbox(), Inbox()
    await old.watch("t1", 1, old_inbox)
    await new.watch("t1", 2, new_inbox)
    await carrier.look()
    assert (old_inbox, new_inbox) == ([TakenOver()], [])
    await old.unwatch("t1")
    await carrier.look()
    await old.cancel("t1", "stop")
    await carrier.look()
    assert (old_inbox, new_inbox) == ([TakenOver()], [Cancelled("stop")])


async def test_an_earlier_epoch_yields_at_once(carrier: Carrier) -> None:
    old, new, old_inbox, new_inbox = carrier.connect(), carrier.connect(), Inbox(), Inbox()
    await new.watch("t1", 2, new_inbox)
    await old.watch("t1", 1, old_inbox)
    assert old_inbox == [TakenOver()]
    await old.unwatch("t1")
    await carrier.look()
    assert new_inbox == []


async def test_of_equal_epochs_the_later_claim_stays(carrier: Carrier) -> None:
    one, two, first, second = carrier.connect(), carrier.connect(), Inbox(), Inbox()
    await one.watch("t1", 1, first)
    await two.watch("t1", 1, second)
    for _ in range(3):
        await carrier.look()
    assert (first, second) == ([TakenOver()], [])


async def test_a_second_watch_of_one_worker_replaces_the_first(carrier: Carrier) -> None:
    worker, first, second = carrier.connect(), Inbox(), Inbox()
    await worker.watch("t1", 1, first)
    await worker.watch("t1", 2, second)
    await worker.cancel("t1", "stop")
    await carrier.look()
    assert (first, second) == ([TakenOver()], [Cancelled("stop")])


async def test_who_does_not_watch_any_more_hears_nothing(carrier: Carrier) -> None:
    worker, inbox = carrier.connect(), Inbox()
    await worker.watch("t1", 1, inbox)
    await worker.unwatch("t1")
    await worker.unwatch("t1")
    await worker.unwatch("never")
    await worker.cancel("t1", "stop")
    await carrier.look()
    assert inbox == []


async def test_a_task_is_handed_over_without_a_cancel(carrier: Carrier) -> None:
    old, new, inbox = carrier.connect(), carrier.connect(), Inbox()
    await old.watch("t1", 1, Inbox())
    await old.unwatch("t1")
    await new.watch("t1", 2, inbox)
    await carrier.look()
    assert inbox == []


async def test_a_closed_carrier_has_given_up_its_keys(carrier: Carrier) -> None:
    old, new, old_inbox, inbox = carrier.connect(), carrier.connect(), Inbox(), Inbox()
    await old.watch("t1", 5, old_inbox)
    await old.aclose()
    await new.watch("t1", 4, inbox)
    carrier.connected.remove(old)
    await carrier.look()
    assert (old_inbox, inbox) == ([], [])


async def test_a_carrier_that_answers_is_healthy(carrier: Carrier) -> None:
    worker = carrier.connect()
    await worker.watch("t1", 1, Inbox())
    assert worker.healthy
