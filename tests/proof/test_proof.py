"""A short run of the proof; `make fuzz SECONDS=…` runs it for as long as wanted."""

from pathlib import Path

import pytest
import structlog

from tests.proof import fuzz

SCRIPTS = 10
WITHOUT_END = "inf"
BOUNDS = ["--seconds", WITHOUT_END, "--scripts", str(SCRIPTS), "--shrink", "0"]


def test_random_applications_under_random_faults_keep_the_promise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same scripts each time, however fast the machine is; some come to a strategy's second workload."""
    try:
        assert fuzz.main([*BOUNDS, "--seed", "16", "--parts", "4", "--failures", str(tmp_path)]) == 0
    finally:
        structlog.reset_defaults()  # the interpreter silences the log, which other tests read
    assert f"runs {SCRIPTS}," in capsys.readouterr().out
