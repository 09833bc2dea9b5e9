"""The address leads to another server of the database, or to one that may only be read: that one is left."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from kubemin.store import Database, Unavailable, tasks
from tests.servers.postgresql import Postgresql
from tests.servers.proxy import Proxy
from tests.store.conftest import Servers
from tests.store.rows import add_tasks, id_of
from tests.waiting import until, until_true


async def known(db: Database) -> set[str]:
    async with db.read() as tx:
        return {task.id for task in await tasks.page(tx)}


async def refusal(ask: Callable[[], Awaitable[object]]) -> str:
    """What is said to one who asks; empty where it is done."""
    try:
        await ask()
    except Unavailable as error:
        return str(error)
    return ""


async def test_a_standby_is_neither_written_nor_read_until_it_is_the_primary() -> None:
    """What it has may be of a moment ago: a worker that read it would take its own tasks for another's."""
    with Postgresql() as primary, primary.standby() as standby:
        async with Proxy(primary.port) as proxy:
            db = await Database.open(primary.url(port=proxy.port))
            await db.migrate()
            await add_tasks(db, "a")
            assert await known(db) == {id_of("a")}
            await until_true(lambda: standby.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'tasks'") == "1")
            await until_true(lambda: standby.sql("SELECT count(*) FROM tasks") == "1")
            proxy.lead_to(standby.port)
            primary.stop()

            async def is_at_the_standby() -> bool:
                return "standby" in await refusal(db.ping) and "standby" in await refusal(lambda: add_tasks(db, "b"))

            await until(is_at_the_standby)
            standby.sql("SELECT pg_promote()")
            await add_tasks(db, "c")
            assert await known(db) == {id_of("a"), id_of("c")}
            await db.aclose()


@pytest.mark.parametrize("url", ["mariadb"], indirect=True)
async def test_a_server_that_became_a_replica_is_left(db: Database, servers: Servers) -> None:
    """Also by those who only read, and whose connections have never failed."""
    await add_tasks(db, "a")
    assert await known(db) == {id_of("a")}
    server = servers.mariadb()
    server.sql("SET GLOBAL read_only = 1")
    try:
        with pytest.raises(Unavailable):
            async with db.begin("write") as tx:  # as it refuses a write of who is no superuser
                await tx.write(text("SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290"))
        for ask in (db.ping, lambda: add_tasks(db, "b")):
            assert "replica" in await refusal(ask)
    finally:
        server.sql("SET GLOBAL read_only = 0")
    await add_tasks(db, "c")
    assert await known(db) == {id_of("a"), id_of("c")}
