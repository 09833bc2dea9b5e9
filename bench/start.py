"""What it costs to start: `python -m bench.start`.

CPU seconds of the operating system's account (user and system): of a command from its start to its end, of a server
from its start to the line that says that it is ready. Modules are compiled, as they are from the second start on.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.report import median, rounds_asked_for, show

PROGRAM = str(Path(sys.executable).with_name("kubemin"))
TARGETS = {"version": 0.12, "apps": 0.25}
"""CPU seconds."""


def measure(rounds: int) -> list[tuple[str, ...]]:
    """A row for each command."""
    with tempfile.TemporaryDirectory(prefix="kubemin-bench-") as name:
        folder = Path(name)
        _ended(folder, "migrate")
        with _serving(folder, "dev", "--port", "0") as (_, url):
            commands = {"version": ["version"], "apps": ["apps", "--server", url]}
            found = {one: [_ended(folder, *line) for _ in range(rounds + 1)] for one, line in commands.items()}
        for one, line in {"serve": ["serve", "--simulate", "--port", "0"], "worker": ["worker", "--simulate"]}.items():
            found[one] = [_ready(folder, *line) for _ in range(rounds + 1)]
    return [_row(command, times[1:]) for command, times in found.items()]  # the first one may have compiled modules


def _row(command: str, times: list[float]) -> tuple[str, ...]:
    target = f" (≤ {TARGETS[command]:g})" if command in TARGETS else ""
    return f"kubemin {command}", f"{median(times):.2f}{target}", f"{min(times):.2f}", f"{max(times):.2f}"


def _environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _ended(folder: Path, *arguments: str) -> float:
    process = subprocess.Popen([PROGRAM, *arguments], cwd=folder, env=_environment(), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"kubemin {arguments[0]} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def _ready(folder: Path, *arguments: str) -> float:
    with _serving(folder, *arguments) as (process, _):
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _serving(folder: Path, *arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process that serves, once it is ready, and the last word that it said."""
    command = [PROGRAM, *arguments]
    log = subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=folder, env=_environment(), stdout=subprocess.PIPE, stderr=log, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, next(line for line in process.stdout if " ready" in line).split()[-1]
        finally:
            process.send_signal(signal.SIGTERM)


def main() -> None:
    """Run the benchmark."""
    rounds = rounds_asked_for(__doc__, 9)
    notes = ("servers: schema current, SQLite, simulated cluster in the process; until they say that they are ready",)
    show("CPU seconds of a start", ("command", "median", "least", "most"), measure(rounds), notes)


if __name__ == "__main__":
    main()
