"""The database as the queue of several workers: one task an application, fair, and cheap to wait in (design §6)."""

from datetime import datetime
from itertools import pairwise
from pathlib import Path

from kubemin.dispatch import redis as doorbell
from kubemin.signals import script as signals
from kubemin.spec.states import TaskStatus
from tests.engine.instance import conf, web
from tests.multi.fleet import Fleet, gated
from tests.multi.processes import Worker
from tests.servers.valkey import Valkey
from tests.waiting import until_true


async def test_two_tasks_of_an_application_never_run_together(fleet: Fleet) -> None:
    app_id = await fleet.app(conf("settings", turn="0"), web("api"))
    tasks = []
    for turn in range(6):
        await fleet.instance.save([conf("settings", turn=str(turn)), web("api")], app_id=app_id)
        tasks.append(await fleet.exec(app_id))
    for _ in range(2):
        fleet.worker()
    spans: list[tuple[datetime, datetime]] = []
    for task_id in tasks:
        task = await fleet.settled(task_id)
        assert task.status is TaskStatus.COMPLETED
        assert task.claimed_at is not None
        assert task.ended_at is not None
        jobs = await fleet.instance.jobs(task_id)
        already_requested = min(job.started_at for job in jobs if job.started_at)
        assert task.claimed_at <= already_requested
        spans.append((task.claimed_at, task.ended_at))
    assert all(former[1] <= later[0] for former, later in pairwise(spans))
    assert len(fleet.made("ConfigMap", "settings")) == 1
    [config] = [obj for ref, obj in (await fleet.snapshot()).items() if ref.name == "settings"]
    assert config["data"] == {"turn": "5"}


async def test_an_application_with_many_tasks_does_not_starve_the_others(fleet: Fleet) -> None:
    greedy = await fleet.app(conf("greedy", a="1"), name="greedy")
    many = [await fleet.exec(greedy) for _ in range(15)]
    modest = [(await fleet.deploy(conf(f"modest-{n}", a="1"), name=f"modest-{n}"))[1] for n in range(3)]
    fleet.worker(max_concurrent_tasks=1)
    fleet.worker(max_concurrent_tasks=1)
    done = [await fleet.settled(task_id) for task_id in modest]
    later = [await fleet.settled(task_id) for task_id in many]
    last = max(task.ended_at for task in done if task.ended_at)
    before = [task for task in later if task.claimed_at and task.claimed_at < last]
    assert len(before) <= 4
    assert {task.status for task in done + later} == {TaskStatus.COMPLETED}


async def test_messages_that_nobody_meant_and_that_come_twice_do_no_harm(fleet: Fleet, valkey: Valkey) -> None:
    """Of the doorbell, and of cancels: a message only makes somebody look."""
    for _ in range(2):
        fleet.worker()
    await until_true(lambda: valkey.run("PUBSUB", "NUMSUB", doorbell.CHANNEL)[1] == 2)
    tasks = [(await fleet.deploy(gated(f"api-{n}"), name=f"shop-{n}"))[1] for n in range(2)]
    with valkey.client() as client:
        for n, task_id in enumerate(tasks):
            await fleet.waits_for(task_id, f"api-{n}")
            for message in (task_id, task_id, "of-no-task", "", b"\xff"):
                client.publish(signals.CHANNEL, message)
                client.publish(doorbell.CHANNEL, message)
        fleet.open()
        for n, task_id in enumerate(tasks):
            client.publish(doorbell.CHANNEL, task_id)
            task = await fleet.settled(task_id)
            assert (task.status, task.lease_epoch, task.attempt) == (TaskStatus.COMPLETED, 1, 1)
            made = [ref for ref, _, _ in fleet.created if ref.name == f"shop-{n}-api-{n}"]
            assert len(made) == len(set(made))


async def test_a_task_that_waits_holds_neither_a_thread_nor_a_connection(fleet: Fleet) -> None:
    worker = fleet.worker(max_concurrent_tasks=40)
    _, first = await fleet.deploy(gated("api-0"), name="shop-0")
    await fleet.waits_for(first, "api-0")
    tasks = [(await fleet.deploy(gated(f"api-{n}"), name=f"shop-{n}"))[1] for n in range(1, 15)]
    for n, task_id in enumerate(tasks, 1):
        await fleet.waits_for(task_id, f"api-{n}")
    threads, sockets = threads_of(worker), sockets_of(worker)
    more = [(await fleet.deploy(gated(f"more-{n}"), name=f"more-{n}"))[1] for n in range(10)]
    for n, task_id in enumerate(more):
        await fleet.waits_for(task_id, f"more-{n}")
    assert threads_of(worker) <= threads + 1
    assert sockets_of(worker) <= sockets + len(more) // 2  # what was done at once may still be kept open
    fleet.open()
    for task_id in [first, *tasks, *more]:
        assert (await fleet.settled(task_id)).status is TaskStatus.COMPLETED


def threads_of(worker: Worker) -> int:
    return len(list(Path(f"/proc/{worker.pid}/task").iterdir()))


def sockets_of(worker: Worker) -> int:
    links = [entry.readlink() for entry in Path(f"/proc/{worker.pid}/fd").iterdir() if entry.is_symlink()]
    return sum(str(link).startswith("socket:") for link in links)
