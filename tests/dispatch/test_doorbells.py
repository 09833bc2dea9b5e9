"""One suite for every doorbell, and what each has of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from structlog.testing import capture_logs

from kubemin.dispatch import Doorbell, LocalDoorbell, open_doorbell
from kubemin.dispatch.postgres import PostgresDoorbell
from kubemin.dispatch.redis import RedisDoorbell
from kubemin.signals import SignalError
from tests.servers.postgresql import Postgresql
from tests.servers.proxy import Proxy
from tests.servers.valkey import Valkey
from tests.waiting import PATIENCE


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with Valkey() as server:
        yield server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgresql]:
    with Postgresql() as server:
        yield server


@pytest.fixture(params=["local", "redis", "postgres"])
async def bells(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], Doorbell]]:
    """Makes bells of several processes; the local one is the same for all."""
    local, made = LocalDoorbell(), list[Doorbell]()
    fixture = {"redis": "valkey", "postgres": "postgres"}.get(request.param)
    server = request.getfixturevalue(fixture) if fixture else None

    def make() -> Doorbell:
        bell: Doorbell = local
        if isinstance(server, Valkey):
            bell = RedisDoorbell(server.url)
        elif isinstance(server, Postgresql):
            bell = PostgresDoorbell(server.url())
        made.append(bell)
        return bell

    yield make
    for bell in made:
        await bell.aclose()


async def rings_until_heard(ringer: Doorbell, listener: Doorbell) -> None:
    """Ring until the listener, whose first wait makes its connection, has heard."""
    heard = asyncio.create_task(listener.wait(3600))
    async with asyncio.timeout(PATIENCE):
        while not heard.done():
            await ringer.ring()
            await asyncio.wait([heard], timeout=0.01)
    await heard


async def test_a_ring_wakes_a_worker_in_another_process(bells: Callable[[], Doorbell]) -> None:
    await rings_until_heard(bells(), bells())


async def test_a_ring_wakes_a_worker_in_the_same_process(bells: Callable[[], Doorbell]) -> None:
    bell = bells()
    await rings_until_heard(bell, bell)


async def test_a_ring_before_the_wait_is_not_lost(bells: Callable[[], Doorbell]) -> None:
    bell = bells()
    await bell.ring()
    async with asyncio.timeout(PATIENCE):
        await bell.wait(3600)


async def test_without_a_ring_the_wait_ends(bells: Callable[[], Doorbell]) -> None:
    bell = bells()
    async with asyncio.timeout(PATIENCE):
        for _ in range(3):
            await bell.wait(0.001)
        await bell.wait(0)


async def test_a_wait_can_be_cancelled(bells: Callable[[], Doorbell]) -> None:
    bell = bells()
    await bell.wait(0.001)
    waiting = asyncio.create_task(bell.wait(3600))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_closing_wakes_who_waits(bells: Callable[[], Doorbell]) -> None:
    bell = bells()
    waiting = asyncio.create_task(bell.wait(3600))
    await asyncio.sleep(0)
    await bell.aclose()
    async with asyncio.timeout(PATIENCE):
        await waiting


async def test_a_bell_whose_server_is_away_is_silent_and_harmless() -> None:
    for bell in (
        RedisDoorbell("redis://u:hush@127.0.0.1:1"),
        PostgresDoorbell("postgresql+asyncpg://u:hush@127.0.0.1:1/d"),
    ):
        with capture_logs() as logs:
            for _ in range(3):
                await bell.ring()
                await bell.wait(0.001)
        assert [entry["event"] for entry in logs if entry.get("of") == "doorbell"] == ["connection lost"]
        assert "hush" not in repr(logs)
        await bell.aclose()


async def test_those_who_ring_together_share_what_is_sent(valkey: Valkey) -> None:
    bell = RedisDoorbell(valkey.url)
    await bell.ring()
    valkey.run("CONFIG", "RESETSTAT")
    rings = [asyncio.ensure_future(bell.ring()) for _ in range(20)]
    await asyncio.wait(rings)
    assert valkey.run("INFO", "commandstats")["cmdstat_publish"]["calls"] == 2, "the first, and one for all after it"
    await bell.aclose()


async def test_a_ring_that_is_cancelled_takes_no_other_ring_with_it(valkey: Valkey) -> None:
    listener, ringer = RedisDoorbell(valkey.url), RedisDoorbell(valkey.url)
    waiting = asyncio.create_task(listener.wait(PATIENCE))
    await listener.subscription.connected.wait()
    publish, begun, gates = ringer._redis.publish, asyncio.Semaphore(0), [asyncio.Event(), asyncio.Event()]

    async def held(channel: str, message: str) -> None:
        begun.release()
        if gates:
            await gates.pop(0).wait()
        else:
            await publish(channel, message)

    ringer._redis.publish = held  # type: ignore[method-assign]
    first = gates[0]
    _, cancelled, other = [asyncio.ensure_future(ringer.ring()) for _ in range(3)]
    await begun.acquire()
    first.set()
    await begun.acquire()  # the second one's, which is the third one's too
    cancelled.cancel()
    await other
    async with asyncio.timeout(PATIENCE):
        await waiting
    await asyncio.gather(listener.aclose(), ringer.aclose())


async def test_a_bell_comes_back(valkey: Valkey, postgres: Postgresql) -> None:
    for port in (valkey.port, postgres.port):
        async with Proxy(port) as proxy:
            urls = f"redis://127.0.0.1:{proxy.port}", postgres.url(port=proxy.port)
            listener = RedisDoorbell(urls[0]) if port == valkey.port else PostgresDoorbell(urls[1])
            ringer = RedisDoorbell(valkey.url) if port == valkey.port else PostgresDoorbell(postgres.url())
            await rings_until_heard(ringer, listener)
            proxy.cut()
            async with asyncio.timeout(PATIENCE):
                connections = proxy.connections
                while proxy.connections == connections:
                    await listener.wait(0.01)
            await rings_until_heard(ringer, listener)
            await listener.aclose()
            await ringer.aclose()


async def test_a_stalled_server_does_not_hold_up_the_poll(postgres: Postgresql) -> None:
    async with Proxy(postgres.port) as proxy:
        proxy.stall()
        bell = PostgresDoorbell(postgres.url(port=proxy.port), timeout=0.05)
        async with asyncio.timeout(PATIENCE):
            await bell.ring()
            await bell.wait(3600)  # its own ring
            await bell.wait(0.001)
        await bell.aclose()


@pytest.mark.parametrize(
    ("redis_url", "database_url", "kind"),
    [
        (None, "sqlite:///kubemin.db", LocalDoorbell),
        (None, "mysql://h/d", LocalDoorbell),
        (None, "postgresql://h/d", PostgresDoorbell),
        ("redis://h", "postgresql://h/d", RedisDoorbell),
    ],
)
async def test_which_bell(redis_url: str | None, database_url: str, kind: type) -> None:
    bell = open_doorbell(redis_url, database_url)
    assert isinstance(bell, kind)
    await bell.aclose()


async def test_an_unusable_url_is_refused() -> None:
    with pytest.raises(SignalError):
        open_doorbell("nonsense", "sqlite://")
