"""The command line as a user has it: real processes. What does not depend on that is tried in this process."""

import gc
import io
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from kubemin.cli import main
from kubemin.cli.language import speak
from tests.waiting import PATIENCE

PROGRAM = str(Path(sys.executable).with_name("kubemin"))

TELL_IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
"""In the environment of a command: its stderr has a line for each module, once that is imported."""


NO_CONFIG = "/nowhere/config"
"""Where nobody has logged in, whoever runs the tests."""


def environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """A clean environment, in which a warning is an error."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("KUBEMIN_")}
    # Tests look into the processes that they start; without core dumps only root may.
    own = {"NO_COLOR": "1", "PYTHONWARNINGS": "error", "KUBEMIN_CORE_DUMPS": "true", "XDG_CONFIG_HOME": NO_CONFIG}
    patience = {"KUBEMIN_EVIDENCE_SECONDS": "30"}  # a busy machine loses no evidence; only what hangs takes so long
    return {**clean, **own, **patience, **(extra or {})}


class Kubemin:
    """Runs commands in a folder; with a server's address, against that server."""

    def __init__(self, folder: Path, server: str | None = None) -> None:
        self.folder = folder
        self._extra = {"KUBEMIN_SERVER": server} if server else {}

    def __call__(
        self, *arguments: str, stdin: str | None = None, env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env=environment({**self._extra, **(env or {})}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def start(
        self, *arguments: str, env: Mapping[str, str] | None = None, group: bool = False, program: str = "kubemin"
    ) -> "Running":
        """Start a command, in a process group of its own if asked."""
        env = environment({**self._extra, **(env or {})})
        return Running(arguments, self.folder, env, group=group, program=program)

    @contextmanager
    def dev(self, *options: str, env: Mapping[str, str] | None = None) -> "Iterator[Running]":
        """`kubemin dev` on a free port while the context is open, in one process; its ``url`` is set."""
        with self.server("dev", "--in-process", *options, env=env) as running:
            yield running

    @contextmanager
    def server(self, *arguments: str, env: Mapping[str, str] | None = None, group: bool = False) -> "Iterator[Running]":
        """A command that serves, on a free port, until it says that it is ready. ``group``: in a process group."""
        running = self.start(*arguments, "--port", "0", env=env, group=group)
        try:
            running.url = running.wait_for(r"ready at (http://\S+)")[1]
            yield running
        finally:
            running.stop()


class InProcess:
    """Runs commands to their end in the test's process, which takes a hundredth of a process's start.

    For commands that serve nothing and run no event loop: those configure logging and signals of the whole process.
    """

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], server: str = ""
    ) -> None:
        for name in [name for name in os.environ if name.startswith("KUBEMIN_")]:
            monkeypatch.delenv(name)
        if server:
            monkeypatch.setenv("KUBEMIN_SERVER", server)
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("XDG_CONFIG_HOME", NO_CONFIG)
        monkeypatch.chdir(folder)
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        self._monkeypatch.setattr(sys, "argv", [PROGRAM, *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        thresholds, on_interrupt = gc.get_threshold(), signal.getsignal(signal.SIGINT)
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        finally:
            speak(for_program=False)
            gc.set_threshold(*thresholds)
            signal.signal(signal.SIGINT, on_interrupt)
        assert isinstance(code, int), code
        printed = self._capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, printed.out, printed.err)


def _hear_hang_ups() -> None:
    """Whoever runs the tests may ignore hang-ups, as nohup does: what they start would ignore them too."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Running:
    """A command that runs; what it prints is kept."""

    def __init__(
        self,
        arguments: tuple[str, ...],
        folder: Path,
        env: dict[str, str],
        *,
        group: bool = False,
        program: str = "kubemin",
    ) -> None:
        self.url = ""
        self.process = subprocess.Popen(
            [str(Path(PROGRAM).with_name(program)), *arguments],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            process_group=0 if group else None,
            preexec_fn=_hear_hang_ups,
        )
        self.output = ""
        self.errors = ""
        self._news = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=("output", self.process.stdout), daemon=True),
            threading.Thread(target=self._read, args=("errors", self.process.stderr), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str, pipe: IO[str]) -> None:
        for line in pipe:
            with self._news:
                setattr(self, name, getattr(self, name) + line)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()
        pipe.close()

    def wait_for(self, pattern: str) -> "re.Match[str]":
        """The first match of the pattern in what is printed, once it is there."""
        found: re.Match[str] | None = None

        def look() -> bool:
            nonlocal found
            found = re.search(pattern, self.output) or re.search(pattern, self.errors)
            return found is not None or not self._readers[0].is_alive()

        with self._news:
            self._news.wait_for(look, PATIENCE)
        assert found is not None, f"{pattern!r} is not in:\n{self.output}\n{self.errors}"
        return found

    def said(self, lines: int) -> str:
        """What it has printed, once it is so many lines, or it has ended."""
        with self._news:
            self._news.wait_for(
                lambda: (self.output + self.errors).count("\n") >= lines or not self._readers[0].is_alive(), PATIENCE
            )
        return self.output + self.errors

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait until it ends by itself; its exit code."""
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def stop(self) -> int:
        """End it by SIGTERM; its exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            return self.end()
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
