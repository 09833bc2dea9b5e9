"""Questions at a terminal."""

import signal
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

_ASKS = """
import signal
from kubemin.cli.asking import confirm

signal.signal(signal.SIGINT, signal.default_int_handler)
for number in range(50):
    try:
        print("said", confirm(f"question {number}"))
    except KeyboardInterrupt:
        print("interrupted", number)
    except EOFError:
        print("ended", number)
"""


@pytest.mark.parametrize(("key", "said"), [("\x03", "interrupted {}"), ("\x04", "ended {}")])
def test_a_key_that_comes_with_the_question_is_not_lost(tmp_path: Path, key: str, said: str) -> None:
    terminal = Terminal(tmp_path, "-c", _ASKS, program=sys.executable)
    for number in range(50):
        terminal.wait_for(rf"question {number} \[y/N\]: ")
        terminal.type(key)
        terminal.wait_for(said.format(number) + r"\s")
    assert terminal.end() == 0


@pytest.mark.parametrize(("typed", "said"), [("y", True), ("YES ", True), ("n", False), ("", False), ("what", False)])
def test_only_a_yes_is_one(tmp_path: Path, typed: str, said: bool) -> None:
    terminal = Terminal(tmp_path, "-c", _ASKS, program=sys.executable)
    terminal.wait_for("question 0")
    terminal.type(f"{typed}\n")
    terminal.wait_for(f"said {said}")
    for _ in range(49):
        terminal.type("\n")
    assert terminal.end() == 0


_ANSWERED = """
import os, signal
from kubemin.cli.asking import confirm

signal.signal(signal.SIGINT, signal.SIG_DFL)
print("said", confirm("question"), flush=True)
signal.pause()
"""


def test_an_interrupt_after_the_answer_is_none_of_the_question(tmp_path: Path) -> None:
    """It is not said that nothing was done: by then it is being done."""
    terminal = Terminal(tmp_path, "-c", _ANSWERED, program=sys.executable)
    terminal.wait_for("question")
    terminal.type("y\n")
    terminal.wait_for("said True")
    terminal.type("\x03")
    assert terminal.end() == -signal.SIGINT
