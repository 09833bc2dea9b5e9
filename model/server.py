"""What the API server makes of a request when it arrives, however late that is (traps 1–5)."""

from kubemin.spec.states import TaskStatus, WriteKind
from model.rules import Rule
from model.state import At, Claim, Object, Request, State, put, write

Rules = frozenset[Rule]


def arrive(state: State, request: Request, rules: Rules) -> tuple[State, str]:
    """The state after the request, and the answer that the server gives."""
    live = state.object
    if request.verb == "POST":
        if state.barred:
            return state, "refused"  # quotas and policies are asked before the name is looked for (trap 30)
        if live is not None:
            return state, "already exists"
        return _made(state, request), "created"
    if live is None:
        if request.verb == "apply" and Rule.APPLY_WITH_UID not in rules:
            return _made(state, request), "created"  # a resourceVersion alone does not keep an apply from creating
        return state, "not found"
    if request.at < _needed(request, rules):
        return state, "conflict"
    if request.verb == "DELETE":
        return (state if live.terminating else write(state, live._replace(terminating=True), same_uid=True)), "deleted"
    if request.verb == "apply":
        token = live.token if request.token is None else request.token
        ours = live.ours if request.token is None else True
        new = live._replace(value=request.value, token=token, ours=ours, label=request.label)
        taken_over = request.token is not None and request.token.kind is WriteKind.CREATE  # with all that came of it
        dependents = put((False, False) if taken_over else state.dependents, request.task, True)
        state = _claimed(state._replace(dependents=dependents), request.task)
    elif request.verb in ("PUT", "release"):
        new = live._replace(value=request.value, token=request.token, ours=request.ours, label=request.label)
    else:
        new = live._replace(fence=request.verb == "fence")
    return write(state, new, same_uid=True), "done"


def _made(state: State, request: Request) -> State:
    made = Object(request.value, request.token, request.ours, made=True, label=request.label)
    state = state._replace(dependents=put(state.dependents, request.task, True))
    return _claimed(write(state, made, same_uid=False), request.task)


def _claimed(state: State, task: int) -> State:
    """The controller makes the object's volume claim, or the object uses the one that is there."""
    if not state.claims or state.claim is not None:
        return state
    nobody_knows = state.tasks[task].status is TaskStatus.COMPLETED  # a late request of it: the claim may stay, too
    return state._replace(claim=Claim(), data=None if nobody_knows else False)


def _needed(request: Request, rules: Rules) -> At:
    """How current the read must be that the request is based on."""
    if request.verb == "unfence":
        return At.OLDER  # the uid is enough: nobody else sets a fence
    uid, version = {
        "apply": (Rule.APPLY_WITH_UID in rules, Rule.APPLY_WITH_VERSION in rules),
        "DELETE": (True, Rule.DELETE_WITH_VERSION in rules),
        "release": (True, Rule.RELEASE_WITH_VERSION in rules),
    }.get(request.verb, (True, True))
    if version:
        return At.NOW
    return At.OLDER if uid else At.OTHER
