"""Revisions: whatever happens to tasks, at most one is current, and it is that of the task that completed last."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from kubemin.spec.ids import new_id
from kubemin.spec.states import Cleanup, RevisionState, TaskStatus, TaskType
from kubemin.store import Database, applications, revisions, tables, tasks
from tests.store.rows import add_application, claim, id_of, new_task

ENDS = (TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.TIMEOUT, TaskStatus.CANCELLED)
OF_END = {
    TaskStatus.COMPLETED: RevisionState.CURRENT,
    TaskStatus.FAILED: RevisionState.FAILED,
    TaskStatus.TIMEOUT: RevisionState.TIMEOUT,
    TaskStatus.CANCELLED: RevisionState.CANCELLED,
}


async def add_run(db: Database, name: str, app: str = "shop", kind: TaskType = TaskType.DEPLOY) -> int | None:
    """A task, and its revision unless it is a removal."""
    async with db.begin("run") as tx:
        number = None
        if kind is TaskType.DEPLOY:
            new = revisions.NewRevision(app_id=id_of(app), spec={"of": name}, task_id=id_of(name))
            number = await revisions.insert_next(tx, new)
        await tasks.insert(tx, new_task(name, app, revision=number, type=kind))
    return number


async def states(db: Database, app: str = "shop") -> dict[int, RevisionState]:
    async with db.read() as tx:
        return {row.number: row.state for row in await revisions.of_application(tx, id_of(app))}


async def end(db: Database, task: tasks.Task, status: TaskStatus) -> None:
    async with db.begin("end") as tx:
        if status is TaskStatus.CANCELLED:
            assert await tasks.cancel(tx, task.id, "ada", "no")
            await tasks.set_cleanup(tx, task.id, task.lease_epoch, Cleanup.DONE)
        else:
            assert await tasks.finish(tx, task.id, task.lease_epoch, status, "", Cleanup.NONE)


@dataclass
class Model:
    """What a revision should be, by its task."""

    name: str
    number: int | None
    state: RevisionState = RevisionState.PENDING


step = st.one_of(
    st.tuples(st.just("run"), st.sampled_from(list(TaskType))),
    st.tuples(st.just("end"), st.sampled_from(ENDS)),
    st.tuples(st.just("cancel waiting"), st.integers(0, 3)),
    st.tuples(st.just("stale end"), st.sampled_from(ENDS)),
)


async def _drive(url: str, steps: list[tuple[str, Any]]) -> None:
    db = await Database.open(url)
    await db.migrate()
    async with db.begin("empty") as tx:
        await tx.write(delete(tables.tasks))
        await tx.write(delete(tables.applications))
    await add_application(db, "shop")
    waiting, models, former = list[Model](), list[Model](), list[tasks.Task]()
    last: Model | None = None
    for what, how in steps:
        if what == "run":
            model = Model(name := f"t{len(models)}", await add_run(db, name, kind=how))
            waiting.append(model)
            models.append(model)
        elif what == "cancel waiting" and waiting:
            model = waiting.pop(how % len(waiting))
            async with db.begin("cancel") as tx:
                assert await tasks.cancel(tx, id_of(model.name), "ada", "no")
            model.state = RevisionState.CANCELLED
        elif what == "stale end" and former:
            async with db.begin("stale") as tx:
                task = former[-1]
                assert not await tasks.finish(tx, task.id, task.lease_epoch, how, "", Cleanup.NONE)
        elif what == "end" and waiting:
            claimed = await claim(db)
            assert claimed is not None
            model = waiting.pop(0)
            await end(db, claimed, how)
            former.append(claimed)
            model.state = OF_END[how]
            if how is TaskStatus.COMPLETED:
                if last is not None and last.number is not None:
                    last.state = RevisionState.SUPERSEDED
                last = model
        expected = {model.number: model.state for model in models if model.number is not None}
        assert await states(db) == expected
        assert sum(state is RevisionState.CURRENT for state in expected.values()) <= 1
        async with db.read() as tx:
            current = await revisions.current(tx, id_of("shop"))
        completed = None if last is None or last.number is None else id_of(last.name)
        assert (current.task_id if current else None) == completed
    await db.aclose()


@pytest.mark.hypothesis
def test_what_completed_last_is_current_and_nothing_else_is(tmp_path: Path) -> None:
    @settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.lists(step, max_size=25))
    def check(steps: list[tuple[str, Any]]) -> None:
        asyncio.run(_drive(f"sqlite:///{tmp_path}/kubemin.db", steps))

    check()


async def test_every_end_on_every_database(db: Database) -> None:
    await add_application(db, "shop")
    for place, status in enumerate((TaskStatus.COMPLETED, *ENDS), start=1):
        assert await add_run(db, f"t{place}") == place
        task = await claim(db)
        assert task is not None
        await end(db, task, status)
    assert list((await states(db)).values()) == [
        RevisionState.CANCELLED,
        RevisionState.TIMEOUT,
        RevisionState.FAILED,
        RevisionState.CURRENT,
        RevisionState.SUPERSEDED,
    ]
    async with db.begin("delete") as tx:
        assert await applications.delete(tx, id_of("shop"))
    assert await states(db) == {}


async def test_numbers_are_given_once(db: Database) -> None:
    """Also where many ask at the same time: the application's row is locked."""
    await add_application(db, "shop")

    async def add() -> int:
        async with db.begin("run") as tx:
            assert await tasks.lock_application(tx, id_of("shop"))
            new = revisions.NewRevision(app_id=id_of("shop"), spec={}, task_id=new_id())
            return await revisions.insert_next(tx, new)

    assert sorted(await asyncio.gather(*(add() for _ in range(8)))) == list(range(1, 9))
