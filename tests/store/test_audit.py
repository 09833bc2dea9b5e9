"""The audit in real databases: one order whoever appends, and nothing twice or lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from kubemin.spec.audit import BEGINNING, Broken, verify
from kubemin.store import Database, audit, tables, tasks
from kubemin.store.anew import begun_anew
from kubemin.store.audit import AuditRow, Call, Wanted
from tests.store.rows import add_application, id_of, new_task
from tests.waiting import PATIENCE

KEY = "k" * 32
EVERY = Wanted()


def call(number: int = 0, **said: str | int) -> Call:
    given: dict[str, str | int] = {
        "caller": "ada", "authenticated": "token", "address": "127.0.0.1", "method": "POST", "operation": "apply",
        "target": "", "cluster": "", "app": "", "task": "", "status": 200, "code": 0,
        "request_id": f"request-{number}", **said,
    }  # fmt: skip
    return Call(**given)  # type: ignore[arg-type]


@begun_anew  # MariaDB: several make the head
async def append(db: Database, *calls: Call, age: float = 0, key: str | None = KEY) -> list[AuditRow]:
    async with db.begin("audit") as tx:
        made = await audit.append(tx, [(one, age) for one in calls], key)
    assert made is not None
    return made


async def rows_of(db: Database, wanted: Wanted = EVERY) -> list[AuditRow]:
    async with db.read() as tx:
        return await audit.oldest(tx, wanted, after=0, limit=10_000)


async def check(db: Database, key: str | None = KEY) -> int:
    async with db.read() as tx:
        rows, head = await audit.oldest(tx, EVERY, after=0, limit=10_000), await audit.head(tx)
    return verify((row.wire() for row in rows), [key] if key else [], head=head).rows


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    db = await Database.open(url, answer_seconds=PATIENCE, lock_seconds=PATIENCE, idle_seconds=PATIENCE)
    yield db
    await db.aclose()


async def test_two_servers_append_in_one_order(url: str) -> None:
    async with opened(url) as one, opened(url) as two:

        async def many(db: Database, name: str) -> None:
            for number in range(12):
                await append(db, *(call(number, caller=name) for _ in range(number % 3 + 1)))

        await asyncio.gather(many(one, "one"), many(two, "two"), many(one, "three"))
        assert await check(two) == 72
        rows = await rows_of(one)
        assert [row.seq for row in rows] == list(range(1, 73))
        for name in ("one", "two", "three"):
            mine = [row.call.request_id for row in rows if row.call.caller == name]
            assert mine == [f"request-{number}" for number in range(12) for _ in range(number % 3 + 1)]


async def test_what_is_read_is_what_was_hashed(db: Database) -> None:
    texts = {"caller": "Zoë 🛒 \u202e", "target": "x" * 512, "address": "::1", "task": "t" * 24, "app": "a" * 24}
    made = await append(db, call(1, **texts), call(2, status=0), age=0.123456)
    assert await rows_of(db) == made
    assert await check(db) == 2


async def test_filters(db: Database) -> None:
    await append(db, call(1, app="a" * 24, cluster="edge"), call(2, task="t" * 24, status=404), age=3600)
    await append(db, call(3, caller="bob", operation="cancel_task", status=503, cluster="edge"))
    old, now = (await rows_of(db))[0].at, (await rows_of(db))[-1].at
    for wanted, expected in (
        (Wanted(app="a" * 24), [1]),
        (Wanted(task="t" * 24), [2]),
        (Wanted(caller="bob"), [3]),
        (Wanted(operation="apply"), [1, 2]),
        (Wanted(cluster="edge"), [1, 3]),
        (Wanted(cluster="nowhere"), []),
        (Wanted(statuses=(400, 500)), [2]),
        (Wanted(since=now), [3]),
        (Wanted(until=now), [1, 2]),
        (Wanted(since=old, until=now + timedelta(seconds=1)), [1, 2, 3]),
        (Wanted(caller="bob", app="a" * 24), []),
    ):
        assert [row.seq for row in await rows_of(db, wanted)] == expected
        async with db.read() as tx:
            assert [row.seq for row in await audit.newest(tx, wanted, before=None, limit=9)] == expected[::-1]
            assert [row.seq for row in await audit.newest(tx, wanted, before=3, limit=1)] == [
                seq for seq in expected if seq < 3
            ][-1:]


async def test_a_row_whose_commit_had_no_answer_is_not_stored_twice(db: Database) -> None:
    first = await append(db, call(1))
    async with db.begin("audit") as tx:
        assert await audit.append(tx, [(call(1), 0)], KEY, unless=first[-1].place) is None
    assert len(await rows_of(db)) == 1
    async with db.begin("audit") as tx:
        lost = AuditRow(seq=2, at=first[0].at, call=call(2), key="", previous="", hash="f" * 64).place
        assert await audit.append(tx, [(call(2), 0)], KEY, unless=lost) is not None
    assert await check(db) == 2


async def test_old_rows_go_and_the_chain_still_holds(db: Database) -> None:
    for number in range(6):
        await append(db, call(number), age=(5 - number) * 100)
    async with db.begin("prune") as tx:
        assert await audit.prune(tx, 250, KEY, 1000) == 3
    assert [row.seq for row in await rows_of(db)] == [4, 5, 6, 7]
    assert await check(db) == 4
    async with db.begin("prune") as tx:
        assert await audit.prune(tx, 250, KEY, 1000) == 0
    async with db.begin("prune") as tx:
        assert await audit.prune(tx, -10, KEY, 2) == 2  # a part at a time
    assert await check(db) == 3
    async with db.begin("prune") as tx:
        assert await audit.prune(tx, -10, KEY, 1000) == 3
    assert [row.call.operation for row in await rows_of(db)] == ["prune_audit"]
    await append(db, call(9))
    assert await check(db) == 2


async def test_it_goes_on_behind_what_somebody_did_to_the_tables(sqlite: Database) -> None:
    await append(sqlite, call(1), call(2), call(3))
    async with sqlite.begin("eve") as tx:
        await tx.write(delete(tables.audit).where(tables.audit.c.seq == 3))
    await append(sqlite, call(4))
    with pytest.raises(Broken) as found:
        await check(sqlite)
    assert found.value.seq == 3
    async with sqlite.begin("eve") as tx:
        await tx.write(update(tables.audit_heads).values(seq=0, hash=BEGINNING.hash))
    assert (await append(sqlite, call(5)))[0].seq == 5
    async with sqlite.begin("eve") as tx:
        await tx.write(delete(tables.audit_heads))
    assert (await append(sqlite, call(6)))[0].seq == 6


async def test_a_call_has_the_cluster_of_what_it_is_about(db: Database) -> None:
    """What it says itself comes first; an application that is gone is known by its tasks; of what never was none is."""
    await add_application(db, "there", cluster="edge")
    async with db.begin("insert") as tx:
        for app, cluster in (("there", "edge"), ("gone", "prod")):
            await tasks.insert(tx, new_task(f"of-{app}", app, cluster=cluster))
    asked = [
        call(app=id_of("there")),
        call(task=id_of("of-there")),
        call(app=id_of("gone")),
        call(app=id_of("never"), task=id_of("of-gone")),
        call(app=id_of("never")),
        call(app=id_of("there"), cluster="default"),
        call(),
    ]
    async with db.read() as tx:
        found = await audit.with_clusters(tx, asked)
    assert [one.cluster for one in found] == ["edge", "edge", "prod", "prod", "", "default", ""]
    assert [replace(one, cluster="") for one in found] == [replace(one, cluster="") for one in asked]
