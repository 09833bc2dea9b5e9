"""A command on a terminal: what it draws, and a person who types."""

import os
import pty
import re
import select
import time
from collections.abc import Mapping
from pathlib import Path

from tests.cli.kubemin import PROGRAM, environment
from tests.waiting import PATIENCE

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """Runs a command on a terminal of its own."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        program: str = PROGRAM,
        columns: int = 100,
    ) -> None:
        self.shown = ""
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            shown_as = {"TERM": "xterm", "COLUMNS": str(columns)}
            os.execve(program, [program, *arguments], {**environment(None), **shown_as, **(env or {})})

    def wait_for(self, pattern: str) -> None:
        """Read until the pattern has been shown."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.shown):
            assert time.monotonic() < deadline, f"{pattern!r} is not in:\n{self.shown[-2000:]}"
            if select.select([self._fd], [], [], 0.2)[0] and not self._read():
                break
        assert re.search(pattern, self.shown), f"{pattern!r} is not in:\n{self.shown[-2000:]}"

    def type(self, text: str) -> None:
        """Press keys; ``\\x03`` is Ctrl-C."""
        os.write(self._fd, text.encode())

    def end(self) -> int:
        """Read until the command ends; its exit code."""
        while self._read():
            pass
        os.close(self._fd)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _read(self) -> bool:
        try:
            part = os.read(self._fd, 65536)
        except OSError:  # the other side is closed
            return False
        self.shown += _ESCAPES.sub("", part.decode(errors="replace"))
        return bool(part)
