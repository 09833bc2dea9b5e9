"""Worker processes, put together as `kubemin worker` is, and forked from a process that has it all imported."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

from kubemin.cli.work import run_worker
from kubemin.cluster import Cluster
from kubemin.settings import Settings
from kubemin.store import Database
from tests.waiting import PATIENCE, until_true

_context = get_context("forkserver")
_context.set_forkserver_preload(["tests.engine.child", "tests.multi.processes"])


@dataclass(frozen=True)
class Script:
    """What a worker process does: its settings, its log, and a point at which it stops or dies.

    Points are those of the probes, ``commit:<label>:before|after`` and ``call:<verb>:<Kind>/<name>:before|after``; what
    is given is a glob.
    """

    settings: dict[str, Any]
    log: str
    pause_at: str = ""
    die_at: str = ""


@dataclass
class Worker:
    """One worker process, that can be killed and paused."""

    script: Script
    _process: Any = field(init=False)

    def __post_init__(self) -> None:
        self._process = _context.Process(target=_main, args=(self.script,))
        self._process.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        pid = self._process.pid
        assert isinstance(pid, int)
        return pid

    @property
    def log(self) -> str:
        """All that it printed."""
        path = Path(self.script.log)
        return path.read_text() if path.exists() else ""

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    async def kill(self) -> None:
        """SIGKILL: as a machine dies."""
        self.signal(signal.SIGKILL)
        assert await self.ended() == -signal.SIGKILL

    async def pause(self) -> None:
        """SIGSTOP, and wait until it stands still."""
        self.signal(signal.SIGSTOP)
        await self.paused()

    async def paused(self) -> None:
        """Wait until it stands still, however it came to that."""
        await until_true(lambda: Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")

    def resume(self) -> None:
        """SIGCONT."""
        self.signal(signal.SIGCONT)

    async def said(self, text: str) -> None:
        """Wait until it has printed this."""
        await until_true(lambda: text in self.log)

    async def ended(self) -> int:
        """Wait until it has ended; its exit code, negative for a signal."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            async with asyncio.timeout(PATIENCE):
                await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        code = self._process.exitcode
        assert isinstance(code, int)
        return code

    async def terminate(self) -> int:
        """SIGTERM, and wait for its end; its exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    def close(self) -> None:
        """Be sure that it is gone."""
        self._process.kill()
        self._process.join()
        self._process.close()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return bool(self._process.is_alive())


def _main(script: Script) -> None:
    with Path(script.log).open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", buffering=1, closefd=False)
    hook = _hook(script)
    with (
        patch.object(Cluster, "connect", partial(Cluster.connect, hook=hook)),
        patch.object(Database, "open", partial(Database.open, hook=hook)),
    ):
        run_worker(Settings(**script.settings))


def _hook(script: Script) -> Callable[[str], Awaitable[None]]:
    paused = False

    async def hook(point: str) -> None:
        nonlocal paused
        if fnmatchcase(point, script.die_at):
            os.kill(os.getpid(), signal.SIGKILL)
        if fnmatchcase(point, script.pause_at) and not paused:
            paused = True
            os.kill(os.getpid(), signal.SIGSTOP)

    return hook
