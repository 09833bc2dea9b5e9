"""``kubemin serve`` and ``kubemin dev``: the API, and a worker beside it."""

import asyncio
import socket
import sys

from kubemin import __version__
from kubemin.api.app import create_app
from kubemin.api.deps import ComponentState, Deps
from kubemin.cli.http import serve_http
from kubemin.cli.output import say
from kubemin.cli.parts import health_of, make_engine, open_parts, run_engine
from kubemin.cli.posix_signals import until_stopped
from kubemin.cli.process import listen, run_to_its_end, url_of
from kubemin.cli.settings import limits
from kubemin.cluster.informers import Informers
from kubemin.engine import ComponentWatch, TaskService
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.diffs import Diffs
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.entry.preview import Previews
from kubemin.settings import Settings
from kubemin.store import Database


def run(settings: Settings, *, worker: bool) -> None:
    """Serve the API, and tasks with ``worker``, until SIGINT or SIGTERM. Raises :class:`CliError`."""
    run_to_its_end(_serve(settings, worker=worker))


def migrate_database(settings: Settings) -> None:
    """Bring the database's schema to this version. Raises :class:`CliError`."""
    run_to_its_end(_migrate(settings))


async def _serve(settings: Settings, *, worker: bool) -> None:
    async with open_parts(settings) as parts:
        stopping = asyncio.Event()
        engine = make_engine(settings, parts) if worker else None
        informers = engine.informers if engine else Informers(parts.cluster)
        watch = ComponentWatch(informers)
        compute_thread = ComputeThread()
        service = TaskService(parts.db, parts.signals, parts.doorbell, limits(settings), settings, compute_thread)
        deps = Deps(
            db=parts.db,
            compute_thread=compute_thread,
            service=service,
            limits=limits(settings),
            component_states=lambda app_id: _states(watch, app_id),
            orphans=Orphans(parts.db, parts.cluster, limits(settings)),
            previews=Previews(
                parts.db,
                parts.cluster,
                limits(settings),
                settings=settings,
                compute_thread=compute_thread,
            ),
            diffs=Diffs(parts.db, parts.cluster, limits(settings), compute_thread),
            health=health_of(settings, parts),
            registry=parts.registry,
            stopping=stopping,
            settings=settings,
        )
        with listen(settings.host, settings.port) as listener:
            async with asyncio.TaskGroup() as group:
                app = create_app(deps)
                http = group.create_task(serve_http(app, listener, stopping, settings, ready=_announce))
                watching = group.create_task(watch.run())
                if engine:
                    group.create_task(run_engine(engine, stopping, settings.drain_seconds))
                await until_stopped(http)
                stopping.set()
                watching.cancel()
        if not engine:
            await informers.aclose()


def _states(watch: ComponentWatch, app_id: str) -> dict[str, ComponentState]:
    seen = watch.states(app_id)
    return {name: ComponentState(one.status, one.abnormal, one.links) for name, one in seen.items()}


async def _migrate(settings: Settings) -> None:
    db = await Database.open(settings.database_url)
    try:
        await db.migrate()
    finally:
        await db.aclose()
    say("the database is up to date")


def _announce(listener: socket.socket) -> None:
    say(f"kubemin {__version__} ready at {url_of(listener)}")
    sys.stdout.flush()
