"""uvicorn, under the control of the process that it serves in."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from kubemin.cli.certificate import keep_certificate
from kubemin.cli.connections import ConnectionLimits, LimitedConnection
from kubemin.settings.api import ApiSettings

_GRACE_SECONDS = 5
_BACKLOG = 128
"""Connections that wait to be accepted; asyncio tries as often at a time, also when no file can be opened."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.servers = []
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's, not uvicorn's."""
        yield

    async def aclose(self) -> None:
        """Close what is still open: all of it after a cancel, and after a shutdown what did not end in time."""
        for server in self.servers:
            server.close()
        for connection in self.server_state.connections:
            connection.transport.abort()
        await asyncio.sleep(0)  # the connections hear of it


async def serve_http(
    app: ASGIApp,
    listener: socket.socket,
    stopping: asyncio.Event,
    settings: ApiSettings,
    *,
    tls: tuple[str, str] | None = None,
    ready: Callable[[socket.socket], None],
) -> None:
    """Serve on the bound socket until the event is set; requests under way then have a few seconds to end.

    ``tls``: the files of a certificate and of its key; then it speaks HTTPS only. ``ready`` is called once the port
    answers.
    """

    class Connection(LimitedConnection):
        limits = ConnectionLimits.of(settings)

    config = uvicorn.Config(
        app,
        http=Connection,
        backlog=_BACKLOG,
        timeout_keep_alive=settings.idle_seconds,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # by itself it would believe whatever comes from loopback; see `create_app`
        timeout_graceful_shutdown=_GRACE_SECONDS,
        ssl_certfile=tls and tls[0],
        ssl_keyfile=tls and tls[1],
    )
    server = _Server(config)
    try:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve(sockets=[listener]))
            await server.answers.wait()
            ready(listener)
            waiting = group.create_task(stopping.wait())
            keeping = group.create_task(keep_certificate(config.ssl, tls)) if tls and config.ssl else None
            await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if keeping is not None:
                keeping.cancel()
            server.should_exit = True
    finally:
        await server.aclose()
