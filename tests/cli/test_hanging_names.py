"""A process that is to end ends, whatever names are being looked up: nothing can interrupt that."""

import os
import subprocess
import sys
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.kubemin import Kubemin, environment
from tests.waiting import PATIENCE

_HANGS = """
import os, socket
look_up, (blocks, _) = socket.getaddrinfo, os.pipe()
def hang(host, *given, **more):
    if not str(host).endswith(".test"):
        return look_up(host, *given, **more)
    print("looks up", host, flush=True)
    os.read(blocks, 1)
socket.getaddrinfo = hang
"""
"""The look-up of a name below ``.test`` never ends: nobody writes to that pipe."""

_EACH = """
import asyncio, sys
if sys.argv[1] == "asyncio":
    sys.modules["uvloop"] = None
from types import SimpleNamespace
import aiohttp
from kubemin.cli.loop import run_in_loop
from kubemin.cluster import Cluster
from kubemin.engine.deploy.fetch import Fetcher
from kubemin.identity.oidc.http import IssuerHttp
from kubemin.notifications.sending import Sender
async def of_cluster():
    given = {"kubeconfig": None, "context": None, "url": "http://cluster.test:1", "timeout": 600}
    await (await Cluster.connect(**given)).version()
async def main():
    asked = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, asked.set)
    target = SimpleNamespace(name="a", public_only=True)
    looking = [asyncio.create_task(one) for one in (
        asyncio.get_running_loop().getaddrinfo("loop.test", 1),
        asyncio.open_connection("connection.test", 1),
        asyncio.open_connection("connection-by-tls.test", 1, ssl=True),
        IssuerHttp().get("http://issuer.test"),
        of_cluster(),
        Fetcher()._get("http://fetch.test"),
        Sender()._post(target, "http://target.test", b"", {}),
    )]
    await asked.wait()
    for one in looking:
        one.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
run_in_loop(main())
print("ended")
"""

_LOOK_UPS = 7


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_process_ends_while_names_are_looked_up(loop: str) -> None:
    """By whatever looks names up, in either loop."""
    pytest.importorskip(loop)
    command = [sys.executable, "-c", _HANGS + _EACH, loop]
    env = {**environment({}), "PYTHONWARNINGS": "ignore"}  # what was cancelled was not closed
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        killing = threading.Timer(PATIENCE, child.kill)
        killing.start()
        looked_up = {child.stdout.readline() for _ in range(_LOOK_UPS)}
        child.stdin.close()
        assert child.stdout.read() == "ended\n"
        assert child.wait() == 0
        killing.cancel()
    assert len(looked_up) == _LOOK_UPS


@pytest.mark.proof
def test_a_server_ends_while_names_are_looked_up(tmp_path: Path) -> None:
    """The name of its issuer, which is asked for the keys of a token."""
    (tmp_path / "sitecustomize.py").write_text(_HANGS)
    env = {"KUBEMIN_OIDC_ISSUER": "https://issuer.test", "KUBEMIN_OIDC_CLIENT_ID": "kubemin"}
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with Kubemin(tmp_path).dev(env={**env, "PYTHONPATH": path}) as running:
        header = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.AAAA"
        request = urllib.request.Request(f"{running.url}/api/v1/whoami", headers={"Authorization": f"Bearer {header}"})
        asking = threading.Thread(target=_asked, args=(request,), daemon=True)
        asking.start()
        running.wait_for(r"looks up issuer\.test")
        assert running.stop() == 0, running.errors


def _asked(request: urllib.request.Request) -> None:
    """Ask; that the server ends meanwhile is no matter."""
    with suppress(OSError):
        urllib.request.urlopen(request).close()
