"""Requests as bytes on a socket: what two programs may read differently is refused, and nothing of it gets through."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from kubemin.api.app import create_app
from kubemin.api.deps import Deps
from kubemin.cli.heads import ambiguous
from kubemin.cli.http import serve_http
from kubemin.cli.process import listen
from kubemin.store import audit
from kubemin.store.audit import Wanted

TRY = (
    b"POST /api/v1/applications HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
)


@dataclass
class Raw:
    """A server on a port."""

    port: int
    deps: Deps

    async def says(self, sent: bytes) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body of the only answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        await writer.drain()
        said = await reader.read()
        writer.close()
        head, _, body = said.partition(b"\r\n\r\n")
        assert b"HTTP/1.1" not in body, "there are two answers"
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(first.split()[1]), headers, json.loads(body) if body.startswith(b"{") else body

    async def rows(self) -> list[audit.AuditRow]:
        async with self.deps.db.read() as tx:
            return await audit.oldest(tx, Wanted(), after=0, limit=100)


@pytest.fixture
async def raw(deps: Deps) -> AsyncIterator[Raw]:
    deps = replace(deps, registry=CollectorRegistry())
    stopping, ready = asyncio.Event(), asyncio.Event()
    with listen("127.0.0.1", 0) as listener:
        serving = asyncio.create_task(
            serve_http(create_app(deps), listener, stopping, deps.settings, ready=lambda _: ready.set())
        )
        await ready.wait()
        yield Raw(listener.getsockname()[1], deps)
        stopping.set()
        await serving
    await deps.audit.aclose()


REFUSED = {
    "both lengths": TRY + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both lengths, the other way round": TRY + b"transfer-encoding: chunked\r\nCONTENT-LENGTH: 5\r\n\r\n0\r\n\r\n",
    "a length twice": TRY + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths": TRY + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "a list of lengths": TRY + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": TRY + b"Content-Length: +2\r\n\r\n{}",
    "a coding twice": TRY + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare LF": TRY + b"X: y\nContent-Length: 2\r\n\r\n{}",
    "bare LFs alone": TRY.replace(b"\r\n", b"\n") + b"\n",
    "a bare CR in a header": TRY + b"X: y\rContent-Length: 2\r\n\r\n",
    "a NUL in a header": TRY + b"X: a\0b\r\n\r\n",
    "a folded header": TRY + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "a blank before the colon": TRY + b"Content-Length : 2\r\n\r\n{}",
    "no host": b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "no target": b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a blank in the target": b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no request at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_no_server_should_take(raw: Raw, what: str) -> None:
    status, headers, body = await raw.says(REFUSED[what])
    assert (status, body["code"]) == (400, 400)
    assert headers["connection"] == "close"
    assert headers["x-content-type-options"] == "nosniff"
    assert await raw.rows() == []  # it never was a call


async def test_a_coding_that_nobody_knows(raw: Raw) -> None:
    status, _, body = await raw.says(TRY + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")
    assert (status, body["code"]) == (400, 400)


async def test_nothing_is_smuggled_behind_a_body(raw: Raw) -> None:
    inner = b"DELETE /api/v1/orphans HTTP/1.1\r\nHost: localhost\r\n\r\n"
    await raw.says(
        TRY + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(inner)) + inner
    )
    assert await raw.rows() == []


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost/healthz", "http://evil.example/api/v1/applications", "localhost:80", "healthz", "?x",
        "/api/v1/applications/..", "/api/v1/applications/../tasks", "/api/v1/./applications", "/..", "/.",
        "/api/v1/applications/%2e%2e/tasks", "/api/v1/%2fapplications",
    ],
)  # fmt: skip
async def test_targets_that_are_no_plain_paths(raw: Raw, target: str) -> None:
    for method in ("GET", "POST"):
        sent = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        status, _, body = await raw.says(sent.encode())
        assert (status, body["code"]) == (400, 400)
    (row,) = await raw.rows()
    assert (row.call.method, row.call.status, row.call.operation) == ("POST", 400, "none")


async def test_what_is_right_still_gets_through(raw: Raw) -> None:
    for sent in (
        TRY + b"Content-Length: 2\r\n\r\n{}",
        TRY + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ):
        status, _, body = await raw.says(sent)
        assert status == 400
        assert body["code"] > 10000
    assert (await raw.says(b"GET /healthz HTTP/1.0\r\n\r\n"))[0] == 200
    status, headers, _ = await raw.says(b"OPTIONS /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert (status, headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    long = b"X: " + b"y" * 20_000
    assert (await raw.says(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + long + b"\r\n\r\n"))[
        0
    ] == 200


async def test_a_head_that_comes_in_parts_is_read_as_a_whole(raw: Raw) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", raw.port)
    sent = REFUSED["both lengths"].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    for start in range(0, len(sent), 7):
        writer.write(sent[start : start + 7])
        await writer.drain()
        await asyncio.sleep(0)
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_the_second_request_of_a_connection_is_looked_at_too(raw: Raw) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", raw.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + REFUSED["both lengths"])
    said = await reader.read()
    assert (said.count(b"HTTP/1.1 200 "), said.count(b"HTTP/1.1 400 ")) == (1, 1)
    writer.close()


NAMES = st.sampled_from([b"Content-Length", b"content-length", b"Transfer-Encoding", b"Host", b"X"])
VALUES = st.sampled_from([b"2", b"chunked", b"2, 2", b"a", b""])
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])


@given(st.lists(st.tuples(NAMES, VALUES, ENDS), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_length_at_most_and_whole_lines_only(lines: list[tuple[bytes, bytes, bytes]]) -> None:
    head = b"POST / HTTP/1.1\r\n" + b"".join(name + b": " + value + end for name, value, end in lines)
    named = [name.lower() for name, _, _ in lines]
    lengths = named.count(b"content-length") + named.count(b"transfer-encoding")
    bare = any(end != b"\r\n" for _, _, end in lines)
    listed = any(name.lower() == b"content-length" and b"," in value for name, value, _ in lines)
    assert (ambiguous(head + b"\r\nbody\n\n") is not None) == (lengths > 1 or bare or listed)
    assert ambiguous(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n") is None  # not whole yet
