"""The simulated cluster in a process of its own, over a real socket."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kubesim.controllers import Pace
from kubesim.server import SimServer

SPEED = 1000.0
"""Pods are ready, and gone, a thousand times sooner than real ones: what remains is the work of the two sides."""

COLLECTOR = 0.2
"""Seconds of the wall clock that the garbage collector takes for a turn of an object, 20 of them side by side.

On a real cluster its requests are rationed. With this, 42 Deployments with a Pod each are gone 1 to 1.5 s after they
were deleted in the background, as there.
"""


@dataclass(frozen=True)
class Simulated:
    """A running one."""

    url: str
    pid: int

    def cpu(self) -> float:
        """Processor seconds it has used so far."""
        return cpu_of(self.pid)


def cpu_of(pid: int) -> float:
    """Processor seconds that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_of_family(pid: int) -> float:
    """The same of a process and its children, also those that it has waited for."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if pid == int(stat.parent.name):
            total += sum(int(field) for field in fields[11:15])
        elif pid == int(fields[1]):
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


@contextmanager
def simulated(speed: float = SPEED, collector: float = 0.0) -> Iterator[Simulated]:
    """Start one, and stop it at the end. It ends with this process, too, however that ends.

    ``collector``: seconds of the wall clock for a turn of the garbage collector.
    """
    command = [sys.executable, "-m", "bench.simulated", str(speed), str(collector)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Simulated(process.stdout.readline().strip(), process.pid)
        finally:
            process.communicate()


async def _serve(speed: float, collector: float) -> None:
    async with SimServer(speed=speed, collector=Pace(collector * speed) if collector else None) as server:
        print(server.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), float(sys.argv[2])))
