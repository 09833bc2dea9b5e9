"""Waiting for a database that is away when a process starts."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog

from kubemin.cli.exits import CliError
from kubemin.cli.language import because, tr
from kubemin.cli.posix_signals import until_stopped
from kubemin.store import Database
from kubemin.store.errors import AccessDenied, Unavailable

log = structlog.get_logger(__name__)

_AGAIN_SECONDS = 1.0


async def once_there(db: Database, first: Callable[[], Awaitable[None]], seconds: float) -> bool:
    """Run what uses the database first; where that is away, try for so long. False: a SIGTERM came meanwhile.

    Raises :class:`CliError` if it stays away, and at once what waiting does not mend:
    `AccessDenied`, `SchemaOutdated`.
    """
    try:
        await first()
    except AccessDenied:
        raise
    except Unavailable as error:
        if seconds <= 0:
            raise
        why = str(error)
    else:
        return True

    def tell() -> None:
        log.warning("waiting for the database", server=db.address, for_seconds=seconds, error=why)

    trying = asyncio.create_task(_try(db, first, seconds))
    try:
        await until_stopped(trying, ready=tell, stops=[signal.SIGTERM])
        if not trying.done():
            return False
        await trying
        return True
    finally:
        trying.cancel()
        await asyncio.wait([trying])


async def _try(db: Database, first: Callable[[], Awaitable[None]], seconds: float) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        await asyncio.sleep(min(_AGAIN_SECONDS, seconds))
        try:
            await first()
        except AccessDenied:
            raise
        except Unavailable as error:
            if loop.time() - began >= seconds:
                what = tr(
                    "{seconds} s were not enough to reach {database}", seconds=f"{seconds:g}", database=db.address
                )
                raise CliError(because(what, error)) from error
        else:
            log.info("the database is there", server=db.address, after_seconds=round(loop.time() - began, 1))
            return
