"""From a script to a verdict."""

import asyncio
import logging
import tempfile
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import structlog

from kubemin.store import Database
from tests.proof.script import Script
from tests.proof.world import Broken, World

RUN_SECONDS = 300.0
_TOGETHER = 4


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
    return asyncio.run(_run(script, _migrated(), statistics))


def run_together(scripts: Iterable[Script]) -> list[Broken]:
    """Run scripts side by side, each in a world of its own; returns what does not hold."""

    database = _migrated()

    async def all_of_them() -> list[Broken]:
        outcomes = await asyncio.gather(*(_run(script, database) for script in scripts), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, Broken):
                raise outcome
        return [outcome for outcome in outcomes if isinstance(outcome, Broken)]

    return asyncio.run(all_of_them())


async def _run(script: Script, database: bytes, statistics: Counter[str] | None = None) -> list[str]:
    quiet()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # of machines that died
    with tempfile.TemporaryDirectory(prefix="kubemin-proof-", ignore_cleanup_errors=True) as folder:
        await asyncio.to_thread((Path(folder) / "kubemin.db").write_bytes, database)
        world = World(script, Path(folder), statistics)
        try:
            async with asyncio.timeout(RUN_SECONDS):
                await world.run()
        except TimeoutError:
            raise world.broken([f"the run did not end within {RUN_SECONDS:g} s"]) from None
    return world.told


def quiet() -> None:
    """The engine's log of what goes wrong is of no use where everything does."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
