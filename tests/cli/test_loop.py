"""Of a name with several addresses the first one that answers is used, and nothing of the others is left open."""

import asyncio
import os
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from kubemin.cli.loop import run_in_loop
from tests.waiting import until_true

NAME = "several.test"
Address = tuple[str, int]
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs in either loop."""
    pytest.importorskip(request.param)
    if request.param == "asyncio":
        monkeypatch.setitem(sys.modules, "uvloop", None)
    return run_in_loop


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def listening(opened: ExitStack, host: str = "127.0.0.1") -> Address:
    """An address that answers."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = opened.enter_context(socket.create_server((host, 0), family=family))
    return server.getsockname()[:2]  # type: ignore[no-any-return]


def refusing() -> Address:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()  # type: ignore[no-any-return]


def hanging(opened: ExitStack) -> Address:
    """An address that never answers: its queue is full."""
    server = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(8):
        crowd = opened.enter_context(socket.socket())
        crowd.setblocking(False)
        with suppress(BlockingIOError):
            crowd.connect(server.getsockname())
    return server.getsockname()  # type: ignore[no-any-return]


@pytest.fixture
def means(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says which addresses the name has."""
    look_up = socket.getaddrinfo

    def name(*addresses: Address) -> None:
        def found(host: Any, *given: Any, **more: Any) -> list[Any]:
            if host != NAME:
                return look_up(host, *given, **more)
            return [one for address in addresses for one in look_up(*address, 0, socket.SOCK_STREAM)]

        monkeypatch.setattr(socket, "getaddrinfo", found)

    return name


async def connected(**given: Any) -> Address:
    """Where a connection to the name leads."""
    async with asyncio.timeout(60):
        _, writer = await asyncio.open_connection(NAME, 1, **given)
    where: Address = writer.get_extra_info("peername")[:2]
    writer.close()
    await writer.wait_closed()
    return where


def test_the_address_that_answers_is_used(run: Run, opened: ExitStack, means: Callable[..., None]) -> None:
    there = listening(opened)
    for others in ([], [refusing()], [hanging(opened)], [hanging(opened), refusing(), hanging(opened)]):
        means(*others, there)
        assert run(connected()) == there


def test_either_family_will_do(run: Run, opened: ExitStack, means: Callable[..., None]) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    there = listening(opened, "::1")
    means(hanging(opened), there)
    assert run(connected()) == there
    means(there, hanging(opened))
    assert run(connected()) == there


def test_where_all_refuse_it_is_refused(run: Run, means: Callable[..., None]) -> None:
    """As the drivers expect it: they say that the server is not there."""
    means(refusing(), refusing())
    with pytest.raises(ConnectionRefusedError):
        run(connected())


def _files() -> set[str]:
    """The sockets that this process has open."""
    found = set()
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if (target := os.readlink(one)).startswith("socket:"):
                found.add(target)
    return found


def test_nothing_is_left_open(run: Run, opened: ExitStack, means: Callable[..., None]) -> None:
    """Neither of those that came late, nor of one that was given up."""
    there = listening(opened)
    addresses = [hanging(opened), hanging(opened), refusing()]

    async def all_ways() -> None:
        means(*addresses, there)
        await connected()
        before = _files()
        await connected()
        means(*addresses)
        waiting = asyncio.create_task(connected())
        await until_true(lambda: bool(_files() - before))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await until_true(lambda: not _files() - before)

    run(all_ways())


def test_a_server_is_asked_by_its_name(
    run: Run, opened: ExitStack, means: Callable[..., None], certificate: tuple[Path, Path]
) -> None:
    """With TLS the certificate has to be that of the name, whichever address answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    asked = []
    context.sni_callback = lambda _tls, name, _context: asked.append(name)
    trusting = ssl.create_default_context(cafile=str(certificate[0]))

    async def ask() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            means(refusing(), server.sockets[0].getsockname())
            with pytest.raises(ssl.SSLCertVerificationError, match=NAME):
                await connected(ssl=trusting)  # its certificate is for an address
            trusting.check_hostname = False
            await connected(ssl=trusting)
            await connected(ssl=trusting, server_hostname="another.test")

    run(ask())
    assert asked == [NAME, NAME, "another.test"]
