"""What cannot be opened is its own matter: it stops no other task, and no other object of its own rollback."""

from typing import Any

import pytest
from sqlalchemy import select, update

from kubemin.api.lookups import application_of
from kubemin.spec.objects import ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from kubemin.store import tables, tasks
from tests.engine.instance import QUICK, Instance, conf, web

DAMAGE = {"its key is lost": "s1:gone:AAAA", "it is no JSON": '{"kind":', "it is no object": "5"}


async def test_a_worker_goes_on_with_others(instance: Instance) -> None:
    broken = await instance.exec(await instance.save([conf("settings")], name="one"))
    async with instance.db.begin("break") as tx:
        row = tables.tasks.c.id == broken
        await tx.write(update(tables.tasks).where(row).values(plan="s1:gone:AAAA"))
    whole = await instance.exec(await instance.save([conf("others")], name="two"))
    async with instance.worker():
        assert (await instance.settled(whole)).status is TaskStatus.COMPLETED


class Half:
    """An update whose worker has gone: it has changed two ConfigMaps and made one, and its Deployment is not ready."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.app_id = self.task_id = ""
        self.before: dict[ObjectRef, Any] = {}

    async def begin(self) -> None:
        instance = self.instance
        async with instance.worker():
            self.app_id = await instance.save([conf("one", a="1"), conf("two", a="1")])
            await instance.settled(await instance.exec(self.app_id))
            self.before = await instance.snapshot()
            parts = [conf("one", a="2"), conf("two", a="2"), conf("made", a="1"), web("api", "never")]
            await instance.save(parts, app_id=self.app_id)
            self.task_id = await instance.exec(self.app_id)

            async def is_written() -> bool:
                rows = {row.ref.name: row.state for row in await instance.journal(self.task_id)}
                done = (ResourceState.CHANGED, ResourceState.CREATED)
                return all(rows.get(name) in done for name in ("one", "two", "made", "shop-api"))

            await instance.until(is_written)

    async def damage_task(self, column: str, text: str) -> None:
        """Store another text in the task's own row."""
        async with self.instance.db.begin("damage") as tx:
            mine = tables.tasks.c.id == self.task_id
            await tx.write(update(tables.tasks).where(mine).values({column: text}))

    async def damage(self, name: str, column: str, text: str) -> str:
        """Store another text in the row of an object; what was there."""
        (row,) = [one for one in await self.instance.journal(self.task_id) if one.ref.name == name]
        resources = tables.resources
        mine = (resources.c.task_id == self.task_id, resources.c.seq == row.seq)
        async with self.instance.db.begin("damage") as tx:
            was = await tx.scalar(select(resources.c[column]).where(*mine))
            await tx.write(update(resources).where(*mine).values({column: text}))
        return str(was)

    async def names(self) -> dict[str, dict[str, str]]:
        """The ConfigMaps of the test, with their data."""
        found = (await self.instance.cluster.list("ConfigMap", "default")).items
        return {one["metadata"]["name"]: one["data"] for one in found if "data" in one}


@pytest.fixture
async def half(instance: Instance) -> Half:
    made = Half(instance)
    await made.begin()
    return made


@pytest.mark.parametrize("how", DAMAGE)
async def test_one_row_that_cannot_be_opened_keeps_no_other_from_being_put_back(half: Half, how: str) -> None:
    """And once it can be read again, that one is put back too."""
    instance = half.instance
    whole = await half.damage("one", "before", DAMAGE[how])
    await instance.service.cancel(half.app_id, half.task_id, "ada", "no")
    async with instance.worker():
        task = await instance.settled(half.task_id)
        assert task.cleanup is Cleanup.INCOMPLETE
        assert "ConfigMap/default/one" in task.cleanup_why
        assert "--abandon" in task.cleanup_why
        assert "two" not in task.cleanup_why
        assert "made" not in task.cleanup_why
        left = await half.names()
        assert left["one"] == {"a": "2"}  # as the task left it
        assert left["two"] == {"a": "1"}
        assert "made" not in left
        assert [row.ref.name for row in await instance.journal(half.task_id) if not row.state.settled] == ["one"]

        await half.damage("one", "before", whole)
        await instance.service.retry_cleanup(half.task_id)

        async def is_done() -> bool:
            return (await instance.task(half.task_id)).cleanup is Cleanup.DONE

        await instance.until(is_done)
    assert await instance.snapshot() == half.before


@pytest.mark.parametrize(
    "places",
    [[("made", "before"), ("made", "applied")], [("one", "applied")]],
    ids=["what was made", "what was written"],
)
async def test_what_is_not_needed_may_stay_closed(half: Half, places: list[tuple[str, str]]) -> None:
    """What the task made, as its row says, was nothing before; and what it wrote is told by the object itself."""
    instance = half.instance
    for name, column in places:
        await half.damage(name, column, "s1:gone:AAAA")
    await instance.service.cancel(half.app_id, half.task_id, "ada", "no")
    async with instance.worker():
        assert (await instance.settled(half.task_id)).cleanup is Cleanup.DONE
    assert await instance.snapshot() == half.before


async def test_it_can_be_given_up(half: Half) -> None:
    instance = half.instance
    await half.damage("one", "before", "s1:gone:AAAA")
    await instance.service.cancel(half.app_id, half.task_id, "ada", "no")
    async with instance.worker():
        await instance.settled(half.task_id)
    task = await instance.service.abandon_cleanup(half.task_id, "ada")
    assert task.cleanup is Cleanup.ABANDONED
    async with instance.worker():  # the next run goes on from what is there
        await instance.save([conf("one", a="3")], app_id=half.app_id)
        assert (await instance.settled(await instance.exec(half.app_id))).status is TaskStatus.COMPLETED
    assert (await half.names())["one"] == {"a": "3"}


async def test_no_task_goes_forward_upon_what_it_does_not_know(half: Half) -> None:
    """A successor would take what its task has changed for what was there before."""
    instance = half.instance
    await half.damage("one", "before", "s1:gone:AAAA")
    async with instance.worker():
        task = await instance.settled(half.task_id)
    assert (task.status, task.reason_code) == (TaskStatus.FAILED, ReasonCode.UNREADABLE)
    assert "ConfigMap/default/one" in task.reason
    assert task.cleanup is Cleanup.INCOMPLETE
    assert "made" not in await half.names()


@pytest.mark.parametrize("column", ["plan", "spec"])
@pytest.mark.parametrize("how", ["its key is lost", "it is no JSON"])
async def test_a_task_is_rolled_back_without_its_plan(half: Half, column: str, how: str) -> None:
    """Its journal says what it did. Cancelled, as with a lost key it would wait for a worker that has it."""
    instance = half.instance
    await half.damage_task(column, DAMAGE[how])
    await instance.service.cancel(half.app_id, half.task_id, "ada", "no")
    async with instance.worker():
        assert (await ended(instance, half.task_id)).cleanup is Cleanup.DONE
    assert await instance.snapshot() == half.before


async def test_without_its_plan_no_task_goes_on(half: Half) -> None:
    instance = half.instance
    await half.damage_task("plan", "{")
    async with instance.worker():
        task = await ended(instance, half.task_id)
    assert (task.status, task.reason_code) == (TaskStatus.FAILED, ReasonCode.UNREADABLE)
    assert await instance.snapshot() == half.before


async def ended(instance: Instance, task_id: str) -> tasks.Task:
    """The task once it and its cleanup have ended, without what may not open."""

    async def check() -> tasks.Task | None:
        async with instance.db.read() as tx:
            task = await tasks.brief(tx, task_id)
        return task if task is not None and task.status.ended and task.cleanup.settled else None

    return await instance.until(check)


async def test_what_others_hold_that_cannot_be_opened_stops_no_run(instance: Instance) -> None:
    """Keys and plans of former tasks are asked for beside: a run goes by the cluster, and old ones are forgotten."""
    async with instance.worker(QUICK.model_copy(update={"keep_revisions": 1})):
        app_id = await instance.save([conf("one", a="1"), conf("two", a="1")])
        for value in ("2", "3", "4"):
            task_id = await instance.exec(app_id)
            assert (await instance.settled(task_id)).status is TaskStatus.COMPLETED
            async with instance.db.begin("damage") as tx:
                await tx.write(update(tables.tasks).where(tables.tasks.c.id == task_id).values(plan="s1:gone:AAAA"))
                mine = (tables.resources.c.task_id == task_id, tables.resources.c.before.is_not(None))
                await tx.write(update(tables.resources).where(*mine).values(before="s1:gone:AAAA"))
            await instance.save([conf("one", a=value), conf("two", a="1")], app_id=app_id)


async def test_a_cancel_needs_no_key_of_the_application(half: Half) -> None:
    """Nor does its rollback."""
    instance = half.instance
    async with instance.db.begin("damage") as tx:
        mine = tables.applications.c.id == half.app_id
        await tx.write(update(tables.applications).where(mine).values(config_key="s1:gone:AAAA"))
        assert (await application_of(tx, half.app_id)).id == half.app_id  # as each route asks first
    await instance.service.cancel(half.app_id, half.task_id, "ada", "no")
    async with instance.worker():
        assert (await instance.settled(half.task_id)).cleanup is Cleanup.DONE
    assert await instance.snapshot() == half.before


async def test_labels_that_cannot_be_opened_are_waited_for(instance: Instance) -> None:
    """A stranger's object gets its labels back when it is let go of, or stays as it is and is named."""
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "one", "namespace": "default", "labels": {"app.kubernetes.io/part-of": "theirs"}},
        "data": {"a": "0"},
    }
    instance.adopts = True
    await instance.cluster.create(body)
    async with instance.worker():
        app_id = await instance.save([conf("one", a="1"), conf("two", a="1")])
        first = await instance.exec(app_id)
        assert (await instance.settled(first)).status is TaskStatus.COMPLETED
        resources = tables.resources
        mine = (resources.c.task_id == first, resources.c.name == "one")
        async with instance.db.begin("damage") as tx:
            was = await tx.scalar(select(resources.c.before).where(*mine))
            await tx.write(update(resources).where(*mine).values(before="s1:gone:AAAA"))
        await instance.save([conf("two", a="1")], app_id=app_id)
        second = await instance.exec(app_id)
        task = await instance.settled(second)
        assert (task.status, task.cleanup) == (TaskStatus.COMPLETED, Cleanup.INCOMPLETE)
        assert "ConfigMap/default/one" in task.cleanup_why
        async with instance.db.begin("mend") as tx:
            await tx.write(update(resources).where(*mine).values(before=was))
        await instance.service.retry_cleanup(second)

        async def is_done() -> bool:
            return (await instance.task(second)).cleanup is Cleanup.DONE

        await instance.until(is_done)
    live = await instance.cluster.get(ObjectRef("ConfigMap", "default", "one"))
    assert live["metadata"]["labels"] == {"app.kubernetes.io/part-of": "theirs"}
