"""Schemas as they were released, with rows in them, frozen: `tests/store/schemas/<revision>/<database>.sql`.

`python -m tests.store.released` writes those of the current schema. That is done at a release, and never again.
"""

import asyncio
import re
import sqlite3
import subprocess
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kubemin.spec.component import Component
from kubemin.spec.events import TaskEvent
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus, WriteKind
from kubemin.store import (
    Database,
    applications,
    components,
    deliveries,
    drifts,
    events,
    jobs,
    journal,
    one_time,
    outbox,
    schema,
    sessions,
    shares,
    tasks,
    tokens,
    workflows,
)
from kubemin.store import revisions as history
from tests.servers.mariadb import Mariadb
from tests.servers.postgresql import Postgresql, binaries
from tests.store.rows import id_of, new_task

FOLDER = Path(__file__).with_name("schemas")


def revisions() -> list[str]:
    """Every revision that was released, oldest first."""
    return sorted(folder.name for folder in FOLDER.iterdir())


def load(server: Postgresql | Mariadb | None, url: str, revision: str) -> None:
    """Make an empty database what it was at a release; without a ``server`` it is an SQLite file."""
    kind = re.split(r"[:+]", url)[0]
    script = (FOLDER / revision / f"{kind}.sql").read_text()
    if server is None:
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.executescript(script)
        connection.close()
    else:
        server.sql(script, url.rpartition("/")[2])


def _dump(server: Postgresql | Mariadb | None, url: str) -> str:
    name = url.rpartition("/")[2]
    if server is None:
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            lines = list(connection.iterdump())
        connection.close()
        return "\n".join(lines)
    if isinstance(server, Postgresql):
        command = [str(binaries() / "pg_dump"), "--inserts", "--no-owner", "--no-comments", url]
    else:
        where = ["--protocol=tcp", "-h", "127.0.0.1", "-P", str(server.port)]
        command = ["mariadb-dump", "--no-defaults", *where, "--compact", "--create-options", name]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # Neither what psql alone understands, nor comments, nor settings of the session.
    lines = [line for line in text.splitlines() if line and not line.startswith(("\\", "--", "/*", "SET ", "SELECT "))]
    head = ["SET NAMES utf8mb4;", "SET FOREIGN_KEY_CHECKS = 0;"] if isinstance(server, Mariadb) else []
    return "\n".join(head + lines)


async def fill(db: Database) -> None:
    """Rows in every table: a task that completed, one that runs, one that was cancelled, one that waits."""
    async with db.begin("fill") as tx:
        await outbox.announce(tx)
        token = tokens.NewToken(id="abcdefghijkl", name="ci", owner="ada", hash="0" * 64, grants=[], made_by="database")
        await tokens.insert(tx, token)
        opened = sessions.NewSession(hash="1" * 64, name="ada", token_id=token.id, seconds=3600)
        await sessions.insert(tx, opened)
        of_issuer = sessions.NewSession(hash="2" * 64, name="bea", subject="3" * 64, sid="4" * 64, seconds=3600)
        await sessions.insert(tx, of_issuer)
        await one_time.remember(tx, "5" * 64, 3600)
        for app in ("shop", "other", "third"):
            await applications.insert(tx, applications.NewApplication(id=id_of(app), name=app, alias="Läden 🛒"))
            flow = workflows.NewWorkflow(id=id_of(f"flow-{app}"), app_id=id_of(app), name="deploy", steps=[])
            await workflows.insert(tx, flow)
            given = {"name": "web", "type": "webservice", "image": "web:1", "properties": {"env": {"a": "1"}}}
            made = Component.model_validate(given)
            await components.replace_components(tx, id_of(app), [made])
            for turn in (1, 2):
                spec, task_id = {"name": app, "component": [made.posted()]}, id_of(f"{app}-{turn}")
                new = history.NewRevision(app_id=id_of(app), spec=spec, task_id=task_id, note="why", caller="ada")
                number = await history.insert_next(tx, new)
                plan: dict[str, Any] = {"stages": []}
                await tasks.insert(tx, new_task(f"{app}-{turn}", app, plan=plan, caller="ada", revision=number))
        for app in ("shop", "other", "third"):
            task = await tasks.claim_next(tx, "worker", 3600, 3)
            assert task is not None
            assert await tasks.start(tx, task.id, task.lease_epoch)
            ref = ObjectRef("ConfigMap", "default", app)
            job = jobs.NewJob(
                seq=1,
                stage=0,
                step="step",
                name=f"web/{ref.kind}/{ref.name}",
                component="web",
                component_type="webservice",
                kind=ref.kind,
                namespace=ref.namespace,
                object_name=ref.name,
            )
            await jobs.insert_many(tx, task.id, [job])
            await journal.add(tx, task.id, [journal.NewResource(seq=1, job_seq=1, ref=ref)])
            await journal.add_writes(tx, task.id, [journal.NewWrite(f"{task.id}.1", 1, WriteKind.CREATE)])
            await journal.update_many(tx, task.id, [(1, {"state": ResourceState.CREATED, "uid": f"uid-{app}"})])
            await events.append_many(tx, task.id, [TaskEvent(status=TaskStatus.RUNNING)])
            if app == "shop":
                await shares.take(tx, "lock", task.id)
                assert await tasks.finish(tx, task.id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)
            elif app == "other":
                assert await tasks.cancel(tx, task.id, "ada", "wrong version")
        told = await outbox.untaken(tx, 100)
        await deliveries.insert_many(tx, [(one, "ops") for one in told])
        await outbox.take(tx, [one.seq for one in told], [])
        assert await drifts.begin(tx, id_of("third"), 1)


async def _write(folder: Path) -> None:
    with TemporaryDirectory() as files, Postgresql() as postgresql, Mariadb() as mariadb:
        servers: dict[str, tuple[Postgresql | Mariadb | None, str]] = {
            "sqlite": (None, f"sqlite:///{files}/kubemin.db"),
            "postgresql": (postgresql, postgresql.url(postgresql.create_database())),
            "mariadb": (mariadb, mariadb.url(mariadb.create_database())),
        }
        for kind, (server, url) in servers.items():
            db = await Database.open(url)
            await db.migrate()
            await fill(db)
            await db.aclose()
            script = await asyncio.to_thread(partial(_dump, server, url))
            await asyncio.to_thread((folder / f"{kind}.sql").write_text, script + "\n")


if __name__ == "__main__":
    current = FOLDER / schema.revisions()[-1]
    current.mkdir(parents=True)
    asyncio.run(_write(current))
