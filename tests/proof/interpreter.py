"""From a script to a verdict."""

import asyncio
import logging
import tempfile
import traceback
from collections import Counter
from collections.abc import Coroutine, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import structlog

from kubemin.store import Database
from tests.own_time import OwnTimeLoop
from tests.proof.script import Script
from tests.proof.world import Broken, World

T = TypeVar("T")

RUN_SECONDS = 300.0
_TOGETHER = 6
ITSELF = "the proof itself failed:"


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
    return _in_own_time(_run(script, _migrated(), statistics))


def outcomes(scripts: Sequence[Script]) -> list[Broken | None]:
    """Run scripts side by side, some at a time, each in a world of its own; what does not hold, of each."""
    database = _migrated()
    places = asyncio.Semaphore(_TOGETHER)

    async def one(script: Script) -> Broken | None:
        async with places:
            try:
                await _run(script, database)
            except Broken as broken:
                return broken
            return None

    async def all_of_them() -> list[Broken | None]:
        return list(await asyncio.gather(*(one(script) for script in scripts)))

    return _in_own_time(all_of_them())


def _in_own_time(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=OwnTimeLoop) as runner:
        return runner.run(main)


async def _run(script: Script, database: bytes, statistics: Counter[str] | None = None) -> list[str]:
    quiet()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # of machines that died
    with tempfile.TemporaryDirectory(prefix="kubemin-proof-", ignore_cleanup_errors=True) as folder:
        await asyncio.to_thread((Path(folder) / "kubemin.db").write_bytes, database)
        world = World(script, Path(folder), statistics)
        try:
            async with asyncio.timeout(RUN_SECONDS):
                await world.run()
        except Broken:
            raise
        except TimeoutError:
            raise world.broken([f"the run did not end within {RUN_SECONDS:g} s"]) from None
        except Exception as error:
            raise world.broken([ITSELF, *traceback.format_exception(error)]) from error
    return world.told


def quiet() -> None:
    """The engine's log of what goes wrong is of no use where everything does."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
