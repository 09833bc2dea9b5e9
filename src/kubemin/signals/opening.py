"""Which signals a process uses."""

from kubemin.signals.base import Signals
from kubemin.signals.local import LocalSignals


async def open_signals(redis_url: str | None) -> Signals:
    """Redis where a URL is given (raises SignalError if it is unusable, not if Redis is away), else in-process."""
    if redis_url is None:
        return LocalSignals()
    from kubemin.signals.redis import RedisSignals  # half a second of imports, for those who use it

    return await RedisSignals.open(redis_url)
