"""``python -m tests.proof.show WHAT``: tells how a script goes, of a failure's file or of a regression, by its line."""

import sys
from pathlib import Path

from tests.proof import script
from tests.proof.interpreter import run
from tests.proof.test_regressions import CASES
from tests.proof.world import Broken


def main(what: str) -> int:
    """Run it, tell it; the exit code says whether the promise held."""
    if Path(what).is_file():
        found = [eval(Path(what).read_text().partition("\n")[0], vars(script))]
    else:
        found = [case for line, case in CASES.items() if what in line]
    failed = 0
    for one in found:
        try:
            print("\n".join([repr(one), *run(one), "It held."]), flush=True)
        except Broken as error:
            failed = 1
            print(error, flush=True)
    return failed if found else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
