"""What belongs to one way of stopping only is refused in the others; and evidence is told in whole lines."""

from pathlib import Path

import pytest

from kubemin.cli.evidence import _indented
from tests.cli.kubemin import Kubemin

WRONG = (
    ("cleanup", "--reason", "enough"),
    ("cleanup", "--yes"),
    ("cancel", "--yes"),
    ("cancel", "--cleanup", "task", "--yes"),
)


@pytest.mark.parametrize(("command", "options"), [(command, options) for command, *options in WRONG])
def test_an_option_that_would_do_nothing_is_a_wrong_usage(tmp_path: Path, command: str, options: list[str]) -> None:
    answer = Kubemin(tmp_path, "http://127.0.0.1:9")(command, "x" * 24, *options)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--yes" in answer.stderr or "--reason" in answer.stderr


def test_the_lines_of_a_message_are_indented() -> None:
    assert _indented("  event  Failed: one\ntwo\nthree") == "  event  Failed: one\n      two\n      three"
