"""Which signals a process uses."""

from collections.abc import Callable

from kubemin.signals.base import Signals
from kubemin.signals.local import LocalSignals


async def open_signals(
    redis_url: str | None, tell: Callable[[str, str], None] | None = None, *, alone: bool = False
) -> Signals:
    """Redis if there is a URL, else in-process, with ``tell`` and ``alone`` as in `LocalSignals`.

    Raises SignalError if the URL is invalid, not if Redis cannot be reached.
    """
    if redis_url is None:
        return LocalSignals(tell=tell, alone=alone)
    from kubemin.signals.redis import RedisSignals  # imported only if it is used: it takes half a second

    return await RedisSignals.open(redis_url)
