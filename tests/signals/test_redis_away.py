"""Redis restarted, cut off, slow: nothing is cancelled, nothing is lost for good, and it is said once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from kubemin.signals import Cancelled, SignalError, TakenOver
from kubemin.signals.redis import RedisSignals
from tests.servers.proxy import Proxy
from tests.servers.valkey import Valkey
from tests.signals.helpers import Inbox, is_healthy
from tests.waiting import PATIENCE, until_true

QUICK = 0.05
"""A poll interval for tests that let the background work."""


@pytest.fixture
async def proxy(valkey: Valkey) -> AsyncIterator[Proxy]:
    async with Proxy(valkey.port) as proxy:
        yield proxy


@pytest.fixture
async def cut_off(proxy: Proxy) -> AsyncIterator[RedisSignals]:
    """A worker behind the proxy, that looks only when told to."""
    signals = RedisSignals(f"redis://127.0.0.1:{proxy.port}", timeout=0.2)
    yield signals
    await signals.aclose()


def events(logs: list[EventDict]) -> list[str]:
    return [entry["event"] for entry in logs if entry.get("of") == "signals"]


async def test_a_redis_restarted_empty_cancels_nothing_and_goes_on_working() -> None:
    with Valkey() as server:
        signals = await RedisSignals.open(server.url, poll=QUICK)
        inboxes = [Inbox() for _ in range(10)]
        for number, inbox in enumerate(inboxes):
            await signals.watch(f"t{number}", 1, inbox)
        server.restart_empty()
        await until_true(lambda: server.run("DBSIZE") == 20)
        assert not any(inboxes)
        api = RedisSignals(server.url)
        await api.cancel("t4", "stop")
        assert await inboxes.pop(4).next() == Cancelled("stop")
        assert not any(inboxes)
        await api.aclose()
        await signals.aclose()


async def test_a_redis_that_is_away_is_said_once_and_comes_back_by_itself() -> None:
    with Valkey() as server:
        with capture_logs() as logs:
            signals, inbox = await RedisSignals.open(server.url, poll=QUICK), Inbox()
            await signals.watch("t1", 1, inbox)
            server.stop()
            for _ in range(5):
                await signals.poll()
            assert not is_healthy(signals)
            assert events(logs) == ["connection lost"]
            server.start()
            await until_true(lambda: signals.subscription.connected.is_set() and signals.healthy)
            assert events(logs) == ["connection lost", "connection is back"]
        assert inbox == []
        await signals.cancel("t1", "stop")
        assert await inbox.next() == Cancelled("stop")
        await signals.aclose()


async def test_a_redis_that_was_never_there_stops_nobody(valkey: Valkey) -> None:
    inbox = Inbox()
    async with Proxy(valkey.port) as proxy:
        proxy.refuse()
        signals = await RedisSignals.open(f"redis://127.0.0.1:{proxy.port}", poll=QUICK)
        await signals.watch("t1", 1, inbox)
        assert not is_healthy(signals)
        proxy.heal()
        await until_true(lambda: signals.healthy)
        assert valkey.run("DBSIZE") == 2
        assert inbox == []
        await signals.aclose()


async def test_a_cancel_that_cannot_be_left_is_told_to_the_caller(proxy: Proxy, cut_off: RedisSignals) -> None:
    proxy.refuse()
    with pytest.raises(SignalError, match=rf"^Redis at 127\.0\.0\.1:{proxy.port} failed: \w+Error"):
        await cut_off.cancel("t1", "stop")


async def test_a_cancel_that_cannot_be_left_still_ends_a_task_of_this_process(
    proxy: Proxy, cut_off: RedisSignals
) -> None:
    inbox, other = Inbox(), Inbox()
    await cut_off.watch("t1", 1, inbox)
    await cut_off.watch("t2", 1, other)
    proxy.refuse()
    with pytest.raises(SignalError):
        await cut_off.cancel("t1", "stop")
    assert (inbox, other) == ([Cancelled("stop")], [])


async def test_a_cancel_whose_answer_was_lost_is_an_error_and_works(
    valkey: Valkey, proxy: Proxy, cut_off: RedisSignals
) -> None:
    worker, inbox = RedisSignals(valkey.url), Inbox()
    await worker.watch("t1", 1, inbox)
    await cut_off.poll()  # so that there is a connection whose answer can be lost
    proxy.drop_answers = True
    with pytest.raises(SignalError):
        await cut_off.cancel("t1", "stop")
    await worker.poll()
    assert inbox == [Cancelled("stop")]
    await worker.aclose()


async def test_a_partition_holds_up_one_call_not_each(proxy: Proxy, cut_off: RedisSignals) -> None:
    """Who queued behind a call that timed out does not wait for a timeout of its own."""
    await cut_off.watch("t0", 1, Inbox())
    proxy.stall()
    asked = proxy.connections
    await asyncio.gather(*(cut_off.watch(f"t{number}", 1, Inbox()) for number in range(1, 50)))
    await asyncio.gather(*(cut_off.unwatch(f"t{number}") for number in range(1, 50)))
    assert not is_healthy(cut_off)
    assert proxy.connections - asked <= 2


async def test_a_refresh_whose_answer_was_lost_is_no_cancel(
    valkey: Valkey, proxy: Proxy, cut_off: RedisSignals
) -> None:
    inbox = Inbox()
    await cut_off.poll()
    proxy.drop_answers = True
    await cut_off.watch("t1", 1, inbox)
    assert not is_healthy(cut_off)
    assert valkey.run("EXISTS", "kubemin:workflow:cancel:t1") == 1, "claimed, but nobody knows"
    proxy.heal()
    await cut_off.poll()
    assert is_healthy(cut_off)
    assert inbox == []


async def test_a_takeover_during_a_partition_is_found_after_it(
    valkey: Valkey, proxy: Proxy, cut_off: RedisSignals
) -> None:
    inbox, new_inbox = Inbox(), Inbox()
    await cut_off.watch("t1", 1, inbox)
    proxy.stall()
    await cut_off.poll()
    new = RedisSignals(valkey.url)
    await new.watch("t1", 2, new_inbox)
    proxy.cut()
    proxy.heal()
    await cut_off.poll()
    await new.poll()
    assert (inbox, new_inbox) == ([TakenOver()], [])
    await new.aclose()


async def test_no_call_swallows_its_cancellation(valkey: Valkey) -> None:
    """Cancelled at any step, a call ends as cancelled, and the next one works."""
    signals = RedisSignals(valkey.url)
    calls: list[Callable[[], Awaitable[None]]] = [
        signals.poll,
        lambda: signals.watch("t1", 1, Inbox()),
        lambda: signals.cancel("t2", "stop"),
    ]
    for call in calls:
        for steps in range(40):
            task = asyncio.ensure_future(call())
            for _ in range(steps):
                await asyncio.sleep(0)
            cancelled = task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() == cancelled
    await signals.poll()
    assert is_healthy(signals)
    await signals.aclose()


async def test_a_message_beats_the_poll(valkey: Valkey) -> None:
    worker, inbox, other = await RedisSignals.open(valkey.url, poll=3600), Inbox(), Inbox()
    async with asyncio.timeout(PATIENCE):
        await worker.subscription.connected.wait()
    await worker.watch("t1", 1, inbox)
    await worker.watch("t2", 1, other)
    api = RedisSignals(valkey.url)
    await api.cancel("t1", "stop")
    assert await inbox.next() == Cancelled("stop")
    assert other == []
    await api.aclose()
    await worker.aclose()


async def test_a_message_with_its_mark_cancels_before_any_key_is_read(valkey: Valkey) -> None:
    worker, inbox, other = await RedisSignals.open(valkey.url, poll=3600), Inbox(), Inbox()
    async with asyncio.timeout(PATIENCE):
        await worker.subscription.connected.wait()
    await worker.watch("t1", 1, inbox)
    await worker.watch("t2", 1, other)
    valkey.run("PUBLISH", "kubemin:workflow:cancel", "t1 cancelled:stop, please")
    assert await inbox.next() == Cancelled("stop, please")
    assert other == []
    await worker.aclose()


async def test_a_message_without_a_mark_is_only_a_hint(valkey: Valkey) -> None:
    """It does nothing where the key has no mark; a mark without a message does."""
    worker, inbox = await RedisSignals.open(valkey.url, poll=QUICK), Inbox()
    async with asyncio.timeout(PATIENCE):
        await worker.subscription.connected.wait()
    await worker.watch("t1", 1, inbox)
    for message in ("t1", "t1 something", "unknown", "unknown cancelled:stop", ""):
        valkey.run("PUBLISH", "kubemin:workflow:cancel", message)
    await worker.poll()
    assert inbox == []
    valkey.run("SET", "kubemin:workflow:cancel:t1", "cancelled:by hand")
    assert await inbox.next() == Cancelled("by hand")
    await worker.aclose()


async def test_the_subscription_comes_back(valkey: Valkey, proxy: Proxy) -> None:
    worker = await RedisSignals.open(f"redis://127.0.0.1:{proxy.port}", poll=3600)
    inbox = Inbox()

    def subscriber() -> str:
        listed: str = valkey.run("CLIENT", "LIST", "TYPE", "pubsub")
        return listed.partition(" ")[0]

    async with asyncio.timeout(PATIENCE):
        await worker.subscription.connected.wait()
        await worker.watch("t1", 1, inbox)
        first = subscriber()
    proxy.cut()
    await until_true(lambda: subscriber() not in ("", first))
    await worker.cancel("t1", "stop")
    assert await inbox.next() == Cancelled("stop")
    await worker.aclose()


async def test_a_subscription_that_was_silently_cut_off_is_found_out(valkey: Valkey, proxy: Proxy) -> None:
    worker = RedisSignals(f"redis://127.0.0.1:{proxy.port}", timeout=0.2)
    subscription = worker.subscription
    subscription._idle = 0.05
    listening = asyncio.create_task(subscription.run())
    async with asyncio.timeout(PATIENCE):
        await subscription.connected.wait()
        proxy.stall()
        await until_true(lambda: not subscription.connected.is_set())
        proxy.heal()
        await subscription.connected.wait()
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    await worker.aclose()


async def test_a_server_that_became_a_replica_is_left_for_the_one_that_the_address_leads_to(proxy: Proxy) -> None:
    """As after a failover by DNS: the former connection stays open, and takes no write."""
    with Valkey() as former, Valkey() as promoted:
        proxy.lead_to(former.port)
        signals, inbox = RedisSignals(f"redis://127.0.0.1:{proxy.port}"), Inbox()
        await signals.watch("t1", 1, inbox)
        assert former.run("EXISTS", "kubemin:workflow:cancel:t1") == 1
        proxy.lead_to(promoted.port)
        former.run("REPLICAOF", "127.0.0.1", promoted.port)
        await signals.watch("t2", 1, inbox)
        assert not is_healthy(signals)
        await signals.poll()
        assert is_healthy(signals)
        assert promoted.run("EXISTS", "kubemin:workflow:cancel:t1", "kubemin:workflow:cancel:t2") == 2
        assert inbox == []
        await signals.aclose()
