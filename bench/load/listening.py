"""Who listens: a stream of all events that goes on wherever a server is, and a target of notifications."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from kubemin.client.sse import Frames
from kubemin.spec.states import TaskStatus


@dataclass
class Follower:
    """Hears how tasks end, from one server after the other: each goes on where the last one was."""

    urls: Sequence[str]
    token: str
    ends: Counter[str] = field(default_factory=Counter)
    """How often each task was told to have ended."""
    opened: int = 0
    _place: str = "0"

    async def follow(self) -> None:
        """Until cancelled."""
        heads = {"Authorization": f"Bearer {self.token}"}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=30)
        async with aiohttp.ClientSession(headers=heads, timeout=timeout) as session:
            while True:
                url = self.urls[self.opened % len(self.urls)]
                self.opened += 1
                try:
                    await self._hear(session, url)
                except (aiohttp.ClientError, OSError):
                    await asyncio.sleep(0.5)

    async def _hear(self, session: aiohttp.ClientSession, url: str) -> None:
        asked = session.get(f"{url}/api/v1/events?type=task", headers={"Last-Event-ID": self._place})
        async with asked as stream:
            if stream.status != 200:
                await asyncio.sleep(0.5)
                return
            frames = Frames()
            async for piece in stream.content.iter_any():
                for frame in frames.feed(piece):
                    self._place = frame.id
                    event = json.loads(frame.data)
                    if TaskStatus(event["status"]).ended:
                        self.ends[event["taskId"]] += 1


@dataclass
class Target:
    """A webhook on loopback. It keeps nothing of a message but whose end it told."""

    url: str = ""
    messages: int = 0
    told: Counter[str] = field(default_factory=Counter)
    """By task, messages of different ids: one that is sent again has the id that it had."""
    _ids: set[str] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one message."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
            message = json.loads(await reader.readexactly(int(headers["content-length"])))
            self.messages += 1
            if headers["webhook-id"] not in self._ids and message["type"].startswith("task."):
                self.told[message["data"]["taskId"]] += 1
            self._ids.add(headers["webhook-id"])
            writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @property
    def setting(self) -> str:
        """What a server has to be told of it."""
        secret = "whsec_" + "A" * 43 + "="
        return json.dumps([{"name": "bench", "template": "standard", "url": self.url, "secret": secret}])


@asynccontextmanager
async def target() -> AsyncIterator[Target]:
    """One that listens."""
    one = Target()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield one
    finally:
        server.close()
