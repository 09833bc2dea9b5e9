"""Forgetting old tasks while a server runs; of all servers one does it at a time."""

import asyncio

import structlog

from kubemin.spec.ids import new_id
from kubemin.store import Database, StoreError, duties, retention

log = structlog.get_logger(__name__)

_DUTY = "forget-tasks"
_HELD_SECONDS = 120
"""A server that died is followed by another one after this time."""
_EVERY_SECONDS = 3600
_AGAIN_SECONDS = 60
APART_SECONDS = 0.05
"""Between two transactions, for others that write."""


async def forget_in_background(db: Database, days: float) -> None:
    """Forget tasks that ended so many days ago, until cancelled. What fails is tried again."""
    owner = new_id()
    while True:
        pause = _EVERY_SECONDS
        try:
            forgotten = await sweep(db, days * 86400, owner)
            if forgotten:
                log.info("old tasks are forgotten", tasks=forgotten)
        except StoreError as error:
            log.warning("cannot forget old tasks; it tries again", error=str(error))
            pause = _AGAIN_SECONDS
        await asyncio.sleep(pause)


async def sweep(db: Database, seconds: float, owner: str) -> int:
    """Forget all tasks that ended so long ago and may be forgotten, unless another server does; how many.

    Raises `StoreError`.
    """
    forgotten, after = 0, 0
    while await _hold(db, owner, _HELD_SECONDS):
        async with db.read() as tx:
            page = await retention.page(tx, seconds, after)
        for begin in range(0, len(page.old), retention.TOGETHER):
            async with db.begin("forget-tasks") as tx:
                forgotten += await retention.forget(tx, page.old[begin : begin + retention.TOGETHER])
            await asyncio.sleep(APART_SECONDS)
        if page.last is None:
            await _hold(db, owner, _EVERY_SECONDS)  # nobody looks again before
            break
        after = page.last
    return forgotten


async def _hold(db: Database, owner: str, seconds: float) -> bool:
    async with db.begin("forget-duty") as tx:
        return await duties.hold(tx, _DUTY, owner, seconds)
