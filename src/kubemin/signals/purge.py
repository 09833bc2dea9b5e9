"""`kubemin signals purge`: throw away the keys that ended tasks, or an older version, left behind."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from kubemin.signals.address import Address
from kubemin.signals.link import Link
from kubemin.signals.script import PREFIX, key_of, sentinel_of

_PAGE = 500


async def purge(url: str, ended: Callable[[Sequence[str]], Awaitable[Collection[str]]]) -> list[str]:
    """Delete the signal keys of ended tasks, and give back those tasks' ids.

    ``ended`` is asked which of some task ids are to go. Raises SignalError; what was deleted until then is deleted.
    """
    link = Link(Address.parse(url))
    purged: list[str] = []
    try:
        page: list[str] = []
        async for key in link.scan(PREFIX + "*"):
            page.append(key.removeprefix(PREFIX))
            if len(page) == _PAGE:
                purged += await _purge(link, await ended(page))
                page = []
        purged += await _purge(link, await ended(page)) if page else []
    finally:
        await link.aclose()
    return purged


async def _purge(link: Link, task_ids: Collection[str]) -> list[str]:
    for task_id in task_ids:
        # With its sentinel: to a worker that still watches it, for a rollback, this is no deletion by hand.
        await link.delete(key_of(task_id), sentinel_of(task_id))
    return list(task_ids)
