"""The applications of `examples/`: each is deployed; when it is cancelled, or killed too, it leaves nothing."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from kubemin.engine import ExecOptions
from kubemin.engine.entry.sources import Posted
from kubemin.render import render
from kubemin.spec.application import parse_application
from kubemin.spec.states import Cleanup, JobStatus, TaskStatus
from kubemin.store import jobs
from tests.bundles.test_bundles import ANY, Stopped, differences, everything, run_killed, script_of
from tests.engine.child import Point
from tests.engine.conftest import cluster, db, instance, pytest_asyncio_loop_factories, sim
from tests.engine.instance import PATIENT, Instance

__all__ = ["cluster", "db", "instance", "pytest_asyncio_loop_factories", "sim"]

FOLDER = Path(__file__).parents[1] / "examples"
APPLICATIONS = {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}
DRAWS = 6


def read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(APPLICATIONS[name].read_text())
    return data


def every(*daily: str) -> list[Any]:
    """All of them for `make proof`; for `make test` those named."""
    return [name if name in daily else pytest.param(name, marks=pytest.mark.proof) for name in APPLICATIONS]


def test_there_are_as_many_as_the_readme_tells_of() -> None:
    told = (FOLDER / "README.md").read_text()
    assert [name for name in APPLICATIONS if f"({name}.yaml)" not in told] == []
    assert len(APPLICATIONS) == 12


@pytest.mark.parametrize("name", every("web-with-postgres", "microservices"))
async def test_it_is_deployed(instance: Instance, name: str) -> None:
    """Whoever has to promote it does."""
    application = parse_application(read(name))
    async with instance.worker(PATIENT):
        task_id = (await instance.service.run(Posted(application), ExecOptions(), "ada")).id

        async def held() -> bool | None:
            async with instance.db.read() as tx:
                holds = await jobs.holds_of(tx, task_id)
            waits = any(job.status is JobStatus.RUNNING for job in holds)
            return True if waits or (await instance.task(task_id)).status.ended else None

        await instance.until(held)
        if not (await instance.task(task_id)).status.ended:
            await instance.service.promote(task_id, "ada")
        task = await instance.settled(task_id)
    assert (task.status, task.reason) == (TaskStatus.COMPLETED, "")


def drawn(*daily: str) -> list[Any]:
    """Names and draws for `make proof`; for `make test` the first draw of those named."""
    return [
        pytest.param(name, draw, marks=[] if draw == 0 and name in daily else [pytest.mark.proof])
        for name in APPLICATIONS
        for draw in range(DRAWS)
    ]


@pytest.mark.parametrize(("name", "draw"), drawn("wiki", "chat"))
async def test_a_cancel_leaves_nothing(instance: Instance, name: str, draw: int) -> None:
    data = read(name)
    data.pop("workflow", None)  # a hold would wait for somebody before the write that is drawn
    count = len(render(parse_application(data)))
    before = everything(instance)
    stopped = Stopped(instance, Random(f"{name} {draw}").randint(1, count))
    task = await stopped.run(parse_application(data))
    assert (task.status, task.cleanup, task.cleanup_why) == (TaskStatus.CANCELLED, Cleanup.DONE, "")
    assert differences(before, everything(instance)) == []


@pytest.mark.parametrize(("name", "draw"), drawn())
async def test_a_cancel_whose_worker_is_killed_leaves_nothing(
    instance: Instance, tmp_path: Path, name: str, draw: int
) -> None:
    """Cancelled at a write, and killed at any point before or after that; another worker goes on."""
    data = read(name)
    data.pop("workflow", None)
    application, random = parse_application(data), Random(f"killed {name} {draw}")
    count = len(render(application))
    before = everything(instance)
    task = await instance.service.run(Posted(application), ExecOptions(), "ada")
    task = await run_killed(
        instance,
        script_of(instance, tmp_path, task),
        cancel_at=Point("call:create:*:before", random.randint(1, count)),
        kill_at=Point(ANY, random.randint(1, 2 * count)),
    )
    assert (task.status, task.cleanup, task.cleanup_why) == (TaskStatus.CANCELLED, Cleanup.DONE, "")
    assert differences(before, everything(instance)) == []
