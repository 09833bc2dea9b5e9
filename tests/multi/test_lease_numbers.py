"""Two commits of one lease over two connections: their numbers are in the order in which they lock the task's row."""

import asyncio

from sqlalchemy import select

from kubemin.engine.journal.lease import Lease
from kubemin.store import Database, tables, tasks
from tests.servers.proxy import Proxy
from tests.store.rows import add_tasks, claim, id_of
from tests.waiting import until_true

_NUMBER = select(tables.tasks.c.lease_commits).where(tables.tasks.c.id == id_of("a"))


async def test_the_commit_that_got_its_number_first_locks_the_row_first(database_url: str) -> None:
    """Else a database that was set back to between the two has the higher number, and hides that the lower is lost.

    So the row shows each commit its own number.
    """
    direct = await Database.open(database_url)
    port = int(database_url.rsplit(":", 1)[1].split("/")[0])
    async with Proxy(port) as proxy:
        slow = await Database.open(database_url.replace(f":{port}/", f":{proxy.port}/"))
        await add_tasks(direct, "a")
        task = await claim(direct)
        assert task is not None
        lease = Lease(task.id, task.lease_epoch, task.lease_commits, float("inf"))
        shown: list[tuple[int, int]] = []

        async def commit(db: Database, may_begin: asyncio.Event) -> None:
            async with db.begin("commit") as tx:
                await tx.now()  # the connection is there, and the next that is sent is the guard
                begun.release()
                await may_begin.wait()
                number = await lease.guard(tx)
                shown.append((number, int(await tx.scalar(_NUMBER))))

        begun = asyncio.Semaphore(0)
        first, second = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as both:
            both.create_task(commit(slow, first))
            both.create_task(commit(direct, second))
            await begun.acquire()
            await begun.acquire()
            proxy.stall()
            proxy.seen.clear()
            first.set()
            await until_true(proxy.seen.is_set)
            second.set()
            for _ in range(10):  # by then a guard that waits for none is through
                async with direct.read() as tx:
                    await tasks.statuses(tx, [task.id])
            proxy.heal()
        assert [number for number, _ in shown] == [task.lease_commits + 1, task.lease_commits + 2]
        assert all(number == row for number, row in shown)
        await slow.aclose()
    await direct.aclose()
