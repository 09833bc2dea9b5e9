"""What a task costs does not grow with history: no statement of its life reads a whole table."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from kubemin.spec.events import TaskEvent
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, TaskStatus, WriteKind
from kubemin.spec.write_answer import WriteAnswer
from kubemin.store import Database, events, holdings, jobs, journal, pruning, revisions, shares, tasks
from tests.store.rows import add_application, id_of, new_task

_SCAN = re.compile(r"SCAN (tasks|jobs|events|resources|writes|revisions|holder|former|later)\b")

Said = list[tuple[str, Any]]


@pytest.fixture
async def said(sqlite: Database) -> Said:
    """The statements that are executed, each with the parameters of one execution."""
    found: Said = []

    def keep(_conn: object, _cursor: object, statement: str, given: Any, _context: object, many: bool) -> None:
        found.append((statement, given[0] if many else given))

    for pool in (sqlite._reader.pool, sqlite._writer.pool):
        event.listen(pool.engine, "before_cursor_execute", keep)  # type: ignore[attr-defined]
    return found


async def live(db: Database) -> None:
    """One task, from its run to its end, and what is asked about it meanwhile."""
    app_id, task_id = id_of("shop"), id_of("a")
    job = jobs.NewJob(
        seq=1, stage=0, name="web", component="web", component_type="webservice", kind="Deployment",
        namespace="default", object_name="web",
    )  # fmt: skip
    async with db.begin("run") as tx:
        assert await tasks.lock_application(tx, app_id)
        assert await tasks.by_idempotency_key(tx, "ada", app_id, "key") is None
        assert await tasks.active_of(tx, app_id) == []
        await revisions.current(tx, app_id)
        number = await revisions.insert_next(tx, revisions.NewRevision(app_id=app_id, spec={}, task_id=task_id))
        await tasks.insert(tx, new_task("a", revision=number))
        await jobs.insert_many(tx, task_id, [job])
        await events.append_many(tx, task_id, [TaskEvent(status=TaskStatus.WAITING)])
        await pruning.prune(tx, app_id, 1)
    async with db.begin("claim") as tx:
        [task] = await tasks.claim(tx, "w", 60, 3, 8)
        assert await tasks.start(tx, task_id, task.lease_epoch)
    async with db.begin("work") as tx:
        await tasks.guard(tx, task_id, task.lease_epoch)
        await journal.add(tx, task_id, [journal.NewResource(seq=1, job_seq=1, ref=ObjectRef("Deployment", "d", "web"))])
        await journal.add_writes(tx, task_id, [journal.NewWrite("token", 1, WriteKind.CREATE)])
        await journal.update_many(tx, task_id, [(1, {"uid": "uid"})])
        await journal.answer_writes(tx, {"token": WriteAnswer.done("1")})
        await jobs.set_many(tx, task_id, [jobs.JobChange(1, JobStatus.RUNNING)])
        assert await tasks.renew(tx, "w", {task_id: task.lease_epoch}, 60) == {task_id}
    async with db.read() as tx:
        await tasks.statuses(tx, [task_id])
        await jobs.of_task(tx, task_id)
        await journal.brief_of_task(tx, task_id)
        await journal.owners_of(tx, ["token"])
        await journal.debt_on(tx, app_id, "uid", task_id)
        await journal.use_of(tx, task_id, 1)
        await shares.undecided_by(tx, "uid", "token", task_id)
        await events.since(tx, task_id)
        await events.states(tx, [task_id])
    async with db.begin("finish") as tx:
        assert await tasks.lock_application(tx, app_id)
        await jobs.undone_components(tx, task_id)
        await holdings.holdings(tx, app_id, task_id)
        assert await tasks.finish(tx, task_id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)
        await jobs.end_open(tx, task_id, JobStatus.COMPLETED)
        await tasks.brief(tx, task_id)
    async with db.begin("cancel") as tx:
        assert await tasks.cancel(tx, task_id, "ada", "late") is None


def plans_of(said: Said, folder: Path) -> dict[str, list[str]]:
    """By statement, how SQLite goes about it."""
    [file] = folder.glob("*.db")
    with sqlite3.connect(file) as plain:
        return {
            statement: [row[3] for row in plain.execute(f"EXPLAIN QUERY PLAN {statement}", given)]
            for statement, given in said
            if statement.startswith(("SELECT", "UPDATE", "DELETE"))
        }


async def test_no_statement_of_a_task_reads_a_whole_table(sqlite: Database, said: Said, tmp_path: Path) -> None:
    await add_application(sqlite)
    await live(sqlite)
    plans = plans_of(said, tmp_path)
    assert len(plans) > 30
    assert {statement: plan for statement, plan in plans.items() if any(map(_SCAN.search, plan))} == {}
