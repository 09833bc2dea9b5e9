"""A migration that is killed after any of its statements is done by the next one."""

from typing import Any

import pytest
from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.engine import Engine

from kubemin.store import Database, SchemaOutdated, StoreError
from tests.store.test_schema import _differences


class Killed(Exception):
    """As if the process had ended there."""


async def _killed(url: str, when: str, number: int) -> bool:
    """Migrate, and end before or after that change of the schema; whether it came to that."""
    db = await Database.open(url)
    seen = 0

    def reached(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal seen
        seen += statement.lstrip().startswith(CHANGES)
        if seen == number:
            seen += 1
            raise Killed

    event.listen(Engine, f"{when}_cursor_execute", reached)
    try:
        await db.migrate()
    except Killed:
        with pytest.raises(SchemaOutdated, match="run `kubemin migrate`"):
            await db.check_schema()
        return True
    finally:
        event.remove(Engine, f"{when}_cursor_execute", reached)
        await db.aclose()
    return False


CHANGES = ("CREATE", "\nCREATE")


@pytest.mark.parametrize("every", [20, pytest.param(1, marks=pytest.mark.proof)])
@pytest.mark.parametrize("when", ["after", pytest.param("before", marks=pytest.mark.proof)])
async def test_it_is_done_by_the_next_one(empty_url: str, when: str, every: int) -> None:
    """What MariaDB has done stays; the others have done nothing then."""
    keeps = empty_url.startswith("mariadb")
    kills = 0
    while await _killed(empty_url, when, (1 if keeps else kills + 1) * every + (when == "before")):
        kills += 1
    assert kills >= 50 // every
    db = await Database.open(empty_url)
    await db.check_schema()
    async with db._writer.connection() as connection:
        assert await connection.run_sync(_differences) == []
    await db.aclose()


async def test_a_table_that_is_somebody_else_s_is_not_taken_for_ours(empty_url: str) -> None:
    """Also not by the next one, which goes on where the first one ended."""
    db = await Database.open(empty_url)
    async with db.begin("theirs") as tx:
        await tx.write(text("CREATE TABLE jobs (theirs INTEGER)"))
    for _ in range(3):
        with pytest.raises(StoreError, match=r"jobs.* already exists"):
            await db.migrate()
    async with db.begin("theirs") as tx:
        await tx.write(text("DROP TABLE jobs"))
    await db.migrate()
    await db.check_schema()
    async with db._writer.connection() as connection:
        assert "migration_steps" not in await connection.run_sync(lambda one: inspect(one).get_table_names())
    await db.aclose()
