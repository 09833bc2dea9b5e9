"""What the API server makes of a request when it arrives, however late that is (traps 1–5)."""

from kubemin.spec.states import WriteKind
from model.rules import Rule
from model.state import At, Object, Request, State, put, write

Rules = frozenset[Rule]


def arrive(state: State, request: Request, rules: Rules) -> tuple[State, str]:
    """The state after the request, and the answer that the server gives."""
    look = state.object
    if request.verb == "POST":
        if look is not None:
            return state, "already exists"
        return _made(state, request), "created"
    if look is None:
        if request.verb == "apply" and Rule.APPLY_WITH_UID not in rules:
            return _made(state, request), "created"  # a resourceVersion alone does not keep an apply from creating
        return state, "not found"
    if request.at < _needed(request, rules):
        return state, "conflict"
    if request.verb == "DELETE":
        return (state if look.dying else write(state, look._replace(dying=True), same_uid=True)), "deleted"
    if request.verb == "apply":
        claim = look.claim if request.claim is None else request.claim
        ours = look.ours if request.claim is None else True
        new = look._replace(value=request.value, claim=claim, ours=ours)
        adopted = request.claim is not None and request.claim.kind is WriteKind.CREATE  # with all that came of it
        litter = put((False, False) if adopted else state.litter, request.task, True)
        state = state._replace(litter=litter)
    elif request.verb == "PUT":
        new = look._replace(value=request.value, claim=request.claim, ours=request.ours)
    else:
        new = look._replace(fence=request.verb == "fence")
    return write(state, new, same_uid=True), "done"


def _made(state: State, request: Request) -> State:
    made = Object(request.value, request.claim, request.ours, made=True)
    state = state._replace(litter=put(state.litter, request.task, True))
    return write(state, made, same_uid=False)


def _needed(request: Request, rules: Rules) -> At:
    """How young the look must be that the request was based on."""
    if request.verb == "unfence":
        return At.OLDER  # by uid: it can only take off what no one else put there
    uid, version = {
        "apply": (Rule.APPLY_WITH_UID in rules, Rule.APPLY_WITH_VERSION in rules),
        "DELETE": (True, Rule.DELETE_WITH_VERSION in rules),
    }.get(request.verb, (True, True))
    if version:
        return At.NOW
    return At.OLDER if uid else At.OTHER
