"""A subscription that reconnects by itself. Messages that are sent while it is not connected are lost."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

from kubemin.signals.absence import Absence
from kubemin.signals.errors import SignalError
from kubemin.signals.redis_client import RedisClient

_jitter = secrets.SystemRandom()


class Subscription:
    """Calls ``on_message`` with the text of each message on one channel."""

    def __init__(
        self, redis: RedisClient, channel: str, on_message: Callable[[str], None], *, idle: float = 10, retry: float = 1
    ) -> None:
        """``idle``: after so many seconds without a message it pings.

        ``retry``: seconds between two tries to connect.
        """
        self._redis = redis
        self._channel = channel
        self._on_message = on_message
        self._idle = idle
        self._retry = retry
        self.connected = asyncio.Event()
        """Set while the subscription works."""

    async def run(self) -> None:
        """Listen until cancelled."""
        absence = Absence("subscription")
        details = {"server": str(self._redis.address), "channel": self._channel}
        while True:
            try:
                async with self._redis.subscribed(self._channel) as pubsub:
                    await self._listen(pubsub, lambda: absence.ends(**details))
            except SignalError as error:
                absence.begins(error, **details)
            finally:
                self.connected.clear()
            await asyncio.sleep(self._retry * _jitter.uniform(0.5, 1))

    async def _listen(self, pubsub: Any, connected: Callable[[], None]) -> None:
        pinged = False
        while True:
            message = await self._redis.next_message(pubsub, self._idle)
            if message is None:
                if pinged:
                    raise SignalError("no answer to PING on the subscription")
                await self._redis.ping_subscription(pubsub)
            elif message["type"] == "subscribe":
                self.connected.set()
                connected()
            elif message["type"] == "message":
                self._on_message(message["data"].decode(errors="replace"))
            pinged = message is None
