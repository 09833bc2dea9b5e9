"""Breadth-first search: every state that can be reached, and the shortest counterexample."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from model.promise import broken_at_rest, broken_now
from model.rules import Rule
from model.state import Faults, State
from model.steps import DEPLOY, NOTHING, REMOVE
from model.world import faults, progress, start


@dataclass(frozen=True)
class Scene:
    """Where a search begins, as `start` takes it, and how many faults may happen."""

    there: bool
    second: str
    left: Faults
    adopt: bool = True
    barred: bool = False
    claims: bool = False
    kept: bool = False
    volumes: bool = False

    def begin(self) -> State:
        """The first state."""
        options = {name: getattr(self, name) for name in ("adopt", "barred", "claims", "kept", "volumes")}
        return start(self.there, self.second, self.left, **options)

    def __str__(self) -> str:
        following = {NOTHING: "no next task", DEPLOY: "the next task deploys", REMOVE: "the next task removes"}
        said = [f"the object is {'there' if self.there else 'absent'} at first"]
        said += ["a kept volume claim is there"] * self.kept + ["nothing may be created"] * self.barred
        said += [following[self.second] + " and deletes volumes" * self.volumes] + ["without adopt"] * (not self.adopt)
        return "; ".join(said)


def scenes(left: Faults) -> list[Scene]:
    """All scenes of the journal: one bound on the faults, tasks that may adopt, no volume claims."""
    return [Scene(there, second, left) for second in (NOTHING, DEPLOY, REMOVE) for there in (False, True)]


def strangers(left: Faults) -> list[Scene]:
    """A stranger's object, which a task may not adopt; or which it adopts, and the next task releases."""
    return [
        Scene(there=True, second=NOTHING, left=left, adopt=False),
        Scene(there=False, second=NOTHING, left=left, adopt=False),
        Scene(there=True, second=REMOVE, left=left),
    ]


def refusals(left: Faults) -> list[Scene]:
    """A quota, or a policy, refuses whatever is to be created: from the start, or from some moment on."""
    return [Scene(there, NOTHING, left, barred=barred) for there in (False, True) for barred in (False, True)]


def claims(left: Faults) -> list[Scene]:
    """The object's controller makes a volume claim, or uses one that a former task has left."""
    seconds = ((NOTHING, False), (DEPLOY, False), (REMOVE, False), (REMOVE, True))
    return [
        Scene(False, second, left, claims=True, kept=kept, volumes=volumes)
        for second, volumes in seconds
        for kept in (False, True)
    ]


@dataclass(frozen=True)
class Broken:
    """A shortest counterexample: steps after which the promise is broken."""

    scene: Scene
    steps: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        lines = (f"{number:>3}. {step}" for number, step in enumerate(self.steps, 1))
        return "\n".join([f"     ({self.scene})", *lines, f"   ✗ {self.why}"])


@dataclass(frozen=True)
class Result:
    """What a search found, and how many states it visited."""

    states: int
    broken: Broken | None


def search(begin: Sequence[Scene], rules: frozenset[Rule]) -> Result:
    """Visit every state that can be reached from these scenes; stop at the first that breaks the promise.

    If none does, a state at rest must be reachable from every state: a rollback that never ends breaks the promise too.
    """
    states: list[State] = [scene.begin() for scene in begin]
    numbers = {state: number for number, state in enumerate(states)}
    texts = [""] * len(states)
    parents = array("l", [-1]) * len(states)
    edges = array("l"), array("l")
    at_rest: list[int] = []

    def way(number: int, why: str, last: Iterable[str] = ()) -> Result:
        steps: list[str] = []
        while parents[number] >= 0:
            steps.append(texts[number])
            number = parents[number]
        return Result(len(states), Broken(begin[number], (*reversed(steps), *last), why))

    number = 0
    while number < len(states):
        state = states[number]
        resting = True
        for by_itself, moves in ((True, progress(state, rules)), (False, faults(state, rules))):
            for what, after in moves:
                if (why := broken_now(state, after)) is not None:
                    return way(number, why, [what])
                known = numbers.get(after)
                if known is None:
                    known = numbers[after] = len(states)
                    states.append(after)
                    texts.append(what)
                    parents.append(number)
                if by_itself:
                    resting = False
                    edges[0].append(number)
                    edges[1].append(known)
        if resting:
            at_rest.append(number)
            if (why := broken_at_rest(state)) is not None:
                return way(number, why)
        number += 1
    endless = _first_endless(len(states), at_rest, *edges)
    if endless is None:
        return Result(len(states), None)
    return way(endless, "and so on: it never comes to rest", _cycle(states[endless], rules))


def _cycle(state: State, rules: frozenset[Rule]) -> list[str]:
    """The steps from here, without faults, until a state comes again."""
    seen: set[State] = set()
    steps: list[str] = []
    while state not in seen:
        seen.add(state)
        what, state = next(progress(state, rules))
        steps.append(what)
    return steps


def _first_endless(count: int, at_rest: list[int], sources: "array[int]", targets: "array[int]") -> int | None:
    """The first state from which no state at rest can be reached without faults."""
    into: list[list[int]] = [[] for _ in range(count)]
    for source, target in zip(sources, targets, strict=True):
        into[target].append(source)
    ends = bytearray(count)
    for number in at_rest:
        ends[number] = 1
    todo = list(at_rest)
    while todo:
        for source in into[todo.pop()]:
            if not ends[source]:
                ends[source] = 1
                todo.append(source)
    return next((number for number in range(count) if not ends[number]), None)
