"""The server's certificate, read again when its files change: it is renewed now and then, and the process goes on."""

import asyncio
import os
import ssl

import structlog

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 10.0


async def keep_certificate(context: ssl.SSLContext, files: tuple[str, str]) -> None:
    """Have new connections get the certificate that the files have, until cancelled. ``files``: its own and its key's.

    What cannot be used (one file is there already and the other not yet) leaves the former one, and is logged once.
    """
    known = _stamps(files)
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        found = _stamps(files)
        if found == known:
            continue
        known = found
        try:
            # Into one of its own first: a key that does not fit would leave the other half changed.
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(*files)
            context.load_cert_chain(*files)
        except (OSError, ValueError) as error:  # also ssl.SSLError
            log.error("the new certificate cannot be used; the former one stays", path=files[0], error=str(error))
        else:
            log.info("the certificate was read again", path=files[0])


def _stamps(files: tuple[str, str]) -> list[tuple[int, int, int] | None]:
    """What becomes another one when a file is replaced, also by a link that leads elsewhere; None: it is not there."""
    return [_stamp(file) for file in files]


def _stamp(file: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
