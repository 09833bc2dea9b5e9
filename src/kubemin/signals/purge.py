"""`kubemin signals purge`: throw away the keys that ended tasks, or an older version, left behind."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from kubemin.signals.address import Address
from kubemin.signals.redis_client import RedisClient
from kubemin.signals.script import PREFIX, key_of, sentinel_of

_PAGE = 500


async def purge(url: str, ended: Callable[[Sequence[str]], Awaitable[Collection[str]]]) -> list[str]:
    """Delete the signal keys of ended tasks, and give back those tasks' ids.

    ``ended`` is asked which of some task ids are to go. Raises SignalError; what was deleted until then is deleted.
    """
    link = RedisClient(Address.parse(url))
    purged: list[str] = []
    try:
        # A scan may name a key twice.
        found = list({key.removeprefix(PREFIX): None async for key in link.scan(PREFIX + "*")})
        for start in range(0, len(found), _PAGE):
            for task_id in await ended(found[start : start + _PAGE]):
                # With its sentinel: to a worker that still watches it, for a rollback, this is no deletion by hand.
                await link.delete(key_of(task_id), sentinel_of(task_id))
                purged.append(task_id)
    finally:
        await link.aclose()
    return purged
