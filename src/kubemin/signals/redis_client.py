"""A client with the same calls for one Redis server, Sentinels and a Cluster. Every call has a time limit."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ReadOnlyError, RedisClusterException, RedisError

from kubemin.signals.address import Address
from kubemin.signals.errors import SignalError
from kubemin.signals.script import Script

_BATCH = 1000
"""Tasks in one script call. Redis does nothing else during the call (about 3 ms)."""

Calls = Sequence[tuple[Sequence[str], Sequence[str]]]
RedisReply = Any | Exception


class RedisClient:
    """A client whose calls all end in time, and raise no other exception than SignalError."""

    def __init__(self, address: Address, *, timeout: float = 2) -> None:
        """Connects on first use. ``timeout``: seconds to connect; a whole call may take twice as long.

        After a broken connection the call is tried once more, on a new one: the server may have closed an idle one.
        """
        self.address = address
        self._timeout = timeout
        # RESP2: all servers since Redis 6 answer it in the same way.
        self._options: dict[str, Any] = {
            "protocol": 2,
            "retry": Retry(NoBackoff(), 1),
            # `_bounded` limits the time of each call. redis-py's own limit uses asyncio.wait_for, which in Python 3.11
            # loses a cancel that comes together with the result.
            "socket_timeout": None,
            "socket_connect_timeout": timeout,
            "socket_keepalive": True,
            **address.options,
        }
        self._sentinels: list[Redis] = []
        self._client = self._connect()

    def _connect(self) -> Any:
        address, options = self.address, self._options
        if address.form == "cluster":
            nodes = [ClusterNode(host, port) for host, port in address.hosts]
            return RedisCluster(startup_nodes=nodes, **options)
        if address.form == "sentinel":
            keep = {key: options[key] for key in ("protocol", "retry", "socket_timeout", "socket_connect_timeout")}
            finder: Any = Sentinel(  # type: ignore[no-untyped-call]
                address.hosts, sentinel_kwargs=keep | address.sentinel_options, **options
            )
            self._sentinels = finder.sentinels
            return finder.master_for(address.service)
        host, port = address.hosts[0]
        return Redis(host=host, port=port, **options)

    @property
    def batch(self) -> int:
        """How many tasks one script call may cover: in a Cluster their keys lie in different slots."""
        return 1 if self.address.form == "cluster" else _BATCH

    @asynccontextmanager
    async def _bounded(self, more: float = 0) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(more + 2 * self._timeout):
                yield
        except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
            raise SignalError(f"Redis at {self.address} failed: {explain(error)}") from error

    async def evaluate(self, script: Script, calls: Calls) -> list[RedisReply]:
        """Run a script for each (KEYS, ARGV) in one pipelined round trip.

        A call that failed has its exception as the reply.
        """
        return await self._pipelines("EVAL", script.text, calls)

    async def evaluate_often(self, script: Script, calls: Calls) -> list[RedisReply]:
        """`evaluate`, without sending the script's text each time."""
        replies = await self._pipelines("EVALSHA", script.sha, calls)
        unknown = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:  # A new or restarted server does not know the script yet; EVAL loads it.
            again = await self._pipelines("EVAL", script.text, [calls[index] for index in unknown])
            for index, reply in zip(unknown, again, strict=True):
                replies[index] = reply
        return replies

    async def _pipelines(self, verb: str, script: str, calls: Calls) -> list[RedisReply]:
        if not isinstance(self._client, RedisCluster):
            return await self._pipeline(verb, script, calls)
        # One pipeline for each node, all at once. In a single one redis-py would fail all calls if one node is away.
        async with self._bounded():
            await self._client.initialize()
            nodes: dict[str, list[int]] = {}
            for index, (keys, _) in enumerate(calls):
                node = self._client.get_node_from_key(keys[0])
                nodes.setdefault(node.name if node else "", []).append(index)
        parts = [self._pipeline(verb, script, [calls[index] for index in indexes]) for indexes in nodes.values()]
        replies: list[RedisReply] = [None] * len(calls)
        for indexes, part in zip(nodes.values(), await asyncio.gather(*parts, return_exceptions=True), strict=True):
            if isinstance(part, BaseException) and not isinstance(part, SignalError):
                raise part
            for at, index in enumerate(indexes):
                replies[index] = part if isinstance(part, SignalError) else part[at]
        return replies

    async def _pipeline(self, verb: str, script: str, calls: Calls) -> list[RedisReply]:
        async with self._bounded():
            pipe = self._client.pipeline(transaction=False)
            for keys, argv in calls:
                pipe.execute_command(verb, script, len(keys), *keys, *argv)
            replies: list[RedisReply] = await pipe.execute(raise_on_error=False)
            if any(isinstance(reply, ReadOnlyError) for reply in replies) and isinstance(self._client, Redis):
                # It became a replica. Where the address leads by now only a new connection learns. A Cluster, and
                # Sentinels, say it by themselves.
                await self._client.connection_pool.disconnect()
            return replies

    async def ping(self) -> None:
        """Raise SignalError unless the server answers."""
        async with self._bounded():
            await self._client.ping()

    async def info(self, section: str, key: str) -> dict[str, Any]:
        """A section of INFO, from the node that has the key."""
        async with self._bounded():
            if isinstance(self._client, RedisCluster):
                await self._client.initialize()
                node = self._client.get_node_from_key(key)
                reply = await self._client.execute_command("INFO", section, target_nodes=node)
            else:
                reply = await self._client.execute_command("INFO", section)
            return dict(reply)

    async def publish(self, channel: str, message: str) -> None:
        """Send a message to all subscribers."""
        async with self._bounded():
            await self._client.execute_command("PUBLISH", channel, message)

    async def scan(self, pattern: str) -> AsyncIterator[str]:
        """The names of all keys that match, on all nodes."""
        names = self._client.scan_iter(match=pattern, count=1000)
        while True:
            async with self._bounded():
                name = await anext(names, None)
            if name is None:
                return
            yield name.decode(errors="replace")

    async def delete(self, *keys: str) -> None:
        """Delete keys of one slot."""
        async with self._bounded():
            await self._client.delete(*keys)

    @asynccontextmanager
    async def subscribed(self, channel: str) -> AsyncIterator[Any]:
        """A subscription on its own connection. In a Cluster any node will do: each message is sent to all nodes."""
        client, own = self._client, False
        async with self._bounded():
            if isinstance(client, RedisCluster):
                await client.initialize()
                node = client.get_random_node()
                client, own = Redis(host=node.host, port=int(node.port), **self._options), True
            pubsub = client.pubsub()
            try:
                await pubsub.subscribe(channel)
            except BaseException:
                await pubsub.aclose()
                raise
        try:
            yield pubsub
        finally:
            await pubsub.aclose()
            if own:
                await client.aclose()

    async def next_message(self, pubsub: Any, seconds: float) -> dict[str, Any] | None:
        """The subscription's next message of any type, None after so many seconds without one."""
        async with self._bounded(seconds):
            message: dict[str, Any] | None = await pubsub.get_message(timeout=seconds)
            return message

    async def ping_subscription(self, pubsub: Any) -> None:
        """PING on the subscription's own connection; the answer is a message."""
        async with self._bounded():
            await pubsub.ping()

    async def aclose(self) -> None:
        """Close all connections."""
        for client in (self._client, *self._sentinels):
            await client.aclose()


def explain(error: BaseException) -> str:
    """An error of redis-py in one line. Its messages name hosts, never credentials."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
