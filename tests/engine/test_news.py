"""What is told of jobs: in order, nothing after the end, and nothing that is over by then."""

from typing import Any

from kubemin.spec.events import TaskEvent
from kubemin.spec.states import JobStatus, TaskStatus
from kubemin.store import events, jobs, tasks
from tests.engine.held import Held
from tests.engine.instance import Instance, conf, web


async def test_no_news_of_a_job_comes_after_its_end(held: Held) -> None:
    new = [
        jobs.NewJob(
            seq=seq,
            stage=1,
            step="step",
            name=f"web/Deployment/{seq}",
            component="web",
            component_type="webservice",
            kind="Deployment",
            namespace="default",
            object_name=str(seq),
        )
        for seq in (1, 2)
    ]
    async with held.db.begin("jobs") as tx:
        await jobs.insert_many(tx, held.task_id, new)
    held.journal.job(1, JobStatus.RUNNING, "0 of 1", count=(0, 1))
    held.journal.job(1, JobStatus.COMPLETED, "1 of 1", count=(1, 1))
    held.journal.job(2, JobStatus.RUNNING, "0 of 1")
    await held.journal.flush()
    async with held.db.begin("cancel") as tx:  # as the API does it, in another process perhaps
        assert await tasks.cancel(tx, held.task_id, "ada", "no") is not None
        await jobs.end_open(tx, held.task_id, JobStatus.CANCELLED, "no")
        await events.append_many(tx, held.task_id, [TaskEvent(status=TaskStatus.CANCELLED)])
    held.journal.job(1, JobStatus.RUNNING, "late")
    held.journal.job(2, JobStatus.RUNNING, "late")
    held.journal.job(2, JobStatus.COMPLETED)
    await held.journal.flush()
    async with held.db.read() as tx:
        told = await events.since(tx, held.task_id)
        rows = await jobs.of_task(tx, held.task_id)
    assert [(one.type, one.data.get("job"), one.data["status"]) for one in told] == [
        ("job", 1, "running"),
        ("job", 1, "completed"),
        ("job", 2, "running"),
        ("task", None, "cancelled"),
    ]
    assert (told[1].data["ready"], told[1].data["desired"]) == (1, 1)
    place = {name: told[1].data[name] for name in ("step", "stage", "component", "ref")}
    assert place == {"step": "step", "stage": 1, "component": "web", "ref": "Deployment/default/1"}
    assert "ready" not in told[2].data
    assert [(row.status, row.info) for row in rows] == [
        (JobStatus.COMPLETED, "1 of 1"),
        (JobStatus.CANCELLED, "0 of 1"),
    ]


async def test_what_a_job_waited_for_is_not_told_once_it_is_ready(instance: Instance) -> None:
    app_id = await instance.save([conf("settings", a="1"), web("api", "api:slow-1", replicas=2)])
    async with instance.worker():
        task_id = await instance.exec(app_id)
        assert (await instance.settled(task_id)).status is TaskStatus.COMPLETED
    by_kind = {job.kind: job.info for job in await instance.jobs(task_id)}
    assert by_kind["Deployment"].endswith("2 of 2 replicas are available")
    assert by_kind["ConfigMap"] == by_kind["Service"] == ""
    async with instance.db.read() as tx:
        told = [one.data for one in await events.since(tx, task_id) if one.type == "job"]
    counts: list[Any] = [(one["status"], one["ready"], one["desired"]) for one in told if "ready" in one]
    assert {desired for _, _, desired in counts} == {2}
    assert counts[-1] == ("completed", 2, 2)
    assert not [one for one in told if one["status"] == "running" and "2 of 2 replicas" in (one["info"] or "")]
