"""A worker with what belongs to it: of each cluster informers and a reaper; fetcher, and what evaluates rules."""

import asyncio
from collections.abc import Collection

from prometheus_client import CollectorRegistry

from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.cluster.object_events import ObjectEvents, counter_of_events
from kubemin.dispatch import Doorbell
from kubemin.engine.deploy.fetch import Fetcher
from kubemin.engine.deploy.rules import Rules
from kubemin.engine.supervise.metrics import RunMetrics
from kubemin.engine.supervise.presence import Presence
from kubemin.engine.supervise.reaper import Reaper
from kubemin.engine.supervise.run import RunDeps
from kubemin.engine.supervise.worker import Worker
from kubemin.settings.engine import EngineSettings
from kubemin.signals import Signals
from kubemin.store import Database
from kubemin.telemetry.tracing import Tracer


class Engine:
    """Claims and runs tasks of the clusters that it serves, and reaps what dead processes left there."""

    def __init__(
        self,
        db: Database,
        clusters: Collection[Cluster],
        signals: Signals,
        doorbell: Doorbell,
        settings: EngineSettings,
        name: str,
        registry: CollectorRegistry | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        """``name`` is the owner of its leases: unique a process. ``registry`` takes its metrics, ``tracer`` spans."""
        registry = CollectorRegistry() if registry is None else registry
        self.informers = {cluster.name: Informers(cluster) for cluster in clusters}
        """The watches of each cluster, by its name."""
        self._rules = Rules()
        fetcher, metrics = Fetcher(settings.allow_private_urls), RunMetrics(registry)
        told = counter_of_events(registry) if settings.kubernetes_events else None
        deps = {
            cluster.name: RunDeps(
                db=db,
                cluster=cluster,
                informers=self.informers[cluster.name],
                fetcher=fetcher,
                rules=self._rules,
                settings=settings,
                metrics=metrics,
                tracer=tracer,
                events=None if told is None else ObjectEvents(cluster, name, told),
            )
            for cluster in clusters
        }
        self._events = [of_cluster.events for of_cluster in deps.values() if of_cluster.events is not None]
        self._presence = Presence(name, db, clusters, registry)
        self._worker = Worker(name, db, settings, deps, self._presence, signals, doorbell, registry)
        self._reapers = [Reaper(of_cluster, doorbell) for of_cluster in deps.values()]

    async def run(self) -> None:
        """Run until `stop`, or until cancelled: then tasks are handed over as they are."""
        try:
            # A reaper never ends by itself. If it breaks, the worker stops too: without it the promise is not kept.
            async with asyncio.TaskGroup() as group:
                beside = [group.create_task(reaper.run()) for reaper in self._reapers]
                beside.append(group.create_task(self._presence.run()))
                await self._worker.run()
                for one in beside:
                    one.cancel()
        finally:
            await self._rules.aclose()
            await asyncio.gather(*(informers.aclose() for informers in self.informers.values()))
            await asyncio.gather(*(events.aclose() for events in self._events))

    async def stop(self, drain_seconds: float = 0) -> None:
        """Claim no more; let tasks end within ``drain_seconds``, then hand them over. `run` returns after this."""
        await self._worker.stop(drain_seconds)

    @property
    def running(self) -> int:
        """How many tasks are held."""
        return self._worker.running
