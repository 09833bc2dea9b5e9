"""What a command leaves behind for a script: its exit code, and one sentence where something went wrong."""

from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit codes."""

    OK = 0
    """Completed; of `--dry-run` and `diff`: no change."""
    FAILED = 1
    """Failed; also: refused, not found."""
    USAGE = 2
    """The command line or the file is wrong."""
    TIMEOUT = 3
    """The task ran out of time."""
    CANCELLED = 4
    """The task was cancelled."""
    INCOMPLETE = 5
    """Ended, and its cleanup is incomplete or abandoned; with `--all-or-nothing` also: one is not put back."""
    LOST = 6
    """No server answers, or it was away for a minute: what became of a task is not known."""
    TAMPERED = 7
    """Of `audit verify`: a row is wrong or missing."""
    DENIED = 8
    """Whoever asks is not known to the server, or may not do this: log in, or give another token."""
    DIFFERS = 10
    """Of `--dry-run` and `diff`: there are changes. Nothing was done. (`kubectl diff` has 1 here.)"""
    LEFT = 128
    """And N: signal N ended the command, and no task: 130 is Ctrl-C, 143 SIGTERM, 129 SIGHUP; 141 that nobody read the
    output of a command that only prints.
    """


class CliError(Exception):
    """Ends the command with a sentence on stderr. No other exception of ours reaches the user."""

    def __init__(self, message: str, code: int = Exit.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code

    def to_json(self) -> dict[str, Any]:
        """For programs: the sentence, and the exit code."""
        return {"message": self.message, "exit": int(self.code)}
