"""Where a server or a worker is put together from its parts, and taken apart again."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector

from kubemin.cli import core_dumps
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import tr
from kubemin.cli.output import say
from kubemin.cli.sealing import sealer_of
from kubemin.cli.simulate import load_simulator
from kubemin.cluster import Cluster, ClusterError
from kubemin.cluster.request_metrics import RequestMetrics
from kubemin.dispatch import Doorbell, open_doorbell
from kubemin.engine import Engine
from kubemin.settings import Settings
from kubemin.signals import Signals, open_signals
from kubemin.store import Database, sealing_keys

if TYPE_CHECKING:
    from kubemin.api.checks import Health
    from kubemin.telemetry.tracing import Tracer


@dataclass(frozen=True)
class Tell:
    """How other processes hear of a cancel and of a new task, where neither Redis nor the database tells them."""

    cancelled: Callable[[str, str], None] | None = None
    """Task and reason."""
    rung: Callable[[], None] | None = None
    alone: bool = False
    """There is no such process, and none tells this one."""


@dataclass(frozen=True)
class Parts:
    """What a server or a worker stands on, open; and the metrics of this process."""

    db: Database
    cluster: Cluster
    simulated_at: str | None
    """Address of the simulated cluster, if it is one."""
    signals: Signals
    doorbell: Doorbell
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    tracer: "Tracer | None" = None
    """Where traces are kept, if they are."""


@asynccontextmanager
async def open_parts(
    settings: Settings, *, simulated_at: str | None = None, tell: Tell | None = None
) -> AsyncIterator[Parts]:
    """All of them, closed at the end. ``simulated_at``: a simulated cluster that somebody else serves.

    Raises `CliError`, `StoreError`, `SignalError`, `ClusterError`.
    """
    tell = tell or Tell()
    if not settings.core_dumps:
        core_dumps.turn_off()
    if settings.simulate and simulated_at is None:
        load_simulator()  # before anything is opened: a command that is refused leaves no database file behind
    async with AsyncExitStack() as stack:
        # A holder renews its lease when two thirds are left: it is not held up by what a dead one's transaction locked.
        db = await Database.open(
            settings.database_url, codec=sealer_of(settings), idle_seconds=max(1, settings.lease_seconds * 2 / 3)
        )
        stack.push_async_callback(db.aclose)
        if settings.database_url.startswith("sqlite"):
            await db.migrate()
        else:
            await db.check_schema()
        await sealing_keys.begin(db)
        if settings.simulate and simulated_at is None:
            simulated_at = await _simulate(stack)
        registry = CollectorRegistry()
        tracer = _tracer(settings)
        if tracer is not None:
            stack.push_async_callback(tracer.aclose)
        cluster = await Cluster.connect(
            kubeconfig=settings.kubeconfig,
            context=settings.context,
            url=simulated_at,
            timeout=settings.request_timeout_seconds,
            metrics=RequestMetrics(registry),
        )
        stack.push_async_callback(cluster.aclose)
        signals = await open_signals(settings.redis_url, tell.cancelled, alone=tell.alone)
        stack.push_async_callback(signals.aclose)
        doorbell = open_doorbell(settings.redis_url, settings.database_url, tell.rung)
        stack.push_async_callback(doorbell.aclose)
        parts = Parts(db, cluster, simulated_at, signals, doorbell, registry, tracer)
        ProcessCollector(registry=parts.registry)
        yield parts


def tell_if_plain(parts: Parts) -> None:
    """Say so where secrets are stored in plain text."""
    if parts.db.codec is None:
        say(tr("secrets are stored in plain text: no encryption key is set (KUBEMIN_ENCRYPTION_KEYS)"))


def _tracer(settings: Settings) -> "Tracer | None":
    if settings.otlp_endpoint is None:
        return None
    try:
        from kubemin.telemetry.otel import OtelTracer  # half a second, for whoever wants it
    except ImportError as error:
        message = tr(
            "{setting} needs OpenTelemetry: pip install 'kubemin[otel]' ({why})",
            setting="KUBEMIN_OTLP_ENDPOINT",
            why=error,
        )
        raise CliError(message, Exit.USAGE) from error
    return OtelTracer(settings.otlp_endpoint, "kubemin", f"{socket.gethostname()}-{os.getpid()}")


async def _simulate(stack: AsyncExitStack) -> str:
    sim = await stack.enter_async_context(load_simulator()())
    url = sim.url
    say(tr("simulated cluster at {url} (try: kubectl --server {url} get all)", url=url))
    return url


def make_engine(settings: Settings, parts: Parts) -> Engine:
    """An engine on these parts."""
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    return Engine(parts.db, parts.cluster, parts.signals, parts.doorbell, settings, name, parts.registry, parts.tracer)


async def run_engine(engine: Engine, stopping: asyncio.Event, drain_seconds: float) -> None:
    """Run the engine; stop it when the event is set."""
    async with asyncio.TaskGroup() as group:
        running = group.create_task(engine.run())
        waiting = group.create_task(stopping.wait())
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not running.done():
            await engine.stop(drain_seconds)


def health_of(settings: Settings, parts: Parts) -> "dict[str, Health]":
    """How to ask the parts beside the database."""

    async def cluster() -> str | None:
        try:
            await parts.cluster.version()
        except ClusterError as error:
            return error.message
        return None

    async def redis() -> str | None:
        return None if parts.signals.healthy else "Redis does not answer; cancels go through the database meanwhile"

    return {"cluster": cluster, **({"redis": redis} if settings.redis_url else {})}
