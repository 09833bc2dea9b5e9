"""A statement that is kept does what it does when SQLAlchemy executes it (`kubemin.store.backends.kept`)."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Executable, bindparam, event, func, insert, literal, null, or_, select, union_all, update

from kubemin.store import Database, tables
from kubemin.store.clock import now
from kubemin.store.errors import Duplicate, Unstorable
from kubemin.store.tables import tasks
from tests.store.rows import add_tasks, id_of

_ID = tasks.c.id == bindparam("of_id")
_AMONG = tasks.c.id.in_(bindparam("ids", expanding=True))
_READS: Sequence[tuple[Executable, Any]] = [
    (select(tasks).order_by(tasks.c.seq), None),
    (select(tasks).where(_ID), {"of_id": id_of("a")}),
    (select(tasks).where(_ID), {"of_id": id_of("nobody")}),
    (select(tasks.c.id, null().label("plan"), literal(7).label("seven")).where(_ID), {"of_id": id_of("b")}),
    (select(tasks.c.created_at, func.max(tasks.c.seq)).group_by(tasks.c.created_at).where(_ID), {"of_id": id_of("a")}),
    (select(tasks.c.id).where(tasks.c.status == "waiting", _AMONG).order_by(tasks.c.id), {"ids": []}),
    (select(tasks.c.id).where(_AMONG, tasks.c.attempt == 0).order_by(tasks.c.id), {"ids": [id_of("a"), id_of("c")]}),
    (select(tasks.c.id).where(or_(_ID, tasks.c.id.not_in(bindparam("ids", expanding=True)))).order_by(tasks.c.id),
     {"of_id": id_of("a"), "ids": [id_of("a"), id_of("b")]}),
    (union_all(select(tasks.c.id).where(_ID), select(tasks.c.app_id).where(_ID)), {"of_id": id_of("a")}),
]  # fmt: skip
_TOUCH = update(tasks).where(_ID).values(updated_at=now(), reason=bindparam("why"))
_TOUCH_AMONG = update(tasks).where(_AMONG).values(updated_at=now(), attempt=tasks.c.attempt + bindparam("more"))
_SHARE = insert(tables.shares)


@pytest.mark.parametrize(("statement", "given"), _READS)
async def test_the_second_time_reads_the_same_as_the_first(db: Database, statement: Executable, given: Any) -> None:
    await add_tasks(db, "a", "b", "c")
    async with db.read() as tx:
        first, second, third = [await tx.rows(statement, given) for _ in range(3)]
        assert [dict(row._mapping) for row in first] == [dict(row._mapping) for row in second]
        assert [tuple(row) for row in second] == [tuple(row) for row in third] == [tuple(row) for row in first]
        assert await tx.row(statement, given) == (first[0] if first else None)
        assert await tx.scalar(statement, given) == (first[0][0] if first else None)


async def test_the_second_time_writes_the_same_as_the_first(db: Database) -> None:
    await add_tasks(db, "a", "b", "c")
    async with db.begin("touch") as tx:
        for why in ("x", "y", "z"):
            assert await tx.write(_TOUCH, {"of_id": id_of("a"), "why": why}) == 1
            assert await tx.write(_TOUCH, {"of_id": id_of("nobody"), "why": why}) == 0
            await tx.write(_TOUCH, [{"of_id": id_of(name), "why": why + name} for name in "bc"])
            assert await tx.write(_TOUCH_AMONG, {"ids": [id_of("a"), id_of("b")], "more": 2}) == 2
    async with db.read() as tx:
        rows = await tx.rows(select(tasks.c.reason, tasks.c.attempt).order_by(tasks.c.id))
    assert [tuple(row) for row in rows] == [("z", 6), ("zb", 6), ("zc", 0)]


async def test_what_violates_a_constraint_or_cannot_be_stored_is_named_alike(db: Database) -> None:
    await add_tasks(db, "a")
    share = {"cluster": "default", "name": "one", "task_id": id_of("a")}
    for _ in range(3):
        with pytest.raises(Unstorable):
            async with db.begin("touch") as tx:
                await tx.write(_TOUCH, {"of_id": "x" * 100, "why": ""})
    async with db.begin("share") as tx:
        await tx.write(_SHARE, share)
        for _ in range(3):
            with pytest.raises(Duplicate, match="pk_shares"):
                await tx.tentative(_SHARE, share)
            assert await tx.write(_TOUCH, {"of_id": id_of("a"), "why": "it goes on"}) == 1


async def test_sqlalchemy_executes_what_is_kept_once(sqlite: Database) -> None:
    """However often, and for however many rows: the driver runs it from then on."""
    await add_tasks(sqlite, "a", "b")
    executed: list[str] = []
    for pool in (sqlite._reader.pool, sqlite._writer.pool):
        engine = pool.engine  # type: ignore[attr-defined]
        event.listen(engine, "before_cursor_execute", lambda _conn, _cursor, sql, *_: executed.append(sql))
    read = select(tasks.c.id).where(_AMONG, tasks.c.attempt >= bindparam("least"))
    write = update(tasks).where(_ID).values(reason=bindparam("why"))
    for _ in range(5):
        async with sqlite.read() as tx:
            await tx.rows(read, {"ids": [id_of("a")], "least": 0})
        async with sqlite.begin("touch") as tx:
            await tx.write(write, [{"of_id": id_of(name), "why": "x"} for name in "ab"])
    assert [sql.split()[0] for sql in executed] == ["SELECT", "UPDATE"]
