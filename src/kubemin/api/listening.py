"""Streams that end once their listener may no longer listen, or nothing more can be read for it."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

import structlog

from kubemin.api.access import Access
from kubemin.api.deps import Deps
from kubemin.store.errors import StoreError

log = structlog.get_logger(__name__)


@contextmanager
def credential_of(deps: Deps, asked: Access) -> Iterator[asyncio.Event]:
    """An event that is set once the token or session by which it was asked for has ended."""
    if deps.authenticator is None:
        yield asyncio.Event()
        return
    with deps.authenticator.watch.of(asked.principal) as ended:
        yield ended


async def while_valid(deps: Deps, asked: Access, events: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """What it brings, until the token or session by which it was asked for is revoked or expires, or its caller may not
    see the application any more of which it tells (`Access.target`), because that is in another project now.

    That is seen within seconds. Whoever comes again is told why. It ends, too, where the database does not answer: the
    reply has begun, so no status can say so, and whoever comes again with its last id misses nothing.
    """
    async with aclosing(_while_valid(deps, asked, events)) as coming:
        try:
            async for one in coming:
                yield one
        except StoreError as error:
            log.info("a stream ended", error=str(error))


async def _while_valid(deps: Deps, asked: Access, events: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(events):
        if deps.authenticator is None:
            async for one in events:
                yield one
            return
        hub = deps.event_hub
        watched = deps.authenticator.watch.of(asked.principal, asked.target)
        with hub.share(asked.principal.name) as is_free, watched as ended:
            if not is_free:  # several came at once: one too many is told to come back
                return
            over = asyncio.create_task(ended.wait())
            coming = asyncio.ensure_future(anext(events))
            try:
                while True:
                    await asyncio.wait({coming, over}, return_when=asyncio.FIRST_COMPLETED)
                    if over.done():
                        return
                    try:
                        one = coming.result()
                    except StopAsyncIteration:
                        return
                    yield one
                    coming = asyncio.ensure_future(anext(events))
            finally:
                over.cancel()
                coming.cancel()
                await asyncio.gather(coming, over, return_exceptions=True)
