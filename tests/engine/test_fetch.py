"""`config.url`: no byte goes to an address that is not public, and nothing of the other side gets into reasons."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from kubemin.cluster.resolving import LookUp
from kubemin.engine import sockets
from kubemin.engine.deploy import fetch
from kubemin.engine.deploy.fetch import Fetcher
from kubemin.engine.errors import JobFailed
from kubemin.render import Fetch
from kubemin.spec.addresses import is_public
from tests.waiting import PATIENCE

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass
class Listener:
    """A server on loopback, IPv4 and IPv6 where there is one, that counts who comes."""

    port: int
    answer: bytes
    came: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    serving: list["asyncio.Task[None] | None"] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note the peer, read a request if one comes, answer."""
        self.came.append(str(writer.get_extra_info("peername")))
        self.serving.append(asyncio.current_task())
        self.news.set()
        with contextlib.suppress(OSError):
            if await reader.readline():
                writer.write(self.answer)
                await writer.drain()
            writer.close()
            await writer.wait_closed()

    async def has_seen_nobody(self) -> bool:
        """Whether nobody came before we do: connections are accepted in their order."""
        assert not self.came
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        async with asyncio.timeout(PATIENCE):
            await self.news.wait()
        mine = str(writer.get_extra_info("sockname"))
        writer.close()
        await writer.wait_closed()
        return self.came == [mine]


@asynccontextmanager
async def listening(answer: bytes = OK) -> AsyncIterator[Listener]:
    listener = Listener(0, answer)
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        six = await asyncio.start_server(listener.serve, "::1", listener.port)
    except OSError:
        six = None
    try:
        yield listener
    finally:
        for one in (server, six):
            if one is not None:
                one.close()
                await one.wait_closed()
        await asyncio.gather(*(task for task in listener.serving if task is not None))


def leads_to(*answers: str) -> LookUp:
    """A resolver that gives another answer each time it is asked, the last one from then on."""
    left = list(answers)

    def look_up(_host: str, port: int, *_: Any) -> list[Any]:
        host = left.pop(0) if len(left) > 1 else left[0]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        rest = (0, 0) if ":" in host else ()
        return [(family, socket.SOCK_STREAM, 6, "", (host, port, *rest))]

    return look_up


async def text_of(url: str, fetcher: Fetcher) -> str:
    filled = await fetcher.fill({"kind": "ConfigMap"}, Fetch(url, "key"))
    return str(filled["data"]["key"])


async def refused(url: str, fetcher: Fetcher) -> str:
    """The reason why nothing was fetched."""
    with pytest.raises(JobFailed) as caught:
        await text_of(url, fetcher)
    assert caught.value.__cause__ is None
    return str(caught.value)


LOOPBACK = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0x7F.0.0.0x1", "0177.0.0.1", "017700000001",
    "127.0.0.1.", "127.1.", "0", "0.0.0.0", "localhost", "LOCALHOST", "LocalHost.", "a.localhost", "localhost。",
    "１２７.0.0.1", "１２７．０．０．１", "127。0。0。1", "127｡0｡0｡1", "①②⑦.0.0.1", "١٢٧.0.0.1", "𝟏𝟐𝟕.0.0.1",
    "127.0.0.¹", "ｌｏｃａｌｈｏｓｔ", "ⓛocalhost", "loc\u00adalhost", "localho\u017ft",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]", "[::1%25lo]", "[::1%lo]", "[fe80::1%25lo]", "a@127.0.0.1", "@127.0.0.1", "example.org@127.0.0.1",
    "a:b@127.0.0.1", "example.org\\@127.0.0.1", "127.0.0.1\\@example.org", "%31%32%37.0.0.1",
    "127.0.0.1%00.example.org",
    "\u2460\u2461\u2466.1", "127.0.0.1\t", " 127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("host", LOOPBACK)
async def test_no_spelling_of_loopback_is_connected_to(host: str) -> None:
    async with listening() as server:
        await refused(f"http://{host}:{server.port}/x", Fetcher())
        assert await server.has_seen_nobody()


@pytest.mark.parametrize("host", LOOPBACK)
async def test_nor_where_the_text_tells_nothing(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of the socket alone: the text's is taken away."""
    monkeypatch.setattr(fetch, "wrong_with_url", lambda *_: None)
    async with listening() as server:
        await refused(f"http://{host}:{server.port}/x", Fetcher(look_up=_local_only))
        assert await server.has_seen_nobody()


def _local_only(host: str, port: int, *_: Any) -> list[Any]:
    """The machine's resolver, of which only answers that stay on the machine are taken: tests send nothing out."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        found = socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM) if "localhost" in host.casefold() else []
    if inside := [one for one in found if not is_public(str(one[4][0]))]:
        return inside
    raise socket.gaierror(socket.EAI_NONAME, "no address")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.0.0.2", "0.0.0.0", "127.1", "::1", "::", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"],
)
async def test_a_name_is_as_safe_as_its_address(address: str) -> None:
    async with listening() as server:
        said = await refused(f"http://name.example:{server.port}/x", Fetcher(look_up=leads_to(address)))
        assert said == f"config.url http://name.example:{server.port}/x leads to an address that is not public"
        assert await server.has_seen_nobody()


async def test_a_name_that_leads_elsewhere_a_moment_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.2 stands for a public address here, at which nobody listens: the name passes, then leads inwards."""
    monkeypatch.setattr(sockets, "is_public", lambda text: text == "127.0.0.2")
    async with listening() as server:
        url = f"http://name.example:{server.port}/x"
        fetcher = Fetcher(look_up=leads_to("127.0.0.2", "127.0.0.1"))
        assert await refused(url, fetcher) == f"config.url {url} cannot be fetched: Connection refused"
        assert "not public" in await refused(url, fetcher)
        assert await server.has_seen_nobody()


async def test_a_redirect_is_not_followed() -> None:
    async with listening() as inside:
        there = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{inside.port}/\r\nContent-Length: 0\r\n\r\n".encode()
        async with listening(there) as server:
            said = await refused(f"http://127.0.0.1:{server.port}/x", Fetcher(allow_private=True))
            assert said.endswith("answered 302")
            assert await inside.has_seen_nobody()


async def test_private_addresses_where_they_are_allowed() -> None:
    async with listening() as server:
        url = f"http://name.example:{server.port}/x?token=hush"
        assert await text_of(url, Fetcher(allow_private=True, look_up=leads_to("127.0.0.1"))) == "hello"


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as proxy, listening() as server:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert await text_of(f"http://127.0.0.1:{server.port}/x", Fetcher(allow_private=True)) == "hello"
        assert await proxy.has_seen_nobody()


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-hush\r\n",
        b"-ERR hush\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nhush hush\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhush\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhush",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhush",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhush\xff",
        b"HTTP/1.1 500 hush\r\nContent-Length: 4\r\n\r\nhush",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n" + b"hush" * 262144 + b"!",
    ],
    ids=lambda answer: ascii(answer)[:30],
)
async def test_reasons_hold_neither_the_answer_nor_the_query(answer: bytes) -> None:
    async with listening(answer) as server:
        url = f"http://127.0.0.1:{server.port}/x?token=hush#hush"
        said = await refused(url, Fetcher(allow_private=True))
        assert said.startswith(f"config.url http://127.0.0.1:{server.port}/x ")
        assert "hush" not in said


@pytest.mark.parametrize(
    "url", ["http://hush:hush@127.0.0.1/", "ftp://hush@h/?hush", "http://[hush", "hush", "http:///hush@x"]
)
async def test_nor_those_of_a_url_that_is_refused(url: str) -> None:
    assert "hush" not in await refused(url, Fetcher())
