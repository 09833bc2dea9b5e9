"""What the tests of signals share."""

import asyncio

from kubemin.signals import Signal, Signals
from kubemin.signals.local import LocalHub, LocalSignals
from kubemin.signals.redis import RedisSignals
from tests.waiting import PATIENCE


def is_healthy(signals: Signals) -> bool:
    """A call, where mypy would take a property for a constant."""
    return signals.healthy


class Inbox(list[Signal]):
    """Keeps what a watch is told; `next` waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self._came = asyncio.Event()

    def __call__(self, signal: Signal) -> None:
        self.append(signal)
        self._came.set()

    async def next(self) -> Signal:
        """The first signal."""
        async with asyncio.timeout(PATIENCE):
            await self._came.wait()
        return self[0]


class Clock:
    """A monotonic clock that stands still until told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Carrier:
    """Something that carries signals between processes; each `connect` is a process of its own."""

    def __init__(self, url: str | None) -> None:
        self.clock = Clock()
        self._url = url
        self._hub = LocalHub()
        self.connected: list[Signals] = []

    def connect(self) -> Signals:
        """Nothing runs in the background: `look` polls."""
        signals: Signals
        if self._url is None:
            signals = LocalSignals(self._hub, clock=self.clock)
        else:
            signals = RedisSignals(self._url, clock=self.clock)
        self.connected.append(signals)
        return signals

    async def look(self) -> None:
        """Let every process find what there is to find."""
        for signals in self.connected:
            if isinstance(signals, RedisSignals):
                await signals.poll()
