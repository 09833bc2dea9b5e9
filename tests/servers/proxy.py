"""A TCP proxy that misbehaves on request: it stands between a client of ours and any server."""

import asyncio
import contextlib
import ssl
from typing import Self


class Proxy:
    """Hands bytes on, until told otherwise. What is set counts from the next byte on, for all connections."""

    def __init__(self, port: int, host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None) -> None:
        """In front of the server at ``host:port``; with ``tls``, clients must speak it, the server need not."""
        self._target = (host, port)
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._flow = {True: asyncio.Event(), False: asyncio.Event()}
        self._open.set()
        self._heal()
        self.delay = 0.0
        """Seconds that each chunk waits, each way."""
        self.drop_requests = False
        """Swallow what clients send."""
        self.drop_answers = False
        """Swallow what the server sends: the write happened, its answer is lost."""
        self.seen = asyncio.Event()
        """Set whenever a client's bytes reach the proxy; clear it to wait for the next ones."""
        self.connections = 0
        """Connections accepted so far."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.heal()
        self.refuse()
        await asyncio.gather(*self._links, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Where clients connect."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def lead_to(self, port: int) -> None:
        """Hand what new connections bring to another server; those that are open stay."""
        self._target = (self._target[0], port)

    def cut(self) -> None:
        """Break all connections, at once and with a reset; new ones are accepted."""
        for writer in list(self._writers):
            writer.transport.abort()

    def refuse(self) -> None:
        """Break all connections, and each new one as soon as it comes."""
        self._open.clear()
        self.cut()

    def stall(self, *, requests: bool = True, answers: bool = True) -> None:
        """Hold all bytes back, as a partition does: connections stay open, nothing arrives until `heal`."""
        if requests:
            self._flow[True].clear()
        if answers:
            self._flow[False].clear()

    def heal(self) -> None:
        """Be a good proxy again; bytes that were held back arrive now."""
        self._heal()
        self.delay = 0.0
        self.drop_requests = self.drop_answers = False
        self._open.set()

    def _heal(self) -> None:
        for flow in self._flow.values():
            flow.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if not self._open.is_set():
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        try:
            with contextlib.suppress(OSError):
                target_reader, target_writer = await asyncio.open_connection(*self._target)
                if not self._open.is_set():
                    target_writer.transport.abort()
                    return
                await self._link(reader, writer, target_reader, target_writer)
        finally:
            self._links.discard(task)
            writer.transport.abort()

    async def _link(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        target_reader: asyncio.StreamReader,
        target_writer: asyncio.StreamWriter,
    ) -> None:
        self._writers |= {writer, target_writer}
        ways = [
            asyncio.create_task(self._pump(reader, target_writer, requests=True)),
            asyncio.create_task(self._pump(target_reader, writer, requests=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, target_writer):
                self._writers.discard(end)
                end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, requests: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65536):
                if requests:
                    self.seen.set()
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flow[requests].wait()
                if not (self.drop_requests if requests else self.drop_answers):
                    writer.write(chunk)
                    await writer.drain()
