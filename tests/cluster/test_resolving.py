"""A name that nobody answers for keeps nobody waiting but its own cluster."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from kubemin.cluster import errors
from tests.waiting import PATIENCE, until_true

from .servers import RawServer, answering
from .test_transport import connected

MANY = 40
"""Clusters; more than any pool of threads that they could share has."""


@pytest.fixture
def hangs(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Names that are looked up; each such look-up hangs until the test ends."""
    look_up, ends = socket.getaddrinfo, threading.Event()
    asked: set[str] = set()

    def hang(host: str, *given: Any, **more: Any) -> list[Any]:
        if host.endswith(".test"):
            asked.add(host)
            ends.wait()
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return look_up(host, *given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield asked
    ends.set()


async def test_a_look_up_that_hangs_holds_up_no_other(hangs: set[str]) -> None:
    """However many clusters hang, whatever is asked of them: another one is reached by its name, as is all else."""
    reply = answering(200, json.dumps({"gitVersion": "v1"}).encode())
    async with RawServer(reply) as server, AsyncExitStack() as stack:
        away = [await stack.enter_async_context(connected(f"http://away-{number}.test:1")) for number in range(MANY)]
        other = await stack.enter_async_context(connected(server.url.replace("127.0.0.1", "localhost")))
        asking = [asyncio.create_task(one.version()) for one in away for _ in range(3)]
        await until_true(lambda: len(hangs) == MANY)
        async with asyncio.timeout(PATIENCE):
            assert await other.version() == "v1"
            assert await asyncio.get_running_loop().getaddrinfo("localhost", 1)
        assert not any(one.done() for one in asking)
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def test_a_look_up_that_hangs_ends_with_the_time_of_the_call(hangs: set[str]) -> None:
    """Nothing was sent, so nothing may have been done."""
    async with connected("http://away.test:1", timeout=0.1) as cluster:
        with pytest.raises(errors.Unreachable):
            await cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}})
    assert hangs == {"away.test"}
