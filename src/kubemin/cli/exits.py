"""What a command leaves behind for a script: its exit code, and one sentence where something went wrong."""

from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit codes. ``FAILED`` also: refused, not found; ``USAGE``: the command line or the file is wrong.

    ``LOST``: no server answers, or it was away for too long; what became of a task is not known. ``DIFFERS``: what only
    looks (a dry run, `diff`) found changes. ``LEFT`` and the number of a signal: it ended the command, and no task.
    """

    OK = 0
    FAILED = 1
    USAGE = 2
    TIMEOUT = 3
    CANCELLED = 4
    INCOMPLETE = 5
    LOST = 6
    DIFFERS = 10
    LEFT = 128


class CliError(Exception):
    """Ends the command with a sentence on stderr. No other exception of ours reaches the user."""

    def __init__(self, message: str, code: int = Exit.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code

    def to_json(self) -> dict[str, Any]:
        """For programs: the sentence, and the exit code."""
        return {"message": self.message, "exit": int(self.code)}
