"""``python -m tests.proof.fuzz --seconds N``: random scripts for so long; tells how many, and what was found."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import FlakyFailure

from tests.proof.interpreter import run
from tests.proof.script import Script
from tests.proof.strategies import scripts
from tests.proof.world import Broken


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz; the exit code says whether the invariant held."""
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000_000)
    parser.add_argument("--parts", type=int, default=12)
    parser.add_argument("--shrink", action="store_true", help="look for the shortest script of each failure")
    parser.add_argument("--failures", type=Path, default=Path("/tmp/kubemin-fuzz"), help="folder for what is found")
    options = parser.parse_args(arguments)
    options.failures.mkdir(parents=True, exist_ok=True)
    statistics: Counter[str] = Counter()
    found: list[str] = []
    deadline = time.monotonic() + options.seconds
    number = options.seed
    while time.monotonic() < deadline:
        number += 1
        phases = [Phase.generate, *([Phase.shrink] if options.shrink else [])]

        @seed(number)
        @settings(
            max_examples=20,
            deadline=None,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            print_blob=False,
        )
        @given(scripts(most_parts=options.parts))
        def some(script: Script) -> None:
            if time.monotonic() > deadline and not found:
                return
            statistics["runs"] += 1
            begun = time.monotonic()
            try:
                run(script, statistics)
            except Broken as error:
                statistics["broken"] += 1
                path = options.failures / f"{number}-{statistics['runs']}.txt"  # noqa: B023  run before the next turn
                path.write_text(str(error))
                print(f"{path}: {str(error).split('WRONG:', 1)[1]}", flush=True)
                raise
            finally:
                taken = time.monotonic() - begun
                statistics["longest ms"] = max(statistics["longest ms"], int(taken * 1000))

        try:
            some()
        except (Broken, FlakyFailure) as error:
            found.append(str(error))
    for what, count in sorted(statistics.items()):
        print(f"{count:>8}  {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
