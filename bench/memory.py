"""What a worker costs while its tasks wait: `python -m bench.memory`.

A real `kubemin worker` process, its tasks each waiting for a Deployment that never becomes ready. Nothing but memory
may grow with them: no thread, no socket, no connection to the database or to Redis.
"""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from bench.fleet import Fleet, fleet
from bench.report import show

LIMIT = 300
"""MiB, at 1,000 tasks."""

_REST = 20
"""Seconds; connections to the API server that starting the tasks took are closed when idle for 15."""


async def measure(counts: Sequence[int]) -> list[tuple[str, ...]]:
    """A row for each number of tasks."""
    async with fleet() as made:
        worker = await made.worker()
        rows = []
        for count in counts:
            if count:
                await made.grow(count)
            await asyncio.sleep(_REST)
            rows.append(_row(made, worker.process.pid, count))
        return rows


def _row(made: Fleet, pid: int, count: int) -> tuple[str, ...]:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    kib = {name: int(status[name].split()[0]) for name in ("VmRSS", "VmHWM")}
    links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    ports = _ports(pid)
    asked = f"SELECT count(*) FROM pg_stat_activity WHERE client_port IN ({','.join(ports)})"
    with made.valkey.client() as client:
        connected = {str(one["addr"]).rpartition(":")[2] for one in client.client_list()}
    return (
        f"{count:,}",
        f"{kib['VmRSS'] / 1024:.0f}" + (f" (≤ {LIMIT})" if count == 1000 else ""),
        f"{kib['VmHWM'] / 1024:.0f}",
        status["Threads"].strip(),
        str(sum(link.startswith("socket:") for link in links)),
        made.postgres.sql(asked),
        str(len(connected & ports)),
    )


def _ports(pid: int) -> set[str]:
    """The process's own ends of its TCP connections."""
    inodes = {str(entry.readlink())[8:-1] for entry in Path(f"/proc/{pid}/fd").iterdir()}
    found = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {str(int(fields[1].rpartition(":")[2], 16)) for fields in found if fields[9] in inodes}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="+", default=[0, 100, 1000])
    rows = asyncio.run(measure(parser.parse_args().tasks))
    show(
        "A worker whose tasks wait",
        ("tasks", "RSS MiB", "peak MiB", "threads", "sockets", "PostgreSQL", "Redis"),
        rows,
        ["PostgreSQL, Redis: connections, as the servers count them"],
    )


if __name__ == "__main__":
    main()
