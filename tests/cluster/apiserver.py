"""A scripted API server for watches: the test says what a list holds and what each watch sends."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from kubemin.spec.labels import APP_ID, COMPONENT_ID
from kubemin.spec.objects import Manifest

from .servers import Seen, response


def thing(name: str, version: int, *, component: str = "", namespace: str = "shop", **more: Any) -> Manifest:
    """An object of the group ``component``, with managedFields as a server would send them."""
    labels = {APP_ID: "app", COMPONENT_ID: component} if component else {}
    meta = {
        "name": name,
        "namespace": namespace,
        "resourceVersion": str(version),
        "labels": labels,
        "managedFields": [{"manager": "someone"}],
    }
    return {"metadata": meta, **more}


@dataclass
class WatchStream:
    """One watch connection that a client opened."""

    query: dict[str, str]
    writer: asyncio.StreamWriter
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, kind: str, item: Any) -> None:
        self.write(json.dumps({"type": kind, "object": item}).encode() + b"\n")

    def bookmark(self, version: int) -> None:
        self.send("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})

    def write(self, data: bytes) -> None:
        self.writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def end(self) -> None:
        """As the server does when timeoutSeconds are over."""
        self.writer.write(b"0\r\n\r\n")
        self.ended.set()

    def break_off(self) -> None:
        self.writer.transport.abort()
        self.ended.set()


@dataclass
class Collection:
    """What one kind's requests are answered with. ``refusals`` are used up first, one a request."""

    items: list[Manifest] = field(default_factory=list)
    version: int = 10
    lists: list[dict[str, str]] = field(default_factory=list)
    list_refusals: list[tuple[int, bytes]] = field(default_factory=list)
    watch_refusals: list[tuple[int, bytes]] = field(default_factory=list)
    watches: asyncio.Queue[WatchStream] = field(default_factory=asyncio.Queue)


class Script:
    """The reply function of a RawServer: one Collection for each plural."""

    def __init__(self) -> None:
        self.collections: dict[str, Collection] = {}

    def __getitem__(self, plural: str) -> Collection:
        return self.collections.setdefault(plural, Collection())

    async def __call__(self, request: Seen, writer: asyncio.StreamWriter) -> None:
        collection = self[request.path.rsplit("/", 1)[-1]]
        watching = request.query.get("watch") == "true"
        if not watching:
            collection.lists.append(request.query)
        refusals = collection.watch_refusals if watching else collection.list_refusals
        if refusals:
            writer.write(response(*refusals.pop(0)))
        elif watching:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            stream = WatchStream(request.query, writer)
            collection.watches.put_nowait(stream)
            await stream.ended.wait()
        else:
            body = {"items": collection.items, "metadata": {"resourceVersion": str(collection.version)}}
            writer.write(response(200, json.dumps(body).encode()))
