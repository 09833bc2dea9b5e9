"""Some hundred real tasks: what a long history is made of.

They are run by a server with a worker, asked over HTTP by a caller with a token, with a webhook that is told of them:
so each table has its rows as they are, and as many. The file is kept, for as long as what makes it is the same.
"""

import asyncio
import hashlib
import os
import random
import sqlite3
import tempfile
from pathlib import Path

from bench.fleet import fleet
from bench.load import shop as shop_module
from bench.load.agreement import all_tasks, unsettled
from bench.load.callers import caller
from bench.load.listening import target
from bench.load.shop import NAMESPACES, SPEED, Shop
from bench.managed import until
from kubemin.client.aio import AsyncClient
from kubemin.cluster import Cluster
from kubemin.store import tables

APPLICATIONS, TASKS = 20, 200
"""Ten tasks of each application."""
_TOGETHER = 8


def folder() -> Path:
    """Where databases are kept that take long to make: those of this schema, of these tasks and of nobody else."""
    parts = [Path(str(module.__file__)).read_bytes() for module in (tables, shop_module)] + [
        Path(__file__).read_bytes()
    ]
    digest = hashlib.sha256(b"".join(parts)).hexdigest()[:12]
    path = Path(tempfile.gettempdir(), f"kubemin-load-{os.getuid()}", digest)
    path.mkdir(parents=True, exist_ok=True)
    return path


async def sample(tasks: int = TASKS, applications: int = APPLICATIONS) -> Path:
    """An SQLite file with so many real tasks that have all ended."""
    kept = folder() / f"sample-{tasks}-{applications}.db"
    if not kept.exists():
        async with target() as told, fleet(speed=SPEED, sqlite=True) as made:
            made.settings = {"KUBEMIN_AUTH": "token", "KUBEMIN_NOTIFICATIONS": told.setting}
            url = await made.server()
            cluster = await Cluster.connect(kubeconfig=None, context=None, url=made.cluster.url, timeout=30)
            for namespace in NAMESPACES:
                await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            await cluster.aclose()
            token, free = await caller(made.db, "sample"), asyncio.Semaphore(_TOGETHER)
            async with AsyncClient(url, token) as client, asyncio.TaskGroup() as group:
                for number in range(applications):
                    group.create_task(_live(client, Shop(number), tasks // applications, free))

            async def told_of_all() -> bool:
                rows = await all_tasks(made.db)
                return not unsettled(rows) and {row.id for row in rows} <= told.told.keys()

            await until(told_of_all, 0.5)
            await made.processes[-1].stop()
            await asyncio.to_thread(_keep, made.folder / "kubemin.db", kept)
    return kept


def _keep(file: Path, kept: Path) -> None:
    """Copy an SQLite file with what is in the log beside it."""
    new = kept.with_suffix(".new")
    new.unlink(missing_ok=True)
    with sqlite3.connect(file) as connection:
        connection.execute("VACUUM INTO ?", (str(new),))
    connection.close()
    new.rename(kept)


async def _live(client: AsyncClient, shop: Shop, tasks: int, free: asyncio.Semaphore) -> None:
    """One task after the other, all but the last as they come: the last one completes."""
    chance = random.Random(shop.number)
    for turn in range(tasks):
        fate = chance.choice(("good", "good", "good", "bad", "cancel")) if 0 < turn < tasks - 1 else "good"
        async with free:
            options = {"hopeless_after_seconds": 0.2 if fate == "bad" else None}
            done = await client.apply(shop.application(turn, fate), **options)  # type: ignore[arg-type]
            if fate == "cancel":
                await asyncio.sleep(0.5)
                await client.cancel(done["taskId"])
            await client.wait(done["taskId"])
