"""`python -m model`: does the design hold, and what is each of its rules there for?

python -m model                    everything, within a minute
python -m model --deep             the design alone, with more faults (minutes)
python -m model FENCED REAPER      the shortest counterexample without these rules
"""

import sys
import time

from model.rules import ALL, Rule
from model.search import Broken, scenes, search
from model.state import Faults

SHORT = Faults(deaths=1, silences=1, edits=1, cancels=1, incomplete=0)
PODS = Faults(deaths=1, silences=1, edits=0, cancels=1, incomplete=0, evictions=1)
BOUNDS = (
    Faults(deaths=0, silences=0, edits=0, cancels=1, incomplete=0),
    Faults(deaths=1, silences=1, edits=0, cancels=1, incomplete=0),
    PODS,
    SHORT,
)
"""How many faults may happen, from few to many. A counterexample with few faults is easier to read."""

DEEP = (
    Faults(deaths=1, silences=1, edits=1, cancels=2, incomplete=1),
    Faults(deaths=2, silences=2, edits=0, cancels=2, incomplete=1),
    Faults(deaths=1, silences=1, edits=2, cancels=1, incomplete=0),
)


def main(arguments: list[str]) -> int:
    """Run and print. The exit code is 0 if all is as expected."""
    if arguments and arguments != ["--deep"]:
        broken = without(frozenset(Rule[name] for name in arguments))
        _print(str(broken) if broken else "The promise holds without it.")
        return 0
    if not holds(DEEP if arguments else (SHORT, PODS)):
        return 1
    if arguments:
        return 0
    idle = [rule.name for rule in Rule if not show(rule)]
    return 1 if idle else 0


def holds(bounds: tuple[Faults, ...]) -> bool:
    """Search the design as it is."""
    for left in bounds:
        started = time.monotonic()
        result = search(scenes(left), ALL)
        seconds = time.monotonic() - started
        verdict = "the promise holds" if result.broken is None else f"THE PROMISE BREAKS\n{result.broken}"
        bound = ", ".join(f"{name} {number}" for name, number in left._asdict().items())
        _print(f"As designed, at most {bound}: {result.states:,} states in {seconds:.0f} s: {verdict}")
        if result.broken is not None:
            return False
    return True


def without(rules: frozenset[Rule]) -> Broken | None:
    """The shortest counterexample without these rules, with as few faults as possible."""
    found = (search(scenes(left), ALL - rules).broken for left in BOUNDS)
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
