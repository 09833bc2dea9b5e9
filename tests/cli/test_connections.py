"""Connections over real sockets: whoever takes too long is let go, and whoever is one too many is told."""

import asyncio
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kubemin.cli.connections import ConnectionLimits
from kubemin.cli.http import serve_http
from kubemin.cli.process import listen
from kubemin.settings.api import ApiSettings
from tests.waiting import until_found

SECONDS = 0.2
SHORT: dict[str, Any] = {"head_seconds": SECONDS, "body_seconds": SECONDS, "read_seconds": SECONDS, "idle_seconds": 1}
HEAD = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
GET = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE = 64 * 1024 * 1024


@dataclass
class Served:
    """A server on a port, and what its application saw."""

    port: int
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def echo(self, request: Request) -> Response:
        """The body."""
        try:
            return PlainTextResponse(await request.body())
        except ClientDisconnect:
            self.gone.set()
            raise

    async def slow(self, _: Request) -> Response:
        """Nothing, once told to."""
        self.asked.set()
        await self.go_on.wait()
        return PlainTextResponse("done")

    async def large(self, _: Request) -> Response:
        """More than any buffer holds."""
        return PlainTextResponse("x" * LARGE)

    async def sends(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection on which so much was sent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2 * LARGE)
        writer.write(data)
        await writer.drain()
        return reader, writer

    async def answer(self, data: bytes) -> bytes:
        """All that comes until the server closes."""
        reader, writer = await self.sends(data)
        try:
            return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[Served]:
    stopping, ready = asyncio.Event(), asyncio.Event()
    with listen("127.0.0.1", 0) as listener:
        served = Served(listener.getsockname()[1])
        app = Starlette(
            routes=[
                Route("/echo", served.echo, methods=["POST"]),
                Route("/api/v1/applications/a/workflow/cancel", served.echo, methods=["POST"]),
                Route("/slow", served.slow),
                Route("/large", served.large),
            ]
        )
        given = ApiSettings(**{**SHORT, **settings})
        running = asyncio.create_task(serve_http(app, listener, stopping, given, ready=lambda _: ready.set()))
        await ready.wait()
        try:
            yield served
        finally:
            stopping.set()
            await running


async def test_nothing_is_sent() -> None:
    async with serving(body_seconds=60) as served:
        assert await served.answer(b"") == b""


@pytest.mark.parametrize("cut", [1, 10, 40, len(HEAD) - 1])
async def test_half_a_head(cut: int) -> None:
    async with serving(body_seconds=60) as served:
        said = await served.answer(HEAD[:cut])
        assert said.startswith(b"HTTP/1.1 408 ")
        assert b'"code":408' in said


async def test_half_a_head_after_a_whole_request() -> None:
    async with serving(body_seconds=60, idle_seconds=60) as served:
        said = await served.answer(HEAD + b"hello" + HEAD[:10])
        assert said.count(b"HTTP/1.1 ") == 2
        assert b"hello" in said
        assert b"HTTP/1.1 408 " in said


async def test_a_head_that_comes_byte_by_byte_gains_no_time_by_it() -> None:
    async with serving(body_seconds=60) as served:
        reader, writer = await served.sends(b"GET / HTTP/1.1\r\n")
        saying = asyncio.create_task(reader.read())
        while not saying.done():
            writer.write(b"a: b\r\n")
            await asyncio.wait([saying], timeout=SECONDS / 4)
        assert b"408" in await saying
        writer.close()


async def test_half_a_body() -> None:
    """The application notices, and nothing is logged as an error of it."""
    async with serving(head_seconds=60) as served:
        said = await served.answer(HEAD + b"hel")
        assert said.startswith(b"HTTP/1.1 408 ")
        await served.gone.wait()


async def test_an_idle_connection() -> None:
    async with serving() as served:
        said = await served.answer(HEAD + b"hello")
        assert said.endswith(b"hello")


async def test_a_reply_that_nobody_reads() -> None:
    async with serving() as served:
        reader, writer = await served.sends(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        transport: Any = writer.transport
        transport.pause_reading()
        await served.answer(b"")  # as long as that takes, nothing is read; twice, to be sure that the time is over
        await served.answer(b"")
        transport.resume_reading()
        got = b""
        try:
            while more := await reader.read(2**20):
                got += more
        except ConnectionError:
            pass
        assert len(got) < LARGE
        writer.close()


async def test_work_of_the_server_may_take_longer() -> None:
    async with serving(idle_seconds=1) as served:
        reader, writer = await served.sends(GET)
        await served.answer(b"")
        await served.answer(b"")  # these two have run out of their time meanwhile
        served.go_on.set()
        assert (await reader.read()).endswith(b"done")
        writer.close()


async def test_one_too_many_is_told_and_the_next_is_served() -> None:
    async with serving(max_connections=2, head_seconds=60) as served:
        kept = [await served.sends(GET) for _ in range(2)]
        await served.asked.wait()
        for data in (HEAD + b"hello", b""):
            said = await served.answer(data)
            assert said.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 1" in said
        served.go_on.set()
        for reader, writer in kept:
            assert (await reader.read()).endswith(b"done")
            writer.close()
        assert (await served.answer(HEAD + b"hello")).endswith(b"hello")


async def test_a_cancel_is_never_one_too_many() -> None:
    """It is answered on a connection past the limit too, which serves nothing else."""
    cancel = HEAD.replace(b"/echo", b"/api/v1/applications/a/workflow/cancel") + b"hello"
    async with serving(max_connections=2, head_seconds=60) as served:
        kept = [await served.sends(GET) for _ in range(2)]
        await served.asked.wait()
        said = await served.answer(cancel + HEAD + b"hello")
        assert said.startswith(b"HTTP/1.1 200 ")
        assert said.count(b"HTTP/1.1 ") == 1
        for wrong in (b"/workflow/cancelled", b"/echo?a=/workflow/cancel", b"/workflow/cancel/echo"):
            assert (await served.answer(HEAD.replace(b"/echo", wrong) + b"hello")).startswith(b"HTTP/1.1 503 ")
        served.go_on.set()
        for _, writer in kept:
            writer.close()


def test_there_are_never_more_than_half_of_the_files_that_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    for files, most in ((48, 24), (1024, 512), (10**6, 1000), (resource.RLIM_INFINITY, 1000), (1, 1)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, files=files: (files, files))
        assert ConnectionLimits.of(ApiSettings()).most == most


_CHILD = """
import asyncio, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
if sys.argv[1] == "asyncio":
    sys.modules["uvloop"] = None
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from kubemin.cli import logs
from kubemin.cli.http import serve_http
from kubemin.cli.loop import run_in_loop
from kubemin.cli.process import listen
from kubemin.settings.api import ApiSettings
from kubemin.settings.telemetry import TelemetrySettings
async def main():
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("fine"))])
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, stopping.set)
    with listen("127.0.0.1", 0) as listener:
        print(listener.getsockname()[1], flush=True)
        await serve_http(app, listener, stopping, ApiSettings(), ready=lambda _: print("ready", flush=True))
logs.configure(TelemetrySettings())
run_in_loop(main())
"""


def _served(port: int) -> bool:
    """Whether a request is answered."""
    try:
        with socket.create_connection(("127.0.0.1", port)) as late:
            late.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return late.makefile("rb").read().endswith(b"fine")
    except ConnectionError:
        return False


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_server_without_files_waits_quietly_and_comes_back(loop: str) -> None:
    """uvloop closes what it cannot keep, and says nothing."""
    pytest.importorskip(loop)
    command = [sys.executable, "-c", _CHILD, loop]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        port = int(child.stdout.readline())
        assert child.stdout.readline() == "ready\n"
        crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(60)]
        if loop == "asyncio":
            assert "can open no more files" in child.stderr.readline()  # which takes until it has none left
        for one in crowd:
            one.close()
        until_found(lambda: child.poll() is not None or _served(port))
        assert child.poll() is None
        child.stdin.write("end")
        child.stdin.close()
        rest = child.stderr.read()
    assert rest == ""
