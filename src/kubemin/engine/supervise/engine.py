"""A worker with what belongs to it: informers, reaper, fetcher, and what evaluates readiness rules."""

import asyncio
from dataclasses import replace

from prometheus_client import CollectorRegistry

from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.cluster.object_events import ObjectEvents
from kubemin.dispatch import Doorbell
from kubemin.engine.deploy.fetch import Fetcher
from kubemin.engine.deploy.rules import Rules
from kubemin.engine.supervise.metrics import RunMetrics
from kubemin.engine.supervise.reaper import Reaper
from kubemin.engine.supervise.run import RunDeps
from kubemin.engine.supervise.worker import Worker
from kubemin.settings.engine import EngineSettings
from kubemin.signals import Signals
from kubemin.store import Database
from kubemin.telemetry.tracing import Tracer


class Engine:
    """Claims and runs tasks against one cluster, and reaps what dead processes left there."""

    def __init__(
        self,
        db: Database,
        cluster: Cluster,
        signals: Signals,
        doorbell: Doorbell,
        settings: EngineSettings,
        name: str,
        registry: CollectorRegistry | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        """``name`` is the owner of its leases: unique a process. ``registry`` takes its metrics, ``tracer`` spans."""
        registry = CollectorRegistry() if registry is None else registry
        self.informers = Informers(cluster)
        self._rules = Rules()
        deps = RunDeps(
            db=db,
            cluster=cluster,
            informers=self.informers,
            fetcher=Fetcher(settings.allow_private_urls),
            rules=self._rules,
            settings=settings,
            metrics=RunMetrics(registry),
            tracer=tracer,
        )
        if settings.kubernetes_events:
            deps = replace(deps, events=ObjectEvents(cluster, name, registry))
        self._events = deps.events
        self._worker = Worker(name, deps, signals, doorbell, registry)
        self._reaper = Reaper(deps, doorbell)

    async def run(self) -> None:
        """Run until `stop`, or until cancelled: then tasks are handed over as they are."""
        try:
            # The reaper never ends by itself. If it breaks, the worker stops too: without it the promise is not kept.
            async with asyncio.TaskGroup() as group:
                reaping = group.create_task(self._reaper.run())
                await self._worker.run()
                reaping.cancel()
        finally:
            await self._rules.aclose()
            await self.informers.aclose()
            if self._events is not None:
                await self._events.aclose()

    async def stop(self, drain_seconds: float = 0) -> None:
        """Claim no more; let tasks end within ``drain_seconds``, then hand them over. `run` returns after this."""
        await self._worker.stop(drain_seconds)

    @property
    def running(self) -> int:
        """How many tasks are held."""
        return self._worker.running
