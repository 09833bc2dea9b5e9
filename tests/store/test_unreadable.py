"""A task that cannot be opened keeps no other one from being claimed."""

import pytest
from sqlalchemy import update

from kubemin.store import Database, tables, tasks
from kubemin.store.errors import UnreadableTask
from tests.store.rows import add_tasks, claim, expire, id_of


@pytest.mark.parametrize("taken_before", [False, True])
async def test_others_are_claimed_and_it_is_named(db: Database, taken_before: bool) -> None:
    await add_tasks(db, "broken", app="one")
    if taken_before:
        assert await claim(db) is not None
        await expire(db, "broken")
    await add_tasks(db, "whole", app="two")
    async with db.begin("break") as tx:
        broken = update(tables.tasks).where(tables.tasks.c.id == id_of("broken")).values(spec="s1:gone:AAAA")
        assert await tx.write(broken) == 1
    with pytest.raises(UnreadableTask, match=id_of("broken")) as refused:
        async with db.begin("claim") as tx:
            await tasks.claim(tx, "w", 60, 3, 8)
    async with db.begin("claim") as tx:
        found = await tasks.claim(tx, "w", 60, 3, 8, but={refused.value.seq})
    assert [one.id for one in found] == [id_of("whole")]
    async with db.read() as tx:
        left = await tasks.brief(tx, id_of("broken"))
    assert left is not None
    assert left.attempt == int(taken_before)  # what could not be begun is no attempt
