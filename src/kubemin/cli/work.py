"""``kubemin worker``: tasks without an API; health and metrics on a port of their own, if asked for."""

import asyncio
from contextlib import ExitStack

from kubemin import __version__
from kubemin.cli.output import say
from kubemin.cli.parts import Tell, make_engine, open_parts, run_engine, tell_if_plain
from kubemin.cli.posix_signals import until_stopped
from kubemin.cli.process import listen, run_to_its_end
from kubemin.settings import Settings


def run_worker(settings: Settings) -> None:
    """Run tasks until SIGINT or SIGTERM. Raises :class:`CliError`."""
    run_to_its_end(_work(settings), settings)


async def _work(settings: Settings) -> None:
    with ExitStack() as ports:
        port = settings.metrics_port
        listener = None if port is None else ports.enter_context(listen(settings.metrics_host, port))
        async with (
            open_parts(settings, settings.served_clusters, tell=Tell(alone=True)) as parts,
            asyncio.TaskGroup() as group,
        ):
            tell_if_plain(parts)
            stopping, over = asyncio.Event(), asyncio.Event()
            work = group.create_task(run_engine(make_engine(settings, parts), stopping, settings.drain_seconds))
            if listener is not None:
                from kubemin.cli.worker_port import serve_port  # a worker without a port needs no HTTP server

                group.create_task(serve_port(settings, parts, listener, stopping, over))
            await until_stopped(work, ready=lambda: say(f"kubemin {__version__} worker ready"))
            stopping.set()
            await asyncio.wait([work])  # the port answers until the last task is handed over
            over.set()
