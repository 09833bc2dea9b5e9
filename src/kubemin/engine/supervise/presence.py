"""Which clusters a worker serves, and which of them answer. Each is asked by itself: none waits for another."""

import asyncio
import contextlib
from collections.abc import Collection
from functools import partial

import structlog
from prometheus_client import CollectorRegistry, Gauge

from kubemin.cluster import Cluster, ClusterError
from kubemin.cluster.errors import ServerError, Unreachable
from kubemin.repeated import Repeated
from kubemin.store import Database, presence
from kubemin.store.errors import StoreError
from kubemin.store.presence import Sight

log = structlog.get_logger(__name__)

_ANSWER_SECONDS = 5.0
_EVERY_SECONDS = 10.0
_SOON_SECONDS = 2.0
"""Until one that does not answer is asked again."""
_LEAVE_SECONDS = 1.0
_MISSED = 2
"""So many questions in a row without an answer: the cluster is away."""


class Presence:
    """Asks each cluster from time to time, and tells the database what it sees."""

    def __init__(self, worker: str, db: Database, clusters: Collection[Cluster], registry: CollectorRegistry) -> None:
        self._worker = worker
        self._db = db
        self._clusters = clusters
        self._seen = {cluster.name: Sight("", "") for cluster in clusters}
        self._news = asyncio.Event()
        gauge = Gauge(
            "kubemin_worker_cluster_reachable",
            "0 while a cluster that this worker serves does not answer: it takes up no tasks of it meanwhile.",
            ("cluster",),
            registry=registry,
        )
        for cluster in clusters:
            gauge.labels(cluster.name).set_function(partial(self.answers, cluster.name))

    def answers(self, cluster: str) -> bool:
        """Whether a cluster that is served is not known to be away."""
        return not self._seen[cluster].away

    @property
    def present(self) -> list[str]:
        """The clusters that are served and not known to be away."""
        return [name for name, seen in self._seen.items() if not seen.away]

    async def run(self) -> None:
        """Ask and tell until cancelled; then tell that the worker serves none any more."""
        try:
            async with asyncio.TaskGroup() as group:
                for cluster in self._clusters:
                    group.create_task(self._watch(cluster))
                group.create_task(self._tell())
        finally:
            with contextlib.suppress(StoreError, TimeoutError):
                async with asyncio.timeout(_LEAVE_SECONDS), self._db.begin("presence") as tx:
                    await presence.leave(tx, self._worker)

    async def _watch(self, cluster: Cluster) -> None:
        missed = 0
        while True:
            why = version = ""
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    version = await cluster.version()
                missed = 0
            except TimeoutError:
                missed, why = missed + 1, f"no answer within {_ANSWER_SECONDS:g} s"
            except (Unreachable, ServerError) as error:
                missed, why = missed + 1, error.message
            except ClusterError:
                missed = 0  # it refuses, so it is there
            if not missed or missed >= _MISSED:
                self._sees(cluster.name, Sight(version, why))
            await asyncio.sleep(_SOON_SECONDS if missed else _EVERY_SECONDS)

    def _sees(self, name: str, now: Sight) -> None:
        before, self._seen[name] = self._seen[name], now
        if bool(before.away) != bool(now.away):
            if now.away:
                log.warning("a cluster does not answer; its tasks wait", cluster=name, error=now.away)
            else:
                log.info("a cluster answers again", cluster=name)
        if before != now:
            self._news.set()

    async def _tell(self) -> None:
        telling = Repeated(log, "cannot record which clusters are served")
        while True:
            self._news.clear()
            try:
                async with self._db.begin("presence") as tx:
                    await presence.say(tx, self._worker, self._seen)
            except StoreError as error:
                telling.failed(error)
            else:
                telling.succeeded()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_SECONDS):
                    await self._news.wait()
