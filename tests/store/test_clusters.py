"""What the database keeps by cluster, on every database."""

import pytest

from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database, Duplicate, applications, journal, kinds, presence, shares, tasks
from kubemin.store.journal import NewResource
from kubemin.store.presence import Sight
from tests.store.rows import add_application, expire, id_of, new_task


async def add(db: Database, name: str, cluster: str, app: str = "") -> None:
    async with db.begin("insert") as tx:
        await tasks.insert(tx, new_task(name, app or f"app-{name}", cluster=cluster))


async def claimed(db: Database, *clusters: str, worker: str = "w") -> list[str]:
    async with db.begin("claim") as tx:
        found = await tasks.claim(tx, worker, 60, 3, 10, clusters)
    return [task.id.rstrip(".") for task in found]


async def test_a_claim_takes_only_what_is_of_its_clusters(db: Database) -> None:
    """Waiting tasks, those without their worker, and cleanups that are due."""
    for name, cluster in (("a", "default"), ("b", "edge"), ("c", "prod")):
        await add(db, name, cluster)
    assert await claimed(db) == []
    assert await claimed(db, "edge", "prod") == ["b", "c"]
    for name in ("b", "c"):
        await expire(db, name)
    assert await claimed(db, "default") == ["a"]
    assert await claimed(db, "edge") == ["b"]
    async with db.begin("end") as tx:
        for epoch, name in ((2, "b"), (1, "a")):
            assert await tasks.finish(tx, id_of(name), epoch, TaskStatus.FAILED, "", Cleanup.PENDING)
            assert await tasks.set_cleanup(tx, id_of(name), epoch, Cleanup.INCOMPLETE, "no", 0)
    assert await claimed(db, "edge") == ["b"]
    assert await claimed(db, "default", "edge") == ["a"]


async def test_many_waiting_tasks_of_others_hide_none(db: Database) -> None:
    for number in range(70):  # more than a claim reads
        await add(db, f"other-{number}", "away")
    await add(db, "mine", "default")
    assert await claimed(db, "default") == ["mine"]


async def test_a_name_is_unique_in_its_cluster(db: Database) -> None:
    await add_application(db, "shop")
    async with db.begin("insert") as tx:
        other = applications.NewApplication(id=id_of("other"), name="shop", cluster="edge")
        await applications.insert(tx, other)
    with pytest.raises(Duplicate):
        async with db.begin("insert") as tx:
            await applications.insert(tx, applications.NewApplication(id=id_of("x"), name="shop", cluster="edge"))
    async with db.read() as tx:
        found = [await applications.find(tx, "default", "shop", one) for one in ("default", "edge", "prod")]
        assert [one and one.id for one in found] == [id_of("shop"), id_of("other"), None]
        [row] = await applications.page(tx, applications.Filter(cluster="edge"))
    assert row.id == id_of("other")


async def test_kinds_and_locks_are_a_cluster_s_own(db: Database) -> None:
    await add(db, "a", "default")
    await add(db, "b", "edge")
    async with db.begin("test") as tx:
        ref = ObjectRef("Widget.example.com", "default", "one", "example.com/v1")
        await journal.add(tx, id_of("b"), [NewResource(seq=1, job_seq=1, ref=ref)])
        assert await kinds.written(tx, "edge") == {"Widget.example.com"}
        assert await kinds.written(tx, "default") == frozenset()
        assert [await shares.take(tx, "lock", id_of(name)) for name in "ab"] == [None, None]
        await tasks.insert(tx, new_task("c", "third", cluster="edge"))
        assert await shares.take(tx, "lock", id_of("c")) == id_of("b")


async def test_who_serves_what(db: Database) -> None:
    await add(db, "a", "edge")
    async with db.begin("say") as tx:
        await presence.say(tx, "first", {"default": Sight("v1.36.1", ""), "edge": Sight("", "no route")})
        assert await presence.why_it_waits(tx, "default") is None
        assert await presence.why_it_waits(tx, "edge") == "the cluster edge does not answer: no route"
        assert await presence.why_it_waits(tx, "prod") == "no worker serves the cluster prod now"
        await presence.say(tx, "second", {"edge": Sight("v1.36.1", "")})
        assert await presence.why_it_waits(tx, "edge") is None, "one that it answers is enough"
        await presence.say(tx, "first", {"default": Sight("v1.37.0", ""), "edge": Sight("", "no route")})
        found = [(one.cluster, one.worker, one.version) for one in await presence.served(tx)]
        assert found == [("default", "first", "v1.37.0"), ("edge", "first", ""), ("edge", "second", "v1.36.1")]
        await presence.leave(tx, "second")
        assert [one.worker for one in await presence.served(tx, "edge")] == ["first"]
        assert await presence.tasks_by_cluster(tx) == {"edge": presence.ClusterTasks(1, 0, 0)}
