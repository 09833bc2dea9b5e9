"""``python -m tests.proof.fuzz --seconds N``: random scripts for so long, or ``--scripts N`` of them.

It tells how many ran, and what was found.
"""

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.proof.interpreter import run
from tests.proof.script import Script
from tests.proof.shrink import shrink
from tests.proof.strategies import scripts
from tests.proof.world import Broken

_GROUPS = {
    "runs": ("runs", "rounds", "points", "writes", "objects made", "objects deleted", "objects of", "longest ms"),
    "tasks": ("task ", "cleanup incomplete", "tasks forgotten"),
    "faults": ("fault ",),
    "people": ("foreign ",),
    "events": ("event ",),
    "partings": ("parting ",),
    "strategies": ("way ",),
}


@dataclass
class Fuzz:
    """What ran, and what was found."""

    seconds: float
    scripts: int
    shrink_seconds: float
    parts: int
    failures: Path
    statistics: Counter[str] = field(default_factory=Counter)
    found: list[Path] = field(default_factory=list)

    def run(self, number: int) -> None:
        """Random scripts from a seed on, until the time is over or enough ran."""
        deadline = time.monotonic() + self.seconds
        while not self._enough(deadline):
            number += 1
            if (found := self._some(number, deadline)) is not None:
                path = self.failures / f"{number}.txt"
                path.write_text(str(found[1]))  # at once: the shrinking may be cut short
                script, failure = shrink(*found, self.shrink_seconds)
                path.write_text(str(failure))
                self.found.append(path)
                wrong = str(failure).partition("WRONG:\n")[2]
                print(f"FOUND, saved as {path}:\n{script}\n{wrong}\n", flush=True)

    def _enough(self, deadline: float) -> bool:
        return time.monotonic() >= deadline or self.statistics["runs"] >= self.scripts

    def _some(self, number: int, deadline: float) -> tuple[Script, Broken] | None:
        """Twenty scripts, or until one breaks the promise."""
        found: list[tuple[Script, Broken]] = []

        @seed(number)
        @settings(
            max_examples=20,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        @given(scripts(most_parts=self.parts))
        def some(script: Script) -> None:
            if found or self._enough(deadline):
                return
            already_requested = time.monotonic()
            try:
                run(script, self.statistics)
            except Broken as error:
                found.append((script, error))
            taken = int((time.monotonic() - already_requested) * 1000)
            self.statistics["runs"] += 1
            self.statistics["longest ms"] = max(self.statistics["longest ms"], taken)

        some()
        return found[0] if found else None

    def summary(self) -> str:
        """What ran, by group."""
        lines = []
        for group, prefixes in _GROUPS.items():
            counts = [(what, count) for what, count in sorted(self.statistics.items()) if what.startswith(prefixes)]
            lines.append(f"{group}: " + (", ".join(f"{_plain(what)} {count}" for what, count in counts) or "none"))
        lines.append(f"found: {len(self.found)}" + "".join(f"\n  {path}" for path in self.found))
        return "\n".join(lines)


def _plain(what: str) -> str:
    for prefix in ("task ", "fault ", "foreign ", "event ", "parting ", "way "):
        what = what.removeprefix(prefix)
    return what


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz; the exit code says whether the invariant held."""
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--scripts", type=int, default=sys.maxsize, help="how many, at most")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000_000)
    parser.add_argument("--parts", type=int, default=12, help="components of an application, at most")
    parser.add_argument("--shrink", type=float, default=240, help="seconds to look for a shorter script of a failure")
    parser.add_argument("--failures", type=Path, default=Path("/tmp/kubemin-fuzz"), help="folder for what is found")
    options = parser.parse_args(arguments)
    options.failures.mkdir(parents=True, exist_ok=True)
    fuzz = Fuzz(options.seconds, options.scripts, options.shrink, options.parts, options.failures)
    print(f"seed {options.seed}", flush=True)
    fuzz.run(options.seed)
    print(fuzz.summary())
    return 1 if fuzz.found else 0


if __name__ == "__main__":
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # of answers to connections that are cut on purpose
    sys.exit(main())
