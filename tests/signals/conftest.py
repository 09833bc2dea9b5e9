from collections.abc import AsyncIterator, Iterator

import pytest

from kubemin.signals.redis import RedisSignals
from tests.servers.valkey import Valkey
from tests.signals.helpers import Carrier, Clock


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[Valkey]:
    with Valkey() as server:
        yield server


@pytest.fixture
def valkey(shared_valkey: Valkey) -> Valkey:
    """A server without data, that the test leaves running."""
    shared_valkey.run("FLUSHALL")
    shared_valkey.run("CONFIG", "RESETSTAT")
    return shared_valkey


@pytest.fixture(params=["local", "redis"])
async def carrier(request: pytest.FixtureRequest) -> AsyncIterator[Carrier]:
    url = request.getfixturevalue("valkey").url if request.param == "redis" else None
    carrier = Carrier(url)
    yield carrier
    for signals in carrier.connected:
        await signals.aclose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def signals(valkey: Valkey, clock: Clock) -> AsyncIterator[RedisSignals]:
    """One worker's signals, that look only when told to."""
    signals = RedisSignals(valkey.url, ttl=30, clock=clock)
    yield signals
    await signals.aclose()
