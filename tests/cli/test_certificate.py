"""A server's certificate is renewed every few weeks, by somebody who tells it nothing."""

import asyncio
import os
import socket
import ssl
from pathlib import Path

import pytest
import structlog
from starlette.responses import PlainTextResponse

from kubemin.cli import certificate
from kubemin.cli.http import serve_http
from kubemin.settings import Settings
from tests.certificates import make_certificate
from tests.waiting import until


async def shown(port: int) -> bytes:
    """The certificate that a new connection gets."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    try:
        found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return found
    finally:
        writer.close()


def of_file(folder: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert((folder / "tls.crt").read_text())


@pytest.mark.parametrize("by_link", [True, False], ids=["as Kubernetes mounts it", "file by file"])
async def test_new_connections_get_the_new_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_link: bool
) -> None:
    """Never half of it: while one of the two files is the former one, so is what is shown."""
    monkeypatch.setattr(certificate, "_LOOK_SECONDS", 0.01)
    old, new, used = (tmp_path / name for name in ("old", "new", "used"))
    old.mkdir()
    new.mkdir()
    for folder in (old, new):
        make_certificate(folder)
    if by_link:
        used.symlink_to(old)
    else:
        used.mkdir()
        for file in old.iterdir():
            (used / file.name).write_bytes(file.read_bytes())
    listener, stopping, answers = socket.create_server(("127.0.0.1", 0)), asyncio.Event(), asyncio.Event()
    port = listener.getsockname()[1]
    files = str(used / "tls.crt"), str(used / "tls.key")
    app = PlainTextResponse("here")
    async with asyncio.TaskGroup() as group:
        work = serve_http(app, listener, stopping, Settings(), tls=files, ready=lambda _: answers.set())
        group.create_task(work)
        await answers.wait()
        assert await shown(port) == of_file(old)
        with structlog.testing.capture_logs() as said:
            if by_link:
                (tmp_path / "next").symlink_to(new)
                os.replace(tmp_path / "next", used)
            else:
                (used / "tls.crt").write_bytes((new / "tls.crt").read_bytes())

                async def is_refused() -> bool:
                    return any("cannot be used" in one["event"] for one in said)

                await until(is_refused)
                assert await shown(port) == of_file(old)
                (used / "tls.key").write_bytes((new / "tls.key").read_bytes())

            async def is_new() -> bool:
                return await shown(port) == of_file(new)

            await until(is_new)
        stopping.set()
    listener.close()
