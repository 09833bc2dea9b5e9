"""The one connection to Redis: bounded in time, the same calls whether it is one server, Sentinels or a Cluster."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisClusterException, RedisError

from kubemin.signals.address import Address
from kubemin.signals.errors import SignalError
from kubemin.signals.script import Script

_BATCH = 1000
"""Tasks a script call: the server does nothing else meanwhile (about 3 ms)."""

Answer = Any | Exception


class Link:
    """A client whose every call ends within ``timeout`` seconds and raises SignalError only."""

    def __init__(self, address: Address, *, timeout: float = 2) -> None:
        """Connects on first use. A broken connection is tried once more, at once: it may only be stale."""
        self.address = address
        self._timeout = timeout
        # RESP2 is what every server since Redis 6 speaks the same.
        self._options: dict[str, Any] = {
            "protocol": 2,
            "retry": Retry(NoBackoff(), 1),
            "socket_timeout": timeout,
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
            return RedisCluster(startup_nodes=nodes, cluster_error_retry_attempts=1, **options)
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
            async with asyncio.timeout(more + 3 * self._timeout):
                yield
        except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
            raise SignalError(f"Redis at {self.address} did not do it: {explain(error)}") from error

    async def evaluate(self, script: Script, calls: Sequence[tuple[Sequence[str], Sequence[str]]]) -> list[Answer]:
        """Run a script for each (KEYS, ARGV) in one pipelined round trip; a call that failed answers its exception."""
        async with self._bounded():
            answers = await self._pipeline("EVALSHA", script.sha, calls)
            unknown = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if unknown:  # A new server, or one that was restarted; EVAL teaches it.
                again = await self._pipeline("EVAL", script.text, [calls[index] for index in unknown])
                for index, answer in zip(unknown, again, strict=True):
                    answers[index] = answer
            return answers

    async def _pipeline(
        self, verb: str, script: str, calls: Sequence[tuple[Sequence[str], Sequence[str]]]
    ) -> list[Answer]:
        pipe = self._client.pipeline(transaction=False)
        for keys, argv in calls:
            pipe.execute_command(verb, script, len(keys), *keys, *argv)
        answers: list[Answer] = await pipe.execute(raise_on_error=False)
        return answers

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
                answer = await self._client.execute_command("INFO", section, target_nodes=node)
            else:
                answer = await self._client.execute_command("INFO", section)
            return dict(answer)

    async def publish(self, channel: str, message: str) -> None:
        """Send a message to whoever is subscribed."""
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
        """A subscription on a connection of its own. A Cluster hands messages on to all nodes: any one will do."""
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

    async def ask(self, pubsub: Any) -> None:
        """PING on the subscription's own connection; the answer is a message."""
        async with self._bounded():
            await pubsub.ping()

    async def aclose(self) -> None:
        """Close all connections."""
        for client in (self._client, *self._sentinels):
            await client.aclose()


def explain(error: BaseException) -> str:
    """A library's error in one line. redis-py names hosts in its messages, never credentials."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
