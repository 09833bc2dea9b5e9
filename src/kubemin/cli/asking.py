"""Asking before what cannot be taken back: only somebody at a terminal is asked."""

import select
import signal
import socket
import sys
from typing import TextIO

from kubemin.cli.exits import CliError, Exit


def is_asked(*, yes: bool, as_json: bool, instead: str) -> bool:
    """Whether there is somebody to ask, who has not said ``--yes``.

    Raises `CliError` where ``--json`` leaves no place for a question; ``instead`` says what to give.
    """
    asked = not yes and sys.stdin.isatty()
    if asked and as_json:
        raise CliError(f"with --json nobody is asked: {instead}", Exit.USAGE)
    return asked


def confirm(question: str, on: TextIO | None = None) -> bool:
    """Ask on stderr, or on another stream; true for a yes. Raises `KeyboardInterrupt`, and `EOFError` where input ends.

    Not by `input`: it does not notice a Ctrl-C that comes just before it begins to read, and waits for a line.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(f"{question} [y/N]: ", end="", flush=True, file=on or sys.stderr)
    woken, wake = socket.socketpair()
    with woken, wake:
        wake.setblocking(False)
        before = signal.set_wakeup_fd(wake.fileno())
        try:
            while sys.stdin not in select.select([sys.stdin, woken], [], [])[0]:
                woken.recv(1)  # a signal, whose handler runs now: that of Ctrl-C raises
        finally:
            signal.set_wakeup_fd(before)
    if not (line := sys.stdin.readline()):
        raise EOFError
    return line.strip().lower() in ("y", "yes")
