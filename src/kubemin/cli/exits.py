"""What a command leaves behind for a script: its exit code, and one sentence where something went wrong."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. ``FAILED`` also: refused, not found, no answer; ``USAGE``: the command line or the file is wrong.

    ``DIFFERS``: what only looks (a dry run, `diff`) found changes.
    """

    OK = 0
    FAILED = 1
    USAGE = 2
    TIMEOUT = 3
    CANCELLED = 4
    INCOMPLETE = 5
    DIFFERS = 10


class CliError(Exception):
    """Ends the command with a sentence on stderr. No other exception of ours reaches the user."""

    def __init__(self, message: str, code: int = Exit.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
