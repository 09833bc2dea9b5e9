"""The rule of what applications share, over random orders of what they do.

The object is there exactly as long as somebody uses it. What was there before any of them is never deleted, and its
labels are put back. What could not be undone is named, by a cleanup that is incomplete.
"""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from kubemin.spec.ids import application_id
from kubemin.spec.labels import APP_ID
from kubemin.spec.states import Cleanup, TaskStatus
from kubesim.faults import Armed, Fault
from tests.engine.instance import Instance, conf, web
from tests.engine.test_shared_ends import LABELS, applied, cleaned, common, deleted, done, live, runs, somebodys

NAMES = ("one", "two", "six")
STEPS = 10
ACTIONS = (
    "uses",
    "uses",
    "uses",
    "stops",
    "deletes",
    "cancels",
    "fails",
    "fails for good",
    "only tells",
    "runs others",
)
SEEDS = [13, *(pytest.param(seed, marks=pytest.mark.proof) for seed in range(60) if seed != 13)]


@dataclass
class Story:
    """What three applications do with one object, and what is to be so after each step."""

    instance: Instance
    rng: random.Random
    was_there: str | None
    """The uid of what was there before."""
    users: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    owing: list[str] = field(default_factory=list)
    """Tasks whose cleanup is incomplete."""
    said: list[str] = field(default_factory=list)

    async def step(self, action: str, name: str) -> None:
        """One application does something."""
        strategy = self.rng.choice(("default", "force"))
        self.said.append(f"{name} {action} ({strategy})")
        part, own = common(strategy, v=str(len(self.said))), conf(f"own-{name}", v=str(len(self.said)))
        app_id = application_id("default", name)
        adopt: dict[str, Any] = {"adopt": self.was_there is not None}
        match action:
            case "uses":
                await applied(self.instance, name, part, own, **adopt)
                self.users.add(name)
            case "stops":
                await applied(self.instance, name, own)
                self.users.discard(name)
            case "deletes" if name in self.known:
                await deleted(self.instance, name)
                self.users.discard(name)
                self.known.discard(name)
                return
            case "cancels":
                coming = await runs(self.instance, name, part, own, web("slow", "web:never"), **adopt)

                async def at_work() -> bool:
                    return any(row.ref.kind == "Deployment" for row in await self.instance.journal(coming))

                await self.instance.until(at_work)
                await self.instance.service.cancel(app_id, coming, "ada", "no")
                assert (await self.instance.settled(coming)).cleanup is Cleanup.DONE, "; ".join(self.said)
            case "fails" | "fails for good":
                await self._fails(name, [part, own, web("bad", "web:pull")], stuck=action == "fails for good")
            case "only tells":
                await applied(self.instance, name, part, own, dry_run=True, **adopt)
            case "runs others" if name in self.users:
                steps = [{"name": "one", "components": [f"own-{name}"]}]
                await done(self.instance, await runs(self.instance, name, part, own, workflow=steps))
            case _:
                self.said.pop()
                return
        self.known.add(name)

    async def _fails(self, name: str, parts: list[dict[str, Any]], *, stuck: bool) -> None:
        """A run fails; where it is stuck, nothing of it can be undone for now."""
        armed: list[Armed] = []
        if stuck:
            faults = self.instance.sim.faults
            armed = [
                faults.add(Fault("status", verb=verb, resource="configmaps", times=None, code=403))
                for verb in ("delete", "update")
            ]
        adopt = self.was_there is not None
        failed = await runs(self.instance, name, *parts, hopeless_after_seconds=0.01, adopt=adopt)
        task = await self.instance.settled(failed)
        assert task.status is TaskStatus.FAILED, "; ".join(self.said)
        for one in armed:
            self.instance.sim.faults.remove(one)
        if task.cleanup is Cleanup.INCOMPLETE:
            self.owing.append(failed)
        else:
            assert task.cleanup is Cleanup.DONE, "; ".join(self.said)

    async def settle(self) -> None:
        """What could not be undone can be undone now."""
        while self.owing:
            await cleaned(self.instance, self.owing.pop())

    async def check(self) -> None:
        """The rule."""
        found = await live(self.instance)
        if self.was_there is not None:
            assert found is not None, "; ".join(self.said)
            assert found["metadata"]["uid"] == self.was_there, "; ".join(self.said)
            assert found["data"]["theirs"] == "1", "; ".join(self.said)
        if self.users:
            assert found is not None, "; ".join(self.said)
            labelled = found["metadata"]["labels"].get(APP_ID)
            owed = {(await self.instance.task(one)).app_id for one in self.owing}
            users = {application_id("default", name) for name in self.users}
            assert labelled in users | owed, "; ".join(self.said)
        elif not self.owing:
            self.none(found)

    def none(self, found: Any) -> None:
        """Nobody uses it."""
        if self.was_there is None:
            assert found is None, "; ".join(self.said)
        else:
            assert found["metadata"]["labels"] == LABELS, "; ".join(self.said)


@pytest.mark.parametrize("seed", SEEDS)
async def test_it_is_there_as_long_as_somebody_uses_it(instance: Instance, seed: int) -> None:
    rng = random.Random(seed)
    was_there = somebodys(instance)["metadata"]["uid"] if seed % 2 else None
    story = Story(instance, rng, was_there)
    async with instance.worker():
        for _ in range(STEPS):
            if story.owing and rng.random() < 0.5:
                await story.settle()
                await story.check()
            await story.step(rng.choice(ACTIONS), rng.choice(NAMES))
            await story.check()
        last = list(NAMES)
        rng.shuffle(last)
        if rng.random() < 0.5:
            await story.settle()
        for name in last:
            await story.step("deletes", name)
            await story.check()
        await story.settle()
        await story.check()
