"""Asking before what cannot be taken back: only somebody at a terminal is asked."""

import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import tr
from kubemin.cli.output import Output


def is_asked(output: Output, *, yes: bool, instead: str) -> bool:
    """Whether there is somebody to ask, who has not said ``--yes``.

    Raises `CliError` where ``-o`` leaves no place for a question; ``instead`` says what to give.
    """
    asked = not yes and sys.stdin.isatty()
    if asked and output.is_data:
        raise CliError(tr("with -o {form} nobody is asked: {instead}", form=output.form, instead=instead), Exit.USAGE)
    return asked


def confirm(question: str) -> bool:
    """Ask on stderr; true for a yes. Raises `KeyboardInterrupt`, and `EOFError` where input ends."""
    with interruptible():
        return answer_to(f"{question} [y/N]: ", sys.stderr) in ("y", "yes")


@contextmanager
def interruptible() -> Iterator[None]:
    """While somebody is asked, Ctrl-C is a `KeyboardInterrupt`: then nothing was done. Afterwards it is as before."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def answer_to(question: str, on: TextIO) -> str:
    """The line that somebody types, in lower case. Raises `EOFError` where input ends, and what a signal handler does.

    Not by `input`: it does not notice a Ctrl-C that comes just before it begins to read, and waits for a line.
    """
    print(question, end="", flush=True, file=on)
    woken, wake = socket.socketpair()
    with woken, wake:
        wake.setblocking(False)
        before = signal.set_wakeup_fd(wake.fileno())
        try:
            while sys.stdin not in select.select([sys.stdin, woken], [], [])[0]:
                woken.recv(1)  # a signal, whose handler runs now, and may raise
        finally:
            signal.set_wakeup_fd(before)
    if not (line := sys.stdin.readline()):
        raise EOFError
    return line.strip().lower()
