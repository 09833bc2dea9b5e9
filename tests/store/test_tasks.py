"""Tasks: insertion, reads and transitions, on every database."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database, Duplicate, LeaseLost, tasks, workflows
from tests.store.rows import add_application, add_tasks, claim, expire, id_of, new_task, read_task, tick

A, B = id_of("a"), id_of("b")


async def test_what_goes_in_comes_out(db: Database) -> None:
    new = new_task(
        "a", caller="me", idempotency_key="k", body_hash="h", options={"restore": False}, plan=[1], type="delete"
    )
    async with db.begin("insert") as tx:
        await tasks.insert(tx, new)
    task = await read_task(db, "a")
    for name in (
        "id",
        "app_id",
        "app_name",
        "workflow_id",
        "workflow_name",
        "type",
        "options",
        "spec",
        "plan",
        "caller",
    ):
        assert getattr(task, name) == getattr(new, name)
    assert (task.idempotency_key, task.body_hash) == ("k", "h")
    assert (task.status, task.cleanup, task.attempt, task.lease_epoch) == (TaskStatus.WAITING, Cleanup.NONE, 0, 0)
    assert (task.active_app, task.lease_owner, task.started_at, task.ended_at) == (None, None, None, None)
    async with db.read() as tx:
        (listed,) = await tasks.page(tx)
        assert (listed.spec, listed.plan, listed.id) == (None, None, task.id)
        assert await tasks.get(tx, B) is None


async def test_a_key_is_the_callers_and_the_applications(db: Database) -> None:
    async with db.begin("insert") as tx:
        await tasks.insert(tx, new_task("a", caller="me", idempotency_key="Key"))
        await tasks.insert(tx, new_task("b", caller="you", idempotency_key="Key"))
        await tasks.insert(tx, new_task("c", caller="me", idempotency_key="key"))
        await tasks.insert(tx, new_task("d", app="blog", caller="me", idempotency_key="Key"))
        await tasks.insert(tx, new_task("e", caller="me"))
        await tasks.insert(tx, new_task("f", caller="me"))
    with pytest.raises(Duplicate) as raised:
        async with db.begin("insert") as tx:
            await tasks.insert(tx, new_task("g", caller="me", idempotency_key="Key"))
    assert raised.value.constraint == "uq_tasks_caller_app_id_idempotency_key"
    async with db.read() as tx:
        found = await tasks.by_idempotency_key(tx, "me", id_of("shop"), "Key")
        assert found is not None
        assert found.id == A
        assert await tasks.by_idempotency_key(tx, "me", id_of("shop"), "KEY") is None


async def test_pages(db: Database) -> None:
    await add_tasks(db, "a", "b")
    await tick(db)
    await add_tasks(db, "c")
    await add_tasks(db, "d", app="blog")
    await claim(db)
    middle = (await read_task(db, "c")).created_at

    async def ids(**query: Any) -> list[str]:
        async with db.read() as tx:
            return [task.id.strip(".") for task in await tasks.page(tx, **query)]

    assert await ids() == ["d", "c", "b", "a"]
    assert await ids(limit=2, offset=1) == ["c", "b"]
    assert await ids(app_id=id_of("blog")) == ["d"]
    assert await ids(status="queued") == ["a"]
    assert await ids(since=middle) == ["d", "c"]
    assert await ids(since=middle + timedelta(days=1)) == []
    assert await ids(after=(await read_task(db, "c")).seq, limit=1) == ["b"]
    assert await ids(after=(await read_task(db, "b")).seq, status="waiting") == []
    await add_application(db)
    async with db.begin("flow") as tx:
        await workflows.insert(tx, workflows.NewWorkflow(id=id_of("flow"), app_id=id_of("shop"), name="flow"))
    async with db.read() as tx:
        assert {k: t.id for k, t in (await tasks.latest_of_workflows(tx, id_of("shop"))).items()} == {
            id_of("flow"): id_of("c")
        }


async def test_a_life(db: Database) -> None:
    await add_tasks(db, "a")
    task = await claim(db)
    assert task is not None
    assert (task.status, task.attempt, task.lease_epoch, task.active_app) == (TaskStatus.QUEUED, 1, 1, id_of("shop"))
    assert task.lease_expires_at is not None
    async with db.begin("run") as tx:
        assert task.lease_expires_at > await tx.now()
        await tasks.guard(tx, A, 1)
        assert await tasks.start(tx, A, 1)
    running = await read_task(db, "a")
    assert running.status is TaskStatus.RUNNING
    assert running.started_at is not None
    async with db.begin("finish") as tx:
        assert await tasks.finish(tx, A, 1, TaskStatus.COMPLETED, "", Cleanup.NONE)
        assert not await tasks.finish(tx, A, 1, TaskStatus.FAILED, "", Cleanup.NONE)
        assert await tasks.cancel(tx, A, "me", "too late") is None
    ended = await read_task(db, "a")
    assert (ended.status, ended.cleanup, ended.active_app) == (TaskStatus.COMPLETED, Cleanup.NONE, None)
    assert (ended.lease_owner, ended.lease_expires_at, ended.reason) == (None, None, "")
    assert ended.ended_at is not None
    assert await claim(db) is None


async def test_a_resumed_task_keeps_its_start(db: Database) -> None:
    await add_tasks(db, "a")
    await claim(db)
    async with db.begin("start") as tx:
        assert await tasks.start(tx, A, 1)
    first = await read_task(db, "a")
    await expire(db, "a")
    assert await claim(db, "other") is not None
    async with db.begin("start") as tx:
        assert not await tasks.start(tx, A, 1)
        assert await tasks.start(tx, A, 2)
    assert (await read_task(db, "a")).started_at == first.started_at


async def test_cancelling_what_never_ran_leaves_nothing_to_do(db: Database) -> None:
    await add_tasks(db, "a")
    async with db.begin("cancel") as tx:
        task = await tasks.cancel(tx, A, "me", "not wanted")
    assert task is not None
    assert (task.status, task.cleanup, task.reason, task.cancelled_by) == (
        TaskStatus.CANCELLED,
        Cleanup.NONE,
        "not wanted",
        "me",
    )
    assert task.cancel_requested_at is not None
    assert task.ended_at is not None
    assert await claim(db) is None


async def test_cancelling_what_runs_leaves_its_cleanup_to_the_holder(db: Database) -> None:
    await add_tasks(db, "a", "b")
    await claim(db)
    async with db.begin("cancel") as tx:
        task = await tasks.cancel(tx, A, "me", "stop")
    assert task is not None
    assert (task.cleanup, task.active_app, task.lease_owner) == (Cleanup.PENDING, id_of("shop"), "w")
    assert await claim(db, "other") is None  # the holder lives, and the next task waits for the cleanup
    async with db.begin("cleanup") as tx:
        assert await tasks.renew(tx, "w", {A: 1}, 60) == {A}
        await tasks.guard(tx, A, 1)
        assert await tasks.set_cleanup(tx, A, 1, Cleanup.RUNNING)
        assert await tasks.set_cleanup(tx, A, 1, Cleanup.DONE)
        assert not await tasks.set_cleanup(tx, A, 1, Cleanup.RUNNING)
        assert await tasks.renew(tx, "w", {A: 1}, 60) == set()
    following = await claim(db, "other")
    assert following is not None
    assert following.id == B


async def test_incomplete_frees_the_slot_and_is_tried_again(db: Database) -> None:
    await add_tasks(db, "a", "b")
    await claim(db)
    async with db.begin("finish") as tx:
        assert await tasks.finish(tx, A, 1, TaskStatus.FAILED, "why", Cleanup.RUNNING)
        assert await tasks.set_cleanup(tx, A, 1, Cleanup.INCOMPLETE, "Pod/x: stuck", retry_in=3600)
    task = await read_task(db, "a")
    assert (task.cleanup, task.cleanup_why, task.cleanup_attempts) == (Cleanup.INCOMPLETE, "Pod/x: stuck", 1)
    assert (task.active_app, task.lease_owner) == (None, None)
    following = await claim(db)
    assert following is not None
    assert following.id == B
    assert await claim(db) is None  # not due
    async with db.begin("now") as tx:
        assert await tasks.retry_cleanup_now(tx, A)
        assert not await tasks.retry_cleanup_now(tx, B)
    again = await claim(db, "other")
    assert again is not None
    assert (again.id, again.cleanup, again.lease_epoch, again.attempt, again.active_app) == (
        A,
        Cleanup.RUNNING,
        2,
        1,
        None,
    )
    assert await claim(db, "third") is None  # taken
    async with db.begin("done") as tx:
        assert await tasks.set_cleanup(tx, A, 2, Cleanup.DONE)
    done = await read_task(db, "a")
    assert (done.status, done.reason, done.cleanup_why) == (TaskStatus.FAILED, "why", "")


async def test_a_cleanup_that_waits_to_be_asked(db: Database) -> None:
    await add_tasks(db, "a")
    await claim(db)
    async with db.begin("finish") as tx:
        assert await tasks.finish(tx, A, 1, TaskStatus.TIMEOUT, "", Cleanup.PENDING)
        assert await tasks.set_cleanup(tx, A, 1, Cleanup.INCOMPLETE, "x")
    assert await claim(db) is None
    async with db.begin("now") as tx:
        assert await tasks.retry_cleanup_now(tx, A)
    assert await claim(db) is not None


async def test_reopening(db: Database) -> None:
    await add_tasks(db, "a", "b")
    await claim(db)
    async with db.begin("end") as tx:
        assert not await tasks.reopen_cleanup(tx, A)
        await tasks.cancel(tx, A, "me", "stop")
        await tasks.set_cleanup(tx, A, 1, Cleanup.DONE)
    await claim(db)  # the application's next task has the slot
    async with db.begin("reopen") as tx:
        assert await tasks.reopen_cleanup(tx, A)
        assert not await tasks.reopen_cleanup(tx, A)
        assert not await tasks.set_cleanup(tx, A, 1, Cleanup.DONE)  # whoever held it before knows nothing of this
    task = await claim(db, "other")
    assert task is not None
    assert (task.id, task.cleanup, task.active_app) == (A, Cleanup.RUNNING, None)
    async with db.begin("complete") as tx:
        assert await tasks.finish(tx, B, 1, TaskStatus.COMPLETED, "", Cleanup.PENDING)
        assert not await tasks.reopen_cleanup(tx, B)
        assert await tasks.set_cleanup(tx, B, 1, Cleanup.DONE)
        assert await tasks.reopen_cleanup(tx, B)  # a late request of a completed task is undone too


async def test_ending_as_something_else_is_a_mistake(db: Database) -> None:
    async with db.begin("finish") as tx:
        with pytest.raises(ValueError, match="running"):
            await tasks.finish(tx, A, 1, TaskStatus.RUNNING, "", Cleanup.NONE)
        with pytest.raises(ValueError, match="incomplete"):
            await tasks.finish(tx, A, 1, TaskStatus.FAILED, "", Cleanup.INCOMPLETE)


async def test_active_tasks(db: Database) -> None:
    await add_tasks(db, "a", "b", "c")
    held = await claim(db)
    assert held is not None
    async with db.begin("cancel") as tx:
        await tasks.cancel(tx, A, "me", "stop")
        await tasks.cancel(tx, B, "me", "stop")
    async with db.read() as tx:
        assert [task.id for task in await tasks.active_of(tx, id_of("shop"))] == [A, id_of("c")]
        assert await tasks.active_of(tx, id_of("blog")) == []
        assert await tasks.statuses(tx, [A, B, id_of("x")]) == {
            A: (TaskStatus.CANCELLED, 1, "stop", 0, held.lease_commits),
            B: (TaskStatus.CANCELLED, 0, "stop", 0, 0),
        }
        assert await tasks.statuses(tx, []) == {}


async def test_a_locked_application_is_locked(db: Database) -> None:
    """Two who look at the application's tasks and then decide come one after the other."""
    await add_application(db, "shop")

    async def exec_once(name: str) -> None:
        async with db.begin("exec") as tx:
            assert await tasks.lock_application(tx, id_of("shop"))
            if not await tasks.active_of(tx, id_of("shop")):
                await tx.now()
                await tasks.insert(tx, new_task(name))

    await asyncio.gather(*(exec_once(f"t{n}") for n in range(6)))
    async with db.begin("look") as tx:
        assert len(await tasks.active_of(tx, id_of("shop"))) == 1
        assert not await tasks.lock_application(tx, id_of("blog"))


async def test_finish_and_cancel_raced(db: Database) -> None:
    """Of "completed" and "cancelled" exactly one wins, and both sides know which."""
    names = [f"t{n}" for n in range(12)]
    for name in names:
        await add_tasks(db, name, app=name)
        await claim(db)

    async def finish(name: str) -> bool:
        async with db.begin("finish") as tx:
            return await tasks.finish(tx, id_of(name), 1, TaskStatus.COMPLETED, "", Cleanup.NONE)

    async def cancel(name: str) -> bool:
        async with db.begin("cancel") as tx:
            return await tasks.cancel(tx, id_of(name), "me", "stop") is not None

    async def race(n: int, name: str) -> None:
        sides = [finish(name), cancel(name)] if n % 2 else [cancel(name), finish(name)]
        outcomes = await asyncio.gather(*sides)
        finished, cancelled = outcomes if n % 2 else outcomes[::-1]
        assert finished is not cancelled
        task = await read_task(db, name)
        assert task.status is (TaskStatus.COMPLETED if finished else TaskStatus.CANCELLED)

    await asyncio.gather(*(race(n, name) for n, name in enumerate(names)))


async def test_a_stale_epoch_can_do_nothing(db: Database) -> None:
    await add_tasks(db, "a")
    await claim(db, "dead")
    await expire(db, "a")
    before = await claim(db, "living")
    async with db.begin("stale") as tx:
        assert not await tasks.start(tx, A, 1)
        assert not await tasks.finish(tx, A, 1, TaskStatus.COMPLETED, "", Cleanup.NONE)
        assert not await tasks.release(tx, A, 1)
        assert await tasks.renew(tx, "dead", {A: 1}, 60) == set()
        assert await tasks.renew(tx, "dead", {A: 2}, 60) == set()
    with pytest.raises(LeaseLost):
        async with db.begin("stale") as tx:
            await tasks.guard(tx, A, 1)
    assert await read_task(db, "a") == before


async def test_the_tally_counts_what_matters(db: Database) -> None:
    async with db.read() as tx:
        empty = await tasks.count_tasks(tx)
    assert set(empty.statuses) == {TaskStatus.WAITING, TaskStatus.QUEUED, TaskStatus.RUNNING}
    assert set(empty.cleanups) == set(Cleanup) - {Cleanup.NONE, Cleanup.DONE}
    assert {*empty.statuses.values(), *empty.cleanups.values(), empty.oldest_waiting, *empty[-2:]} == {0}
    assert (empty.oldest_by_cluster, empty.oldest_by_namespace) == ({}, {})
    for number in range(4):
        await add_tasks(db, "abcd"[number], app=f"app{number}")
    held = [await claim(db) for _ in range(3)]
    assert all(held)
    async with db.begin("end") as tx:
        assert await tasks.start(tx, A, 1)
        assert await tasks.finish(tx, A, 1, TaskStatus.FAILED, "no", Cleanup.PENDING)
        assert await tasks.set_cleanup(tx, A, 1, Cleanup.INCOMPLETE, "held", 60)
    await expire(db, "b")
    await tick(db)
    async with db.read() as tx:
        found = await tasks.count_tasks(tx)
    assert {status: number for status, number in found.statuses.items() if number} == {
        TaskStatus.WAITING: 1,
        TaskStatus.QUEUED: 2,
    }
    assert found.cleanups[Cleanup.INCOMPLETE] == 1
    assert 0 < found.oldest_waiting < 3600
    assert found.oldest_by_cluster == {"default": found.oldest_waiting}
    assert (found.leases_held, found.leases_expired) == (1, 1)


async def test_those_under_way_are_told_among_any_number(db: Database) -> None:
    await add_tasks(db, "a", "b")
    async with db.begin("test") as tx:
        assert await tasks.cancel(tx, id_of("b"), "ada", "no") is not None
    asked = {id_of("a"), id_of("b"), *(id_of(f"no-{number}") for number in range(40_000))}
    async with db.read() as tx:
        assert await tasks.under_way(tx, asked) == {id_of("a")}
