"""The link between a server and a worker that it has started: a socket pair, and a message a line, in JSON.

Each message is a list that begins with its kind. To the worker: ``start`` (`Start`), ``cancel`` (task, reason),
``ring``, ``ask``, ``stop``. To the server: ``ready``, ``ring``, ``answer`` (metrics). A lost message does no harm but
delay: the database tells all that matters. The end of the link tells either side that the other one is gone.
"""

import asyncio
import json
import socket
from typing import Any, Self

_LONGEST = 2**22
"""Bytes of a message: metrics are the longest."""
_WAITING = 2**18
"""Bytes that may wait for a process that reads nothing; what comes then is dropped."""


class Link:
    """One side of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Self:
        """On this end of a socket pair, which is the link's from now on."""
        return cls(*await asyncio.open_unix_connection(sock=end, limit=_LONGEST))

    def send(self, *message: Any) -> None:
        """Send it, if the other side is there and reads. Never waits, never raises."""
        if not self._writer.is_closing() and self.waiting <= _WAITING:
            self._writer.write(json.dumps(message).encode() + b"\n")

    @property
    def waiting(self) -> int:
        """Bytes that the other side has not read, beside what the system keeps."""
        return self._writer.transport.get_write_buffer_size()

    async def receive(self) -> list[Any] | None:
        """The next message; None if the other side is gone."""
        try:
            line = await self._reader.readline()
        except OSError:
            return None
        return json.loads(line) if line.endswith(b"\n") else None

    def close(self) -> None:
        """Let the other side know that this one is gone."""
        self._writer.close()
