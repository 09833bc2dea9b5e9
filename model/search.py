"""Breadth-first search: everything that can happen, and the shortest way to what must not."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from model.promise import broken_at_rest, broken_now
from model.rules import Rule
from model.state import Left, State
from model.worker import DEPLOY, NOTHING, REMOVE
from model.world import mishaps, progress, start


@dataclass(frozen=True)
class Scene:
    """Where a search begins: was the object there before us, what is the next task, how much may go wrong."""

    there: bool
    second: str
    left: Left

    def __str__(self) -> str:
        following = {NOTHING: "no next task", DEPLOY: "the next task deploys", REMOVE: "the next task removes"}
        return f"the object is {'there' if self.there else 'absent'} at first; {following[self.second]}"


def scenes(left: Left) -> list[Scene]:
    """All of them, for one measure of misfortune."""
    return [Scene(there, second, left) for second in (NOTHING, DEPLOY, REMOVE) for there in (False, True)]


@dataclass(frozen=True)
class Broken:
    """A shortest way in which the promise breaks."""

    scene: Scene
    steps: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        lines = (f"{number:>3}. {step}" for number, step in enumerate(self.steps, 1))
        return "\n".join([f"     ({self.scene})", *lines, f"   ✗ {self.why}"])


@dataclass(frozen=True)
class Result:
    """What a search found, and how many states it looked at."""

    states: int
    broken: Broken | None


def search(begin: Sequence[Scene], rules: frozenset[Rule]) -> Result:
    """Look at every state that can be reached from these scenes; stop at the first that breaks the promise.

    Where none does, a state at rest must be reachable from each: a rollback that goes round for ever is no better.
    """
    states: list[State] = [start(scene.there, scene.second, scene.left) for scene in begin]
    numbers = {state: number for number, state in enumerate(states)}
    said = [""] * len(states)
    parents = array("l", [-1]) * len(states)
    edges = array("l"), array("l")
    at_rest: list[int] = []

    def way(number: int, why: str, last: Iterable[str] = ()) -> Result:
        steps: list[str] = []
        while parents[number] >= 0:
            steps.append(said[number])
            number = parents[number]
        return Result(len(states), Broken(begin[number], (*reversed(steps), *last), why))

    number = 0
    while number < len(states):
        state = states[number]
        resting = True
        for by_itself, moves in ((True, progress(state, rules)), (False, mishaps(state, rules))):
            for what, after in moves:
                if (why := broken_now(state, after)) is not None:
                    return way(number, why, [what])
                known = numbers.get(after)
                if known is None:
                    known = numbers[after] = len(states)
                    states.append(after)
                    said.append(what)
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
    restless = _first_restless(len(states), at_rest, *edges)
    if restless is None:
        return Result(len(states), None)
    return way(restless, "and so on: it never comes to rest", _round(states[restless], rules))


def _round(state: State, rules: frozenset[Rule]) -> list[str]:
    """What happens by itself from here, until it begins again."""
    seen: set[State] = set()
    steps: list[str] = []
    while state not in seen:
        seen.add(state)
        what, state = next(progress(state, rules))
        steps.append(what)
    return steps


def _first_restless(count: int, at_rest: list[int], sources: "array[int]", targets: "array[int]") -> int | None:
    """The first state from which no state at rest can be reached by what happens by itself."""
    into: list[list[int]] = [[] for _ in range(count)]
    for source, target in zip(sources, targets, strict=True):
        into[target].append(source)
    calm = bytearray(count)
    for number in at_rest:
        calm[number] = 1
    todo = list(at_rest)
    while todo:
        for source in into[todo.pop()]:
            if not calm[source]:
                calm[source] = 1
                todo.append(source)
    return next((number for number in range(count) if not calm[number]), None)
