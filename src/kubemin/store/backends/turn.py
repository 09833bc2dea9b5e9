"""Whose turn it is to write to a file that several processes write to.

SQLite lets one of those who wait go first, whichever happens to ask first; a process that writes without a pause asks
far more often than any other. So a writer that may not wait insists: it holds a shared lock on a file beside the
database's until its transaction is over. The others ask for that lock before each try, and hold back while somebody has
it. A process that dies has it no more.
"""

import fcntl
import os
from pathlib import Path

INSIST_AFTER = 0.1
"""Seconds after which any writer insists: so none waits for ever, nor for one that insists and has stopped."""


class Turn:
    """The file beside the database's."""

    def __init__(self, path: Path) -> None:
        """Create it. Raises `OSError`."""
        self._path = path
        self._asking: int | None = _open(path)

    def is_taken(self) -> bool:
        """Whether somebody insists, in this process or another."""
        assert self._asking is not None, "it is closed"
        if not _locked(self._asking, fcntl.LOCK_EX):
            return True
        fcntl.flock(self._asking, fcntl.LOCK_UN)
        return False

    def place(self) -> "Place":
        """For one writer."""
        return Place(self._path)

    def close(self) -> None:
        """Ask no more. May be called twice: the number of a closed file is soon another file's."""
        asking, self._asking = self._asking, None
        if asking is not None:
            os.close(asking)


class Place:
    """One writer's, among those that wait."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: int | None = None

    def insist(self) -> None:
        """Go before those that do not. May fail while another one just asks: call it again before the next try."""
        if self._held is None:
            self._held = _open(self._path)
        _locked(self._held, fcntl.LOCK_SH)

    def leave(self) -> None:
        """Let the others go. May be called twice."""
        held, self._held = self._held, None
        if held is not None:
            os.close(held)


def _open(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_RDWR, 0o600)


def _locked(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
