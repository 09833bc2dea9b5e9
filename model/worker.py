"""What a worker that holds a task's lease does next: one read, one commit, at most one request."""

from kubemin.spec.states import Cleanup, ResourceState, RevisionState, TaskStatus, WriteKind
from model.promise import wanted_by_completed
from model.removal import begin_to_let_go, let_go, remove_late
from model.rules import Rule
from model.server import Rules
from model.state import (
    IDLE,
    OTHERS,
    OURS,
    At,
    Claim,
    Object,
    Request,
    Row,
    State,
    Token,
    end_revision,
    put,
    set_task,
    set_worker,
)
from model.steps import REMOVE, Step, commit, end_task, row_of, send, settle

_STATES = {WriteKind.CREATE: ResourceState.CREATED, WriteKind.APPLY: ResourceState.CHANGED}
_VERBS = {WriteKind.CREATE: "POST", WriteKind.APPLY: "apply"}


def step(state: State, index: int, rules: Rules) -> Step | None:
    """One step of a worker that awaits no answer; None where it can only wait."""
    worker = state.workers[index]
    assert worker.task is not None
    task = state.tasks[worker.task]
    if Rule.FENCED in rules and not worker.holds:
        return "stops: its lease is lost", set_worker(state, index, IDLE)
    if task.status.ended and task.revision is RevisionState.PENDING:  # only without REVISION_WITH_TASK
        return _end_revision(state, index, worker.task)
    if worker.forward:
        if task.status.ended and not _finishing(state, index, rules):
            if not worker.holds:
                return "stops: the task has ended", set_worker(state, index, IDLE)
            return "notices the end, and rolls back", set_worker(state, index, worker._replace(forward=False))
        return _forward(state, index, rules)
    if task.status is TaskStatus.COMPLETED:
        return let_go(state, index, rules) if task.kind == REMOVE else remove_late(state, index, rules)
    return _back(state, index, rules)


def _finishing(state: State, index: int, rules: Rules) -> bool:
    """Whether the worker is about to end its task without reading its status (only without TERMINAL_STAYS)."""
    return Rule.TERMINAL_STAYS not in rules and row_of(state, index).state in (
        ResourceState.CREATED,
        ResourceState.CHANGED,
    )


def _kind_by_token(live: Object, task: int, rules: Rules) -> WriteKind | None:
    """The kind of our write, by the token on the object."""
    token = live.token
    if token is None or token.task != task or not token.known:
        return None
    return token.kind if live.ours or Rule.TOKEN_BY_KUBEMIN not in rules else None


def _kind_by_row(row: Row) -> WriteKind | None:
    """The kind of our write, by the row of the journal (only without TOKEN_DECIDES)."""
    if not row.sent or row.state.settled:
        return None
    return WriteKind.CREATE if row.before is None else WriteKind.APPLY


def _forward(state: State, index: int, rules: Rules) -> Step | None:
    at = state.workers[index].task
    assert at is not None
    name, row, live = f"T{at + 1}", row_of(state, index), state.object
    if row.state in (ResourceState.CREATED, ResourceState.CHANGED):
        return _complete(state, index, at, rules)
    known = Rule.WRITE_AHEAD in rules
    if row.refused:
        if live is None or Rule.LOOK_AGAIN not in rules:
            return _fail(
                state, index, "reads: absent, and may not be created" if live is None else "goes by the answer", rules
            )
        state, row = commit(state, index, row._replace(refused=False)), row._replace(refused=False)
    blind = Rule.LOOK_FIRST not in rules and not row.sent
    if live is None or blind:
        state = commit(state, index, row._replace(before=None, sent=True, claim=_claim_before(state, rules)))
        token = Token(at, WriteKind.CREATE, known)
        return f"{'does not look' if blind else 'reads: absent'}; sends POST for {name}", send(
            state, index, Request("POST", at, value=name, token=token, label=OURS)
        )
    if live.terminating and Rule.TERMINATING_WAITED_FOR in rules:
        return None
    kind = _kind_by_token(live, at, rules)
    if kind is WriteKind.CREATE:
        row = row._replace(state=ResourceState.CREATED, uid=At.NOW)
        return f"reads: {name}'s POST had landed; commits created", commit(state, index, row)
    if kind is WriteKind.APPLY and Rule.FIRST_BEFORE_STANDS in rules:
        applied = name if live.value == name else None  # managedFields show which values are ours
        row = row._replace(state=ResourceState.CHANGED, uid=At.NOW, applied=applied, unanswered=False)
        return f"reads: {name}'s apply had landed; commits changed", commit(state, index, row)
    strangers = live.label == OTHERS or (live.label != OURS and not state.tasks[at].adopt)
    if strangers and Rule.STRANGERS_REFUSED in rules:
        return _fail(state, index, f"reads: it is there ({live.value}), and is a stranger's", rules)
    leftover = Rule.LEFTOVERS_TAKEN_OVER in rules and _is_leftover(state, live)
    row = row._replace(before=None if leftover else live, uid=At.NOW, sent=True, unanswered=known)
    if leftover and live.token:
        row = row._replace(claim=state.rows[live.token.task].claim)
    else:
        row = row._replace(claim=_claim_before(state, rules))
    token = Token(at, WriteKind.CREATE if leftover else WriteKind.APPLY, known)
    request = Request("apply", at, At.NOW, name, token if Rule.EVERY_WRITE_HAS_A_TOKEN in rules else None, label=OURS)
    text = f"reads: {'left over' if leftover else 'it is there'} ({live.value}); sends apply for {name}"
    return text, send(commit(state, index, row), index, request)


def _claim_before(state: State, rules: Rules) -> bool:
    """Whether there is a volume claim already, which the task is not to delete."""
    return state.claim is not None and Rule.OLDER_CLAIM_STAYS in rules


def _fail(state: State, index: int, text: str, rules: Rules) -> Step:
    at = state.workers[index].task
    assert at is not None
    state = end_task(state, at, TaskStatus.FAILED, Cleanup.PENDING, rules)
    return f"{text}; commits T{at + 1} failed", set_worker(state, index, state.workers[index]._replace(forward=False))


def _is_leftover(state: State, live: Object) -> bool:
    """Made by a task that did not complete, or that completed with another object: sooner or later it goes."""
    token = live.token
    if token is None or not live.ours or not token.known or token.kind is not WriteKind.CREATE:
        return False
    return state.tasks[token.task].status is not TaskStatus.COMPLETED or state.rows[token.task].uid is not At.NOW


def _complete(state: State, index: int, task: int, rules: Rules) -> Step:
    wanted = wanted_by_completed(state, task)
    state = end_task(state, task, TaskStatus.COMPLETED, Cleanup.NONE, rules)
    # It is meant to be there now: also what a former task left behind.
    state = state._replace(dependents=(False, False), pod=None, data=state.claim is not None)
    if state.claim is not None:
        state = state._replace(claim=Claim(in_use=True))
    state = state._replace(wanted=wanted)
    if Rule.REVISION_WITH_TASK not in rules:
        return f"commits T{task + 1} completed, and not yet its revision", state
    return f"commits T{task + 1} completed", _let_go_of(state, index, task)


def _let_go_of(state: State, index: int, task: int) -> State:
    return set_worker(set_task(state, task, leased=False), index, IDLE)


def _end_revision(state: State, index: int, task: int) -> Step:
    """The second of two steps."""
    state = end_revision(state, task)
    done = state.tasks[task].status is TaskStatus.COMPLETED and state.tasks[task].cleanup is Cleanup.NONE
    text = f"commits that the revision of T{task + 1} is {state.tasks[task].revision}"
    return text, _let_go_of(state, index, task) if done else state


def _back(state: State, index: int, rules: Rules) -> Step | None:
    """One step of the rollback (R4, R5)."""
    task = state.workers[index].task
    assert task is not None
    row, live = row_of(state, index), state.object
    if live is None:
        if row.state is not ResourceState.CHANGED:
            return settle(state, index, "absent", ResourceState.DELETED, rules)
        if Rule.LOST_STAYS_LOST in rules or row.before is None:
            return settle(state, index, "absent", ResourceState.LOST, rules)
        again = Request("POST", task, value=row.before.value, label=row.before.label)
        return "reads: absent; makes it again", send(state, index, again)
    if live.fence:
        return "reads: fence; takes it off", send(state, index, Request("unfence", task, At.NOW))
    kind = _kind_by_token(live, task, rules) if Rule.TOKEN_DECIDES in rules else _kind_by_row(row)
    if live.terminating and kind is not None:
        if Rule.GONE_MEANS_GONE in rules:
            return None
        return settle(state, index, "being deleted", ResourceState.DELETED, rules)
    if kind is not None and Rule.LANDED_RECORDED in rules and _is_news(row, kind):
        return f"reads: T{task + 1}'s {_VERBS[kind]} had landed; commits that", _landed(state, index, row, live, kind)
    if kind is WriteKind.CREATE:
        return f"reads: made by T{task + 1}; sends DELETE", send(state, index, Request("DELETE", task, At.NOW))
    if kind is WriteKind.APPLY:
        request = _restore(task, row, live, rules)
        return f"reads: changed by T{task + 1}; sends PUT of {request.value}", send(state, index, request)
    if row.unanswered and Rule.MOVE_VERSION in rules:
        text = "reads: no token, but an apply may still land; moves the version"
        return text, send(state, index, Request("fence", task, At.NOW))
    return settle(state, index, f"no token of T{task + 1}", _outcome(row, live), rules)


def _is_news(row: Row, kind: WriteKind) -> bool:
    """Whether the token shows a write that the journal does not have yet."""
    return row.state is not _STATES[kind] or row.uid is not At.NOW


def _landed(state: State, index: int, row: Row, live: Object, kind: WriteKind) -> State:
    name = f"T{(state.workers[index].task or 0) + 1}"
    applied = row.applied or (name if kind is WriteKind.APPLY and live.value == name else None)
    return commit(state, index, row._replace(state=_STATES[kind], uid=At.NOW, applied=applied))


def _outcome(row: Row, live: Object) -> ResourceState:
    if row.state is ResourceState.CHANGED and row.before is not None and row.before.value == live.value:
        return ResourceState.RESTORED
    return ResourceState.KEPT


def _restore(task: int, row: Row, live: Object, rules: Rules) -> Request:
    """Three-way merge of the one field."""
    before = row.before or live
    applied = row.applied or f"T{task + 1}"
    put_back = live.value == applied or Rule.THREE_WAY not in rules
    value = before.value if put_back else live.value
    if Rule.TOKEN_COMES_OFF not in rules:
        token, ours = live.token, live.ours
    elif Rule.FORMER_TOKEN_BACK in rules and before.writer != task:
        token, ours = before.token, before.ours
    else:
        token, ours = None, True
    label = before.label if live.label == OURS else live.label
    return Request("PUT", task, At.NOW, value, token, ours, label)


def answered(state: State, index: int, request: Request, answer: str, rules: Rules) -> State:
    """The worker gets an answer, and commits what it means if it still holds the lease."""
    worker = state.workers[index]
    assert worker.task is not None
    state = set_worker(state, index, worker._replace(awaits=None))
    if Rule.FENCED in rules and not worker.holds:
        return state
    row = row_of(state, index)
    if request.verb == "POST" and answer == "created" and worker.forward:
        row = row._replace(state=ResourceState.CREATED, uid=At.NOW)
    elif request.verb == "POST":
        row = row._replace(refused=answer == "refused" and worker.forward)
    elif request.verb == "apply":
        row = row._replace(unanswered=False)
        if answer in ("done", "created"):
            kind = request.token.kind if request.token else WriteKind.APPLY
            made = kind is WriteKind.CREATE
            row = row._replace(
                state=ResourceState.CREATED if made else ResourceState.CHANGED,
                applied=None if made else request.value,
            )
    elif request.verb == "PUT" and answer == "done" and Rule.TOKEN_DECIDES not in rules:
        row = row._replace(state=ResourceState.RESTORED)
        state = state._replace(dependents=put(state.dependents, request.task, False))
    state = commit(state, index, row)
    if answer in ("created", "done") and worker.forward:
        state = state._replace(edited=False)
    if Rule.WRITE_AHEAD not in rules:
        state = _learn(state, request)
    return state


def _learn(state: State, request: Request) -> State:
    """Without WRITE_AHEAD: the journal has the token only now."""
    live = state.object
    if live is None or live.token is None or live.token != request.token:
        return state
    return state._replace(object=live._replace(token=live.token._replace(known=True)))


def begin(state: State, index: int, task: int, rules: Rules) -> Step:
    """Take a task over, or for the first time: its row first, then its journal (§6)."""
    row, name = state.tasks[task], f"T{task + 1}"
    worker = state.workers[index]._replace(task=task, holds=True, awaits=None)
    if row.status is TaskStatus.WAITING and row.kind == REMOVE:
        state = begin_to_let_go(state, rules)
        state = end_task(state, task, TaskStatus.COMPLETED, Cleanup.PENDING, rules)
    elif row.status is TaskStatus.WAITING:
        state = set_task(state, task, status=TaskStatus.RUNNING)
    forward = not state.tasks[task].status.ended
    state = set_task(state, task, leased=True)
    text = f"claims {name}" if row.status is TaskStatus.WAITING else f"takes over {name}"
    return text, set_worker(state, index, worker._replace(forward=forward))


def set_incomplete(state: State, index: int) -> Step:
    """A pass of the rollback runs out of time; the reaper goes on later."""
    task = state.workers[index].task
    assert task is not None
    state = set_task(state, task, cleanup=Cleanup.INCOMPLETE, leased=False)
    return f"runs out of time; commits T{task + 1} incomplete", set_worker(state, index, IDLE)
