"""The promise (design, first paragraph), as something that can be checked in a state."""

from kubemin.spec.states import Cleanup, ResourceState, RevisionState, TaskStatus, WriteKind
from model.state import OTHERS, OURS, At, Object, State, Task, Wanted, read_by_pod
from model.steps import DEPLOY


def wanted_by_completed(state: State, at: int) -> Wanted | None:
    """What the object should be once this task has completed: what it made, and later edits of others."""
    live = state.object
    if not state.edited:
        return Wanted(f"T{at + 1}", live.writer if live else at, OURS)
    if live is None or live.terminating:
        return None
    token = live.token
    if token is not None and live.ours and token.kind is WriteKind.CREATE:
        stays = token.task == at or state.tasks[token.task].status is TaskStatus.COMPLETED
        if not stays or state.rows[token.task].uid is not At.NOW:
            return None  # it is a late one
    return Wanted(live.value, live.writer, live.label)


def broken_now(before: State, after: State) -> str | None:
    """Why this step breaks the promise; None if it does not."""
    live = after.object
    for at, (old, new) in enumerate(zip(before.tasks, after.tasks, strict=True)):
        if old.status.ended and new.status is not old.status:
            return f"T{at + 1} was {old.status}, and is {new.status} now"
        if new.revision is RevisionState.CURRENT and new.status is not TaskStatus.COMPLETED:
            return f"the revision of T{at + 1} is current, and T{at + 1} is {new.status}"
        if new.status is not TaskStatus.COMPLETED and new.cleanup is Cleanup.DONE and live is not None:
            if old.cleanup is not Cleanup.DONE and live.writer == at:
                return f"T{at + 1}'s cleanup is done, and the object still has its token"
            if live.writer == at and before.object != live and _late_applies(after, at) < _late_applies(before, at):
                return f"T{at + 1}'s cleanup was done, and a late change of it landed after that"
        if (why := _harm_to_others(before, after, at)) is not None:
            return why
    if before.data and before.claim is not None and after.claim is None:
        return "a volume claim with data is gone, and nobody asked for that"
    return None


def _harm_to_others(before: State, after: State, at: int) -> str | None:
    """Why a step of this task is one that a stranger's object, or a quota, should have prevented, or should not."""
    name, task, live = f"T{at + 1}", after.tasks[at], after.object
    failed = task.status is TaskStatus.FAILED and before.tasks[at].status is not TaskStatus.FAILED
    if failed and live is not None and _may_change(live, task):
        return f"{name} failed because nothing may be created, and the object is there"
    if before.object is None or before.object.terminating or _may_change(before.object, task):
        return None
    if live is not None and live.writer == at and before.object.writer != at:
        return f"{name} changed an object of others, and nobody asked for that"
    for old, new in zip(before.workers, after.workers, strict=True):
        if new.task == at and new.awaits is not None and new.awaits.verb == "POST" and old.awaits is None:
            return f"{name} sends a POST, and an object of others is there, which it may not have"
    return None


def _may_change(live: Object, task: Task) -> bool:
    return live.label == OURS or (task.adopt and live.label != OTHERS)


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
    if state.claim is not None and state.data is False:
        return "the volume claim of an object that is to be gone is still there"
    is_there = None if live is None else Wanted(live.value, live.writer, live.label)
    if is_there != state.wanted:
        return f"the object is {_describe(is_there)}, and should be {_describe(state.wanted)}"
    if (why := revision_is_cluster(state)) is not None:
        return why
    for at, task in enumerate(state.tasks):
        if not task.status.ended or task.status is TaskStatus.COMPLETED:
            continue
        if state.dependents[at]:
            return f"what a controller made because of T{at + 1} is still there"
        if state.pod == at and live is not None and read_by_pod(live) != at:
            return f"the object is “{live.value}”, and a Pod runs on with the value of T{at + 1}"
    return None


def revision_is_cluster(state: State) -> str | None:
    """Why the current revision is not what the cluster has (REVISION_IS_CLUSTER); None if it is.

    But for what somebody else has made of the object, which the next run mends.
    """
    live = state.object
    current = [at for at, task in enumerate(state.tasks) if task.revision is RevisionState.CURRENT]
    if len(current) > 1:
        return "two revisions are current"
    if live is not None and live.writer is not None and live.writer not in current:
        at = live.writer
        return f"the object is of the revision of T{at + 1}, which is {state.tasks[at].revision}"
    for at, task in enumerate(state.tasks):
        if task.status.ended and task.revision is RevisionState.PENDING:
            return f"T{at + 1} has ended, and its revision is pending"
        has = live is not None and live.writer == at
        if at in current and task.kind == DEPLOY and not has and not state.intervened:
            return f"the revision of T{at + 1} is current, and the cluster does not have its object"
    return None


def _accounted_for(state: State) -> bool:
    return any(
        task.status is TaskStatus.COMPLETED and row.state is ResourceState.CREATED and row.uid is At.NOW
        for task, row in zip(state.tasks, state.rows, strict=True)
    )


def _describe(wanted: Wanted | None) -> str:
    if wanted is None:
        return "absent"
    token = "without a token" if wanted.writer is None else f"with a token of T{wanted.writer + 1}"
    return f"“{wanted.value}” {token}" + (f" and {wanted.label} label" if wanted.label else "")
