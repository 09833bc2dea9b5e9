"""Where a server is put together from its parts, and taken apart again: the only place that knows all of them."""

import asyncio
import gc
import ipaddress
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from kubemin import __version__
from kubemin.api.app import create_app
from kubemin.api.deps import ComponentState, Deps, Health
from kubemin.cli import logs
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.http import serve_http
from kubemin.cli.loop import run_in_loop
from kubemin.cli.output import say
from kubemin.cli.posix_signals import until_stopped
from kubemin.cli.settings import limits
from kubemin.cli.simulate import load_simulator
from kubemin.cluster import Cluster, ClusterError
from kubemin.cluster.informers import Informers
from kubemin.dispatch import Doorbell, open_doorbell
from kubemin.engine import ComponentWatch, Engine, TaskService
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.entry.orphans import Orphans
from kubemin.engine.entry.preview import Previews
from kubemin.settings import Settings
from kubemin.signals import SignalError, Signals, open_signals
from kubemin.store import Database, StoreError

T = TypeVar("T")


@dataclass(frozen=True)
class Parts:
    """What a server or a worker stands on, open."""

    db: Database
    cluster: Cluster
    signals: Signals
    doorbell: Doorbell


def run(settings: Settings, *, worker: bool) -> None:
    """Serve the API, and tasks with ``worker``, until SIGINT or SIGTERM. Raises :class:`CliError`."""
    _refuse_open_address(settings.host)
    _refuse_missing_simulator(settings)
    _run(_serve(settings, worker=worker))


def run_worker(settings: Settings) -> None:
    """Run tasks until SIGINT or SIGTERM. Raises :class:`CliError`."""
    _refuse_missing_simulator(settings)
    _run(_work(settings))


def migrate_database(settings: Settings) -> None:
    """Bring the database's schema to this version. Raises :class:`CliError`."""
    _run(_migrate(settings))


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what the parts raise becomes a sentence."""
    logs.configure()
    _collect_rarely()
    try:
        return run_in_loop(work)
    except (StoreError, SignalError) as error:
        raise CliError(str(error)) from error
    except ClusterError as error:
        raise CliError(error.message) from error


def _collect_rarely() -> None:
    """Keep garbage collection from holding up a cancel: with 1,000 tasks a full one takes a third of a second."""
    gc.freeze()  # what was imported is never garbage
    gc.set_threshold(10_000, 10, 20)


def _refuse_open_address(host: str) -> None:
    """Without authentication whoever reaches the port may do everything: only this machine may reach it."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise CliError(
            f"refusing to listen on {host or 'every address'}: no authentication is configured, so only loopback "
            "addresses (127.0.0.1, ::1, localhost) are allowed",
            Exit.USAGE,
        )


def _refuse_missing_simulator(settings: Settings) -> None:
    """Before anything is opened: a command that is refused leaves no database file behind."""
    if settings.simulate:
        load_simulator()


@asynccontextmanager
async def _parts(settings: Settings) -> AsyncIterator[Parts]:
    async with AsyncExitStack() as stack:
        # A holder renews its lease when two thirds are left: it is not held up by what a dead one's transaction locked.
        db = await Database.open(settings.database_url, idle_seconds=max(1, settings.lease_seconds * 2 / 3))
        stack.push_async_callback(db.aclose)
        if settings.database_url.startswith("sqlite"):
            await db.migrate()
        else:
            await db.check_schema()
        cluster = await _cluster(settings, stack)
        stack.push_async_callback(cluster.aclose)
        signals = await open_signals(settings.redis_url)
        stack.push_async_callback(signals.aclose)
        doorbell = open_doorbell(settings.redis_url, settings.database_url)
        stack.push_async_callback(doorbell.aclose)
        yield Parts(db, cluster, signals, doorbell)


async def _cluster(settings: Settings, stack: AsyncExitStack) -> Cluster:
    url = None
    if settings.simulate:
        sim = await stack.enter_async_context(load_simulator()())
        url = sim.url
        say(f"simulated cluster at {url} (try: kubectl --server {url} get all)")
    return await Cluster.connect(
        kubeconfig=settings.kubeconfig,
        context=settings.context,
        url=url,
        timeout=settings.request_timeout_seconds,
    )


def _engine(settings: Settings, parts: Parts) -> Engine:
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    return Engine(parts.db, parts.cluster, parts.signals, parts.doorbell, settings, name)


async def _serve(settings: Settings, *, worker: bool) -> None:
    async with _parts(settings) as parts:
        stopping = asyncio.Event()
        engine = _engine(settings, parts) if worker else None
        informers = engine.informers if engine else Informers(parts.cluster)
        watch = ComponentWatch(informers)
        service = TaskService(parts.db, parts.signals, parts.doorbell, limits(settings), settings)
        compute_thread = ComputeThread()
        deps = Deps(
            db=parts.db,
            compute_thread=compute_thread,
            service=service,
            limits=limits(settings),
            component_states=lambda app_id: _states(watch, app_id),
            orphans=Orphans(parts.db, parts.cluster),
            previews=Previews(
                parts.db,
                parts.cluster,
                settings=settings,
                compute_thread=compute_thread,
            ),
            health=_health(settings, parts),
            stopping=stopping,
            settings=settings,
        )
        with _listen(settings) as listener:
            async with asyncio.TaskGroup() as group:
                http = group.create_task(serve_http(create_app(deps), listener, stopping, ready=_announce))
                watching = group.create_task(watch.run())
                if engine:
                    group.create_task(_run_engine(engine, stopping, settings.drain_seconds))
                await until_stopped(http)
                stopping.set()
                watching.cancel()
        if not engine:
            await informers.aclose()


def _states(watch: ComponentWatch, app_id: str) -> dict[str, ComponentState]:
    seen = watch.states(app_id)
    return {name: ComponentState(one.status, one.abnormal, one.links) for name, one in seen.items()}


async def _work(settings: Settings) -> None:
    async with _parts(settings) as parts:
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            engine = _engine(settings, parts)
            work = group.create_task(_run_engine(engine, stopping, settings.drain_seconds))
            say(f"kubemin {__version__} worker ready")
            await until_stopped(work)
            stopping.set()


async def _run_engine(engine: Engine, stopping: asyncio.Event, drain_seconds: float) -> None:
    """Run the engine; stop it when the event is set."""
    async with asyncio.TaskGroup() as group:
        running = group.create_task(engine.run())
        waiting = group.create_task(stopping.wait())
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not running.done():
            await engine.stop(drain_seconds)


async def _migrate(settings: Settings) -> None:
    db = await Database.open(settings.database_url)
    try:
        await db.migrate()
    finally:
        await db.aclose()
    say("the database is up to date")


def _health(settings: Settings, parts: Parts) -> dict[str, Health]:
    async def cluster() -> str | None:
        try:
            await parts.cluster.version()
        except ClusterError as error:
            return error.message
        return None

    async def redis() -> str | None:
        return None if parts.signals.healthy else "Redis does not answer; cancels go through the database meanwhile"

    return {"cluster": cluster, **({"redis": redis} if settings.redis_url else {})}


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        why = (error.strerror or str(error)).lower()
        raise CliError(f"cannot listen on {settings.host}:{settings.port}: {why}") from error
    return listener


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    say(f"kubemin {__version__} ready at http://{f'[{host}]' if ':' in host else host}:{port}")
    sys.stdout.flush()
