"""Old tasks are forgotten, but none that anybody may still ask for."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from kubemin.spec.events import EndEvent
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, Purpose, ResourceState, TaskStatus, TaskType, WriteKind
from kubemin.spec.write_answer import WriteAnswer
from kubemin.store import Database, Tx, applications, events, holdings, journal, retention, revisions, tables, tasks
from tests.store.rows import add_application, id_of, new_task

WEB = ObjectRef("Deployment", "default", "web")


async def ended(
    tx: Tx,
    name: str,
    app: str = "shop",
    *,
    rows: list[dict[str, Any]] | None = None,
    status: TaskStatus = TaskStatus.COMPLETED,
    cleanup: Cleanup = Cleanup.NONE,
    answered: bool = True,
    **fields: Any,
) -> None:
    """A task that ended, with a journal."""
    await tasks.insert(tx, new_task(name, app, **fields))
    task = await tasks.claim_next(tx, "w", 60, 3)
    assert task is not None
    assert task.id == id_of(name)
    new = [journal.NewResource(seq=seq, job_seq=1, ref=WEB, **row) for seq, row in enumerate(rows or [], 1)]
    await journal.add(tx, task.id, new)
    if new:
        await journal.add_writes(tx, task.id, [journal.NewWrite(f"{name}.1", 1, WriteKind.CREATE)])
        await journal.answer_writes(tx, {f"{name}.1": WriteAnswer.done("1")} if answered else {})
    assert await tasks.finish(tx, task.id, task.lease_epoch, status, "", Cleanup.NONE)
    await tx.write(update(tables.tasks).where(tables.tasks.c.id == task.id).values(cleanup=cleanup))


async def sweep(db: Database, seconds: float = 0) -> None:
    """Forget all that may be."""
    after: int | None = 0
    while after is not None:
        async with db.read() as tx:
            page = await retention.page(tx, seconds, after)
        if page.old:
            async with db.begin("forget") as tx:
                await retention.forget(tx, page.old)
        after = page.last


async def left(db: Database) -> list[str]:
    """Names of the tasks that are stored."""
    async with db.read() as tx:
        rows = await tx.rows(select(tables.tasks.c.id).order_by(tables.tasks.c.seq))
    return [row.id.rstrip(".") for row in rows]


MADE = {"state": ResourceState.CREATED, "uid": "u"}
GONE = {"state": ResourceState.DELETED, "uid": "u"}


async def test_what_nobody_asks_for_goes_with_all_that_hangs_on_it(db: Database) -> None:
    await add_application(db)
    async with db.begin("history") as tx:
        await ended(tx, "old", rows=[GONE], status=TaskStatus.FAILED, cleanup=Cleanup.DONE)
        await tx.write(update(tables.resources).values(holder=None))
        await events.append_many(tx, id_of("old"), [EndEvent(cleanup=Cleanup.DONE)])
        await ended(tx, "new")
    await sweep(db, 3600)
    assert await left(db) == ["old", "new"], "it is not old yet"
    await sweep(db)
    assert await left(db) == ["new"]
    async with db.read() as tx:
        of = (tables.resources, tables.writes, tables.events)
        assert [await tx.scalar(select(func.count()).select_from(one)) for one in of] == [0, 0, 0]


async def _revision(tx: Tx) -> None:
    await ended(tx, "old")
    await revisions.insert_next(tx, revisions.NewRevision(app_id=id_of("shop"), spec={}, task_id=id_of("old")))


async def _holder(tx: Tx) -> None:
    await ended(tx, "old", rows=[MADE])


async def _unanswered(tx: Tx) -> None:
    await ended(tx, "old", rows=[GONE], status=TaskStatus.FAILED, cleanup=Cleanup.DONE, answered=False)
    await tx.write(update(tables.resources).values(holder=None))


async def _unsettled(tx: Tx) -> None:
    await ended(tx, "old", status=TaskStatus.FAILED, cleanup=Cleanup.INCOMPLETE)


async def _abandoned(tx: Tx) -> None:
    await ended(tx, "old", status=TaskStatus.FAILED, cleanup=Cleanup.ABANDONED)


async def _busy(tx: Tx) -> None:
    await ended(tx, "old")
    await ended(tx, "other", status=TaskStatus.FAILED, cleanup=Cleanup.PENDING)


async def _queued(tx: Tx) -> None:
    await ended(tx, "old")
    await tasks.insert(tx, new_task("other"))


@pytest.mark.parametrize("of", [_revision, _holder, _unanswered, _unsettled, _abandoned, _busy, _queued])
async def test_what_may_be_asked_for_is_kept(db: Database, of: Callable[[Tx], Awaitable[None]]) -> None:
    await add_application(db)
    async with db.begin("history") as tx:
        await of(tx)
        await ended(tx, "another", "other")
        if of not in (_queued, _busy):
            await ended(tx, "new")
    before = await left(db)
    await sweep(db)
    assert [name for name in before if name != "another"] == [name for name in await left(db) if name != "another"]


async def test_the_newest_task_of_an_application_is_kept_until_that_is_deleted(db: Database) -> None:
    await add_application(db)
    async with db.begin("history") as tx:
        await ended(tx, "first")
        await ended(tx, "last")
    await sweep(db)
    assert await left(db) == ["last"]
    async with db.begin("delete") as tx:
        await applications.delete(tx, id_of("shop"))
    await sweep(db)
    assert await left(db) == []


async def test_of_an_application_that_is_gone_stays_what_it_has_left(db: Database) -> None:
    """Its removal says that the objects went, after it ended: the few rows about them are told here."""
    claim = ObjectRef("PersistentVolumeClaim", "default", "data")
    await add_application(db)
    async with db.begin("history") as tx:
        await ended(tx, "deploy", rows=[MADE])
        await ended(tx, "more", rows=[{"state": ResourceState.CHANGED, "uid": "u", "before": {}, "adopted": False}])
        gone = {**GONE, "purpose": Purpose.REMOVE}
        await ended(tx, "removal", rows=[gone], cleanup=Cleanup.DONE, type=TaskType.DELETE)
        kept: dict[str, Any] = {"purpose": Purpose.REMOVE, "uid": "c", "state": ResourceState.KEPT}
        await journal.add(tx, id_of("removal"), [journal.NewResource(seq=2, job_seq=0, ref=claim, **kept)])
        await applications.delete(tx, id_of("shop"))
    await sweep(db)
    assert await left(db) == ["removal"]
    async with db.read() as tx:
        assert [one.ref for one in await holdings.holdings(tx, id_of("shop"))] == [claim]


async def test_a_cleanup_that_begins_anew_meanwhile_keeps_its_task(db: Database) -> None:
    await add_application(db)
    async with db.begin("history") as tx:
        await ended(tx, "old", status=TaskStatus.FAILED, cleanup=Cleanup.DONE)
        await ended(tx, "new")
    async with db.read() as tx:
        page = await retention.page(tx, 0)
    assert [one.id for one in page.old] == [id_of("old")]
    async with db.begin("late") as tx:
        assert await tasks.reopen_cleanup(tx, id_of("old"))
    async with db.begin("forget") as tx:
        assert await retention.forget(tx, page.old) == 0
    assert await left(db) == ["old", "new"]


async def test_all_pages_are_looked_at(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAGE", 3)
    await add_application(sqlite)
    async with sqlite.begin("history") as tx:
        for number in range(10):
            await ended(tx, f"task-{number}")
    await sweep(sqlite)
    assert await left(sqlite) == ["task-9"]
