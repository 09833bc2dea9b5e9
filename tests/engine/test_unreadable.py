"""A task whose stored text cannot be opened stops nobody else's."""

from sqlalchemy import update

from kubemin.spec.states import TaskStatus
from kubemin.store import tables
from tests.engine.instance import Instance, conf


async def test_a_worker_goes_on_with_others(instance: Instance) -> None:
    broken = await instance.exec(await instance.save([conf("settings")], name="one"))
    async with instance.db.begin("break") as tx:
        row = tables.tasks.c.id == broken
        await tx.write(update(tables.tasks).where(row).values(plan="s1:gone:AAAA"))
    whole = await instance.exec(await instance.save([conf("others")], name="two"))
    async with instance.worker():
        assert (await instance.settled(whole)).status is TaskStatus.COMPLETED
