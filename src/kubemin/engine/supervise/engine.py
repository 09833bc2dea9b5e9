"""A worker with what belongs to it: informers, reaper, fetcher."""

import asyncio
from dataclasses import dataclass

from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.dispatch import Doorbell
from kubemin.engine.deploy.fetch import Fetcher
from kubemin.engine.supervise.reaper import Reaper
from kubemin.engine.supervise.run import RunDeps
from kubemin.engine.supervise.worker import Worker, WorkerOptions
from kubemin.signals import Signals
from kubemin.store import Database


@dataclass(frozen=True)
class EngineOptions:
    """Times in seconds. ``name`` is the lease owner: unique a process."""

    name: str
    lease_seconds: float = 15
    poll_seconds: float = 1
    max_concurrent_tasks: int = 200
    max_attempts: int = 3
    job_timeout_seconds: float = 1200
    hopeless_after_seconds: float = 60
    cleanup_seconds: float = 30
    allow_private_urls: bool = False


class Engine:
    """Claims and runs tasks against one cluster, and reaps what dead processes left there."""

    def __init__(
        self, db: Database, cluster: Cluster, signals: Signals, doorbell: Doorbell, options: EngineOptions
    ) -> None:
        self.informers = Informers(cluster)
        deps = RunDeps(
            db=db,
            cluster=cluster,
            informers=self.informers,
            fetcher=Fetcher(options.allow_private_urls),
            job_seconds=options.job_timeout_seconds,
            hopeless_after=options.hopeless_after_seconds,
            cleanup_seconds=options.cleanup_seconds,
            max_attempts=options.max_attempts,
        )
        worker = WorkerOptions(
            name=options.name,
            lease_seconds=options.lease_seconds,
            poll_seconds=options.poll_seconds,
            max_tasks=options.max_concurrent_tasks,
            max_attempts=options.max_attempts,
        )
        self._worker = Worker(worker, deps, signals, doorbell)
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
            await self.informers.aclose()

    async def stop(self, drain_seconds: float = 0) -> None:
        """Claim no more; let tasks end within ``drain_seconds``, then hand them over. `run` returns after this."""
        await self._worker.stop(drain_seconds)

    @property
    def running(self) -> int:
        """How many tasks are held."""
        return self._worker.running
