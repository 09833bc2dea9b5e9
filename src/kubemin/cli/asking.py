"""Asking before what cannot be taken back: only somebody at a terminal is asked."""

import sys

from kubemin.cli.exits import CliError, Exit


def is_asked(*, yes: bool, as_json: bool, instead: str) -> bool:
    """Whether there is somebody to ask, who has not said ``--yes``.

    Raises `CliError` where ``--json`` leaves no place for a question; ``instead`` says what to give.
    """
    asked = not yes and sys.stdin.isatty()
    if asked and as_json:
        raise CliError(f"with --json nobody is asked: {instead}", Exit.USAGE)
    return asked
