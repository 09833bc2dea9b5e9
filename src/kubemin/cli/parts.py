"""Where a server or a worker is put together from its parts, and taken apart again."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector

from kubemin.cli import core_dumps
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import tr
from kubemin.cli.output import say
from kubemin.cli.sealing import sealer_of
from kubemin.cli.simulate import load_simulator
from kubemin.cli.waiting import once_there
from kubemin.cluster import Cluster, ClusterError
from kubemin.cluster.request_metrics import RequestMetrics
from kubemin.dispatch import Doorbell, open_doorbell
from kubemin.engine import Engine
from kubemin.settings import Settings
from kubemin.settings.clusters import ClusterSource
from kubemin.signals import Signals, open_signals
from kubemin.spec.names import DEFAULT_CLUSTER
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
    clusters: Mapping[str, Cluster]
    """By name: those of the settings, or those of them that are served."""
    simulated_at: Mapping[str, str]
    """Addresses of those that are simulated."""
    signals: Signals
    doorbell: Doorbell
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    tracer: "Tracer | None" = None
    """Where traces are kept, if they are."""


@asynccontextmanager
async def open_parts(
    settings: Settings,
    clusters: Mapping[str, ClusterSource],
    *,
    simulated_at: Mapping[str, str] | None = None,
    tell: Tell | None = None,
    waits: bool = True,
) -> AsyncIterator[Parts]:
    """All of them, and these clusters, closed at the end. ``simulated_at``: simulated ones that somebody else serves.

    ``waits``: for a database that is away; a SIGTERM meanwhile ends the process.

    Raises `CliError`, `StoreError`, `SignalError`, `ClusterError`.
    """
    tell = tell or Tell()
    if not settings.core_dumps:
        core_dumps.turn_off()
    addresses = dict(simulated_at or {})
    to_simulate = [name for name, source in clusters.items() if source.simulate and name not in addresses]
    if to_simulate:
        load_simulator()  # before anything is opened: a command that is refused leaves no database file behind
    async with AsyncExitStack() as stack:
        # A holder renews its lease when two thirds are left: it is not held up by what a dead one's transaction locked.
        db = await Database.open(
            settings.database_url, codec=sealer_of(settings), idle_seconds=max(1, settings.lease_seconds * 2 / 3)
        )
        stack.push_async_callback(db.aclose)

        async def begin() -> None:
            if settings.database_url.startswith("sqlite"):
                await db.migrate()
            else:
                await db.check_schema()
            await sealing_keys.begin(db)

        if not await once_there(db, begin, settings.database_wait_seconds if waits else 0):
            raise SystemExit(Exit.OK)
        for name in to_simulate:
            addresses[name] = await _simulate(stack, name)
        registry = CollectorRegistry()
        metrics = RequestMetrics(registry)
        tracer = _tracer(settings)
        if tracer is not None:
            stack.push_async_callback(tracer.aclose)
        # One that cannot be used keeps no other from being used.
        patient = len(settings.known_clusters) > 1
        connected = await asyncio.gather(
            *(
                Cluster.connect(
                    kubeconfig=source.kubeconfig,
                    context=source.context,
                    in_cluster=source.in_cluster,
                    url=addresses.get(name),
                    timeout=settings.request_timeout_seconds,
                    metrics=metrics,
                    name=name,
                    naming=settings.namings.get(name),
                    patient=patient,
                )
                for name, source in clusters.items()
            )
        )
        for cluster in connected:
            stack.push_async_callback(cluster.aclose)
        signals = await open_signals(settings.redis_url, tell.cancelled, alone=tell.alone)
        stack.push_async_callback(signals.aclose)
        doorbell = open_doorbell(settings.redis_url, settings.database_url, tell.rung)
        stack.push_async_callback(doorbell.aclose)
        parts = Parts(db, dict(zip(clusters, connected, strict=True)), addresses, signals, doorbell, registry, tracer)
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


async def _simulate(stack: AsyncExitStack, name: str) -> str:
    sim = await stack.enter_async_context(load_simulator()())
    url = sim.url
    if name == DEFAULT_CLUSTER:
        say(tr("simulated cluster at {url} (try: kubectl --server {url} get all)", url=url))
    else:
        say(tr("simulated cluster {name} at {url}", name=name, url=url))
    return url


def make_engine(settings: Settings, parts: Parts) -> Engine:
    """An engine on these parts, for the clusters that the settings say it serves."""
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    served = [parts.clusters[one] for one in settings.served_clusters]
    return Engine(parts.db, served, parts.signals, parts.doorbell, settings, name, parts.registry, parts.tracer)


async def run_engine(engine: Engine, stopping: asyncio.Event, drain_seconds: float) -> None:
    """Run the engine; stop it when the event is set."""
    async with asyncio.TaskGroup() as group:
        running = group.create_task(engine.run())
        waiting = group.create_task(stopping.wait())
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not running.done():
            await engine.stop(drain_seconds)


def cluster_health_of(parts: Parts) -> "dict[str, Health]":
    """How to ask the clusters, by what a check of each is called."""

    async def answers(cluster: Cluster) -> str | None:
        try:
            await cluster.version()
        except ClusterError as error:
            return error.message
        return None

    return {
        "cluster" if name == DEFAULT_CLUSTER else f"cluster {name}": partial(answers, cluster)
        for name, cluster in parts.clusters.items()
    }


def redis_health_of(settings: Settings, parts: Parts) -> "dict[str, Health]":
    """The same of Redis, where there is one."""

    async def redis() -> str | None:
        return None if parts.signals.healthy else "Redis does not answer; cancels go through the database meanwhile"

    return {"redis": redis} if settings.redis_url else {}
