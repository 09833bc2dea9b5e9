"""From a script to a verdict."""

import asyncio
import logging
import shutil
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path

import structlog

from kubemin.store import Database
from tests.proof.script import Script
from tests.proof.world import World

RUN_SECONDS = 120.0


@cache
def _migrated() -> bytes:
    """A database with the schema, made once a process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kubemin.db"

        async def migrate() -> None:
            db = await Database.open(f"sqlite:///{path}")
            await db.migrate()
            await db.aclose()

        asyncio.run(migrate())
        return path.read_bytes()


def run(script: Script, statistics: Counter[str] | None = None) -> list[str]:
    """Run a script; returns what happened. Raises `Broken` where the invariant does not hold."""
    quiet()
    folder = Path(tempfile.mkdtemp(prefix="kubemin-proof-"))
    (folder / "kubemin.db").write_bytes(_migrated())
    world = World(script, folder, statistics)

    async def bounded() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # of machines that died
        async with asyncio.timeout(RUN_SECONDS):
            await world.run()

    try:
        asyncio.run(bounded())
    except TimeoutError:
        raise world.broken([f"the run did not end within {RUN_SECONDS:g} s"]) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return world.told


def quiet() -> None:
    """The engine's log of what goes wrong is of no use where everything does."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
