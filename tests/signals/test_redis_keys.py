"""The key protocol on a real server: what is in the keys, and what each change of them means."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from kubemin.signals import Cancelled, TakenOver
from kubemin.signals.redis import RedisSignals
from tests.servers.valkey import Valkey
from tests.signals.helpers import Clock, Inbox, is_healthy

KEY = "kubemin:workflow:cancel:t1"
SENTINEL = "kubemin:workflow:sentinel:{kubemin:workflow:cancel:t1}"


async def test_the_key_holds_the_epoch_and_expires_not_before_its_sentinel(
    valkey: Valkey, signals: RedisSignals, clock: Clock
) -> None:
    await signals.watch("t1", 7, Inbox())
    token = valkey.run("GET", KEY)
    assert token.startswith("7:")
    assert len(token) > len("7:") + 8
    key_ends, sentinel_ends = valkey.run("PEXPIRETIME", KEY), valkey.run("PEXPIRETIME", SENTINEL)
    assert sentinel_ends <= key_ends
    assert 0 < valkey.run("PTTL", KEY) <= 30_000
    valkey.run("PEXPIRE", KEY, 5_000)
    valkey.run("DEL", SENTINEL)
    clock.now += 9.9
    await signals.poll()
    assert valkey.run("PTTL", KEY) <= 5_000, "not due yet"
    clock.now += 0.1
    await signals.poll()
    assert valkey.run("GET", KEY) == token
    assert valkey.run("PTTL", KEY) > 5_000
    assert valkey.run("PEXPIRETIME", SENTINEL) <= valkey.run("PEXPIRETIME", KEY)


async def test_both_keys_go_with_the_watch(valkey: Valkey, signals: RedisSignals) -> None:
    await signals.watch("t1", 1, Inbox())
    await signals.unwatch("t1")
    assert valkey.run("DBSIZE") == 0


async def test_a_cancel_leaves_its_mark_for_an_hour(valkey: Valkey, signals: RedisSignals) -> None:
    await signals.watch("t1", 1, Inbox())
    await signals.cancel("t1", "stop")
    assert valkey.run("GET", KEY) == "cancelled:stop"
    assert 3_590_000 < valkey.run("PTTL", KEY) <= 3_600_000
    await signals.poll()
    await signals.unwatch("t1")
    assert valkey.run("GET", KEY) == "cancelled:stop"


async def test_a_key_deleted_by_hand_cancels_that_task(valkey: Valkey, signals: RedisSignals) -> None:
    inbox, other = Inbox(), Inbox()
    await signals.watch("t1", 1, inbox)
    await signals.watch("t2", 1, other)
    valkey.run("DEL", KEY)
    await signals.poll()
    assert inbox == [Cancelled("the signal key was deleted")]
    assert other == []
    assert valkey.run("EXISTS", KEY) == 0


async def test_a_redis_that_lost_its_data_cancels_nothing(valkey: Valkey, signals: RedisSignals) -> None:
    inboxes = [Inbox() for _ in range(20)]
    for number, inbox in enumerate(inboxes):
        await signals.watch(f"t{number}", 1, inbox)
    valkey.run("FLUSHALL")
    await signals.poll()
    assert not any(inboxes)
    assert valkey.run("DBSIZE") == 40, "claimed again"
    await signals.cancel("t3", "stop")
    await signals.poll()
    assert inboxes.pop(3) == [Cancelled("stop")]
    assert not any(inboxes)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("cancelled:", ""),
        ("cancelled:by hand", "by hand"),
        ("stop it", "stop it"),
        ("", ""),
        ("12:not a token", "12:not a token"),
        ("x" * 10_000, "x" * 2000),
    ],
)
async def test_a_value_that_is_no_token_cancels(valkey: Valkey, signals: RedisSignals, value: str, reason: str) -> None:
    inbox, late = Inbox(), Inbox()
    await signals.watch("t1", 1, inbox)
    valkey.run("SET", KEY, value)
    await signals.poll()
    assert inbox == [Cancelled(reason)]
    await signals.watch("t1", 2, late)
    assert late == [Cancelled(reason)], "and before the claim too"


async def test_a_key_of_another_type_cancels(valkey: Valkey, signals: RedisSignals) -> None:
    inbox = Inbox()
    await signals.watch("t1", 1, inbox)
    valkey.run("DEL", KEY)
    valkey.run("RPUSH", KEY, "what", "is", "this")
    await signals.poll()
    assert inbox == [Cancelled("the signal key is no longer a string")]
    await signals.unwatch("t1")


async def test_bytes_that_are_no_text_cancel_too(valkey: Valkey, signals: RedisSignals) -> None:
    inbox = Inbox()
    await signals.watch("t1", 1, inbox)
    with valkey.client() as client:
        client.set(KEY, b"\xff\xfe")
    await signals.poll()
    assert inbox == [Cancelled("��")]


async def test_a_dead_workers_key_is_replaced_and_a_later_one_left_alone(valkey: Valkey, signals: RedisSignals) -> None:
    inbox = Inbox()
    valkey.run("SET", KEY, "1:00aa", "PX", 30_000)
    await signals.watch("t1", 2, inbox)
    assert valkey.run("GET", KEY).startswith("2:")
    assert inbox == []
    for later in ("3:00bb", "10:00bb"):  # numbers, not texts
        valkey.run("SET", KEY, later, "PX", 1_000_000)
        await signals.poll()
        assert inbox == [TakenOver()]
        assert valkey.run("GET", KEY) == later
        assert valkey.run("PTTL", KEY) > 30_000, "not even its time to live"
        inbox = Inbox()
        await signals.watch("t1", 2, inbox)
        assert inbox == [TakenOver()]
        await signals.unwatch("t1")
        assert valkey.run("GET", KEY) == later
        valkey.run("DEL", KEY, SENTINEL)
        inbox = Inbox()
        await signals.watch("t1", 2, inbox)
        assert inbox == []


async def test_a_long_pause_is_not_a_cancel(valkey: Valkey, signals: RedisSignals, clock: Clock) -> None:
    """The key expired, and the sentinel of whoever had it meanwhile is there."""
    inbox = Inbox()
    await signals.watch("t1", 1, inbox)
    valkey.run("DEL", KEY)
    clock.now += 30
    await signals.poll()
    assert inbox == []
    assert valkey.run("GET", KEY).startswith("1:")
    valkey.run("DEL", KEY)
    clock.now += 29.9
    await signals.poll()
    assert inbox == [Cancelled("the signal key was deleted")], "young enough"


async def test_an_answer_that_took_too_long_is_not_a_cancel(valkey: Valkey) -> None:
    """The question left in time, but the key may have expired on its way."""

    class Slow(Clock):
        step = 0.0

        def __call__(self) -> float:
            self.now += self.step
            return self.now

    clock, inbox = Slow(), Inbox()
    signals = RedisSignals(valkey.url, ttl=30, clock=clock)
    await signals.watch("t1", 1, inbox)
    valkey.run("DEL", KEY)
    clock.step = 20
    await signals.poll()
    assert inbox == []
    assert valkey.run("GET", KEY).startswith("1:"), "claimed again, at once"
    await signals.aclose()


async def test_keys_that_expire_by_themselves_cancel_nothing(valkey: Valkey) -> None:
    """Real time to live: 1 ms, so that every look finds both keys expired or about to."""
    signals, inbox = RedisSignals(valkey.url, ttl=0.001), Inbox()
    await signals.watch("t1", 1, inbox)
    for _ in range(300):
        await signals.poll()
    assert inbox == []
    await signals.aclose()


async def test_eviction_cancels_nothing_and_is_warned_of(clock: Clock) -> None:
    with Valkey("--maxmemory-policy", "allkeys-lru") as server:
        signals, inbox = RedisSignals(server.url, clock=clock), Inbox()
        with capture_logs() as logs:
            await signals.poll()
            await signals.poll()
        assert [entry["event"] for entry in logs] == ["cancel marks may be evicted"]
        assert logs[0]["policy"] == "allkeys-lru"
        await signals.watch("t1", 1, inbox)
        server.run("CONFIG", "SET", "maxmemory", 1)  # throws everything away
        server.run("CONFIG", "SET", "maxmemory", 0)
        assert server.run("INFO", "stats")["evicted_keys"] > 0
        await signals.poll()
        assert inbox == []
        server.run("DEL", KEY)  # as if it had been thrown away without its sentinel
        await signals.poll()
        assert inbox == []
        assert server.run("EXISTS", KEY) == 1
        await signals.aclose()


async def test_a_full_redis_keeps_what_is_claimed_and_is_said_to_be_away(valkey: Valkey, signals: RedisSignals) -> None:
    inbox, new = Inbox(), Inbox()
    await signals.watch("t1", 1, inbox)
    valkey.run("CONFIG", "SET", "maxmemory", 1)
    try:
        await signals.poll()
        assert is_healthy(signals)
        await signals.watch("t2", 1, new)
        assert not is_healthy(signals)
        assert (inbox, new) == ([], [])
    finally:
        valkey.run("CONFIG", "SET", "maxmemory", 0)
    await signals.poll()
    assert is_healthy(signals)
    assert (inbox, new) == ([], [])
    assert valkey.run("EXISTS", KEY, "kubemin:workflow:cancel:t2") == 2


async def test_noeviction_needs_no_warning(signals: RedisSignals) -> None:
    with capture_logs() as logs:
        await signals.poll()
    assert logs == []


async def test_two_connections_that_race_leave_one_holder(valkey: Valkey) -> None:
    """Whatever the order, the highest epoch holds the key, and nobody is cancelled."""
    workers = [RedisSignals(valkey.url) for _ in range(8)]
    inboxes = [Inbox() for _ in workers]
    await asyncio.gather(
        *(worker.watch("t1", epoch, inbox) for epoch, (worker, inbox) in enumerate(zip(workers, inboxes, strict=True)))
    )
    for _ in range(2):
        await asyncio.gather(*(worker.poll() for worker in workers))
    assert valkey.run("GET", KEY).startswith("7:")
    assert inboxes.pop() == []
    assert all(inbox == [TakenOver()] for inbox in inboxes)
    for worker in workers:
        await worker.aclose()


async def test_a_cancel_and_a_claim_that_race_end_in_a_cancel(valkey: Valkey) -> None:
    for number in range(20):
        worker, api, inbox = RedisSignals(valkey.url), RedisSignals(valkey.url), Inbox()
        await asyncio.gather(worker.watch(f"t{number}", 1, inbox), api.cancel(f"t{number}", "stop"))
        await worker.poll()
        assert inbox == [Cancelled("stop")]
        await worker.aclose()
        await api.aclose()


async def test_a_thousand_tasks_are_one_command_a_poll(valkey: Valkey, signals: RedisSignals, clock: Clock) -> None:
    inboxes = [Inbox() for _ in range(1000)]
    await asyncio.gather(*(signals.watch(f"t{number}", 1, inbox) for number, inbox in enumerate(inboxes)))
    assert valkey.run("INFO", "clients")["connected_clients"] <= 2, "one connection, and the one that asks"
    await signals.poll()
    assert await _calls_of_a_poll(valkey, signals) == {"evalsha": 1, "mget": 1}
    clock.now += 10
    assert await _calls_of_a_poll(valkey, signals) == {"evalsha": 1, "mget": 1, "pexpire": 1000, "set": 1000}
    assert await _calls_of_a_poll(valkey, signals) == {"evalsha": 1, "mget": 1}
    assert not any(inboxes)


async def test_tasks_that_begin_together_share_round_trips(valkey: Valkey, signals: RedisSignals) -> None:
    async def all_begin() -> None:
        await asyncio.gather(*(signals.watch(f"t{number}", 1, Inbox()) for number in range(100)))

    await all_begin()  # the server knows the script from now on
    assert (await _calls(valkey, all_begin))["evalsha"] == 2, "the first one, and all that came meanwhile"
    await asyncio.gather(*(signals.unwatch(f"t{number}") for number in range(100)))
    assert valkey.run("DBSIZE") == 0


async def test_who_shares_a_round_trip_with_a_cancelled_one_is_not_left_out(
    valkey: Valkey, signals: RedisSignals
) -> None:
    for steps in range(10):
        valkey.run("SET", "kubemin:workflow:cancel:t3", "cancelled:stop")
        inboxes = [Inbox() for _ in range(4)]
        tasks = [asyncio.ensure_future(signals.watch(f"t{number}", 1, inbox)) for number, inbox in enumerate(inboxes)]
        await tasks[0]
        for _ in range(steps):
            await asyncio.sleep(0)
        tasks[1].cancel()  # which asks for the others, too
        await asyncio.wait(tasks)
        assert inboxes[3] == [Cancelled("stop")]
        for number in range(4):
            await signals.unwatch(f"t{number}")


async def _calls_of_a_poll(valkey: Valkey, signals: RedisSignals) -> dict[str, int]:
    return await _calls(valkey, signals.poll)


async def _calls(valkey: Valkey, work: Callable[[], Awaitable[None]]) -> dict[str, int]:
    """What the server executed: `evalsha` is sent, the others are the script's own."""
    valkey.run("CONFIG", "RESETSTAT")
    await work()
    stats = {name.removeprefix("cmdstat_"): one["calls"] for name, one in valkey.run("INFO", "commandstats").items()}
    return {name: calls for name, calls in stats.items() if not name.startswith(("client", "config", "info"))}
