"""Delivering in a process of its own, that is killed by SIGKILL at a named point."""

import asyncio
import os
import signal
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from kubemin.notifications.targets import Target
from kubemin.store import Database
from tests.notifications.rows import deliverer
from tests.waiting import PATIENCE

_context = get_context("forkserver")


@dataclass(frozen=True)
class Script:
    """``kill_at``: a point as `Database.open` has them."""

    database: str
    target: dict[str, Any]
    kill_at: str


async def run_child(script: Script) -> int:
    """Deliver in another process until it dies; its exit code. The caller's loop goes on meanwhile."""
    process = _context.Process(target=_main, args=(script,))
    process.start()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(process.sentinel, ended.set)
    try:
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
    finally:
        loop.remove_reader(process.sentinel)
        process.kill()
        process.join()
    code = process.exitcode
    process.close()
    assert code is not None
    return code


def _main(script: Script) -> None:
    asyncio.run(_run(script))


async def _run(script: Script) -> None:
    async def hook(point: str) -> None:
        if point == script.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    db = await Database.open(script.database, hook=hook)
    await deliverer(db, Target.model_validate(script.target)).run()
