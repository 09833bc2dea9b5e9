"""A kill and a cancel at every point of a deploy and of a rollback: the cluster is complete, or as it was.

Each case is a real process that dies by SIGKILL, or a cancel at that point, and a second process that goes on from
the database alone. `make proof` takes points by name, which every run passes, and all points by number. `make test`
takes half of those by name: of a pair of a kill and a cancel, each has the points that the other one has not.
Which point has which number differs from run to run: jobs go on side by side, and what they record shares commits.
"""

import fnmatch
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from kubemin.cluster import Cluster
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import ExecOptions, TaskService
from kubemin.engine.entry.sources import Posted
from kubemin.engine.objects.diff import changed_paths
from kubemin.engine.objects.ownership import token_of
from kubemin.signals import LocalHub, LocalSignals
from kubemin.spec.application import parse_application
from kubemin.spec.limits import Limits
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, RevisionState, TaskStatus
from kubemin.store import Database, revisions
from kubemin.store.tasks import Task
from kubesim.server import SimServer
from tests.engine.child import Point, Script, run_child
from tests.engine.instance import Instance, conf, secret, store, web
from tests.waiting import PATIENCE

FORMER = [conf("settings", a="1", old="x"), web("api", "api:1"), conf("gone", a="1")]
"""What the cluster has of the application before; its last component is not in the next revision."""
QUICKLY_HOPELESS = {"properties": {"ports": [{"port": 80}], "hopelessAfter": 1}}
SPEC = [conf("settings", a="2", b="3"), secret("keys", token="t"), store("db"), web("api", "api:2")]
WAITING = [*SPEC, web("late", "late:never")]
"""An application that never completes: a cancel does not come too late."""
PAUSED: list[dict[str, Any]] = [
    {"name": "base", "components": ["settings", "keys"]},
    {"name": "approve", "type": "pause"},
    {"name": "rest", "mode": "DAG", "components": ["db", "api"]},
]
EXTRAS = [
    conf("first", a="1"),
    secret("second", b="2"),
    store("more"),
    web("broken", "broken:pull", **QUICKLY_HOPELESS),
]
CONTINUED: list[dict[str, Any]] = [
    {"name": "base", "components": ["settings", "keys"]},
    {"name": "extras", "mode": "DAG", "components": ["first", "second", "more", "broken"], "onFailure": "continue"},
    {"name": "rest", "mode": "DAG", "components": ["db", "api"]},
]
"""Whatever becomes of its second step, it is complete without that."""
KILLED = -9
ANY = "*"
"""What a point by number is named by."""


@dataclass
class Stage:
    """A cluster with things in it, an application in the database, a task to run: the start of every case."""

    instance: Instance
    app_id: str
    task_id: str
    before: dict[ObjectRef, Manifest]
    script: Script
    former: int | None = None
    """The revision that the cluster has at first."""


class World:
    """Sets the stage for one case."""

    def __init__(
        self,
        folder: Path,
        spec: Sequence[dict[str, Any]] = SPEC,
        workflow: Sequence[dict[str, Any]] = (),
        former: Sequence[dict[str, Any]] = (),
    ) -> None:
        self._folder = folder
        self._spec = spec
        self._workflow = list(workflow)
        self._former = former

    async def __aenter__(self) -> Stage:
        self._sim = await SimServer(speed=100).__aenter__()
        self._cluster = await Cluster.connect(kubeconfig=None, context=None, url=self._sim.url, timeout=PATIENCE)
        url = f"sqlite:///{self._folder}/kubemin.db"
        self._db = await Database.open(url)
        hub = LocalHub()
        service = TaskService(self._db, LocalSignals(hub), LocalDoorbell(), Limits())
        instance = Instance(self._db, self._sim, self._cluster, service, hub)
        if self._former:
            app_id, former = await _apply(instance, self._former)
            await _bystander(instance)
            before = await instance.snapshot()
            task_id = (await instance.service.run(_posted(self._spec), ExecOptions(), "ada")).id
        else:
            app_id, former = await instance.save(self._spec, workflow=self._workflow or None), None
            await _furnish(instance, app_id)
            before = await instance.snapshot()
            task_id = await instance.exec(app_id)
        points = str(self._folder / "points")
        return Stage(instance, app_id, task_id, before, Script(url, self._sim.url, app_id, task_id, points), former)

    async def __aexit__(self, *_: object) -> None:
        await self._cluster.aclose()
        await self._db.aclose()
        await self._sim.__aexit__(None, None, None)


def _posted(spec: Sequence[dict[str, Any]]) -> Posted:
    return Posted(parse_application({"name": "shop", "component": list(spec)}))


async def _apply(instance: Instance, spec: Sequence[dict[str, Any]]) -> tuple[str, int | None]:
    """Apply it to the end; the application's id, and the revision."""
    async with instance.worker():
        task = await instance.service.run(_posted(spec), ExecOptions(), "ada")
        task = await instance.settled(task.id)
    assert task.status is TaskStatus.COMPLETED, task.reason
    return task.app_id, task.revision


async def _bystander(instance: Instance, *others: str) -> None:
    for name in ("bystander", *others):
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1", "old": "x"}}
        instance.sim.registry.create("configmaps", "default", config, manager="kubectl")


async def _furnish(instance: Instance, app_id: str) -> None:
    """Things that were there before: a ConfigMap and a Deployment that the deploy changes, one that it never sees."""
    registry = instance.sim.registry
    await _bystander(instance, "settings")
    name = "shop-api"
    labels = {"app.kubernetes.io/name": "api", "kubemin.io/app-id": app_id}
    old: Manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "api", "image": "api:1"}]},
            },
        },
    }
    instance.adopts = True
    registry.create("deployments", "default", old, manager="kubectl")

    async def rolled_out() -> bool:
        return bool(registry.get("deployments", "default", name).get("status", {}).get("availableReplicas"))

    await instance.until(rolled_out)


@pytest.fixture
async def world(tmp_path: Path, migrated: Path) -> World:
    shutil.copy(migrated, tmp_path / "kubemin.db")
    return World(tmp_path)


@pytest.fixture
async def waiting(tmp_path: Path, migrated: Path) -> World:
    shutil.copy(migrated, tmp_path / "kubemin.db")
    return World(tmp_path, WAITING)


@pytest.fixture
async def paused(tmp_path: Path, migrated: Path) -> World:
    shutil.copy(migrated, tmp_path / "kubemin.db")
    return World(tmp_path, workflow=PAUSED)


@pytest.fixture
async def continued(tmp_path: Path, migrated: Path) -> World:
    shutil.copy(migrated, tmp_path / "kubemin.db")
    return World(tmp_path, [*SPEC, *EXTRAS], CONTINUED)


@pytest.fixture
async def over_former(tmp_path: Path, migrated: Path) -> World:
    shutil.copy(migrated, tmp_path / "kubemin.db")
    return World(tmp_path, former=FORMER)


def expire_leases(stage: Stage) -> None:
    """What time would do: the dead worker's lease runs out."""
    engine = create_engine(stage.script.database)
    with engine.begin() as connection:
        connection.execute(text("UPDATE tasks SET lease_expires_at = 1 WHERE lease_expires_at IS NOT NULL"))
    engine.dispose()


async def run(stage: Stage, *, cancel_at: Point | None = None, kill_at: Point | None = None) -> None:
    """Run the task in a child that is cancelled, or dies, or both; if it died, in a second one that goes on.

    Fails if it does not pass the points, but for those by number, as there may be fewer.
    """
    code = await run_child(replace(stage.script, cancel_at=cancel_at, kill_at=kill_at))
    passed = "".join(f"\n  {label}" for label in labels(stage))
    if cancel_at is not None and cancel_at.label != ANY:
        assert was_passed(stage, cancel_at), f"{cancel_at} was not passed:{passed}"
    if kill_at is not None and kill_at.label != ANY:
        assert code == KILLED, f"{kill_at} was not passed:{passed}"
    assert code in (0, KILLED)
    if code == KILLED:
        expire_leases(stage)
        assert await run_child(stage.script) == 0


def labels(stage: Stage) -> list[str]:
    """What the points are called that were passed so far."""
    return Path(stage.script.points).read_text().splitlines()


def was_passed(stage: Stage, point: Point) -> bool:
    """Whether the run came by."""
    return len(fnmatch.filter(labels(stage), point.label)) >= point.nth


async def check(stage: Stage, *, but: Sequence[str] = ()) -> TaskStatus:
    """The promise: complete, ``but`` for components whose step may fail, or as it was."""
    task = await stage.instance.task(stage.task_id)
    after = await stage.instance.snapshot()
    await _check_revisions(stage, task)
    if task.status is TaskStatus.COMPLETED:
        assert shape(after) == complete(stage), task
        for job in await stage.instance.jobs(stage.task_id):
            assert (job.status == "completed") is (job.component not in but), job
    else:
        assert task.cleanup is Cleanup.DONE if task.lease_epoch else Cleanup.NONE, task.cleanup_why
        assert not (found := differences(stage.before, after)), "\n".join(found)
        if stage.former is None:
            assert await _unclaimed(stage) == []
    bystander = ObjectRef("ConfigMap", "default", "bystander")
    assert after[bystander] == stage.before[bystander]
    return task.status


async def _check_revisions(stage: Stage, task: Task) -> None:
    """The current revision is the task's, if that completed, else the former one; no other has a say."""
    async with stage.instance.db.read() as tx:
        states = {row.number: row.state for row in await revisions.of_application(tx, stage.app_id)}
    completed = task.status is TaskStatus.COMPLETED
    before = RevisionState.SUPERSEDED if completed else RevisionState.CURRENT
    after = RevisionState.CURRENT if completed else RevisionState(task.status)
    assert states == {task.revision: after} | ({} if stage.former is None else {stage.former: before})


def differences(before: dict[ObjectRef, Manifest], after: dict[ObjectRef, Manifest]) -> list[str]:
    """What is not as it was, for a person to read."""
    found = [f"{ref} is gone" for ref in before if ref not in after]
    found += [f"{ref} is new" for ref in after if ref not in before]
    for ref, obj in before.items():
        if ref in after and after[ref] != obj:
            paths = ", ".join(changed_paths(obj, after[ref]))
            metas = [{k: v for k, v in one["metadata"].items() if k != "name"} for one in (obj, after[ref])]
            found.append(f"{ref} differs in {paths}: {metas[0]} became {metas[1]}")
    return found


async def _unclaimed(stage: Stage) -> list[str]:
    left = []
    for kind in ("ConfigMap", "Secret", "Service", "Deployment", "StatefulSet", "PersistentVolumeClaim", "Pod"):
        for item in (await stage.instance.cluster.list(kind)).items:
            if token_of(item) or (kind == "Pod" and "deletionTimestamp" not in item["metadata"]):
                ref = ObjectRef.of(item)
                if ref.kind != "Pod" or "api" not in ref.name:
                    left.append(str(ref))
    return left


def shape(snapshot: dict[ObjectRef, Manifest]) -> dict[str, Any]:
    """What the deploy was to make, by what matters of it."""
    shape: dict[str, Any] = {}
    for ref, obj in snapshot.items():
        if ref.kind in ("ConfigMap", "Secret") and ref.name != "kube-root-ca.crt":
            shape[str(ref)] = obj["data"]
        if ref.kind in ("Deployment", "StatefulSet"):
            shape[str(ref)] = obj["spec"]["template"]["spec"]["containers"][0]["image"]
        if ref.kind in ("Service", "PersistentVolumeClaim") and ref.name != "kubernetes":
            shape[str(ref)] = True
    return shape


def complete(stage: Stage) -> dict[str, Any]:
    """What a completed deploy leaves, by what matters of it."""
    ns = "default"
    adopted = {} if stage.former else {"old": "x"}
    return {
        f"ConfigMap/{ns}/bystander": {"a": "1", "old": "x"},
        f"ConfigMap/{ns}/settings": {"a": "2", "b": "3", **adopted},
        f"Secret/{ns}/keys": {"token": "dA=="},
        f"Deployment/{ns}/shop-api": "api:2",
        f"StatefulSet/{ns}/shop-db": "db:1",
        f"Service/{ns}/shop-api": True,
        f"Service/{ns}/shop-db": True,
        f"Service/{ns}/shop-db-headless": True,
        f"PersistentVolumeClaim/{ns}/data-shop-db-0": True,
    }


IN_A_DEPLOY = [
    Point("commit:start:before"),
    Point("call:create:Secret/keys:after"),
    Point("call:apply:ConfigMap/settings:after"),
    Point("commit:*answer*:after"),
    Point("call:create:StatefulSet/*:before"),
    Point("call:apply:Deployment/shop-api:after"),
    Point("commit:finish:before"),
]
IN_A_ROLLBACK = [
    Point("commit:finish:after"),
    Point("commit:evidence:before"),
    Point("commit:evidence:after"),
    Point("commit:cleanup-running:after"),
    Point("call:replace:ConfigMap/settings:after"),
    Point("call:delete:Service/shop-api:after"),
    Point("call:delete:StatefulSet/*:before"),
    Point("call:delete:PersistentVolumeClaim/*:before"),
    Point("commit:cleanup-done:before"),
]
DEPLOY_POINTS, ROLLBACK_POINTS = 55, 75
"""More than a run passes, also on a busy machine, where leases are renewed more often."""

ALL_MADE = Point("call:apply:Deployment/shop-api:after")


def points(named: list[Point], count: int, first: int) -> list[Any]:
    """Each third of the named ones, from the ``first`` on, for `make test`; the others for `make proof`.

    All by number for `make proof`, too.
    """
    numbered = [Point(ANY, number) for number in range(1, count + 1)]
    others = [point for position, point in enumerate(named) if position % 3 != first]
    return [*named[first::3], *(pytest.param(point, marks=pytest.mark.proof) for point in [*others, *numbered])]


@pytest.mark.parametrize("point", points(IN_A_DEPLOY, DEPLOY_POINTS, 1), ids=str)
async def test_killed_while_it_deploys(world: World, point: Point) -> None:
    async with world as stage:
        await run(stage, kill_at=point)
        assert await check(stage) is TaskStatus.COMPLETED


@pytest.mark.parametrize("point", points(IN_A_DEPLOY, DEPLOY_POINTS, 2), ids=str)
async def test_cancelled_while_it_deploys(world: World, point: Point) -> None:
    async with world as stage:
        await run(stage, cancel_at=point)
        await check(stage)


@pytest.mark.parametrize("point", points(IN_A_ROLLBACK, ROLLBACK_POINTS, 1), ids=str)
async def test_killed_while_it_rolls_back(waiting: World, point: Point) -> None:
    """Cancelled when all is made but not yet ready; killed at a point after that."""
    async with waiting as stage:
        await run(stage, cancel_at=ALL_MADE, kill_at=point)
        assert await check(stage) is TaskStatus.CANCELLED


IN_AN_APPLY = [
    Point("commit:start:before"),
    Point("call:apply:ConfigMap/settings:after"),
    Point("call:create:StatefulSet/*:before"),
    Point("call:apply:Deployment/shop-api:after"),
    Point("commit:finish:before"),
]
AFTER_AN_APPLY = [
    Point("commit:finish:after"),
    Point("commit:cleanup-running:after"),
    Point("call:delete:ConfigMap/*gone:before"),
    Point("call:delete:ConfigMap/*gone:after"),
    Point("commit:cleanup-done:before"),
]
"""It is completed, and removes what it no longer has."""
APPLY_POINTS = 65


@pytest.mark.parametrize("point", points([*IN_AN_APPLY, *AFTER_AN_APPLY], APPLY_POINTS, 2), ids=str)
async def test_killed_while_it_applies_over_a_former_revision(over_former: World, point: Point) -> None:
    async with over_former as stage:
        await run(stage, kill_at=point)
        assert await check(stage) is TaskStatus.COMPLETED


@pytest.mark.parametrize("point", points([*IN_AN_APPLY, AFTER_AN_APPLY[0]], APPLY_POINTS, 1), ids=str)
async def test_cancelled_while_it_applies_over_a_former_revision(over_former: World, point: Point) -> None:
    """The former revision stays current, or the new one has become so: `check` says which."""
    async with over_former as stage:
        await run(stage, cancel_at=point)
        await check(stage)


IN_A_PAUSE = [
    Point("commit:*job*:after", 2),
    Point("commit:promote:before"),
    Point("commit:promote:after"),
    Point("call:create:StatefulSet/*:before"),
]
IN_A_CONTINUED_STEP = [
    Point("call:create:Deployment/shop-broken:after"),
    Point("commit:step-failed:before"),
    Point("commit:step-failed:after"),
    Point("call:delete:ConfigMap/first:before"),
    Point("call:delete:Secret/second:after"),
    Point("call:apply:Deployment/shop-api:before"),
]
PAUSE_POINTS, CONTINUED_POINTS = 60, 110


@pytest.mark.parametrize("point", points(IN_A_PAUSE, PAUSE_POINTS, 2), ids=str)
async def test_killed_with_a_pause(paused: World, point: Point) -> None:
    """It waits again unless it was promoted; then it never waits again."""
    async with paused as stage:
        stage.script = replace(stage.script, promotes=True)
        await run(stage, kill_at=point)
        assert await check(stage) is TaskStatus.COMPLETED


@pytest.mark.parametrize("point", points(IN_A_PAUSE, PAUSE_POINTS, 1), ids=str)
async def test_cancelled_with_a_pause(paused: World, point: Point) -> None:
    async with paused as stage:
        stage.script = replace(stage.script, promotes=True)
        await run(stage, cancel_at=point)
        await check(stage)


@pytest.mark.parametrize("point", points(IN_A_CONTINUED_STEP, CONTINUED_POINTS, 1), ids=str)
async def test_killed_while_a_step_fails_that_may(continued: World, point: Point) -> None:
    async with continued as stage:
        await run(stage, kill_at=point)
        assert await check(stage, but=_NAMES_OF_EXTRAS) is TaskStatus.COMPLETED


@pytest.mark.parametrize("point", points(IN_A_CONTINUED_STEP, CONTINUED_POINTS, 2), ids=str)
async def test_cancelled_while_a_step_fails_that_may(continued: World, point: Point) -> None:
    async with continued as stage:
        await run(stage, cancel_at=point)
        await check(stage, but=_NAMES_OF_EXTRAS)


_NAMES_OF_EXTRAS = [component["name"] for component in EXTRAS]


@pytest.mark.proof
async def test_no_deploy_has_more_points_than_are_tried(world: World) -> None:
    async with world as stage:
        await run(stage)
        assert len(labels(stage)) < DEPLOY_POINTS


@pytest.mark.proof
async def test_no_apply_over_a_former_revision_has_more_points_than_are_tried(over_former: World) -> None:
    async with over_former as stage:
        await run(stage)
        assert len(labels(stage)) < APPLY_POINTS


@pytest.mark.proof
async def test_no_run_with_a_pause_has_more_points_than_are_tried(paused: World) -> None:
    async with paused as stage:
        stage.script = replace(stage.script, promotes=True)
        await run(stage)
        assert len(labels(stage)) < PAUSE_POINTS


@pytest.mark.proof
async def test_no_run_whose_step_fails_has_more_points_than_are_tried(continued: World) -> None:
    async with continued as stage:
        await run(stage)
        assert len(labels(stage)) < CONTINUED_POINTS


@pytest.mark.proof
async def test_no_rollback_has_more_points_than_are_tried(waiting: World) -> None:
    async with waiting as stage:
        await run(stage, cancel_at=ALL_MADE)
        assert await check(stage) is TaskStatus.CANCELLED
        passed = labels(stage)
        (made,) = fnmatch.filter(passed, ALL_MADE.label)
        assert len(passed) - passed.index(made) - 1 < ROLLBACK_POINTS
