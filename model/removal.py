"""How an application lets go of what it has (R11): forward only; and what a late POST of a completed task made."""

from kubemin.spec.states import ResourceState, TaskStatus, WriteKind
from model.rules import Rule
from model.server import Rules
from model.state import OTHERS, OURS, At, Object, Request, Row, State, Token, Wanted, put, without_claim
from model.steps import LANDED, Step, commit, row_of, send, settle


def remove_late(state: State, index: int, rules: Rules) -> Step | None:
    """Of a completed deploy: delete what its late POST made, with what came after that."""
    at = state.workers[index].task
    assert at is not None
    live, row = state.object, row_of(state, index)
    if live is None:
        return settle(state, index, "absent", ResourceState.DELETED, rules)
    if live.terminating:
        return None
    if live.writer == at and live.token == Token(at, WriteKind.CREATE) and row.uid is not At.NOW:
        return f"reads: made by T{at + 1}; sends DELETE", send(state, index, Request("DELETE", at, At.NOW))
    return settle(state, index, "not to be removed", ResourceState.KEPT, rules)


def begin_to_let_go(state: State, rules: Rules) -> State:
    """Record what the application lets go of, and how (R11): what the first task made, or adopted."""
    row, completed = state.rows[0], state.tasks[0].status is TaskStatus.COMPLETED
    if row.state not in LANDED:
        return state
    adopted = row.state is ResourceState.CHANGED and row.adopted
    if adopted and not completed and Rule.ROLLBACK_BEFORE_RELEASE in rules:
        return state
    live = state.object
    its = live is not None and row.uid is At.NOW and live.label == OURS and not live.terminating
    if its and not adopted:  # made by its tasks, or labelled as its own before: the label decides, and not who wrote it
        state = state._replace(wanted=None)
    elif live is not None and its and completed:
        state = state._replace(wanted=Wanted(live.value))
    if not adopted and state.tasks[1].volumes:
        state = state._replace(data=False)
    release = adopted and Rule.RELEASED_NOT_DELETED in rules
    let_go = state.rows[1]._replace(purpose="release" if release else "remove", uid=row.uid)
    return state._replace(rows=put(state.rows, 1, let_go))


def let_go(state: State, index: int, rules: Rules) -> Step | None:
    """One step of a removal: forward only (R11)."""
    at = state.workers[index].task
    assert at is not None
    live, row = state.object, row_of(state, index)
    if row.purpose == "apply":
        return settle(state, index, "nothing to let go of", ResourceState.KEPT, rules)
    if live is not None and live.terminating:
        return None
    if row.purpose == "release":
        return _release(state, index, row, live, rules)
    if live is None:
        if state.tasks[at].volumes or Rule.DATA_KEPT not in rules:
            state = without_claim(state)
        return settle(state, index, "absent", ResourceState.DELETED, rules)
    if row.uid is At.NOW and live.label == OURS:
        return "reads: it is the application's; sends DELETE", send(state, index, Request("DELETE", at, At.NOW))
    state = state._replace(data=state.data or None)  # named, but used by another object by now: it stays
    return settle(state, index, "not to be removed", ResourceState.KEPT, rules)


def _release(state: State, index: int, row: Row, live: Object | None, rules: Rules) -> Step:
    at = state.workers[index].task
    assert at is not None
    if live is None:
        return settle(state, index, "absent", ResourceState.LOST, rules)
    if row.uid is not At.NOW and Rule.RELEASE_WITH_UID in rules:
        return settle(state, index, "another object", ResourceState.LOST, rules)
    if live.label == OTHERS and Rule.RELEASE_OURS_ONLY in rules:
        return settle(state, index, "another application's", ResourceState.KEPT, rules)
    if (not live.label and live.token is None) or (row.sent and Rule.RELEASE_LOOKED_AT not in rules):
        return settle(state, index, "released", ResourceState.RELEASED, rules)
    state = commit(state, index, row._replace(sent=True))
    return "reads: adopted; releases it", send(state, index, Request("release", at, At.NOW, live.value))
