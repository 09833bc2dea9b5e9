"""What a request waits for before it is sent, and what is committed beside it (`kubemin.engine.journal.batch`)."""

import pytest

from kubemin.engine.journal import batch
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import JobStatus, WriteKind
from kubemin.store import events, jobs, journal
from tests.engine.held import Held

ONE = ObjectRef("ConfigMap", "default", "one")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody waits for is not committed by itself."""
    monkeypatch.setattr(batch, "_LINGER", 3600.0)


async def with_a_job(held: Held, count: int = 1) -> None:
    new = [
        jobs.NewJob(
            seq=seq,
            stage=0,
            step="step",
            name="one",
            component="",
            component_type="",
            kind="ConfigMap",
            namespace="",
            object_name="one",
        )
        for seq in range(1, count + 1)
    ]
    async with held.db.begin("job") as tx:
        await jobs.insert_many(tx, held.task_id, new)


async def stored(held: Held) -> tuple[JobStatus, int]:
    """The job's status, and how many requests are recorded."""
    async with held.db.read() as tx:
        (job,) = await jobs.of_task(tx, held.task_id)
        return job.status, len(await journal.writes_of_task(tx, held.task_id))


async def test_a_request_waits_for_its_record_and_not_for_how_jobs_ended(held: Held) -> None:
    """That its job has begun is stored with it. Whoever waits for everything gets it all."""
    await with_a_job(held)
    held.journal.job(1, JobStatus.RUNNING)
    await held.journal.write_ahead(held.tracker().resource(ONE), WriteKind.CREATE)
    assert await stored(held) == (JobStatus.RUNNING, 1)
    held.journal.job(1, JobStatus.COMPLETED)
    await held.journal.write_ahead(held.tracker().resource(ONE), WriteKind.CREATE)
    assert await stored(held) == (JobStatus.RUNNING, 2)
    await held.journal.flush()
    assert await stored(held) == (JobStatus.COMPLETED, 2)


async def test_that_a_job_is_not_needed_is_stored_with_the_first_request(held: Held) -> None:
    await with_a_job(held)
    held.journal.job(1, JobStatus.SKIPPED)
    await held.journal.write_ahead(held.tracker().resource(ONE), WriteKind.CREATE)
    assert await stored(held) == (JobStatus.SKIPPED, 1)


async def test_what_was_put_off_is_part_of_what_is_still_to_be_committed(held: Held) -> None:
    await with_a_job(held)
    held.journal.job(1, JobStatus.COMPLETED)
    await held.journal.write_ahead(held.tracker().resource(ONE), WriteKind.CREATE)
    assert await stored(held) == (JobStatus.QUEUED, 1)
    pending = await held.journal.take_pending()
    assert pending is not None
    async with held.journal.lease.begin(held.db, "finish") as tx:
        await batch.write_changes(tx, held.task_id, pending)
    assert await stored(held) == (JobStatus.COMPLETED, 1)


async def test_a_job_begins_after_those_that_ended_before_it(held: Held) -> None:
    """In the database and in the stream of events, however they share commits."""
    await with_a_job(held, 3)
    held.journal.job(1, JobStatus.COMPLETED)
    held.journal.job_begins(2)
    held.journal.job(3, JobStatus.COMPLETED)
    await held.journal.write_ahead(held.tracker().resource(ONE), WriteKind.CREATE)
    async with held.db.read() as tx:
        told = [event for event in await events.since(tx, held.task_id) if event.type == "job"]
    assert [(one.data["job"], one.data["status"]) for one in told] == [(1, "completed"), (2, "running")]


async def test_what_is_due_is_not_put_off(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast requests follow each other."""
    monkeypatch.setattr(batch, "_LINGER", -1.0)
    await with_a_job(held)
    held.journal.job(1, JobStatus.COMPLETED)
    await held.journal.write_ahead(held.tracker().resource(ONE), WriteKind.CREATE)
    assert await stored(held) == (JobStatus.COMPLETED, 1)
