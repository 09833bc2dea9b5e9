"""Claiming and holding, on every database."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import update

from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database, LeaseLost, tables, tasks
from tests.store.conftest import Servers
from tests.store.rows import add_tasks, claim, expire, id_of, new_task, read_task

A, B = id_of("a"), id_of("b")


async def test_one_task_an_application_at_a_time(db: Database) -> None:
    await add_tasks(db, "a", "b")
    await add_tasks(db, "c", app="blog")
    first, second = await claim(db), await claim(db)
    assert first is not None
    assert second is not None
    assert (first.id, second.id) == (A, id_of("c"))
    assert await claim(db) is None


async def test_an_expired_lease_is_taken_over(db: Database) -> None:
    await add_tasks(db, "a")
    await claim(db, "dead", seconds=0)
    task = await claim(db, "living")
    assert task is not None
    assert (task.id, task.lease_owner, task.lease_epoch, task.attempt) == (A, "living", 2, 2)
    assert await claim(db) is None


async def test_attempts_count_to_one_past_the_last(db: Database) -> None:
    """Whoever gets a task with more attempts than allowed fails it: rollback is never given up."""
    await add_tasks(db, "a")
    attempts = []
    for _ in range(5):
        task = await claim(db, seconds=0, max_attempts=2)
        assert task is not None
        attempts.append(task.attempt)
    assert attempts == [1, 2, 3, 3, 3]


async def test_a_cancelled_task_of_a_dead_worker_is_cleaned_up_by_another(db: Database) -> None:
    await add_tasks(db, "a")
    await claim(db, "dead", seconds=0)
    async with db.begin("cancel") as tx:
        await tasks.cancel(tx, A, "me", "stop")
    task = await claim(db, "living")
    assert task is not None
    assert (task.status, task.cleanup, task.lease_epoch, task.attempt) == (TaskStatus.CANCELLED, Cleanup.RUNNING, 2, 1)


async def test_the_guard_goes_by_the_databases_clock(db: Database) -> None:
    await add_tasks(db, "a")
    await claim(db, seconds=0)
    with pytest.raises(LeaseLost):
        async with db.begin("write") as tx:
            await tasks.guard(tx, A, 1)
    async with db.begin("renew") as tx:
        assert await tasks.renew(tx, "w", {A: 1}, 60) == set()  # an expired lease is lost for good


async def test_what_a_lost_guard_began_is_not_stored(db: Database) -> None:
    await add_tasks(db, "a", "b")
    await claim(db, seconds=0)

    async def write() -> None:
        async with db.begin("write") as tx:
            await tasks.cancel(tx, B, "me", "stop")
            await tasks.guard(tx, A, 1)

    with pytest.raises(LeaseLost):
        await write()
    assert (await read_task(db, "b")).status is TaskStatus.WAITING


async def test_renewing_many(db: Database) -> None:
    names = [f"t{n}" for n in range(200)]
    async with db.begin("insert") as tx:
        for name in names:
            await tasks.insert(tx, new_task(name, app=name))
    held = {}
    async with db.begin("claim") as tx:
        while task := await tasks.claim_next(tx, "w", 60, 3):
            held[task.id] = task.lease_epoch
    assert len(held) == 200
    before = await read_task(db, "t7")
    async with db.begin("renew") as tx:
        assert await tasks.renew(tx, "w", {**held, id_of("t9"): 5, id_of("none"): 1}, 120) == set(held) - {id_of("t9")}
        assert await tasks.renew(tx, "w", {}, 120) == set()
    after = await read_task(db, "t7")
    assert before.lease_expires_at is not None
    assert after.lease_expires_at is not None
    assert after.lease_expires_at > before.lease_expires_at


async def test_handing_over(db: Database) -> None:
    await add_tasks(db, "a")
    await claim(db)
    async with db.begin("release") as tx:
        assert await tasks.release(tx, A, 1)
        assert not await tasks.release(tx, A, 1)
        assert not await tasks.finish(tx, A, 1, TaskStatus.COMPLETED, "", Cleanup.NONE)  # given up is given up
    task = await claim(db, "next")
    assert task is not None
    assert (task.lease_epoch, task.attempt) == (2, 2)
    async with db.begin("release") as tx:
        assert await tasks.release(tx, A, 2, count=False)
    task = await claim(db, "next")
    assert task is not None
    assert (task.lease_epoch, task.attempt) == (3, 2)


async def test_an_application_with_many_tasks_does_not_starve_the_others(db: Database) -> None:
    async with db.begin("insert") as tx:
        for n in range(1000):
            await tasks.insert(tx, new_task(f"many{n}", app="many"))
        for n in range(3):
            await tasks.insert(tx, new_task(f"few{n}", app="few"))
            await tasks.insert(tx, new_task(f"other{n}", app="other"))
    served = []
    for _ in range(12):  # one worker that runs one task at a time
        task = await claim(db)
        assert task is not None
        served.append(task.app_name)
        async with db.begin("finish") as tx:
            await tasks.finish(tx, task.id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)
    assert Counter(served[:9]) == {"many": 3, "few": 3, "other": 3}
    assert served[9:] == ["many"] * 3


async def test_within_an_application_the_oldest_comes_first(db: Database) -> None:
    names = [f"t{n}" for n in (5, 3, 9, 1)]
    await add_tasks(db, *names)
    for name in names:
        task = await claim(db)
        assert task is not None
        assert task.id == id_of(name)
        async with db.begin("finish") as tx:
            await tasks.finish(tx, task.id, task.lease_epoch, TaskStatus.FAILED, "", Cleanup.DONE)


async def test_claimers_raced(url: str, db: Database) -> None:
    """Several workers, each with its own connections: nobody gets what another holds, nothing is left."""
    apps, each, workers = 10, 4, 4
    async with db.begin("insert") as tx:
        for n in range(apps * each):
            await tasks.insert(tx, new_task(f"t{n}", app=f"app{n % apps}"))
    others = [await Database.open(url) for _ in range(workers - 1)]
    claimed: list[tuple[str, int]] = []
    active: Counter[str] = Counter()

    async def work(own: Database, worker: str) -> None:
        misses = 0
        while misses < 20 and len(claimed) < apps * each:
            task = await claim(own, worker)
            if task is None:
                misses += 1
                continue
            misses = 0
            claimed.append((task.id, task.lease_epoch))
            active[task.app_id] += 1
            assert active[task.app_id] == 1
            async with own.begin("run") as tx:
                await tasks.guard(tx, task.id, task.lease_epoch)
                assert await tasks.start(tx, task.id, task.lease_epoch)
            active[task.app_id] -= 1  # before the commit that lets the next one in
            async with own.begin("finish") as tx:
                assert await tasks.finish(tx, task.id, task.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)

    await asyncio.gather(*(work(own, f"w{n}") for n, own in enumerate([db, *others])))
    for own in others:
        await own.aclose()
    assert sorted(claimed) == sorted((id_of(f"t{n}"), 1) for n in range(apps * each))


async def test_takeovers_raced(url: str, db: Database) -> None:
    """A dead worker's tasks go to exactly one of those who ask."""
    names = [f"t{n}" for n in range(8)]
    for name in names:
        await add_tasks(db, name, app=name)
        await claim(db, "dead")
    for name in names:
        await expire(db, name)
    other = await Database.open(url)
    got = await asyncio.gather(*(claim(own, f"w{n}") for n in range(8) for own in (db, other)))
    await other.aclose()
    taken = [task for task in got if task is not None]
    rest = [
        task for _ in range(8) if (task := await claim(db)) is not None
    ]  # who found all candidates locked asks again
    assert sorted((task.id, task.lease_epoch) for task in taken + rest) == sorted((id_of(name), 2) for name in names)


@pytest.mark.parametrize("url", ["postgresql", "mariadb"], indirect=True)  # SQLite has one writer
async def test_the_slot_holds_even_if_the_look_was_too_early(url: str, db: Database, servers: Servers) -> None:
    """Another claimer gives the application's slot away while we take its head: the unique constraint decides."""
    await add_tasks(db, "a", "b")

    def someone_waits() -> bool:
        if "postgresql" in url:
            return servers.postgresql().sql("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"
        return not servers.mariadb().sql("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'").endswith("\t0")

    async with db.begin("other claimer") as tx:
        await tx.write(update(tables.tasks).where(tables.tasks.c.id == B).values(active_app=id_of("shop")))
        ours = asyncio.create_task(claim(db))
        while not await asyncio.to_thread(someone_waits):
            assert not ours.done()
    assert await ours is None
    assert (await read_task(db, "a")).status is TaskStatus.WAITING


@pytest.mark.parametrize("how", ["guard", "start", "finish", "set_cleanup"])
@pytest.mark.parametrize("known", ["it is stored", "it was lost", "another claim has the epoch"])
async def test_who_has_committed_what_the_row_does_not_know_holds_nothing(db: Database, how: str, known: str) -> None:
    """A restored database has the row as it was: under the same lease, or under another one with the same epoch."""
    await add_tasks(db, "a")
    task = await claim(db)
    assert task is not None
    claimed = task.lease_commits
    async with db.begin("commit") as tx:
        await tasks.guard(tx, A, 1, claimed, claimed + 1)
        if how == "set_cleanup":
            assert await tasks.finish(tx, A, 1, TaskStatus.FAILED, "", Cleanup.RUNNING, stored=claimed + 1)
    lost = {"it is stored": 0, "it was lost": claimed}.get(known, claimed ^ 1 << 40)
    if lost:
        async with db.begin("restore") as tx:
            await tx.write(update(tables.tasks).where(tables.tasks.c.id == A).values(lease_commits=lost))
    landed = True
    async with db.begin("go on") as tx:
        if how == "guard":
            try:
                await tasks.guard(tx, A, 1, claimed + 1, claimed + 2)
            except LeaseLost:
                landed = False
        elif how == "start":
            landed = await tasks.start(tx, A, 1, claimed + 1)
        elif how == "finish":
            landed = await tasks.finish(tx, A, 1, TaskStatus.COMPLETED, "", Cleanup.NONE, stored=claimed + 1)
        else:
            landed = await tasks.set_cleanup(tx, A, 1, Cleanup.DONE, stored=claimed + 1)
    assert landed is not bool(lost)


async def test_commits_may_come_in_any_order_and_without_an_answer(db: Database) -> None:
    """None refuses the one after it: the row has the highest, whoever waits for an answer knows less of it."""
    await add_tasks(db, "a")
    task = await claim(db)
    assert task is not None
    claimed = known = task.lease_commits
    for number, answered in ((2, True), (1, True), (4, False), (3, True), (5, False), (6, True)):
        async with db.begin("commit") as tx:
            await tasks.guard(tx, A, 1, known, claimed + number)
        known = max(known, claimed + number) if answered else known
    assert (await read_task(db, "a")).lease_commits == claimed + 6


async def test_each_claim_has_numbers_of_its_own(db: Database) -> None:
    await add_tasks(db, "a")
    first, second = await claim(db, "dead", seconds=0), await claim(db, "living")
    assert first is not None
    assert second is not None
    async with db.begin("commit") as tx:
        with pytest.raises(LeaseLost):
            await tasks.guard(tx, A, second.lease_epoch, first.lease_commits, first.lease_commits + 1)
