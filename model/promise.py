"""The promise (design, first paragraph), as something that can be checked in a state."""

from kubemin.spec.states import Cleanup, ResourceState, TaskStatus, WriteKind
from model.state import At, State, Wanted, read_by_pod


def wanted_by_completed(state: State, at: int) -> Wanted | None:
    """What the object should be once this task has completed: what it made, and later edits of others."""
    live = state.object
    if not state.edited:
        return Wanted(f"T{at + 1}", live.writer if live else at)
    if live is None or live.terminating:
        return None
    token = live.token
    if token is not None and live.ours and token.kind is WriteKind.CREATE:
        stays = token.task == at or state.tasks[token.task].status is TaskStatus.COMPLETED
        if not stays or state.rows[token.task].uid is not At.NOW:
            return None  # it is a late one
    return Wanted(live.value, live.writer)


def broken_now(before: State, after: State) -> str | None:
    """Why this step breaks the promise; None if it does not."""
    live = after.object
    for at, (old, new) in enumerate(zip(before.tasks, after.tasks, strict=True)):
        if old.status.ended and new.status is not old.status:
            return f"T{at + 1} was {old.status}, and is {new.status} now"
        if new.status is not TaskStatus.COMPLETED and new.cleanup is Cleanup.DONE and live is not None:
            if old.cleanup is not Cleanup.DONE and live.writer == at:
                return f"T{at + 1}'s cleanup is done, and the object still has its token"
            if live.writer == at and before.object != live and _late_applies(after, at) < _late_applies(before, at):
                return f"T{at + 1}'s cleanup was done, and a late change of it landed after that"
    return None


def _late_applies(state: State, at: int) -> int:
    return sum(request.verb == "apply" and request.task == at for request in state.late)


def broken_at_rest(state: State) -> str | None:
    """Why a state in which all has settled breaks the promise; None if database and cluster agree."""
    for at, task in enumerate(state.tasks):
        if not task.status.ended and task.status is not TaskStatus.WAITING:
            return f"T{at + 1} is forgotten: {task.status}, and nobody works on it"
    live = state.object
    if live is not None and live.fence:
        return "the object still carries our fence"
    if live is not None and live.made and not _accounted_for(state):
        return f"the object is there ({live.value}), and no completed task knows that it made it"
    is_there = None if live is None else Wanted(live.value, live.writer)
    if is_there != state.wanted:
        return f"the object is {_describe(is_there)}, and should be {_describe(state.wanted)}"
    for at, task in enumerate(state.tasks):
        if not task.status.ended or task.status is TaskStatus.COMPLETED:
            continue
        if state.dependents[at]:
            return f"what a controller made because of T{at + 1} is still there"
        if state.pod == at and live is not None and read_by_pod(live) != at:
            return f"the object is “{live.value}”, and a Pod runs on with the value of T{at + 1}"
    return None


def _accounted_for(state: State) -> bool:
    return any(
        task.status is TaskStatus.COMPLETED and row.state is ResourceState.CREATED and row.uid is At.NOW
        for task, row in zip(state.tasks, state.rows, strict=True)
    )


def _describe(wanted: Wanted | None) -> str:
    if wanted is None:
        return "absent"
    return f"“{wanted.value}” " + (
        "without a token" if wanted.writer is None else f"with a token of T{wanted.writer + 1}"
    )
