"""What processes hold while they run, minute by minute, and whether it stays as it is."""

import asyncio
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.report import median

FLAT = 0.05
"""By how much of itself the memory of a process may grow in an hour."""


@dataclass(frozen=True)
class Held:
    """By one process at one moment."""

    rss: float
    """MiB."""
    files: int
    """Open file descriptors: files, sockets, pipes."""
    threads: int


def held_by(pid: int) -> Held:
    """What a process holds now. Raises `OSError` where it has ended."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    if "VmRSS" not in status:
        raise ProcessLookupError(f"process {pid} has ended, and nobody has asked how")
    files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return Held(int(status["VmRSS"].split()[0]) / 1024, files, int(status["Threads"]))


@dataclass
class Watch:
    """Looks at processes by their names, and keeps what it saw by the minute."""

    pids: Callable[[], Mapping[str, int]]
    seen: dict[str, dict[int, list[Held]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    async def look(self, pause: float, minute: float) -> None:
        """Look again and again, until cancelled. ``minute``: how long one is, in seconds."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            for name, pid in self.pids().items():
                try:
                    held = held_by(pid)
                except OSError:
                    continue  # it was killed a moment ago
                self.seen[name][int((loop.time() - began) / minute)].append(held)
            await asyncio.sleep(pause)

    def rss(self, name: str) -> list[float]:
        """Of each minute the median, in MiB."""
        return [median([one.rss for one in held]) for _, held in sorted(self.seen[name].items())]

    def files(self, name: str) -> list[float]:
        """Of each minute the median number of open files."""
        return [median([one.files for one in held]) for _, held in sorted(self.seen[name].items())]


def growth(minutes: Sequence[float]) -> float:
    """By how much of itself a value grows in an hour: the slope of a line through all minutes but the first third.

    In the first third caches fill and pools open. 0 where there are fewer than four minutes left.
    """
    rest = minutes[len(minutes) // 3 :]
    if len(rest) < 4:
        return 0.0
    slope, _ = statistics.linear_regression(range(len(rest)), rest)
    return 60 * slope / median(rest)
