"""What the steps of a worker are made of: the row it reads, the commit, the request, the end of a cleanup."""

from kubemin.spec.states import Cleanup, ResourceState, TaskStatus
from model.rules import Rule
from model.server import Rules
from model.state import (
    IDLE,
    At,
    Request,
    Row,
    State,
    end_revision,
    put,
    read_by_pod,
    set_task,
    set_worker,
    without_claim,
)

Step = tuple[str, State]
"""What happened, as a text, and the state after it."""

DEPLOY = "deploy"
NOTHING = "nothing"
REMOVE = "remove"
"""Kinds of tasks: one that never comes, and one that takes the object out of the application (R11)."""


LANDED = (ResourceState.CREATED, ResourceState.CHANGED)
"""What a row says once a write of its task has landed."""


def row_of(state: State, index: int) -> Row:
    """The journal row of the task whose lease the worker holds."""
    worker = state.workers[index]
    assert worker.task is not None
    return worker.copy or state.rows[worker.task]


def commit(state: State, index: int, row: Row) -> State:
    """The row is written."""
    worker = state.workers[index]
    assert worker.task is not None
    if worker.copy is not None:
        state = set_worker(state, index, worker._replace(copy=row))
    return state._replace(rows=put(state.rows, worker.task, row))


def send(state: State, index: int, request: Request) -> State:
    """The request is on its way, and the worker awaits its answer."""
    return set_worker(state, index, state.workers[index]._replace(awaits=request))


def end_task(state: State, task: int, status: TaskStatus, cleanup: Cleanup, rules: Rules) -> State:
    """The task has ended, and with it its revision."""
    state = set_task(state, task, status=status, cleanup=cleanup)
    return end_revision(state, task) if Rule.REVISION_WITH_TASK in rules else state


def settle(state: State, index: int, text: str, settled: ResourceState, rules: Rules) -> Step:
    """Nothing is left to do with the object: what came because of it goes, and the cleanup is done."""
    task = state.workers[index].task
    assert task is not None
    row, live = row_of(state, index), state.object
    replaced = Rule.READERS_REPLACED in rules and state.pod == task and row.state in LANDED
    if replaced and settled is not ResourceState.LOST and read_by_pod(live) != task:
        return f"reads: {text}; replaces the Pod that has read it before", state._replace(pod=read_by_pod(live))
    if row.state in LANDED:  # the journal knows that a write landed: its dependents are deleted too
        state = state._replace(dependents=put(state.dependents, task, False))
        state = _settle_claim(state, row, rules)
    state = commit(state, index, row_of(state, index)._replace(state=settled))
    state = set_task(state, task, cleanup=Cleanup.DONE, leased=False)
    return f"reads: {text}; commits {settled}, cleanup done", set_worker(state, index, IDLE)


def _settle_claim(state: State, row: Row, rules: Rules) -> State:
    """With the volume claim deleted that came because of the task, as its rollback does (R6)."""
    live, claim = state.object, state.claim
    if claim is None or row.claim or (claim.in_use and Rule.USED_CLAIM_STAYS in rules):
        return state
    put_back = live is not None and row.state is ResourceState.CHANGED and row.uid is At.NOW
    if live is None or (put_back and read_by_pod(live) is None):
        return without_claim(state)
    return state
