"""Holds: a run waits until it is promoted, while it may be cancelled, run out of time, or be taken over (design §2).

A model of its own, as no object has a say in it: one task with two holds, one after the other, two workers, two people
who promote. The steps are those of `engine/deploy/hold.py` and of `promote` in `engine/entry/task_service.py`.
"""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from kubemin.spec.states import JobStatus, TaskStatus
from model.state import put

HOLDS = 2


class HoldRule(Enum):
    """One clause of the design; the value says what is done while it is on."""

    PROMOTE_BY_NUMBER = "a promote lets one hold pass, by its number, and no later one"
    PROMOTE_AT_ONCE = "a promote sees the hold and is written in one transaction, with the task's row locked"
    PROMOTE_IN_ROW = "a promote is in the task's row, where a successor finds it"
    TIMEOUT_LOOKS_AGAIN = "a hold runs out of time in a transaction that sees that nobody has promoted it"
    FENCED = "each commit is fenced by the lease"


class Person(NamedTuple):
    """Somebody who promotes. ``sees``: the hold that they have read to run (only without PROMOTE_AT_ONCE)."""

    promotes: int = 1
    sees: int = 0


class Worker(NamedTuple):
    """``at``: the hold that it is in, from 1; 0: it has no task. ``knows``: the number of the last promote."""

    at: int = 0
    knows: int = 0
    waits: bool = False
    holds: bool = True
    """It has the lease, and not only believes so."""


class State(NamedTuple):
    """The task's row, the rows of its holds, and who works on it. ``promoted``: what people were told."""

    status: TaskStatus = TaskStatus.RUNNING
    holds: tuple[JobStatus, JobStatus] = (JobStatus.QUEUED, JobStatus.QUEUED)
    promoted_hold: int = 0
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    people: tuple[Person, Person] = (Person(), Person())
    promoted: tuple[bool, bool] = (False, False)
    deaths: int = 1
    cancels: int = 1


Rules = frozenset[HoldRule]
Step = tuple[str, State]


def steps(state: State, rules: Rules) -> Iterator[Step]:
    """Every step that can come next."""
    for index, worker in enumerate(state.workers):
        if worker.at:
            yield from _work(state, index, worker, rules)
        elif state.status is TaskStatus.RUNNING and not any(one.at and one.holds for one in state.workers):
            yield f"W{index + 1} takes the task", _taken(state, index, rules)
    for index, person in enumerate(state.people):
        yield from _promote(state, index, person, rules)
    if state.cancels and state.status is TaskStatus.RUNNING:
        yield "somebody cancels the task", state._replace(status=TaskStatus.CANCELLED, cancels=0)


def _taken(state: State, index: int, rules: Rules) -> State:
    first = next((n for n, hold in enumerate(state.holds, 1) if hold is not JobStatus.COMPLETED), HOLDS + 1)
    knows = state.promoted_hold if HoldRule.PROMOTE_IN_ROW in rules else 0
    return _with(state, index, Worker(first, knows))


def _work(state: State, index: int, worker: Worker, rules: Rules) -> Iterator[Step]:
    name, at = f"W{index + 1}", worker.at
    if state.deaths and worker.holds:
        asleep = Worker() if HoldRule.FENCED in rules else worker._replace(holds=False)
        yield f"{name} dies, or sleeps past its lease", _with(state._replace(deaths=0), index, asleep)
    if state.status is not TaskStatus.RUNNING:
        yield f"{name} notices the end", _with(state, index, Worker())
        return
    if at > HOLDS:
        yield f"{name} commits completed", _with(state._replace(status=TaskStatus.COMPLETED), index, Worker())
        return
    if worker.knows < state.promoted_hold:
        yield f"{name} reads the task's row", _with(state, index, worker._replace(knows=state.promoted_hold))
    if state.holds[at - 1] is JobStatus.TIMEOUT:
        yield f"{name} commits timeout", _with(state._replace(status=TaskStatus.TIMEOUT), index, Worker())
    elif (worker.knows >= at) if HoldRule.PROMOTE_BY_NUMBER in rules else worker.knows:
        yield (
            f"{name} commits that hold {at} is over",
            _with(_hold(state, at, JobStatus.COMPLETED), index, _next(worker)),
        )
    elif not worker.waits:
        waiting = worker._replace(waits=True)
        yield f"{name} commits that it waits in hold {at}", _with(_hold(state, at, JobStatus.RUNNING), index, waiting)
    elif HoldRule.TIMEOUT_LOOKS_AGAIN in rules and state.promoted_hold >= at:
        yield f"{name} finds hold {at} promoted", _with(state, index, worker._replace(knows=state.promoted_hold))
    else:
        yield f"{name} commits that hold {at} is out of time", _hold(state, at, JobStatus.TIMEOUT)


def _promote(state: State, index: int, person: Person, rules: Rules) -> Iterator[Step]:
    name = f"P{index + 1}"
    seen = person.sees or next((n for n, hold in enumerate(state.holds, 1) if hold is JobStatus.RUNNING), 0)
    if not person.promotes or not seen or (not person.sees and state.status is not TaskStatus.RUNNING):
        return
    if HoldRule.PROMOTE_AT_ONCE not in rules and not person.sees:
        yield f"{name} reads that hold {seen} waits", state._replace(people=put(state.people, index, Person(1, seen)))
        return
    if state.promoted_hold >= seen and HoldRule.PROMOTE_AT_ONCE in rules:
        return  # it is refused: somebody else was first
    state = state._replace(people=put(state.people, index, Person(0)))
    if HoldRule.PROMOTE_IN_ROW in rules:
        state = state._replace(promoted_hold=max(seen, state.promoted_hold))
    else:  # only whoever works on it just now is told
        first, second = (one._replace(knows=max(seen, one.knows)) if one.at else one for one in state.workers)
        state = state._replace(workers=(first, second))
    yield f"{name} promotes hold {seen}", state._replace(promoted=put(state.promoted, seen - 1, True))


def _next(worker: Worker) -> Worker:
    return worker._replace(at=worker.at + 1, waits=False)


def _with(state: State, index: int, worker: Worker) -> State:
    return state._replace(workers=put(state.workers, index, worker))


def _hold(state: State, at: int, status: JobStatus) -> State:
    return state._replace(holds=put(state.holds, at - 1, status))


def broken(before: State, after: State) -> str | None:
    """Why this step breaks what is promised of holds; None if it does not."""
    if before.status is not TaskStatus.RUNNING and after.status is not before.status:
        return f"the task was {before.status}, and is {after.status}"
    for at in (1, 2):
        old, new, promoted = before.holds[at - 1], after.holds[at - 1], after.promoted[at - 1]
        if promoted and not before.promoted[at - 1] and (before.status is not TaskStatus.RUNNING):
            return f"somebody is told that hold {at} is promoted, and the task is {before.status}"
        if new is JobStatus.TIMEOUT and promoted:
            return f"hold {at} is promoted, and out of time"
        if new is JobStatus.COMPLETED and not promoted:
            return f"hold {at} is over, and nobody promoted it"
        if old is JobStatus.COMPLETED and new is not old:
            return f"hold {at} was over, and is waited for again"
        if promoted and old is not JobStatus.RUNNING and new is JobStatus.RUNNING:
            return f"hold {at} is promoted, and is waited for again"
    return None


class Found(NamedTuple):
    """What a search found: the number of states, and the steps to the first that breaks a promise, with why."""

    states: int
    steps: tuple[str, ...] = ()
    why: str = ""

    def __str__(self) -> str:
        return "\n".join([*(f"{n:>3}. {step}" for n, step in enumerate(self.steps, 1)), f"   ✗ {self.why}"])


def search(rules: Rules = frozenset(HoldRule)) -> Found:
    """Visit every state. One in which a worker waits for ever is not possible: time runs out."""
    ways: dict[State, tuple[str, ...]] = {State(): ()}
    todo = [State()]
    for state in todo:
        for what, after in steps(state, rules):
            if (why := broken(state, after)) is not None:
                return Found(len(ways), (*ways[state], what), why)
            if after not in ways:
                ways[after] = (*ways[state], what)
                todo.append(after)
    return Found(len(ways))
