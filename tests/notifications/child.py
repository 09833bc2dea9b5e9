"""Delivering in a process of its own, that is killed by SIGKILL at a named point."""

import asyncio
import os
import signal
from dataclasses import dataclass
from typing import Any

from kubemin.notifications.targets import Target
from kubemin.store import Database
from tests.engine.child import run_process
from tests.notifications.rows import deliverer


@dataclass(frozen=True)
class Script:
    """``kill_at``: a point as `Database.open` has them."""

    database: str
    target: dict[str, Any]
    kill_at: str


async def run_child(script: Script) -> int:
    """Deliver in another process until it dies; its exit code."""
    return await run_process(_main, script)


def _main(script: Script) -> None:
    asyncio.run(_run(script))


async def _run(script: Script) -> None:
    async def hook(point: str) -> None:
        if point == script.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    db = await Database.open(script.database, hook=hook)
    await deliverer(db, Target.model_validate(script.target)).run()
