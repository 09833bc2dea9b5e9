"""What lists and the operations page ask for, on every database."""

from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database, overview, revisions, tasks
from tests.store.rows import add_application, claim, expire, id_of, new_task


async def test_each_task_is_counted_where_it_is(db: Database) -> None:
    for name in ("shop", "cafe", "idle"):
        await add_application(db, name, namespace=f"of-{name}")
    async with db.begin("run") as tx:
        for name, app in (("one", "shop"), ("two", "shop"), ("three", "cafe"), ("four", "gone"), ("five", "gone")):
            number = None
            if app != "gone":
                new = revisions.NewRevision(app_id=id_of(app), spec={"of": name}, task_id=id_of(name))
                number = await revisions.insert_next(tx, new)
            await tasks.insert(tx, new_task(name, app, revision=number))
    done, undone, held = await claim(db), await claim(db), await claim(db, "late")
    assert done is not None
    assert undone is not None
    assert held is not None
    assert [one.id for one in (done, undone, held)] == [id_of(name) for name in ("one", "three", "four")]
    await expire(db, "four")
    async with db.begin("end") as tx:
        assert await tasks.finish(tx, done.id, done.lease_epoch, TaskStatus.COMPLETED, "", Cleanup.NONE)
        assert await tasks.finish(tx, undone.id, undone.lease_epoch, TaskStatus.FAILED, "no", Cleanup.PENDING)
    async with db.read() as tx:
        assert [(one.worker, one.tasks, one.expired) for one in await overview.workers(tx)] == [
            ("late", 1, 1),
            ("w", 1, 0),
        ]
    async with db.begin("undone") as tx:
        assert await tasks.set_cleanup(tx, undone.id, undone.lease_epoch, Cleanup.INCOMPLETE, "one is left")
    async with db.read() as tx:
        ids = [id_of(name) for name in ("shop", "cafe", "idle")]
        assert {app: one.id for app, one in (await overview.newest_tasks(tx, ids)).items()} == {
            id_of("shop"): id_of("two"),
            id_of("cafe"): id_of("three"),
        }
        assert await overview.deployed(tx, ids) == {id_of("shop"): (1, {"of": "one"})}
        assert await overview.waiting(tx, ids) == {id_of("shop"): 1}
        assert [(one.namespace, one.tasks) for one in await overview.queues(tx)] == [("", 1), ("of-shop", 1)]
        found, total = await overview.incomplete(tx, 1)
        assert ([one.id for one in found], total) == ([id_of("three")], 1)
