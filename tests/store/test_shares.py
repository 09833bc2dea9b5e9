"""Shared objects: the lock of who makes one, and who uses one."""

import asyncio
import contextlib
from typing import Any

import pytest

from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, Purpose, ResourceState, TaskStatus, WriteKind
from kubemin.store import Database, Duplicate, Tx, applications, journal, shares, tasks
from tests.store.rows import id_of, new_task

MINE, THEIRS = id_of("mine"), id_of("theirs")
USED = ObjectRef("ConfigMap", "default", "c")


async def _task(tx: Tx, name: str, app: str) -> tasks.Task:
    await tasks.insert(tx, new_task(name, app))
    task = await tasks.claim_next(tx, "worker", 60, 3)
    assert task is not None
    assert task.id == id_of(name)
    return task


async def _end(tx: Tx, name: str, status: TaskStatus, cleanup: Cleanup) -> None:
    task = await tasks.get(tx, id_of(name))
    assert task is not None
    assert await tasks.finish(tx, task.id, task.lease_epoch, status, "", cleanup)


async def _row(tx: Tx, name: str, seq: int, **fields: Any) -> None:
    await journal.add(tx, id_of(name), [journal.NewResource(seq=seq, job_seq=1, ref=USED, **fields)])


async def _application(tx: Tx, app: str) -> None:
    await applications.insert(tx, applications.NewApplication(id=id_of(app), name=app, namespace="default"))


async def test_a_lock_is_held_until_its_task_is_over(db: Database) -> None:
    async with db.begin("test") as tx:
        await _task(tx, "theirs", "one")
        await _task(tx, "mine", "two")
        assert await shares.take(tx, "lock", THEIRS) is None
        assert await shares.take(tx, "lock", THEIRS) is None, "it has it already"
        assert await shares.take(tx, "other", MINE) is None
        assert await shares.take(tx, "lock", MINE) == THEIRS
        await _end(tx, "theirs", TaskStatus.FAILED, Cleanup.PENDING)
        assert await shares.take(tx, "lock", MINE) == THEIRS, "its cleanup may still remove it"
        task = await tasks.get(tx, THEIRS)
        assert task is not None
        assert await tasks.set_cleanup(tx, THEIRS, task.lease_epoch, Cleanup.DONE)
        assert await shares.take(tx, "lock", MINE) is None
        assert await shares.take(tx, "lock", THEIRS) == MINE


async def test_of_many_at_once_one_gets_it(db: Database) -> None:
    names = ["a", "b", "c", "d"]
    async with db.begin("test") as tx:
        for name in names:
            await _task(tx, name, name)

    async def take(name: str) -> str | None:
        while True:
            with contextlib.suppress(Duplicate):
                async with db.begin("take") as tx:
                    return await shares.take(tx, "lock", id_of(name))

    answers = dict(zip(names, await asyncio.gather(*map(take, names)), strict=True))
    [winner] = [name for name, answer in answers.items() if answer is None]
    assert {answer for name, answer in answers.items() if name != winner} == {id_of(winner)}


@pytest.mark.parametrize(
    ("fields", "works"),
    [
        ({"state": ResourceState.CREATED, "uid": "u"}, True),
        ({"state": ResourceState.INTENT}, True),
        ({"state": ResourceState.CHANGED, "uid": "u", "before": {"kind": "ConfigMap"}}, False),
        ({"state": ResourceState.KEPT, "uid": "u"}, False),
        ({"state": ResourceState.INTENT, "uid": "u", "purpose": Purpose.REMOVE}, True),
        ({"state": ResourceState.OBSERVED, "uid": "u", "purpose": Purpose.USE}, False),
    ],
)
async def test_whoever_made_it_or_is_to_remove_it_is_at_work(db: Database, fields: dict[str, Any], works: bool) -> None:
    async with db.begin("test") as tx:
        await _task(tx, "theirs", "one")
        await _task(tx, "mine", "two")
        await _row(tx, "theirs", 1, **fields)
        await journal.add_writes(tx, THEIRS, [journal.NewWrite("token", 1, WriteKind.CREATE)])
        assert await shares.undecided_by(tx, "u", "token", MINE) == (THEIRS if works else None)
        assert await shares.undecided_by(tx, "u", "token", THEIRS) is None, "it is not in its own way"
        assert await shares.undecided_by(tx, "another", None, MINE) is None
        await _end(tx, "theirs", TaskStatus.COMPLETED, Cleanup.NONE)
        assert await shares.undecided_by(tx, "u", "token", MINE) is None


async def test_an_application_uses_what_it_has_used_until_it_does_without(db: Database) -> None:
    async def users() -> list[str]:
        return [user.app_name for user in await shares.users_of(tx, "u", MINE)]

    async with db.begin("test") as tx:
        await _task(tx, "mine", "two")
        await _application(tx, "one")
        await _task(tx, "first", "one")
        assert await users() == []
        await _row(tx, "first", 1, purpose=Purpose.USE, state=ResourceState.OBSERVED, uid="u")
        assert await users() == ["one"], "under way"
        assert await shares.users_of(tx, "u", id_of("first")) == [], "not another application"
        await _end(tx, "first", TaskStatus.COMPLETED, Cleanup.NONE)
        assert await users() == ["one"]
        await _task(tx, "second", "one")
        await _end(tx, "second", TaskStatus.FAILED, Cleanup.NONE)
        assert await users() == ["one"], "a failed deploy leaves what was"
        await _task(tx, "third", "one")
        assert await users() == ["one"]
        await _end(tx, "third", TaskStatus.COMPLETED, Cleanup.NONE)
        assert await users() == ["one"], "a dry run completes, and changes nothing"
        left = await shares.uses_after(tx, id_of("one"), left=[USED])
        assert (left.stay, list(left.ended)) == (frozenset({"u"}), [])
        await shares.end_uses(tx, left)
        assert await users() == ["one"], "a run of other components leaves it as it is"
        await _task(tx, "again", "one")
        await _row(tx, "again", 1, purpose=Purpose.USE, state=ResourceState.OBSERVED, uid="u")
        brought = await shares.uses_after(tx, id_of("one"), brought=[USED], task_id=id_of("again"))
        assert (brought.stay, list(brought.ended)) == (frozenset({"u"}), []), "it uses it again"
        await _end(tx, "again", TaskStatus.COMPLETED, Cleanup.NONE)
        assert [user.task_id for user in await shares.users_of(tx, "u", MINE)] == [id_of("again")], "as it did last"
        without = await shares.uses_after(tx, id_of("one"), brought=[USED], task_id=id_of("third"))
        assert without.stay == set(), "it has brought it itself"
        await shares.end_uses(tx, without)
        assert await users() == [], "it does without it"
        await _task(tx, "fourth", "one")
        await _row(tx, "fourth", 1, purpose=Purpose.USE, state=ResourceState.OBSERVED, uid="u")
        assert await users() == ["one"]
        await applications.delete(tx, id_of("one"))
        assert await users() == [], "an application that is gone uses nothing"


@pytest.mark.parametrize(
    "state", [ResourceState.INTENT, ResourceState.KEPT, ResourceState.RELEASED, ResourceState.DELETED]
)
async def test_nothing_is_passed_to_an_application_that_is_letting_go_of_it(db: Database, state: ResourceState) -> None:
    """Whatever it has done with it by then: what it has is told by its tasks that ended."""
    async with db.begin("test") as tx:
        for app in ("one", "two"):
            await _application(tx, app)
        await _task(tx, "made", "one")
        await _row(tx, "made", 1, purpose=Purpose.APPLY, state=ResourceState.CREATED, uid="u")
        await _end(tx, "made", TaskStatus.COMPLETED, Cleanup.NONE)
        await _task(tx, "mine", "two")
        assert [user.app_id for user in await shares.users_of(tx, "u", MINE)] == [id_of("one")]
        await _task(tx, "theirs", "one")
        await _row(tx, "theirs", 1, purpose=Purpose.REMOVE, state=state, uid="u")
        assert await shares.users_of(tx, "u", MINE) == []
