"""Every step that can come next: of workers, of requests on their way, of other people, and by the clock."""

from collections.abc import Iterator

from kubemin.spec.states import Cleanup, TaskStatus, WriteKind
from model.rules import Rule
from model.server import Rules, arrive
from model.state import (
    IDLE,
    OTHERS,
    At,
    Claim,
    Faults,
    Object,
    Request,
    Row,
    State,
    Task,
    Wanted,
    Worker,
    read_by_pod,
    set_task,
    set_worker,
    theirs,
    write,
)
from model.steps import DEPLOY, NOTHING, Step, end_task
from model.worker import answered, begin, set_incomplete, step


def start(
    there: bool,
    second: str,
    left: Faults,
    *,
    adopt: bool = True,
    barred: bool = False,
    claims: bool = False,
    kept: bool = False,
    volumes: bool = False,
) -> State:
    """Before the first task: the object is there, as others made it, or not. ``second``: kind of the next task.

    ``kept``: a volume claim of a former task is there. ``volumes``: the removal is to delete volume claims.
    """
    return State(
        object=Object("old") if there else None,
        wanted=Wanted("old") if there else None,
        tasks=(Task(DEPLOY, adopt), Task(second, adopt, volumes)),
        rows=(Row(), Row()),
        workers=(IDLE, IDLE),
        late=(),
        left=left,
        barred=barred,
        claims=claims,
        claim=Claim() if kept else None,
        data=kept,
    )


def progress(state: State, rules: Rules) -> Iterator[Step]:
    """The steps that happen without a fault, until everything is settled."""
    for index, worker in enumerate(state.workers):
        name = f"W{index + 1}"
        if worker.awaits is not None:
            after, answer = arrive(state, worker.awaits, rules)
            settled = answered(after, index, worker.awaits, answer, rules)
            yield f"{name}'s {worker.awaits.verb} arrives ({answer}), and its answer too", settled
        elif worker.task is not None:
            taken = (
                step(state, index, rules) if worker.holds or worker.copy is None else _read_early(state, index, rules)
            )
            if taken is not None:
                yield f"{name} {taken[0]}", taken[1]
    yield from _claims(state, rules)
    for at, request in enumerate(state.late):
        rest = state._replace(late=state.late[:at] + state.late[at + 1 :])
        after, answer = arrive(rest, request, rules)
        yield f"T{request.task + 1}'s late {request.verb} arrives ({answer})", after
        yield f"T{request.task + 1}'s late {request.verb} is lost", rest
    if state.object is not None and state.object.terminating:
        yield "the object is gone", write(state, None, same_uid=False)
    if Rule.REAPER in rules:
        yield from _reaper(state, rules)


def _claims(state: State, rules: Rules) -> Iterator[Step]:
    index = next((index for index, worker in enumerate(state.workers) if worker.task is None), None)
    if index is None:
        return
    for at, task in enumerate(state.tasks):
        if not task.leased and _claimable(state, at, rules):
            text, after = begin(state, index, at, rules)
            yield f"W{index + 1} {text}", after


def _read_early(state: State, index: int, rules: Rules) -> Step | None:
    """Of a worker that read a journal before it has the lease: take the task over once it can."""
    at = state.workers[index].task
    assert at is not None
    if state.tasks[at].leased:
        return None
    if _claimable(state, at, rules):
        return begin(state, index, at, rules)
    return "finds nothing to take over", set_worker(state, index, IDLE)


def _claimable(state: State, at: int, rules: Rules) -> bool:
    task = state.tasks[at]
    if task.kind == NOTHING:
        return False
    if task.status is TaskStatus.WAITING:
        former = state.tasks[0]
        free = former.status.ended and former.cleanup in (Cleanup.NONE, Cleanup.DONE, Cleanup.INCOMPLETE)
        return at == 0 or free or (Rule.ONE_TASK_AT_A_TIME not in rules and former.status is not TaskStatus.WAITING)
    return task.status is TaskStatus.RUNNING or task.cleanup in (Cleanup.PENDING, Cleanup.INCOMPLETE)


def _reaper(state: State, rules: Rules) -> Iterator[Step]:
    live = state.object
    if live is None or live.terminating or live.token is None or not live.token.known or not live.ours:
        return
    at = live.token.task
    task = state.tasks[at]
    if not task.status.ended or task.cleanup not in (Cleanup.NONE, Cleanup.DONE):
        return
    unknown = live.token.kind is WriteKind.CREATE and state.rows[at].uid is not At.NOW
    if task.status is not TaskStatus.COMPLETED or (Rule.REAPER_KNOWS_UIDS in rules and unknown):
        yield f"the reaper reopens T{at + 1}'s cleanup", set_task(state, at, cleanup=Cleanup.PENDING)


def faults(state: State, rules: Rules) -> Iterator[Step]:
    """Faults, which may happen or not: deaths, lost answers, cancels, and edits of other people."""
    left = state.left
    for index, worker in enumerate(state.workers):
        if worker.task is None or not worker.holds:
            continue
        if left.deaths:
            less = state._replace(left=left._replace(deaths=left.deaths - 1))
            yield _loses_its_lease(less, index, rules)
        if left.silences and worker.awaits is not None:
            less = state._replace(left=left._replace(silences=left.silences - 1))
            yield from _silence(less, index, worker.awaits, rules)
        if left.incomplete and not worker.forward and worker.awaits is None:
            less = state._replace(left=left._replace(incomplete=left.incomplete - 1))
            text, after = set_incomplete(less, index)
            yield f"W{index + 1} {text}", after
    if left.evictions:
        less = state._replace(left=left._replace(evictions=left.evictions - 1), pod=read_by_pod(state.object))
        yield "the Pod that reads the object is evicted; another starts", less
    if left.quotas and not state.barred:
        less = state._replace(left=left._replace(quotas=left.quotas - 1), barred=True)
        yield "a quota is used up: nothing may be created from now on", less
    if left.takeovers:
        less = state._replace(left=left._replace(takeovers=left.takeovers - 1), edited=True, intervened=True)
        yield from _takeovers(less)
    if left.cancels:
        less = state._replace(left=left._replace(cancels=left.cancels - 1))
        for at, task in enumerate(state.tasks):
            if task.status is TaskStatus.RUNNING:
                cancelled = end_task(less, at, TaskStatus.CANCELLED, Cleanup.PENDING, rules)
                yield f"somebody cancels T{at + 1}", cancelled
    if Rule.TAKEOVER_FIRST not in rules and left.deaths:
        yield from _reads_early(state)
    if left.edits:
        yield from _edits(state._replace(left=left._replace(edits=left.edits - 1), edited=True))


def _reads_early(state: State) -> Iterator[Step]:
    if state.workers[1].task is None:
        for at, task in enumerate(state.tasks):
            if task.leased:
                early = Worker(at, holds=False, copy=state.rows[at])
                yield f"W2 reads the journal of T{at + 1}, which W1 still has", set_worker(state, 1, early)


def _loses_its_lease(state: State, index: int, rules: Rules) -> Step:
    """It dies, or sleeps past its lease: the same, since what it sent is late and what it would commit is refused."""
    worker = state.workers[index]
    assert worker.task is not None
    state = set_task(state, worker.task, leased=False)
    if Rule.FENCED not in rules:
        return f"W{index + 1} sleeps past its lease", set_worker(state, index, worker._replace(holds=False))
    text = f"W{index + 1} dies, or sleeps past its lease"
    return text, _late(set_worker(state, index, IDLE), worker.awaits)


def _late(state: State, request: Request | None) -> State:
    return state if request is None else state._replace(late=tuple(sorted((*state.late, request), key=repr)))


def _silence(state: State, index: int, request: Request, rules: Rules) -> Iterator[Step]:
    deaf = set_worker(state, index, state.workers[index]._replace(awaits=None))
    after, answer = arrive(deaf, request, rules)
    if after != deaf:
        yield f"W{index + 1}'s {request.verb} arrives ({answer}), but its answer is lost", after
    yield f"W{index + 1} gives its {request.verb} up; it is late", _late(deaf, request)


def _edits(state: State) -> Iterator[Step]:
    live, was, state = state.object, state.intervened, state._replace(intervened=True)
    if live is None:
        made = write(state, Object("theirs"), same_uid=False)._replace(wanted=Wanted("theirs"))
        yield "somebody makes the object", made._replace(data=theirs(state).data)  # it uses the volume claim
        return
    if live.terminating:
        return
    if live.value != "theirs":
        # An edit of what a task made does not make it theirs; an edit of what was there before is to be kept.
        wanted = state.wanted and state.wanted._replace(value="theirs")
        changed = write(state, live._replace(value="theirs"), same_uid=True)
        yield "somebody edits the field", changed._replace(wanted=wanted, intervened=was)
    deleted = write(state, live._replace(terminating=True), same_uid=True)
    yield "somebody deletes the object", theirs(deleted._replace(wanted=None))
    if live.token is not None:
        taken = write(state, live._replace(token=None, ours=True, made=False, label=""), same_uid=True)
        taken = theirs(taken._replace(wanted=Wanted(live.value)))
        yield "somebody replaces the object as it is, without our token and label", taken
        copied = write(state, live._replace(ours=False, made=False), same_uid=False)
        copied = theirs(copied._replace(wanted=Wanted(live.value, None, live.label)))
        yield "somebody makes it anew from a copy, with our token and label", copied


def _takeovers(state: State) -> Iterator[Step]:
    live = state.object
    if live is not None and not live.terminating:
        new = live._replace(value="theirs", token=None, ours=True, made=False, label=OTHERS)
        taken = write(state, new, same_uid=True)._replace(wanted=Wanted("theirs", None, OTHERS))
        yield "somebody takes our marks off the object, and another application adopts it", theirs(taken)
