"""Jobs, journal, writes and events, on every database."""

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubemin.spec.events import JobEvent, TaskEvent
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Cleanup, JobStatus, Purpose, ResourceState, TaskStatus, WriteKind
from kubemin.spec.write_answer import WriteAnswer
from kubemin.store import Database, Duplicate, StoreError, events, holdings, jobs, journal, tasks
from tests.store.rows import add_tasks, id_of, tick

A = id_of("a")


def _job(seq: int) -> jobs.NewJob:
    return jobs.NewJob(
        seq=seq,
        stage=0,
        step="step",
        name=f"api/Deployment/{seq}",
        component="api",
        component_type="webservice",
        kind="Deployment",
        namespace="default",
        object_name=f"deploy-{seq}",
    )


async def test_a_job_that_ended_does_not_change(db: Database) -> None:
    await add_tasks(db, "a")
    async with db.begin("jobs") as tx:
        await jobs.insert_many(tx, A, [_job(seq) for seq in (1, 2, 3)])
    async with db.begin("begin") as tx:
        await jobs.set_many(
            tx,
            A,
            [
                jobs.JobChange(1, JobStatus.RUNNING, "0/1"),
                jobs.JobChange(2, JobStatus.PREPARE),
                jobs.JobChange(3, JobStatus.SKIPPED),
            ],
        )
    await tick(db)
    async with db.begin("end") as tx:
        slow = jobs.JobChange(2, JobStatus.RUNNING, None, "slow")
        completed = jobs.JobChange(1, JobStatus.COMPLETED, "1/1")
        late = [jobs.JobChange(1, JobStatus.RUNNING, "0/1"), jobs.JobChange(3, JobStatus.COMPLETED)]
        made = await jobs.set_many(tx, A, [completed, slow, *late])
        assert [one.change for one in made] == [completed, slow]
    async with db.begin("late") as tx:
        await jobs.set_many(tx, A, [jobs.JobChange(1, JobStatus.RUNNING, "again")])
        assert await jobs.end_open(tx, A, JobStatus.CANCELLED, "stopped") == 1
    async with db.read() as tx:
        first, second, third = await jobs.of_task(tx, A)
    assert (first.status, first.info, first.error) == (JobStatus.COMPLETED, "1/1", "")
    assert first.started_at is not None
    assert first.ended_at is not None
    assert first.started_at < first.ended_at
    assert (second.status, second.error) == (JobStatus.CANCELLED, "stopped")
    assert (third.status, third.started_at) == (JobStatus.SKIPPED, None)
    assert third.ended_at is not None


REF = ObjectRef("Deployment", "default", "api")


async def test_only_what_is_given_changes(db: Database) -> None:
    await add_tasks(db, "a")
    before = {"kind": "Deployment", "metadata": {"name": "ä", "managedFields": [{}]}}
    async with db.begin("intent") as tx:
        await journal.add(
            tx,
            A,
            [
                journal.NewResource(
                    seq=1, job_seq=7, ref=REF, before=before, dependents={"PersistentVolumeClaim": ["u"]}
                ),
                journal.NewResource(
                    seq=2, job_seq=8, ref=ObjectRef("ClusterRole", "", "r"), purpose=Purpose.REMOVE, why="old"
                ),
            ],
        )
    await tick(db)
    async with db.begin("answer") as tx:
        await journal.update_many(
            tx,
            A,
            [
                (1, {"state": ResourceState.CHANGED, "uid": "u1", "applied": {"spec": None}}),
                (2, {"state": ResourceState.DELETED}),
                (2, {}),
            ],
        )
    async with db.read() as tx:
        one, two = await journal.of_task(tx, A)
    assert (one.ref, one.job_seq, one.purpose, one.state, one.uid) == (REF, 7, "apply", ResourceState.CHANGED, "u1")
    assert (one.before, one.applied, one.dependents) == (before, {"spec": None}, {"PersistentVolumeClaim": ["u"]})
    assert one.updated_at > one.created_at
    assert (two.ref, two.state, two.why, two.purpose) == (
        ObjectRef("ClusterRole", "", "r"),
        ResourceState.DELETED,
        "old",
        "remove",
    )
    with pytest.raises(ValueError, match="purpose"):
        async with db.begin("wrong") as tx:
            await journal.update_many(tx, A, [(1, {"purpose": Purpose.REMOVE})])


async def test_writes_and_their_answers(db: Database) -> None:
    await add_tasks(db, "a")
    async with db.begin("intent") as tx:
        await journal.add(tx, A, [journal.NewResource(seq=seq, job_seq=seq, ref=REF) for seq in (1, 2)])
        await journal.add_writes(
            tx,
            A,
            [
                journal.NewWrite("one", 1, WriteKind.CREATE),
                journal.NewWrite("two", 2, WriteKind.APPLY, "41"),
            ],
        )
    async with db.begin("answer") as tx:
        await journal.answer_writes(tx, {"two": WriteAnswer.refused(409), "nobody's": WriteAnswer.unsent()})
    async with db.read() as tx:
        one, two = await journal.writes_of_task(tx, A)
        owners = await journal.owners_of(tx, ["one", "unknown", *(f"x{n}" for n in range(2000))])
    assert (one.seq, one.kind, one.base_version, one.answer, one.answered_at) == (1, WriteKind.CREATE, None, None, None)
    assert (two.seq, two.kind, two.base_version, two.answer) == (2, WriteKind.APPLY, "41", WriteAnswer.refused(409))
    assert two.answered_at is not None
    assert owners.keys() == {"one"}
    owner = owners["one"]
    assert (owner.task_id, owner.status, owner.cleanup) == (A, TaskStatus.WAITING, Cleanup.NONE)
    assert (owner.kind, owner.state, owner.uid) == (WriteKind.CREATE, ResourceState.INTENT, None)
    with pytest.raises(Duplicate) as raised:
        async with db.begin("again") as tx:
            await journal.add_writes(tx, A, [journal.NewWrite("one", 1, WriteKind.DELETE)])
    assert raised.value.constraint == "pk_writes"
    with pytest.raises(Duplicate) as raised:
        async with db.begin("again") as tx:
            await journal.add(tx, A, [journal.NewResource(seq=1, job_seq=1, ref=REF)])
    assert raised.value.constraint == "pk_resources"


async def test_a_write_without_its_resource_is_refused(db: Database) -> None:
    await add_tasks(db, "a")
    with pytest.raises(StoreError):
        async with db.begin("write") as tx:
            await journal.add_writes(tx, A, [journal.NewWrite("one", 1, WriteKind.CREATE)])


async def test_what_stands_of_an_application(db: Database) -> None:
    await add_tasks(db, "a", "b", "c", "d")
    other = ObjectRef("Service", "default", "api")

    async def record(name: str, status: TaskStatus, *rows: tuple[ObjectRef, Purpose, ResourceState, str]) -> None:
        async with db.begin("record") as tx:
            task = await tasks.claim_next(tx, "w", 60, 3)
            assert task is not None
            assert task.id == id_of(name)
            new = [
                journal.NewResource(seq=seq, job_seq=1, ref=ref, purpose=purpose, state=state, uid=uid, before={"x": 1})
                for seq, (ref, purpose, state, uid) in enumerate(rows)
            ]
            await journal.add(tx, task.id, new)
            await tasks.finish(tx, task.id, 1, status, "", Cleanup.NONE)

    async def standing() -> list[tuple[ObjectRef, str | None]]:
        async with db.read() as tx:
            return [(row.ref, row.uid) for row in await holdings.holdings(tx, id_of("shop"))]

    created, deleted = ResourceState.CREATED, ResourceState.DELETED
    await record("a", TaskStatus.COMPLETED, (REF, Purpose.APPLY, created, "u1"), (other, Purpose.APPLY, created, "u2"))
    await record("b", TaskStatus.COMPLETED, (REF, Purpose.APPLY, ResourceState.CHANGED, "u1"))
    assert sorted(await standing()) == [(REF, "u1"), (other, "u2")]
    await record("c", TaskStatus.COMPLETED, (REF, Purpose.REMOVE, deleted, "u1"))
    assert await standing() == [(other, "u2")]
    await record("d", TaskStatus.COMPLETED, (REF, Purpose.APPLY, created, "u3"))
    assert sorted(await standing()) == [(REF, "u3"), (other, "u2")]


async def test_events_in_order(db: Database) -> None:
    await add_tasks(db, "a", "b")
    async with db.begin("events") as tx:
        await events.append_many(tx, A, [TaskEvent(status=TaskStatus.WAITING)])
        await events.append_many(tx, id_of("b"), [TaskEvent(status=TaskStatus.WAITING)])
        await events.append_many(tx, A, [JobEvent(job=n, status=JobStatus.RUNNING) for n in range(3)])
    async with db.read() as tx:
        rows = await events.since(tx, A)
        assert [(row.type, row.data) for row in rows] == [
            ("task", {"status": "waiting"}),
            *(("job", {"job": n, "status": "running", "info": None, "error": None}) for n in range(3)),
        ]
        assert await events.since(tx, A, rows[0].id, 2) == rows[1:3]
        assert await events.since(tx, A, rows[-1].id) == []
        assert await events.states(tx, [A, id_of("none")]) == {A: events.TaskState(rows[-1].id, settled=False)}


async def test_the_events_of_many_tasks_are_read_as_those_of_each(db: Database) -> None:
    names = [f"t{number}" for number in range(120)]  # more than one statement takes
    await add_tasks(db, *names)
    async with db.begin("events") as tx:
        for number, name in enumerate(names):
            await events.append_many(
                tx, id_of(name), [JobEvent(job=n, status=JobStatus.RUNNING) for n in range(number % 4)]
            )
    async with db.read() as tx:
        each = {id_of(name): await events.since(tx, id_of(name)) for name in names}
        states = await events.states(tx, each)
        assert {task_id: state.last for task_id, state in states.items()} == {
            task_id: rows[-1].id if rows else 0 for task_id, rows in each.items()
        }
        assert await events.since_each(tx, dict.fromkeys(each, 0)) == {key: rows for key, rows in each.items() if rows}
        last = {task_id: rows[0].id for task_id, rows in each.items() if rows}
        assert await events.since_each(tx, last) == {key: rows[1:] for key, rows in each.items() if rows[1:]}
        some = await events.since_each(tx, dict.fromkeys(each, 0), limit=2)
        assert all(rows == each[task_id][: len(rows)] for task_id, rows in some.items())
        assert await events.since_each(tx, {}) == {}


async def test_whoever_follows_the_events_misses_none(db: Database) -> None:
    """A key is handed out before its transaction commits: ids must not become visible out of order."""
    await add_tasks(db, "a")
    total, last = 40, 0
    seen: list[tuple[int, int]] = []

    async def write(name: int) -> None:
        for n in range(total // 4):
            async with db.begin("event") as tx:
                await events.append_many(tx, A, [JobEvent(job=n, status=JobStatus.RUNNING, info=str(name))])
                await tx.now()  # one more round trip between the key and the commit

    writers = asyncio.gather(*(write(name) for name in range(4)))
    while not writers.done() or len(seen) < total:
        finished = writers.done()
        async with db.read() as tx:
            rows = await events.since(tx, A, last)
        seen += [(int(row.data["info"]), row.data["job"]) for row in rows]
        last = rows[-1].id if rows else last
        if finished:
            break
    await writers
    assert sorted(seen) == [(by, n) for by in range(4) for n in range(total // 4)]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.just("half a pair: \udc80"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON)
async def test_json_comes_back_as_it_was(db: Database, value: Any) -> None:
    with contextlib.suppress(Duplicate):  # the database is the same for all examples
        await add_tasks(db, "a")
        async with db.begin("intent") as tx:
            await journal.add(tx, A, [journal.NewResource(seq=1, job_seq=1, ref=REF)])
    async with db.begin("note") as tx:
        await journal.update_many(tx, A, [(1, {"dependents": value})])
    async with db.read() as tx:
        (row,) = await journal.of_task(tx, A)
    assert row.dependents == value
    assert repr(row.dependents) == repr(value)
