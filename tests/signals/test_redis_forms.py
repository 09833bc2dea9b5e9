"""The servers that Redis may be: with ACL users, behind Sentinels, as a Cluster, behind TLS."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kubemin.signals import Cancelled, SignalError
from kubemin.signals.purge import purge
from kubemin.signals.redis import RedisSignals
from tests.servers.proxy import Proxy
from tests.servers.valkey import Valkey, valkey_cluster, valkey_sentinels, valkey_with_user
from tests.signals.helpers import Inbox, is_healthy
from tests.waiting import PATIENCE, until_true

RULES = (
    "~kubemin:workflow:* &kubemin:workflow:* "
    "+eval +evalsha +mget +get +set +pexpire +exists +del +publish +subscribe +ping"
)
"""What `docs` tell an administrator to allow; +info and +scan are optional."""


async def everything_works(url: str) -> None:
    """The main path: watch, cancel by message, delete by hand is tested elsewhere."""
    inboxes = [Inbox() for _ in range(20)]
    async with aclosing(await _heard(url)) as worker, aclosing(await _heard(url)) as api:
        for number, inbox in enumerate(inboxes):
            await worker.watch(f"t{number}", 1, inbox)
        await worker.poll()
        assert is_healthy(worker)
        for number, inbox in enumerate(inboxes):
            assert inbox == []
            await api.cancel(f"t{number}", f"stop {number}")
            assert await inbox.next() == Cancelled(f"stop {number}")


async def _heard(url: str) -> RedisSignals:
    """A process that hears messages, and hardly ever polls."""
    signals = await RedisSignals.open(url, poll=3600)
    async with asyncio.timeout(PATIENCE):
        await signals.subscription.connected.wait()
    return signals


def test_the_rights_of_an_acl_user_are_told() -> None:
    assert f"`{RULES}`" in " ".join(Path("docs/operations.md").read_text().split())


async def test_an_acl_user_needs_only_these_rights() -> None:
    with valkey_with_user("kubemin", "hush", *RULES.split()) as server:
        with capture_logs() as logs:
            await everything_works(server.url_of("kubemin", "hush"))
        assert {entry["event"] for entry in logs} == {"cancel marks may be evicted"}
        assert {entry["policy"] for entry in logs} == {"unknown"}, "INFO is not allowed"
        server.run("FLUSHALL")
        server.run("ACL", "SETUSER", "kubemin", "+info")
        with capture_logs() as logs:
            await everything_works(server.url_of("kubemin", "hush"))
        assert logs == []


async def test_without_the_right_to_subscribe_the_poll_does_it() -> None:
    with valkey_with_user("kubemin", "hush", *RULES.split(), "-subscribe") as server:
        worker = await RedisSignals.open(server.url_of("kubemin", "hush"), poll=0.05)
        inbox = Inbox()
        await worker.watch("t1", 1, inbox)
        await worker.cancel("t1", "stop")
        assert await inbox.next() == Cancelled("stop")
        await worker.aclose()


async def test_a_wrong_password_is_away_and_told_without_it() -> None:
    with valkey_with_user("kubemin", "right", *RULES.split()) as server:
        with capture_logs() as logs:
            signals = RedisSignals(server.url_of("kubemin", "hush"))
            await signals.poll()
            with pytest.raises(SignalError, match="AuthenticationError") as raised:
                await signals.cancel("t1", "stop")
        assert not is_healthy(signals)
        assert "hush" not in repr(logs) + str(raised.value)
        await signals.aclose()


async def test_a_cancel_that_is_not_allowed_is_an_error() -> None:
    with valkey_with_user("kubemin", "hush", *RULES.split(), "-set") as server:
        signals = RedisSignals(server.url_of("kubemin", "hush"))
        with pytest.raises(SignalError, match="refused the cancel mark"):
            await signals.cancel("t1", "stop")
        await signals.aclose()


async def test_a_cluster() -> None:
    with valkey_cluster() as (url, nodes):
        await everything_works(url)
        worker, inboxes = RedisSignals(url), [Inbox() for _ in range(20)]
        for number, inbox in enumerate(inboxes):
            await worker.watch(f"u{number}", 1, inbox)
        for node in nodes:
            keys = node.run("KEYS", "*cancel:u*")
            assert keys, "the tasks are spread over all nodes"
            assert len([key for key in keys if "sentinel" in key]) * 2 == len(keys), "each sentinel beside its key"
        nodes[1].run("DEL", nodes[1].run("KEYS", "kubemin:workflow:cancel:u*")[0])
        nodes[2].run("FLUSHALL")
        await worker.poll()
        assert sorted(map(len, inboxes)) == [0] * 19 + [1], "the one deleted by hand"

        async def all_of_them(task_ids: Sequence[str]) -> Sequence[str]:
            return task_ids

        left = {key for node in nodes for key in node.run("KEYS", "kubemin:workflow:cancel:*")}
        assert {f"kubemin:workflow:cancel:{task_id}" for task_id in await purge(url, all_of_them)} == left
        assert len(left) >= 19
        assert not [key for node in nodes for key in node.run("KEYS", "kubemin:workflow:cancel:*")]
        await worker.poll()
        assert sorted(map(len, inboxes)) == [0] * 19 + [1], "a purge is no deletion by hand"
        await worker.aclose()


async def test_a_cluster_that_lost_a_node_serves_the_others() -> None:
    with valkey_cluster() as (url, nodes):
        for node in nodes:
            node.run("CONFIG", "SET", "cluster-require-full-coverage", "no")
        worker, api = RedisSignals(url), RedisSignals(url)
        inboxes = {f"t{number}": Inbox() for number in range(20)}
        await api.poll()
        for task_id, inbox in inboxes.items():
            await worker.watch(task_id, 1, inbox)
        lost = {key.rpartition(":")[2] for key in nodes[2].run("KEYS", "kubemin:workflow:cancel:t*")}
        nodes[2].stop()
        await worker.poll()
        assert not is_healthy(worker)
        alive = next(iter(inboxes.keys() - lost))
        await api.cancel(alive, "stop")
        async with asyncio.timeout(PATIENCE):
            while not inboxes[alive]:
                await worker.poll()
        assert inboxes.pop(alive) == [Cancelled("stop")]
        assert not any(inboxes.values())
        await api.aclose()
        await worker.aclose()


async def test_sentinels_lead_to_the_new_primary_and_nothing_is_cancelled() -> None:
    with valkey_sentinels() as (url, primary, replica):
        await everything_works(url)
        worker, inbox, other = await RedisSignals.open(url, poll=0.05), Inbox(), Inbox()
        await worker.watch("u1", 1, inbox)
        await worker.watch("u2", 1, other)
        primary.stop()
        await until_true(lambda: replica.run("INFO", "replication")["role"] == "master")
        api = RedisSignals(url)
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await api.cancel("u1", "stop")
                except SignalError:
                    continue
                break
        assert await inbox.next() == Cancelled("stop")
        assert replica.run("GET", "kubemin:workflow:cancel:u1") == "cancelled:stop"
        await worker.poll()
        assert is_healthy(worker)
        assert other == []
        await api.aclose()
        await worker.aclose()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
async def test_tls(valkey: Valkey, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", *subject]
    made = await asyncio.create_subprocess_exec(*make, "-keyout", key, "-out", certificate, stderr=subprocess.DEVNULL)
    assert await made.wait() == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    async with Proxy(valkey.port, tls=context) as proxy:
        await everything_works(f"rediss://127.0.0.1:{proxy.port}?ssl_ca_certs={certificate}")
        unknown = RedisSignals(f"rediss://127.0.0.1:{proxy.port}")
        with pytest.raises(SignalError, match="certificate"):
            await unknown.cancel("t1", "stop")
        await unknown.aclose()
