"""kubectl against a simulated cluster: the one of the package index always, and another on PATH if there is one."""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubesim import SimServer

_OURS = Path(sys.executable).parent / "kubectl"


def _binaries() -> list[Path]:
    elsewhere = [part for part in os.environ.get("PATH", "").split(os.pathsep) if Path(part) != _OURS.parent]
    other = shutil.which("kubectl", path=os.pathsep.join(elsewhere))
    return [_OURS, *([Path(other)] if other else [])]


class Kubectl:
    """Runs one kubectl binary against one cluster."""

    def __init__(self, binary: Path, home: Path, server: SimServer) -> None:
        self._binary = binary
        self._home = home
        self.server = server
        self._config = home / "config"
        self._config.write_text(server.kubeconfig())

    async def start(self, *arguments: str) -> Process:
        return await asyncio.create_subprocess_exec(
            self._binary,
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            # GOGC: a short command ends before its garbage is in the way; to collect it takes a fifth of its CPU.
            env={
                "HOME": str(self._home),
                "KUBECONFIG": str(self._config),
                "PATH": os.environ.get("PATH", ""),
                "GOGC": "off",
            },
        )

    async def run(self, *arguments: str, stdin: Any = None) -> tuple[int, str, str]:
        """Exit code, standard output and errors. ``stdin``: manifests, sent as YAML."""
        process = await self.start(*arguments)
        text = yaml.safe_dump_all(stdin if isinstance(stdin, list) else [stdin]) if stdin is not None else ""
        async with asyncio.timeout(120):
            out, err = await process.communicate(text.encode())
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def __call__(self, *arguments: str, stdin: Any = None) -> str:
        """Standard output of a command that must succeed, without a word of complaint."""
        code, out, err = await self.run(*arguments, stdin=stdin)
        assert code == 0, f"kubectl {' '.join(arguments)}: {err}{out}"
        assert err == "", f"kubectl {' '.join(arguments)}: {err}"
        return out

    async def object(self, *arguments: str) -> dict[str, Any]:
        """What ``get -o yaml`` prints."""
        found: dict[str, Any] = yaml.safe_load(await self("get", *arguments, "-o", "yaml"))
        return found

    @asynccontextmanager
    async def watching(self, *arguments: str) -> AsyncIterator[asyncio.StreamReader]:
        """The lines of a command that goes on until it is told to stop."""
        process = await self.start(*arguments)
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


@pytest.fixture(params=_binaries(), ids=lambda path: "own" if path == _OURS else "found")
async def kubectl(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kubectl]:
    async with SimServer(speed=50.0) as server:
        yield Kubectl(request.param, tmp_path, server)
