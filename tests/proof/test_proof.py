"""A short run of the proof; `make fuzz SECONDS=…` runs it for as long as wanted."""

from pathlib import Path

import structlog

from tests.proof import fuzz


def test_random_applications_under_random_faults_keep_the_promise(tmp_path: Path) -> None:
    try:
        assert (
            fuzz.main(["--seconds", "12", "--seed", "7", "--parts", "4", "--shrink", "0", "--failures", str(tmp_path)])
            == 0
        )
    finally:
        structlog.reset_defaults()  # the interpreter silences the log, which other tests read
