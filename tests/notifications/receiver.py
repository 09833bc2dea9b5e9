"""A target on loopback: a real HTTP server that answers as a test says, and keeps what it was sent."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any

from tests.waiting import until_true

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def answers(status: str, *headers: str, body: str = "") -> bytes:
    """A whole answer."""
    head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


OK = answers("200 OK")


@dataclass
class Receiver:
    """``answer`` are the bytes that it sends, or None: it never says a word."""

    port: int = 0
    answer: bytes | None = OK
    once: list[bytes | None] = field(default_factory=list)
    """Answers to the next requests; then ``answer`` again."""
    got: list[Got] = field(default_factory=list)
    open: int = 0
    hold: asyncio.Event | None = None
    """Where it is there, no request is answered before it is set."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def has(self, count: int) -> list[Got]:
        """Wait until it has been sent so many."""
        await until_true(lambda: len(self.got) >= count)
        return self.got

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.got.append(Got(head[0].split(" ")[1], headers, body))
            answer = self.once.pop(0) if self.once else self.answer
            if self.hold is not None:
                await self.hold.wait()
            if answer is None:
                await reader.read()  # until the other side hangs up
            else:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def receiving(answer: bytes | None = OK, ssl: SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver while the context is open."""
    receiver = Receiver(answer=answer)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=ssl)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
