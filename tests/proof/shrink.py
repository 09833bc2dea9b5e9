"""From a script that breaks the promise to a short one that still does: whatever can be left out is left out."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from tests.proof.interpreter import ITSELF, outcomes
from tests.proof.script import Again, Part, Round, Save, Script
from tests.proof.world import Broken

_AT_ONCE = 6
"""Scripts that are tried side by side: a run that breaks mostly waits, to be sure."""


def shrink(script: Script, failure: Broken, seconds: float) -> tuple[Script, Broken]:
    """The shortest script that was found within that time to break too, and how it does."""
    until = time.monotonic() + seconds
    tried = {script}
    while True:
        candidates = [one for one in dict.fromkeys(smaller(script)) if one not in tried]
        for begin in range(0, len(candidates), _AT_ONCE):
            batch = candidates[begin : begin + _AT_ONCE]
            if time.monotonic() > until:
                return script, failure
            tried.update(batch)
            found = [
                (one, broken)
                for one, broken in zip(batch, outcomes(batch), strict=True)
                if broken is not None and (ITSELF in str(broken)) == (ITSELF in str(failure))
            ]
            if found:
                script, failure = found[0]
                break
        else:
            return script, failure


def smaller(script: Script) -> Iterator[Script]:
    """Scripts with something left out, the most first."""
    rounds = script.rounds
    if script.forgets:
        yield replace(script, forgets=False)
    if len(rounds) > 1:
        yield from (replace(script, rounds=left) for left in _without_one(rounds))
    for place, round_ in enumerate(rounds):
        others = rounds[:place], rounds[place + 1 :]
        yield from (replace(script, rounds=(*others[0], one, *others[1])) for one in _smaller_rounds(round_))


def _smaller_rounds(round_: Round) -> Iterator[Round]:
    bare = replace(round_, there=(), troubles=(), events=())
    if bare != round_:
        yield bare
    half = len(round_.parts) // 2
    if half > 1:
        yield from (replace(round_, parts=parts) for parts in (round_.parts[half:], round_.parts[:half]))
    yield from (replace(round_, events=left) for left in _without_one(round_.events))
    yield from (replace(round_, troubles=left) for left in _without_one(round_.troubles))
    yield from (replace(round_, there=left) for left in _without_one(round_.there))
    if len(round_.parts) > 1:
        yield from (replace(round_, parts=left) for left in _without_one(round_.parts))
    plain = replace(round_, steps="DAG", how="exec", way="", preflight=True, app="shop", namespace="default")
    if plain != round_:
        yield plain
    plainer = (replace(round_, steps="DAG"), replace(round_, how="exec"), replace(round_, way=""))
    yield from (one for one in plainer if one != round_)
    yield from (replace(round_, parts=parts) for parts in _plainer(round_.parts))
    for place, event in enumerate(round_.events):
        if isinstance(event, Again | Save):
            fewer = [left for left in _without_one(event.parts) if left] + list(_plainer(event.parts))
            others = round_.events[:place], round_.events[place + 1 :]
            yield from (replace(round_, events=(*others[0], replace(event, parts=one), *others[1])) for one in fewer)


T = TypeVar("T")


def _without_one(items: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    return (items[:place] + items[place + 1 :] for place in range(len(items)))


def _plainer(parts: tuple[Part, ...]) -> Iterator[tuple[Part, ...]]:
    for place, part in enumerate(parts):
        choices = [
            replace(part, ports=False, volume=False, extras=(), replicas=1),
            replace(part, extras=(), replicas=1),
            *(replace(part, extras=left) for left in _without_one(part.extras)),
            replace(part, volume=False),
            replace(part, ports=False),
            replace(part, replicas=1),
            replace(part, fate=""),
            replace(part, way=""),
        ]
        yield from ((*parts[:place], one, *parts[place + 1 :]) for one in choices if one != part)
