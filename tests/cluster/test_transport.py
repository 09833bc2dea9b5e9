"""What a failed request may have done is told exactly, and nothing is sent twice."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from kubemin.cluster import Cluster, errors, requests
from kubemin.cluster.transport import _limit_silence
from kubemin.spec.objects import Manifest, ObjectRef
from tests.waiting import PATIENCE

from .servers import RawServer, Reply, Seen, answering, hang_up, response, say_nothing

REF = ObjectRef("ConfigMap", "shop", "web")
OBJECT: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}}
Call = Callable[[Cluster], Awaitable[object]]

WRITES: dict[str, Call] = {
    "create": lambda cluster: cluster.create(OBJECT),
    "apply": lambda cluster: cluster.apply(OBJECT),
    "replace": lambda cluster: cluster.replace(OBJECT),
    "patch": lambda cluster: cluster.patch(REF, []),
    "delete": lambda cluster: cluster.delete(REF, uid="u"),
}
READS: dict[str, Call] = {
    "get": lambda cluster: cluster.get(REF),
    "list": lambda cluster: cluster.list("ConfigMap"),
    "version": lambda cluster: cluster.version(),
    "dry run": lambda cluster: cluster.create(OBJECT, dry_run=True),
}
writes = pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)
reads = pytest.mark.parametrize("call", READS.values(), ids=READS)
calls = pytest.mark.parametrize("call", [*WRITES.values(), *READS.values()], ids=[*WRITES, *READS])


@contextlib.asynccontextmanager
async def connected(url: str, timeout: float = PATIENCE) -> AsyncIterator[Cluster]:
    cluster = await Cluster.connect(kubeconfig=None, context=None, url=url, timeout=timeout)
    try:
        yield cluster
    finally:
        await cluster.aclose()


@contextlib.asynccontextmanager
async def serving(reply: Reply, timeout: float = PATIENCE) -> AsyncIterator[tuple[Cluster, RawServer]]:
    async with RawServer(reply) as server, connected(server.url, timeout) as cluster:
        yield cluster, server


def free_port() -> int:
    with socket.socket() as hook:
        hook.bind(("127.0.0.1", 0))
        port: int = hook.getsockname()[1]
        return port


@calls
async def test_a_refused_connection_is_unreachable(call: Call) -> None:
    port = free_port()
    async with connected(f"http://127.0.0.1:{port}") as cluster:
        with pytest.raises(errors.Unreachable) as caught:
            await call(cluster)
    assert caught.value.message.endswith(f": the API server cannot be reached: 127.0.0.1:{port}: connection refused.")
    assert caught.value.retryable


@calls
async def test_a_tls_handshake_that_never_ends_is_unreachable(call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with connected(f"https://127.0.0.1:{listener.getsockname()[1]}", timeout=0.05) as cluster:
            with pytest.raises(errors.Unreachable):
                await call(cluster)


@calls
async def test_an_unknown_host_is_unreachable(call: Call) -> None:
    async with connected("http://nowhere.invalid") as cluster:
        with pytest.raises(errors.Unreachable):
            await call(cluster)


@writes
async def test_a_write_whose_connection_breaks_is_unanswered_and_sent_once(call: Call) -> None:
    async with serving(hang_up) as (cluster, server):
        with pytest.raises(errors.Unanswered):
            await call(cluster)
    assert len(server.seen) == 1


@writes
async def test_a_write_on_a_dead_kept_connection_is_unanswered_and_sent_once(call: Call) -> None:
    async def once(request: Seen, writer: asyncio.StreamWriter) -> None:
        if len(server.seen) == 1:
            writer.write(response(200, b'{"kind":"ConfigMap","metadata":{}}'))
        else:
            writer.close()

    async with serving(once) as (cluster, server):
        await cluster.get(REF)
        with pytest.raises(errors.Unanswered):
            await call(cluster)
    assert len(server.seen) == 2


async def test_a_read_on_a_dead_kept_connection_is_sent_again() -> None:
    async def once(request: Seen, writer: asyncio.StreamWriter) -> None:
        if len(server.seen) == 2:
            writer.close()
        else:
            writer.write(response(200, b'{"kind":"ConfigMap","metadata":{}}'))

    async with serving(once) as (cluster, server):
        await cluster.get(REF)
        await cluster.get(REF)
    assert len(server.seen) == 3


@reads
async def test_a_read_whose_connection_breaks_is_a_server_error(call: Call) -> None:
    async with serving(hang_up) as (cluster, _):
        with pytest.raises(errors.ServerError):
            await call(cluster)


async def test_a_write_without_an_answer_in_time_is_unanswered() -> None:
    """The timeout is long enough for the requests to leave, however busy the machine; all wait for it together."""
    async with serving(say_nothing, timeout=2) as (cluster, server):
        outcomes = await asyncio.gather(*(call(cluster) for call in WRITES.values()), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [errors.Unanswered] * len(WRITES)
    assert all("no answer in time" in str(outcome) for outcome in outcomes)
    assert len(server.seen) == len(WRITES)


@writes
async def test_a_write_whose_answer_is_cut_short_is_unanswered(call: Call) -> None:
    async def cut(request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(response(200, b'{"kind":', length=1000))
        writer.close()

    async with serving(cut) as (cluster, _):
        with pytest.raises(errors.Unanswered):
            await call(cluster)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@writes
async def test_a_write_answered_by_a_5xx_page_is_unanswered(call: Call, status: int) -> None:
    async with serving(answering(status, b"<html>Bad Gateway</html>", extra="Retry-After: 7\r\n")) as (cluster, server):
        with pytest.raises(errors.Unanswered, match="Bad Gateway") as caught:
            await call(cluster)
    assert (caught.value.status, caught.value.retry_after) == (status, 7.0)
    assert len(server.seen) == 1


@reads
async def test_a_read_answered_by_a_5xx_is_a_server_error(call: Call) -> None:
    async with serving(answering(502, b"<html>")) as (cluster, _):
        with pytest.raises(errors.ServerError) as caught:
            await call(cluster)
    assert caught.value.status == 502


@writes
async def test_a_200_that_is_not_json_leaves_a_write_unanswered(call: Call) -> None:
    async with serving(answering(200, b"<html>Welcome to the hotel</html>")) as (cluster, _):
        with pytest.raises(errors.Unanswered):
            await call(cluster)


@calls
async def test_a_redirect_is_not_followed(call: Call) -> None:
    async with serving(answering(307, extra="Location: /elsewhere\r\n")) as (cluster, server):
        with pytest.raises(errors.ClusterError) as caught:
            await call(cluster)
    assert caught.value.status == 307
    assert len(server.seen) == 1


@calls
async def test_cancelling_a_call_raises_cancelled_error(call: Call) -> None:
    arrived = asyncio.Event()

    async def wait(request: Seen, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.Event().wait()

    async with serving(wait) as (cluster, _):
        task = asyncio.ensure_future(call(cluster))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_waiting_for_a_turn_does_not_use_up_the_time_of_a_call() -> None:
    """A hundred calls at a time go out; the others are not counted as sent, nor as late, meanwhile."""
    release, full = asyncio.Event(), asyncio.Event()

    async def wait(request: Seen, writer: asyncio.StreamWriter) -> None:
        if len(server.seen) == 100:
            full.set()
        await release.wait()
        writer.write(response(200, b'{"kind":"ConfigMap","metadata":{}}'))

    async with serving(wait) as (cluster, server):
        tasks = [asyncio.create_task(cluster.create(OBJECT)) for _ in range(130)]
        await full.wait()
        assert len(server.seen) == 100
        release.set()
        assert len(await asyncio.gather(*tasks)) == 130


@pytest.mark.parametrize("verb", WRITES)
async def test_writes_carry_manager_and_server_timeout(verb: str) -> None:
    async with serving(answering(200, b'{"kind":"Status"}'), timeout=10) as (cluster, server):
        await WRITES[verb](cluster)
    query = server.seen[0].query
    assert query["timeout"] == "9000ms"
    assert query.get("fieldManager") == (None if verb == "delete" else "kubemin")
    assert "dryRun" not in query


async def test_a_stream_that_falls_silent_is_broken() -> None:
    async def start(request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")

    request = requests.watch("Pod", None, labels=None, version="1", seconds=300)
    async with serving(start) as (cluster, _), contextlib.AsyncExitStack() as stack:
        stack.enter_context(pytest.raises(errors.ServerError))
        chunks = await stack.enter_async_context(cluster.stream(request, silence=0.05))
        assert await anext(chunks) == b"abc"
        await anext(chunks)


async def test_a_stream_outlives_the_timeout_of_calls() -> None:
    go_on = asyncio.Event()

    async def start(request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await go_on.wait()
        writer.write(b"3\r\ndef\r\n0\r\n\r\n")

    request = requests.watch("Pod", None, labels=None, version="1", seconds=300)
    async with serving(start, timeout=1) as (cluster, _), cluster.stream(request, silence=60) as chunks:
        assert await anext(chunks) == b"abc"
        with contextlib.suppress(errors.ClusterError):
            await cluster.get(REF)  # itself runs into the timeout: that much time has passed
        go_on.set()
        assert [chunk async for chunk in chunks] == [b"def"]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux only")
def test_sockets_give_up_on_a_peer_that_stops_acknowledging() -> None:
    with socket.socket() as made:
        _limit_silence(made, 15)
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
