"""A task's whole life by the store's statements, a history to live it in, and what each statement reads for it."""

from collections import Counter
from typing import Any

from sqlalchemy import event, insert, select
from sqlalchemy.engine import Engine

from kubemin.spec.events import TaskEvent
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, Purpose, ResourceState, TaskStatus, WriteKind
from kubemin.spec.write_answer import WriteAnswer
from kubemin.store import (
    Database,
    Tx,
    applications,
    events,
    evidence,
    holdings,
    jobs,
    journal,
    last_writes,
    overview,
    pruning,
    revisions,
    shares,
    tables,
    tasks,
    workflows,
)
from tests.store.rows import id_of, new_task

APP = id_of("shop")
KEPT = 3
_REF, _SHARED = ObjectRef("Deployment", "default", "web"), ObjectRef("Namespace", "", "default")


async def live(db: Database, name: str) -> None:
    """One task from its run to its end, another that is cancelled, and what is asked about them meanwhile."""
    task_id, token = id_of(name), f"token-{name}"
    job = jobs.NewJob(
        seq=1, stage=0, step="step", name="web", component="web", component_type="webservice", kind="Deployment",
        namespace="default", object_name="web",
    )  # fmt: skip
    async with db.begin("run") as tx:
        assert await tasks.lock_application(tx, APP)
        assert await tasks.by_idempotency_key(tx, "ada", APP, "key") is None
        assert await tasks.active_of(tx, APP) == []
        await revisions.current(tx, APP)
        number = await revisions.insert_next(tx, revisions.NewRevision(app_id=APP, spec={}, task_id=task_id))
        await tasks.insert(tx, new_task(name, revision=number, plan={"stages": []}))
        await jobs.insert_many(tx, task_id, [job])
        await events.append_many(tx, task_id, [TaskEvent(status=TaskStatus.WAITING)])
        await pruning.prune(tx, APP, KEPT)
        await tasks.insert(tx, new_task(f"{name}-2"))
    async with db.begin("claim") as tx:
        [task] = await tasks.claim(tx, "w", 60, 3, 1)
        assert await tasks.start(tx, task_id, task.lease_epoch)
    rows = [
        journal.NewResource(seq=1, job_seq=1, ref=_REF, uid="uid", state=ResourceState.CHANGED, adopted=False),
        journal.NewResource(seq=2, job_seq=1, ref=_SHARED, uid="shared", purpose=Purpose.USE),
    ]
    async with db.begin("work") as tx:
        await tasks.guard(tx, task_id, task.lease_epoch)
        await journal.add(tx, task_id, rows)
        writes = [journal.NewWrite(token, 1, WriteKind.APPLY, f"version-{name}")]
        await journal.add_writes(tx, task_id, [*writes, journal.NewWrite(f"{token}-2", 2, WriteKind.CREATE)])
        await journal.update_many(tx, task_id, [(1, {"uid": "uid"})])
        await journal.answer_writes(tx, {token: WriteAnswer.done("1")})
        await jobs.set_many(tx, task_id, [jobs.JobChange(1, JobStatus.RUNNING)])
        assert await tasks.renew(tx, "w", {task_id: task.lease_epoch}, 60) == {task_id}
        assert await shares.take(tx, "lock", task_id) is None
    async with db.read() as tx:
        await _ask_as_a_worker(tx, task_id, token, f"version-{name}")
        await _ask_as_the_api(tx, task_id)
    async with db.begin("finish") as tx:
        assert await tasks.lock_application(tx, APP)
        await jobs.undone_components(tx, task_id)
        await holdings.holdings(tx, APP, task_id)
        assert await tasks.finish(tx, task_id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)
        await jobs.end_open(tx, task_id, JobStatus.COMPLETED)
        await tasks.brief(tx, task_id)
    async with db.begin("cancel", urgent=True) as tx:
        cancelled = await tasks.cancel(tx, id_of(f"{name}-2"), "ada", "no need")
        assert cancelled is not None
        await jobs.end_open(tx, cancelled.id, JobStatus.CANCELLED)
        assert await tasks.cancel(tx, task_id, "ada", "late") is None


async def _ask_as_a_worker(tx: Tx, task_id: str, token: str, version: str) -> None:
    await tasks.statuses(tx, [task_id])
    await tasks.promoted_hold(tx, task_id)
    await tasks.under_way(tx, [task_id])
    await journal.owners_of(tx, [token])
    await journal.debt_on(tx, APP, "uid", task_id)
    await journal.use_of(tx, task_id, 1)
    await journal.use_of(tx, task_id, 2)
    await journal.of_task(tx, task_id)
    await shares.undecided_by(tx, "uid", token, task_id)
    await shares.users_of(tx, "shared", task_id)
    await shares.used_by_others(tx, ["shared"], APP)
    await shares.uses_after(tx, APP, task_id=task_id)
    sights = [last_writes.Sight(token, "uid", version)]
    await last_writes.planned_jobs(tx, set((await last_writes.settled_writes(tx, sights)).values()))


async def _ask_as_the_api(tx: Tx, task_id: str) -> None:
    await jobs.of_task(tx, task_id)
    await journal.brief_of_task(tx, task_id)
    await events.since(tx, task_id)
    await events.since_each(tx, {task_id: 0})
    await events.states(tx, [task_id])
    await evidence.components_of(tx, task_id)
    await revisions.of_application(tx, APP)
    await revisions.before_current(tx, APP)
    await workflows.of_application(tx, APP)
    await tasks.latest_of_workflows(tx, APP)
    assert await tasks.beginning_with(tx, task_id[:12], 5) == [task_id]
    await tasks.count_tasks(tx)
    newest = (await tasks.page(tx, limit=3))[0]
    questions: list[dict[str, Any]] = [{}, {"app_id": APP}, {"status": "completed"}, {"status": "failed"}]
    questions += [{"cluster": "default"}]
    for asked in [*questions, {"since": newest.created_at}]:
        await tasks.page(tx, limit=3, **asked)
        await tasks.page(tx, limit=3, after=newest.seq, **asked)
    rows = await applications.page(tx, limit=3)
    await applications.page(tx, limit=3, after=applications.Place(rows[0].updated_at, rows[0].id))
    await applications.page(tx, applications.Filter(status="failed"), limit=3)
    await applications.count(tx, applications.Filter(status="failed"))
    await applications.statuses(tx, [APP])
    await overview.newest_tasks(tx, [APP])
    await overview.deployed(tx, [APP])
    await overview.waiting(tx, [APP])
    await overview.workers(tx)
    await overview.queues(tx)
    await overview.incomplete(tx, 3)


async def fill(db: Database, name: str, count: int, prefix: str) -> None:
    """As many tasks more as that ended like the one called ``name``: half of them of its application."""
    of = {table: "id" if table is tables.tasks else "task_id" for table in _TABLES}
    async with db.begin("fill") as tx:
        for table, key in of.items():
            found = await tx.rows(select(table).where(table.c[key] == id_of(name)))
            rows = [_clone(table.name, dict(row._mapping), n, prefix) for n in range(count) for row in found]
            await tx.write(insert(table), rows)


_TABLES = (tables.tasks, tables.jobs, tables.events, tables.resources, tables.writes)


def _clone(table: str, row: dict[str, Any], number: int, prefix: str) -> dict[str, Any]:
    task_id = id_of(f"{prefix}{number}")
    match table:
        case "tasks":
            del row["seq"]
            return {**row, "id": task_id, "app_id": APP if number % 2 else id_of("blog"), "revision": number + 1}
        case "events":
            del row["id"]
        case "resources":
            row["holder"] = None  # newer ones tell the same
        case "writes":
            row |= {"token": f"{prefix}{number}-{row['seq']}", "base_version": f"{prefix}{number}"}
    return {**row, "task_id": task_id}


class Work:
    """What each statement reads, summed up by its text."""

    def __init__(self) -> None:
        self.read: Counter[str] = Counter()
        self.executed: Counter[str] = Counter()
        self.statement = ""

    def watch_sqlite(self, db: Database) -> None:
        """Count what SQLite's virtual machine does: one step a seek, and some for each row."""

        def begin(_conn: object, cursor: Any, statement: str, _given: object, _context: object, _many: bool) -> None:
            self.statement = statement
            self.executed[statement] += 1
            cursor.connection.set_progress_handler(self._step, 1)  # rows are fetched after the execution

        for engine in _engines(db):
            event.listen(engine, "before_cursor_execute", begin)

    def _step(self) -> int:
        self.read[self.statement] += 1
        return 0

    def watch_postgresql(self, db: Database) -> None:
        """Count the rows of tables that PostgreSQL reads, however it finds them."""
        before: list[int] = []

        def about(what: str) -> bool:
            return "pg_stat_xact" not in what

        def begin(conn: Any, _cursor: object, statement: str, _given: object, _context: object, _many: bool) -> None:
            if about(statement):
                before[:] = [conn.exec_driver_sql(_ROWS_READ).scalar()]

        def end(conn: Any, _cursor: object, statement: str, _given: object, _context: object, _many: bool) -> None:
            if about(statement) and before:
                self.executed[statement] += 1
                self.read[statement] += conn.exec_driver_sql(_ROWS_READ).scalar() - before.pop()

        for engine in _engines(db):
            event.listen(engine, "before_cursor_execute", begin)
            event.listen(engine, "after_cursor_execute", end)

    def each(self) -> dict[str, float]:
        """By statement, what one execution reads."""
        return {statement: self.read[statement] / times for statement, times in self.executed.items()}


_ROWS_READ = "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_xact_user_tables"


def _engines(db: Database) -> list[Engine]:
    """All statements go through SQLAlchemy from here on: only it says when each begins and ends."""
    for pool in (db._reader.pool, db._writer.pool):
        pool.kept.find = lambda *_: None  # type: ignore[attr-defined]
    engines = [pool.engine for pool in (db._reader.pool, db._writer.pool)]  # type: ignore[attr-defined]
    return [getattr(engine, "sync_engine", engine) for engine in engines]
