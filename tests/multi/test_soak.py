"""Many tasks over several workers that are killed all the time: each ends once, and the cluster is their sum."""

import asyncio
import itertools
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from kubemin.engine.errors import TaskEnded
from kubemin.engine.objects.ownership import token_of
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import events, tasks
from kubemin.store.tasks import Task
from tests.engine.instance import conf, web
from tests.multi.fleet import LEASE, Fleet
from tests.multi.processes import Worker

BOUND = 900
"""Seconds for all; a quarter of it is enough when the machine has nothing else to do."""

SETTLED = (Cleanup.NONE, Cleanup.DONE)


@dataclass
class App:
    """An application, the tasks that were asked of it in their order, and what each was to bring about."""

    number: int
    id: str = ""
    turns: list[tuple[str, str]] = field(default_factory=list)
    """Task and what is to become of it: ``good``, ``slow``, ``bad``, ``cancel``."""

    def components(self, turn: int, fate: str) -> list[dict[str, Any]]:
        """Each turn has another configuration and another image."""
        image = f"web:{turn}-" + {"slow": "slow-80", "bad": "pull", "cancel": "never"}.get(fate, "1")
        return [conf(f"settings-{self.number}", turn=str(turn)), web(f"api-{self.number}", image)]


@dataclass
class Soak:
    """One soak; the same seed asks for the same things."""

    fleet: Fleet
    count: int
    machines: int
    kill_every: int
    chance: random.Random = field(default_factory=lambda: random.Random(4))
    apps: list[App] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    kills: int = 0

    async def run(self) -> None:
        """Ask for all tasks, and kill a worker each time that so many more of them have settled."""
        await self._ask()
        for _ in range(self.machines):
            self._start()
        cancelling = asyncio.create_task(self._cancel())
        async with asyncio.timeout(BOUND):
            for goal in itertools.count(self.kill_every, self.kill_every):
                if await self._until_settled(min(goal, self.count)) == self.count:
                    break
                await self._kill_one()
            await cancelling
        for worker in self.workers:
            await worker.said("worker ready")  # from then on it hands over what it has
            assert await worker.terminate() == 0

    async def _ask(self) -> None:
        fates = self.chance.choices(["good", "slow", "bad", "cancel"], [5, 3, 1, 2], k=self.count)
        for fate in fates:
            if not self.apps or self.chance.random() < 0.6:
                self.apps.append(App(len(self.apps)))
            app = self.chance.choice(self.apps[-20:])
            turn = len(app.turns)
            parts = app.components(turn, fate)
            app.id = await self.fleet.instance.save(parts, app_id=app.id, name=f"shop-{app.number}")
            task_id = await self.fleet.exec(app.id, hopeless_after_seconds=0.2 if fate == "bad" else 0)
            app.turns.append((task_id, fate))
        self.apps = [app for app in self.apps if app.turns]

    def _start(self) -> None:
        self.workers.append(
            self.fleet.worker(lease_seconds=LEASE, max_attempts=1000, max_concurrent_tasks=20, cleanup_seconds=30)
        )

    async def _all(self) -> list[Task]:
        async with self.fleet.instance.db.read() as tx:
            return await tasks.page(tx)

    async def _until_settled(self, goal: int) -> int:
        while True:
            settled = sum(task.status.ended and task.cleanup in SETTLED for task in await self._all())
            if settled >= goal:
                return settled
            await asyncio.sleep(0.1)

    async def _kill_one(self) -> None:
        """One that has something to lose."""
        owners = Counter(task.lease_owner for task in await self._all() if task.lease_owner)
        busy = [worker for worker in self.workers if any(f"-{worker.pid}-" in owner for owner in owners)]
        victim = self.chance.choice(busy or self.workers)
        self.workers.remove(victim)
        await victim.kill()
        self.kills += 1
        self._start()

    async def _cancel(self) -> None:
        """Cancel, at one moment or another, those that would never end."""
        doomed = {task_id: app.id for app in self.apps for task_id, fate in app.turns if fate == "cancel"}
        while doomed:
            for task in await self._all():
                if task.id in doomed and task.status is not TaskStatus.WAITING and self.chance.random() < 0.1:
                    try:
                        await self.fleet.instance.service.cancel(doomed.pop(task.id), task.id, "ada", "enough")
                    except TaskEnded as ended:
                        reason = (await self.fleet.task(task.id)).reason
                        raise AssertionError(f"it could not end by itself: {reason}") from ended
            await asyncio.sleep(0.1)

    # -- what must be true afterwards

    async def check(self) -> None:
        """Each task ended once and as it was to; each object is there once, and of a task that completed."""
        ended = {task.id: task for task in await self._all()}
        expected = {"good": "completed", "slow": "completed", "bad": "failed", "cancel": "cancelled"}
        for app in self.apps:
            for task_id, fate in app.turns:
                task = ended[task_id]
                assert task.status == expected[fate], f"{fate}: {task.status}, {task.reason}"
                assert task.cleanup is (Cleanup.NONE if task.status is TaskStatus.COMPLETED else Cleanup.DONE)
                assert await self._ends(task_id) == [task.status]
        found = await self.fleet.snapshot()
        for app in self.apps:
            try:
                self._check_app(
                    app, {task_id for task_id, _ in app.turns if ended[task_id].status == "completed"}, found
                )
            except AssertionError:
                await self._tell(app, found)
                raise
        completed = {task.id for task in ended.values() if task.status is TaskStatus.COMPLETED}
        for kind in ("ConfigMap", "Deployment", "Service"):
            for obj in (await self.fleet.instance.cluster.list(kind)).items:
                if token := token_of(obj):
                    assert token.partition(".")[0] in completed, (
                        f"{ObjectRef.of(obj)} is of a task that did not complete"
                    )

    async def _tell(self, app: App, found: dict[ObjectRef, Manifest]) -> None:
        """Print what a person needs to see why an application is not as it should be."""
        for task_id, fate in app.turns:
            print(fate, await self.fleet.task(task_id))
            for row in await self.fleet.instance.journal(task_id):
                print("   ", row)
        for ref, obj in found.items():
            if app.id in str(obj):
                print(ref, obj)

    async def _ends(self, task_id: str) -> list[str]:
        async with self.fleet.instance.db.read() as tx:
            told = await events.since(tx, task_id, 0, 10_000)
        statuses = [event.data.get("status") for event in told if event.type == "task"]
        return [status for status in statuses if status and TaskStatus(status).ended]

    def _check_app(self, app: App, completed: set[str], found: dict[ObjectRef, Manifest]) -> None:
        mine = {ref: obj for ref, obj in found.items() if app.id in str(obj["metadata"].get("labels"))}
        kinds = Counter(ref.kind for ref in mine)
        turns = [turn for turn, (task_id, _) in enumerate(app.turns) if task_id in completed]
        if not turns:
            assert mine == {}, f"{sorted(map(str, mine))} of an application that never completed"
            return
        assert (kinds["ConfigMap"], kinds["Deployment"], kinds["Service"]) == (1, 1, 1), sorted(map(str, mine))
        versions = sorted(_image(obj).partition("-")[0] for ref, obj in mine.items() if ref.kind == "ReplicaSet")
        assert versions == sorted(f"web:{turn}" for turn in turns), f"ReplicaSets of {app}"
        last = turns[-1]
        [config] = [obj for ref, obj in mine.items() if ref.kind == "ConfigMap"]
        assert config["data"] == {"turn": str(last)}
        [server] = [obj for ref, obj in mine.items() if ref.kind == "Deployment"]
        assert _image(server).startswith(f"web:{last}-")
        for ref in mine:
            if ref.kind in ("ConfigMap", "Deployment", "Service"):
                makers = Counter(maker for one, _, maker in self.fleet.created if one == ref and maker in completed)
                assert list(makers.values()) == [1], f"{ref} was made {makers}"


def _image(obj: Manifest) -> str:
    return str(obj["spec"]["template"]["spec"]["containers"][0]["image"])


@pytest.mark.parametrize(
    ("count", "machines", "kill_every"), [(20, 2, 10), pytest.param(200, 3, 8, marks=pytest.mark.soak)]
)
async def test_tasks_over_workers_that_are_killed(fleet: Fleet, count: int, machines: int, kill_every: int) -> None:
    soak = Soak(fleet, count, machines, kill_every)
    await soak.run()
    assert soak.kills >= (count - 1) // kill_every
    await soak.check()
