"""A kill and a cancel at every point of a canary and of a blue-green: the new version is there, or the former one.

As `test_points.py` does it, with a client that asks through the Service from before the run to after its cleanup.
"""

import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kubemin.cluster import Cluster
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import TaskService
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.limits import Limits
from kubemin.spec.states import Cleanup, JobStatus, TaskStatus
from kubemin.store import Database, revisions
from kubesim.server import SimServer
from tests.engine.child import Point, Script
from tests.engine.instance import Instance, web
from tests.engine.serving import Client, asking
from tests.engine.test_points import ANY, Stage, differences, run
from tests.waiting import PATIENCE

CANARY: dict[str, Any] = {"type": "canary", "steps": [{"weight": 50}]}
BLUE_GREEN: dict[str, Any] = {"type": "blue-green", "promote": True}
LATE = web("late", "late:never")
"""What keeps the last stage of a run from its end: a cancel does not come too late."""


@dataclass
class Replaced(Stage):
    """The start of a case: version 1 is deployed, version 2 is to run; ``client`` asks all the time."""

    client: Client = field(kw_only=True)


Make = Callable[..., AbstractAsyncContextManager[Replaced]]


@pytest.fixture
def replacing(tmp_path: Path, migrated: Path) -> Make:
    """Sets the stage for one case."""

    @asynccontextmanager
    async def make(strategy: dict[str, Any], *more: dict[str, Any]) -> AsyncIterator[Replaced]:
        shutil.copy(migrated, tmp_path / "kubemin.db")
        url = f"sqlite:///{tmp_path}/kubemin.db"
        async with SimServer(speed=100) as sim:
            cluster = await Cluster.connect(kubeconfig=None, context=None, url=sim.url, timeout=PATIENCE)
            db, hub = await Database.open(url), LocalHub()
            service = TaskService(db, LocalSignals(hub), LocalDoorbell(), Limits())
            instance = Instance(db, sim, cluster, service, hub)
            app_id = await instance.save([web("api", "api:1", replicas=2)])
            async with instance.worker():
                first = await instance.settled(await instance.exec(app_id))
            assert first.status is TaskStatus.COMPLETED, first.reason
            before = await instance.snapshot()
            await instance.save([web("api", "api:2", replicas=2, strategy=strategy), *more], app_id=app_id)
            task_id = await instance.exec(app_id)
            script = Script(url, sim.url, app_id, task_id, str(tmp_path / "points"), promotes=True)
            with asking(sim, "shop-api") as client:
                yield Replaced(instance, app_id, task_id, before, script, client=client)
            await cluster.aclose()
            await db.aclose()

    return make


async def check(stage: Replaced, **more: str) -> TaskStatus:
    """The promise: the new version alone (and ``more``), or all as it was, in cluster and database.

    And the Service answered after each change.
    """
    task = await stage.instance.task(stage.task_id)
    after = await stage.instance.snapshot()
    deployments = {
        ref.name: obj["spec"]["template"]["spec"]["containers"][0]["image"]
        for ref, obj in after.items()
        if ref.kind == "Deployment"
    }
    completed = task.status is TaskStatus.COMPLETED
    if completed:
        assert deployments == {"shop-api": "api:2", **{f"shop-{name}": image for name, image in more.items()}}, task
    else:
        assert task.cleanup is Cleanup.DONE if task.lease_epoch else Cleanup.NONE, task.cleanup_why
        assert not (found := differences(stage.before, after)), "\n".join(found)
    async with stage.instance.db.read() as tx:
        current = await revisions.current(tx, stage.app_id)
    assert current is not None
    assert current.spec["component"][0]["image"] == ("api:2" if completed else "api:1")
    assert stage.client.unanswered == []
    assert stage.client.images[-1] == ({"api:2"} if completed else {"api:1"})
    return task.status


CREATED, PROMOTED = "call:create:Deployment/shop-api-canary:after", "commit:promote:after"
SWITCHED, CHANGED = "call:apply:Service/shop-api:after", "call:apply:Deployment/shop-api:after"
REMOVES = "call:delete:Deployment/shop-api-*:before"
KILLED = [(CANARY, Point(PROMOTED)), (BLUE_GREEN, Point(REMOVES))]
ALSO_KILLED = [(CANARY, Point(CREATED)), (BLUE_GREEN, Point(SWITCHED))]
CANCELLED = [(CANARY, Point(CHANGED)), (BLUE_GREEN, Point(SWITCHED))]
KILLED_AS_IT_GOES_BACK = [(BLUE_GREEN, Point(REMOVES))]
"""One of each kind, for `make test`: a promote, the switch, the workload itself, the removal. What comes beside is made
in `test_a_successor_does_not_take_what_is_new_for_what_is_to_be_replaced`."""
COUNT = 70
"""More points than a run passes."""


def cases(named: list[tuple[dict[str, Any], Point]], more: Sequence[tuple[dict[str, Any], Point]] = ()) -> list[Any]:
    """Strategy and point: the named ones for `make test`; ``more``, and all by number, for `make proof`."""
    numbers = range(1, COUNT + 1)
    numbered = [(strategy, Point(ANY, number)) for strategy in (CANARY, BLUE_GREEN) for number in numbers]
    return [
        *(pytest.param(strategy, point, id=f"{strategy['type']}-{point}") for strategy, point in named),
        *(
            pytest.param(strategy, point, marks=pytest.mark.proof, id=f"{strategy['type']}-{point}")
            for strategy, point in [*more, *numbered]
        ),
    ]


@pytest.mark.parametrize(("strategy", "point"), cases(KILLED, ALSO_KILLED))
async def test_killed_while_it_replaces(replacing: Make, strategy: dict[str, Any], point: Point) -> None:
    async with replacing(strategy) as stage:
        await run(stage, kill_at=point)
        assert await check(stage) is TaskStatus.COMPLETED


@pytest.mark.parametrize(("strategy", "point"), cases(CANCELLED))
async def test_cancelled_while_it_replaces(replacing: Make, strategy: dict[str, Any], point: Point) -> None:
    async with replacing(strategy) as stage:
        await run(stage, cancel_at=point)
        await check(stage)


LAST = {"canary": Point(CHANGED), "blue-green": Point(SWITCHED)}
"""After these the Pods that a client gets are no more those of the former version alone."""


@pytest.mark.parametrize(("strategy", "point"), cases(KILLED_AS_IT_GOES_BACK))
async def test_killed_while_it_goes_back(replacing: Make, strategy: dict[str, Any], point: Point) -> None:
    async with replacing(strategy, LATE) as stage:
        await run(stage, cancel_at=LAST[strategy["type"]], kill_at=point)
        assert await check(stage) is TaskStatus.CANCELLED


@pytest.mark.parametrize(
    ("strategy", "nth"),
    [
        (CANARY, 1),
        pytest.param(CANARY, 2, marks=pytest.mark.proof),
        pytest.param(BLUE_GREEN, 1, marks=pytest.mark.proof),
        pytest.param(BLUE_GREEN, 2, marks=pytest.mark.proof),
    ],
    ids=["canary-1", "canary-2", "blue-green-1", "blue-green-2"],
)
async def test_a_successor_does_not_take_what_is_new_for_what_is_to_be_replaced(
    replacing: Make, strategy: dict[str, Any], nth: int
) -> None:
    """The dead worker had found no Pods to replace, and made the first ones."""
    async with replacing(strategy, web("new", "new:1", strategy=BLUE_GREEN)) as stage:
        await run(stage, kill_at=Point("call:create:*/shop-new:after", nth))
        assert await check(stage, new="new:1") is TaskStatus.COMPLETED
        skipped = [job.seq for job in await stage.instance.jobs(stage.task_id) if job.status is JobStatus.SKIPPED]
        assert len(skipped) == 3, "its second Deployment, its wait and its Service's switch"
