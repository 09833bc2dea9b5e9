"""A worker that a server has started: `python -m kubemin.cli.supervised NAME`, with the link to the server on stdin."""

import asyncio
import os
import signal
import socket
import sys

from kubemin.api.families import families_of
from kubemin.cli.exits import CliError
from kubemin.cli.language import tr
from kubemin.cli.link import Link
from kubemin.cli.output import visible_lines
from kubemin.cli.parts import Parts, Tell, make_engine, open_parts, run_engine
from kubemin.cli.posix_signals import until_stopped
from kubemin.cli.process import run_to_its_end
from kubemin.settings import Settings

NICE = 5
"""A server that shares the processors with its busy workers goes first."""


def main() -> None:
    """Work until the server says to stop, or is gone, or a SIGTERM comes."""
    name = sys.argv[1]
    os.nice(NICE)
    try:
        run_to_its_end(_work(_end_on_stdin()), Settings(), name)
    except CliError as error:
        print(f"kubemin: {tr('worker {name}', name=name)}: {visible_lines(error.message)}", file=sys.stderr)
        sys.exit(error.code)


def _end_on_stdin() -> socket.socket:
    """The link's end; what this process starts does not have it, or the server would not see that this one ended."""
    end = socket.socket(fileno=os.dup(0))
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    return end


async def _work(end: socket.socket) -> None:
    link = await Link.over(end)
    try:
        start = await link.receive()
        if start is not None:  # else the server has ended before it began
            await _run(link, Settings(**start[1]), start[2])
    finally:
        link.close()


async def _run(link: Link, settings: Settings, simulated_at: dict[str, str]) -> None:
    tell = Tell(rung=lambda: link.send("ring"))
    async with (
        # It does not wait for a database that is away: it ends, and the server starts it again.
        open_parts(settings, settings.served_clusters, simulated_at=simulated_at, tell=tell, waits=False) as parts,
        asyncio.TaskGroup() as group,
    ):
        engine = make_engine(settings, parts)
        stopping = asyncio.Event()
        work = group.create_task(run_engine(engine, stopping, settings.drain_seconds))
        gone = group.create_task(_listen(link, parts, stopping))
        told = group.create_task(stopping.wait())
        # Ctrl-C is the server's: it tells this process.
        await until_stopped(work, gone, told, ready=lambda: link.send("ready"), stops=[signal.SIGTERM])
        stopping.set()
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            await engine.stop()  # without its server it hands its tasks over at once
        gone.cancel()


async def _listen(link: Link, parts: Parts, stopping: asyncio.Event) -> None:
    """Do as the server says, until it is gone."""
    while (message := await link.receive()) is not None:
        match message:
            case ["cancel", task_id, reason]:
                await parts.signals.cancel(task_id, reason)
            case ["ring"]:
                parts.doorbell.wake()
            case ["ask"]:
                link.send("answer", [family.model_dump() for family in families_of(parts.registry)])
            case ["stop"]:
                stopping.set()


if __name__ == "__main__":
    main()
