"""The promise (design, first paragraph), as something that can be checked in a state."""

from kubemin.spec.states import Cleanup, ResourceState, TaskStatus, WriteKind
from model.state import At, State, Wanted


def wanted_by_completed(state: State, at: int) -> Wanted | None:
    """What everybody wants the object to be once this task has completed: what it made, but for later edits."""
    look = state.object
    if not state.meddled:
        return Wanted(f"T{at + 1}", look.claimed if look else at)
    if look is None or look.dying:
        return None
    claim = look.claim
    if claim is not None and look.ours and claim.kind is WriteKind.CREATE:
        stays = claim.task == at or state.tasks[claim.task].status is TaskStatus.COMPLETED
        if not stays or state.rows[claim.task].uid is not At.NOW:
            return None  # it is a late one
    return Wanted(look.value, look.claimed)


def broken_now(before: State, after: State) -> str | None:
    """What no step may do."""
    look = after.object
    for at, (old, new) in enumerate(zip(before.tasks, after.tasks, strict=True)):
        if old.status.ended and new.status is not old.status:
            return f"T{at + 1} was {old.status}, and is {new.status} now"
        if new.status is not TaskStatus.COMPLETED and new.cleanup is Cleanup.DONE and look is not None:
            if old.cleanup is not Cleanup.DONE and look.claimed == at:
                return f"T{at + 1}'s cleanup is done, and the object still carries its claim"
            if look.claimed == at and before.object != look and _late_applies(after, at) < _late_applies(before, at):
                return f"T{at + 1}'s cleanup was done, and a change of its landed after that"
    return None


def _late_applies(state: State, at: int) -> int:
    return sum(request.verb == "apply" and request.task == at for request in state.late)


def broken_at_rest(state: State) -> str | None:
    """What must hold once nothing is left to happen by itself: database and cluster agree."""
    for at, task in enumerate(state.tasks):
        if not task.status.ended and task.status is not TaskStatus.WAITING:
            return f"T{at + 1} is forgotten: {task.status}, and nobody works on it"
    look = state.object
    if look is not None and look.fence:
        return "the object still carries our fence"
    if look is not None and look.made and not _accounted_for(state):
        return f"the object is there ({look.value}), and no completed task knows that it made it"
    is_there = None if look is None else Wanted(look.value, look.claimed)
    if is_there != state.wanted:
        return f"the object is {_said(is_there)}, and should be {_said(state.wanted)}"
    for at, task in enumerate(state.tasks):
        if task.status.ended and task.status is not TaskStatus.COMPLETED and state.litter[at]:
            return f"what a controller made because of T{at + 1} is still there"
    return None


def _accounted_for(state: State) -> bool:
    return any(
        task.status is TaskStatus.COMPLETED and row.state is ResourceState.CREATED and row.uid is At.NOW
        for task, row in zip(state.tasks, state.rows, strict=True)
    )


def _said(wanted: Wanted | None) -> str:
    if wanted is None:
        return "absent"
    return f"“{wanted.value}” " + (
        "without a claim" if wanted.claim is None else f"with a claim of T{wanted.claim + 1}"
    )
