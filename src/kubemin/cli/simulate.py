"""``kubemin sim``: a simulated cluster on its own."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kubemin.cli.exits import CliError
from kubemin.cli.output import say
from kubemin.cli.posix_signals import until_stopped

if TYPE_CHECKING:
    from kubesim.server import SimServer


def run(host: str, port: int, kubeconfig_out: str | None) -> None:
    """Serve until SIGINT or SIGTERM."""
    try:
        asyncio.run(_serve(host, port, kubeconfig_out))
    except OSError as error:
        where = error.filename or f"{host}:{port}"
        raise CliError(f"cannot serve: {where}: {error.strerror or error}") from error


async def _serve(host: str, port: int, kubeconfig_out: str | None) -> None:
    from kubesim.server import serve

    ready: asyncio.Future[SimServer] = asyncio.get_running_loop().create_future()
    path = Path(kubeconfig_out) if kubeconfig_out is not None else None
    serving = asyncio.create_task(serve(host, port, kubeconfig_path=path, ready=ready))
    stopping = asyncio.create_task(until_stopped())
    await asyncio.wait((serving, ready, stopping), return_when=asyncio.FIRST_COMPLETED)
    if ready.done():
        if path is None:
            say(ready.result().kubeconfig().rstrip())
        sys.stderr.write(f"simulated cluster at {ready.result().url}\n")
        sys.stderr.flush()
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    serving.cancel()
    await asyncio.gather(serving, stopping, return_exceptions=True)
    if not serving.cancelled() and (error := serving.exception()) is not None:
        raise error
