"""Any sequence of task transitions, against a model: what lands, and what the row says afterwards."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete

from kubemin.spec.states import Cleanup, TaskStatus
from kubemin.store import Database, LeaseLost, tables, tasks
from tests.store.conftest import Servers
from tests.store.rows import add_tasks, claim, expire

T = TypeVar("T")

APPS = ("shop", "blog")
MAX_ATTEMPTS = 2
GOING = (TaskStatus.QUEUED, TaskStatus.RUNNING)
UNSETTLED = (Cleanup.PENDING, Cleanup.RUNNING)


@dataclass
class Model:
    """What a task's row should be."""

    name: str
    app: str
    status: TaskStatus = TaskStatus.WAITING
    cleanup: Cleanup = Cleanup.NONE
    epoch: int = 0
    owner: str | None = None
    lease: str | None = None
    """None, "living" or "expired"."""
    slot: bool = False
    attempt: int = 0
    due: bool = False
    tries: int = 0

    def holds(self, epoch: int) -> bool:
        return self.owner is not None and self.epoch == epoch

    def let_go(self) -> None:
        self.owner, self.lease, self.slot = None, None, False


class TaskMachine(RuleBasedStateMachine):
    """Runs each step on a real database and on the model."""

    url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.models: list[Model] = []
        self.former: dict[str, tasks.Task] = {}
        self.db = self.run(self.open())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def open(self) -> Database:
        db = await Database.open(self.url)
        await db.migrate()
        async with db.begin("empty") as tx:
            await tx.write(delete(tables.tasks))
        return db

    def teardown(self) -> None:
        self.run(self.db.aclose())
        self.runner.close()

    def pick(self, n: int, likely: Callable[[Model], bool] = lambda model: True) -> Model:
        """Mostly one where the step should land, so that sequences come far; sometimes any."""
        among = [model for model in self.models if likely(model)] if n % 4 else []
        return among[n // 4 % len(among)] if among else self.models[n % len(self.models)]

    def write(self, function: Any, *arguments: Any, **options: Any) -> Any:
        async def go() -> Any:
            async with self.db.begin("step") as tx:
                return await function(tx, *arguments, **options)

        return self.run(go())

    some = precondition(lambda self: bool(self.models))
    which = st.integers(0, 63)
    age = st.sampled_from((0, 0, 0, 1))
    """How many epochs behind the caller is."""

    @precondition(lambda self: len(self.models) < 5)
    @rule(app=st.sampled_from(APPS))
    def insert(self, app: str) -> None:
        name = f"t{len(self.models)}"
        self.models.append(Model(name, app))
        self.run(add_tasks(self.db, name, app=app))

    @rule(worker=st.sampled_from(("w1", "w2")), seconds=st.sampled_from((0, 3600, 3600)))
    def claim(self, worker: str, seconds: float) -> None:
        task = self.run(claim(self.db, worker, seconds, MAX_ATTEMPTS))
        orphans = [model for model in self.models if model.lease == "expired" or model.due]
        slots = {model.app for model in self.models if model.slot}
        heads: dict[str, Model] = {}
        for model in self.models:
            if model.status is TaskStatus.WAITING and model.app not in slots:
                heads.setdefault(model.app, model)
        if task is None:
            assert not orphans
            assert not heads
            return
        (model,) = (model for model in self.models if id_is(model, task))
        if orphans:
            assert model in orphans
        else:
            assert model in heads.values()
        if model.status is TaskStatus.WAITING:
            model.status, model.slot = TaskStatus.QUEUED, True
        if model.status.ended:
            model.cleanup, model.due = Cleanup.RUNNING, False
        else:
            model.attempt = min(model.attempt, MAX_ATTEMPTS) + 1
        model.epoch += 1
        model.owner, model.lease = worker, "living" if seconds else "expired"

    @some
    @rule(n=which)
    def lease_runs_out(self, n: int) -> None:
        model = self.pick(n, lambda model: model.lease == "living")
        if model.lease is not None:
            self.run(expire(self.db, model.name))
            model.lease = "expired"

    @some
    @rule(n=which, age=age)
    def guard(self, n: int, age: int) -> None:
        model = self.pick(n, lambda model: model.lease is not None)
        try:
            self.write(tasks.guard, model_id(model), model.epoch - age)
        except LeaseLost:
            assert age or model.lease != "living"
        else:
            assert not age
            assert model.lease == "living"

    @some
    @rule(n=which, age=age, worker=st.sampled_from(("w1", "w2")))
    def renew(self, n: int, age: int, worker: str) -> None:
        model = self.pick(n, lambda model: model.lease is not None)
        kept = self.write(tasks.renew, worker, {model_id(model): model.epoch - age}, 3600)
        assert bool(kept) is (not age and model.owner == worker and model.lease == "living")

    @some
    @rule(n=which, age=age)
    def release(self, n: int, age: int) -> None:
        model = self.pick(n, lambda model: model.owner is not None)
        landed = self.write(tasks.release, model_id(model), model.epoch - age)
        assert landed is model.holds(model.epoch - age)
        if landed:
            model.owner, model.lease = None, "expired"

    @some
    @rule(n=which, age=age)
    def start(self, n: int, age: int) -> None:
        model = self.pick(n, lambda model: model.status is TaskStatus.QUEUED)
        landed = self.write(tasks.start, model_id(model), model.epoch - age)
        assert landed is (model.holds(model.epoch - age) and model.status in GOING)
        if landed:
            model.status = TaskStatus.RUNNING

    @some
    @rule(
        n=which,
        age=age,
        status=st.sampled_from([status for status in TaskStatus if status.ended]),
        cleanup=st.sampled_from((Cleanup.NONE, Cleanup.PENDING, Cleanup.RUNNING, Cleanup.DONE)),
    )
    def finish(self, n: int, age: int, status: TaskStatus, cleanup: Cleanup) -> None:
        model = self.pick(n, lambda model: model.status in GOING and model.owner is not None)
        landed = self.write(tasks.finish, model_id(model), model.epoch - age, status, "r", cleanup)
        assert landed is (model.holds(model.epoch - age) and model.status in GOING)
        if landed:
            model.status, model.cleanup = status, cleanup
            if cleanup not in UNSETTLED:
                model.let_go()

    @some
    @rule(n=which)
    def cancel(self, n: int) -> None:
        model = self.pick(n, lambda model: not model.status.ended)
        landed = self.write(tasks.cancel, model_id(model), "me", "stop") is not None
        assert landed is not model.status.ended
        if landed:
            model.status = TaskStatus.CANCELLED
            model.cleanup = Cleanup.PENDING if model.epoch else Cleanup.NONE

    @some
    @rule(n=which, age=age, state=st.sampled_from(list(Cleanup)), retry_in=st.sampled_from((None, 0.0, 3600.0)))
    def set_cleanup(self, n: int, age: int, state: Cleanup, retry_in: float | None) -> None:
        model = self.pick(n, lambda model: model.cleanup in UNSETTLED and model.owner is not None)
        landed = self.write(tasks.set_cleanup, model_id(model), model.epoch - age, state, "why", retry_in)
        assert landed is (model.holds(model.epoch - age) and model.status.ended and model.cleanup in UNSETTLED)
        if landed:
            model.cleanup = state
            if state not in UNSETTLED:
                model.let_go()
            if state is Cleanup.INCOMPLETE:
                model.due = retry_in == 0.0
                model.tries += 1

    @some
    @rule(n=which)
    def reopen(self, n: int) -> None:
        model = self.pick(n, lambda model: model.status.ended and model.cleanup in (Cleanup.DONE, Cleanup.NONE))
        landed = self.write(tasks.reopen_cleanup, model_id(model))
        settled = {
            TaskStatus.COMPLETED: (Cleanup.DONE, Cleanup.NONE),
            TaskStatus.FAILED: (Cleanup.DONE,),
            TaskStatus.TIMEOUT: (Cleanup.DONE,),
            TaskStatus.CANCELLED: (Cleanup.DONE,),
        }
        assert landed is (model.cleanup in settled.get(model.status, ()))
        if landed:
            model.cleanup, model.lease = Cleanup.PENDING, "expired"
            model.epoch += 1

    @some
    @rule(n=which)
    def retry_now(self, n: int) -> None:
        model = self.pick(n, lambda model: model.cleanup is Cleanup.INCOMPLETE)
        landed = self.write(tasks.retry_cleanup_now, model_id(model))
        assert landed is (model.cleanup is Cleanup.INCOMPLETE)
        model.due = model.due or landed

    @some
    @rule(n=which)
    def abandon(self, n: int) -> None:
        model = self.pick(n, lambda model: model.cleanup is Cleanup.INCOMPLETE)
        landed = self.write(tasks.abandon_cleanup, model_id(model), "why")
        assert landed is (model.cleanup is Cleanup.INCOMPLETE)
        if landed:
            model.cleanup, model.due = Cleanup.ABANDONED, False
            model.epoch += 1

    @invariant()
    def the_rows_are_the_model(self) -> None:
        async def look() -> tuple[list[tasks.Task], Any]:
            async with self.db.read() as tx:
                return await tasks.page(tx), await tx.now()

        rows, now = self.run(look())
        by_id = {row.id: row for row in rows}
        assert len(rows) == len(self.models)
        for model in self.models:
            row = by_id[model_id(model)]
            lease = None if row.lease_expires_at is None else "living" if row.lease_expires_at > now else "expired"
            assert (row.status, row.cleanup, row.lease_epoch) == (model.status, model.cleanup, model.epoch)
            assert (row.lease_owner, lease, row.attempt) == (model.owner, model.lease, model.attempt)
            assert (row.active_app is not None, row.cleanup_attempts) == (model.slot, model.tries)
            former = self.former.get(row.id, row)
            assert row.lease_epoch >= former.lease_epoch
            if former.status.ended:
                assert (row.status, row.ended_at, row.reason) == (former.status, former.ended_at, former.reason)
            # A holder is needed exactly while something is left to do.
            open_work = row.status in GOING or (row.status.ended and row.cleanup in UNSETTLED)
            assert (row.lease_expires_at is not None) is open_work
        holders = [row.active_app for row in rows if row.active_app is not None]
        assert len(holders) == len(set(holders))
        self.former = by_id


def model_id(model: Model) -> str:
    return model.name.ljust(24, ".")


def id_is(model: Model, task: tasks.Task) -> bool:
    return model_id(model) == task.id


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[str]:
    """A database that all examples share."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'kubemin.db'}"
        return
    name = servers.postgresql().create_database()
    yield servers.postgresql().url(name)
    servers.postgresql().drop_database(name)


@pytest.mark.hypothesis
@pytest.mark.parametrize("examples", [6, pytest.param(60, marks=pytest.mark.proof)])
def test_any_sequence_of_transitions(any_url: str, examples: int) -> None:
    machine = type("Machine", (TaskMachine,), {"url": any_url})
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=50, suppress_health_check=list(HealthCheck)),
    )
