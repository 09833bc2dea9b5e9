"""`python -m model`: does the design hold, and what is each of its rules there for?

python -m model                    everything, within a minute
python -m model --deep             the design alone, with more misfortune (minutes)
python -m model FENCED REAPER      the shortest way in which the promise breaks without these rules
"""

import sys
import time

from model.rules import ALL, Rule
from model.search import Broken, scenes, search
from model.state import Left

SHORT = Left(deaths=1, silences=1, edits=1, cancels=1, incomplete=0)
MEASURES = (
    Left(deaths=0, silences=0, edits=0, cancels=1, incomplete=0),
    Left(deaths=1, silences=1, edits=0, cancels=1, incomplete=0),
    SHORT,
)
"""Of misfortune, from little to much: a way that needs little tells more."""

DEEP = (
    Left(deaths=1, silences=1, edits=1, cancels=2, incomplete=1),
    Left(deaths=2, silences=2, edits=0, cancels=2, incomplete=1),
    Left(deaths=1, silences=1, edits=2, cancels=1, incomplete=0),
)


def main(arguments: list[str]) -> int:
    """Run, print, and say by the exit code whether all is as expected."""
    if arguments and arguments != ["--deep"]:
        broken = without(frozenset(Rule[name] for name in arguments))
        _print(str(broken) if broken else "The promise holds without it.")
        return 0
    if not holds(DEEP if arguments else (SHORT,)):
        return 1
    if arguments:
        return 0
    idle = [rule.name for rule in Rule if not show(rule)]
    return 1 if idle else 0


def holds(measures: tuple[Left, ...]) -> bool:
    """Search the design as it is."""
    for left in measures:
        started = time.monotonic()
        result = search(scenes(left), ALL)
        seconds = time.monotonic() - started
        verdict = "the promise holds" if result.broken is None else f"THE PROMISE BREAKS\n{result.broken}"
        misfortune = ", ".join(f"{name} {number}" for name, number in left._asdict().items())
        _print(f"As designed, at most {misfortune}: {result.states:,} states in {seconds:.0f} s: {verdict}")
        if result.broken is not None:
            return False
    return True


def without(rules: frozenset[Rule]) -> Broken | None:
    """The shortest way in which the promise breaks without these rules, with as little misfortune as will do."""
    found = (search(scenes(left), ALL - rules).broken for left in MEASURES)
    return next((broken for broken in found if broken is not None), None)


def show(rule: Rule) -> bool:
    """Print how it breaks without one rule; False if it does not, so that the rule would be there for nothing."""
    broken = without(frozenset([rule]))
    _print(f"\nWithout {rule.name} ({rule.value}):\n{broken or '     THE PROMISE HOLDS'}")
    return broken is not None


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
