"""The doorbell over Redis: one PUBLISH rings all workers."""

import asyncio

from kubemin.dispatch.local import LocalDoorbell
from kubemin.signals.absence import Absence
from kubemin.signals.address import Address
from kubemin.signals.errors import SignalError
from kubemin.signals.redis_client import RedisClient
from kubemin.signals.subscription import Subscription

CHANNEL = "kubemin:workflow:doorbell"


class RedisDoorbell:
    """Gets the rings of all processes at this Redis.

    Without Redis it logs that once, and workers find tasks by polling.
    """

    def __init__(self, url: str) -> None:
        """``url`` as in kubemin.signals.address; raises SignalError if it is unusable. Connects on first use."""
        self._redis = RedisClient(Address.parse(url))
        self._bell = LocalDoorbell()
        self.subscription = Subscription(self._redis, CHANNEL, self._hear)
        self._listener: asyncio.Task[None] | None = None
        self._absence = Absence("doorbell")
        self._lock = asyncio.Lock()
        self._asked = False
        """Whether somebody waits for a PUBLISH that has not begun."""

    async def ring(self) -> None:
        """See Doorbell.ring. Those who ring while a PUBLISH is under way share the next one."""
        await self._bell.ring()  # a worker in this process needs no Redis
        self._asked = True
        async with self._lock:
            if self._asked:
                self._asked = False
                await self._publish()

    async def _publish(self) -> None:
        try:
            await self._redis.publish(CHANNEL, "")
        except asyncio.CancelledError:
            self._asked = True
            raise
        except SignalError as error:
            self._absence.begins(error, server=str(self._redis.address))
        else:
            self._absence.ends(server=str(self._redis.address))

    def wake(self) -> None:
        """See Doorbell.wake."""
        self._bell.wake()

    async def wait(self, seconds: float) -> None:
        """See Doorbell.wait. Subscribes at the first call: a process that only rings needs no subscription."""
        if self._listener is None:
            self._listener = asyncio.create_task(self.subscription.run())
        await self._bell.wait(seconds)

    async def aclose(self) -> None:
        """See Doorbell.aclose."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await self._bell.aclose()
        await self._redis.aclose()

    def _hear(self, _: str) -> None:
        self._bell.wake()
