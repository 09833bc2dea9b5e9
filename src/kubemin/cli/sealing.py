"""The keys of a server or a worker, and its rotation in the background."""

import asyncio
from typing import TYPE_CHECKING

import structlog

from kubemin.cli.exits import CliError, Exit
from kubemin.sealing.errors import BadKeys
from kubemin.sealing.sources import sealer_from
from kubemin.store import Database, StoreError
from kubemin.store.resealing import keep_sealed

if TYPE_CHECKING:
    from kubemin.sealing.sealer import Sealer
    from kubemin.settings import Settings

log = structlog.get_logger(__name__)

_AGAIN_SECONDS = 60.0


def sealer_of(settings: "Settings") -> "Sealer | None":
    """What seals with the keys of the settings; None where there are none. Raises :class:`CliError`."""
    try:
        return sealer_from(
            text=settings.encryption_keys,
            file=settings.encryption_key_file,
            command=settings.encryption_key_command,
            seconds=settings.encryption_key_command_seconds,
        )
    except BadKeys as error:
        raise CliError(str(error), Exit.USAGE) from error


async def rotate_in_background(db: Database) -> None:
    """Seal anew what is not sealed with the first key, until cancelled. What fails is tried again."""
    while True:
        try:
            await keep_sealed(db)
            return
        except StoreError as error:
            log.warning("cannot seal everything anew", error=str(error))
        await asyncio.sleep(_AGAIN_SECONDS)
