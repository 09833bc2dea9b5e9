"""`python -m model`: does the design hold, and what is each of its rules there for?

python -m model                    everything, within a minute
python -m model --deep             the design alone, with more faults (minutes)
python -m model FENCED REAPER      the shortest counterexample without these rules
"""

import sys
import time
from collections.abc import Sequence

from model import holds
from model.rules import ALL, Rule
from model.search import Broken, Scene, claims, refusals, scenes, search, strangers
from model.state import Faults

NONE = Faults(deaths=0, silences=0, edits=0, cancels=0, incomplete=0)
SHORT = Faults(deaths=1, silences=1, edits=1, cancels=1, incomplete=0)
PODS = Faults(deaths=1, silences=1, edits=0, cancels=1, incomplete=0, evictions=1)
FEW = Faults(deaths=1, silences=1, edits=0, cancels=1, incomplete=0)
DESIGN = (
    ("journal", scenes(SHORT)),
    ("Pods that read", scenes(PODS)),
    ("strangers", strangers(SHORT)),
    ("strangers", strangers(FEW._replace(incomplete=1, takeovers=1))),
    ("refusals", refusals(SHORT._replace(quotas=1))),
    ("volume claims", claims(SHORT)),
)
"""What is searched with all rules."""

BOUNDS = (
    scenes(NONE._replace(cancels=1)),
    strangers(NONE),
    refusals(NONE),
    claims(NONE._replace(cancels=1)),
    refusals(NONE._replace(silences=1, quotas=1)),
    strangers(NONE._replace(silences=1, edits=1)),
    strangers(NONE._replace(incomplete=1, cancels=1, takeovers=1)),
    scenes(NONE._replace(edits=1, cancels=1)),
    claims(NONE._replace(silences=1, cancels=1)),
    scenes(FEW),
    scenes(PODS),
    scenes(SHORT),
)
"""Where a counterexample is looked for: from few faults to many, since one with few is easier to read."""

DEEP = (
    ("journal", scenes(Faults(deaths=1, silences=1, edits=1, cancels=2, incomplete=1))),
    ("journal", scenes(Faults(deaths=2, silences=2, edits=0, cancels=2, incomplete=1))),
    ("journal", scenes(Faults(deaths=1, silences=1, edits=2, cancels=1, incomplete=0))),
    ("strangers", strangers(Faults(deaths=1, silences=1, edits=2, cancels=1, incomplete=1, takeovers=1))),
    ("refusals", refusals(Faults(deaths=2, silences=2, edits=1, cancels=1, incomplete=0, quotas=1))),
    ("volume claims", claims(Faults(deaths=2, silences=1, edits=0, cancels=1, incomplete=1))),
)


def main(arguments: list[str]) -> int:
    """Run and print. The exit code is 0 if all is as expected."""
    if arguments and arguments != ["--deep"]:
        broken = without(frozenset(Rule[name] for name in arguments))
        _print(str(broken) if broken else "The promise holds without it.")
        return 0
    if not keeps(DEEP if arguments else DESIGN):
        return 1
    if arguments:
        return 0
    if not holds_are_kept():
        return 1
    idle = [rule.name for rule in Rule if not show(rule)]
    return 1 if idle else 0


def keeps(searches: Sequence[tuple[str, list[Scene]]]) -> bool:
    """Search the design as it is."""
    for what, begin in searches:
        started = time.monotonic()
        result = search(begin, ALL)
        seconds = time.monotonic() - started
        verdict = "the promise holds" if result.broken is None else f"THE PROMISE BREAKS\n{result.broken}"
        bound = ", ".join(f"{name} {number}" for name, number in begin[0].left._asdict().items() if number)
        _print(f"As designed, {what}, at most {bound}: {result.states:,} states in {seconds:.0f} s: {verdict}")
        if result.broken is not None:
            return False
    return True


def holds_are_kept() -> bool:
    """Search the model of the holds, as designed and without each rule. False if it is not as expected."""
    designed = holds.search()
    _print(f"As designed, holds: {designed.states:,} states: {designed.why or 'the promise holds'}")
    without = {rule: holds.search(frozenset(holds.HoldRule) - {rule}) for rule in holds.HoldRule}
    for rule, found in without.items():
        _print(f"\nWithout {rule.name} ({rule.value}):\n{found if found.why else '     THE PROMISE HOLDS'}")
    return not designed.why and all(found.why for found in without.values())


def without(rules: frozenset[Rule]) -> Broken | None:
    """The shortest counterexample without these rules, with as few faults as possible."""
    found = (search(begin, ALL - rules).broken for begin in BOUNDS)
    return next((broken for broken in found if broken is not None), None)


def show(rule: Rule) -> bool:
    """Print the counterexample without one rule. False if there is none: then the rule is not needed."""
    broken = without(frozenset([rule]))
    _print(f"\nWithout {rule.name} ({rule.value}):\n{broken or '     THE PROMISE HOLDS'}")
    return broken is not None


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
