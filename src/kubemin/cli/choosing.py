"""What a signal is to do with what a command has begun: at a terminal the person is asked."""

import os
import signal
import sys
from enum import StrEnum

from kubemin.cli.asking import answer_to
from kubemin.cli.interrupts import Interrupted, Interrupts, OnSignal
from kubemin.cli.language import tr
from kubemin.spec.characters import visible


class Choice(StrEnum):
    """What becomes of it."""

    CANCEL = "c"
    DETACH = "d"
    GO_ON = "g"


def choose(interrupts: Interrupts, by: Interrupted, what: str, *, asks: bool) -> Choice:
    """What is to become of ``what``. Ctrl-C asks the person at the terminal, if ``asks``; a second one detaches."""
    instead = Choice.DETACH if interrupts.on_signal is OnSignal.DETACH else Choice.CANCEL
    if by.number != signal.SIGINT or not (asks and _somebody_is_there()):
        return instead
    asked = tr(
        "{what} is under way. [c]ancel it and undo what it did, [d]etach and let it go on, or [g]o on? [g] ",
        what=visible(what),
    )
    try:
        with interrupts.waiting():
            said = answer_to(f"\n{asked}", sys.stderr)
    except EOFError:
        return Choice.GO_ON
    except Interrupted as again:
        return Choice.DETACH if again.number == signal.SIGINT else instead
    return next((choice for choice in Choice if said in (choice.value, choice.name.lower())), Choice.GO_ON)


def _somebody_is_there() -> bool:
    """Whether this process is in the foreground of a terminal: in the background, reading from it would stop us."""
    try:
        return sys.stdin.isatty() and sys.stderr.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return False
