"""What ``/metrics`` says: requests, as this process counts them, and tasks, as the database has them."""

import time
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kubemin.api.families import Families, exposition
from kubemin.store import Database, StoreError
from kubemin.store.tasks import TaskCounts, count_tasks


class Measured:
    """ASGI middleware: counts requests and their seconds, by method, operation (never by address) and status."""

    def __init__(self, app: ASGIApp, *, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "kubemin_http_requests",
            "Requests that this process answered.",
            ("method", "operation", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "kubemin_http_request_seconds", "Seconds until the reply began.", ("method", "operation"), registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "other"
                operation = getattr(scope.get("endpoint"), "__name__", "none")
                self._requests.labels(method, operation, str(message["status"])).inc()
                self._seconds.labels(method, operation).observe(time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, watched)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""The method is the caller's to choose, and each one that is counted by name is kept for good."""


async def text(registry: CollectorRegistry, db: Database, workers: Mapping[str, Families | None]) -> bytes:
    """All metrics in the text format of Prometheus: of this process, of its workers by name, and of the database.

    Without the database, what the processes know by themselves.
    """
    found: TaskCounts | None = None
    try:
        async with db.read() as tx:
            found = await count_tasks(tx)
    except StoreError:
        pass  # said by kubemin_database_up
    return exposition([*registry.collect(), *_gauges(found)], workers)


def _gauges(found: TaskCounts | None) -> Iterator[GaugeMetricFamily]:
    """One look at the database. Every server that shares it says the same."""
    yield GaugeMetricFamily(
        "kubemin_database_up",
        "0 if the database did not answer this scrape; the gauges that it tells are left out then.",
        found is not None,
    )
    if found is None:
        return
    yield _by(
        "kubemin_tasks", "Tasks that have not ended: waiting, queued or running.", "status", found.statuses.items()
    )
    yield _by(
        "kubemin_cleanups",
        "Tasks whose cleanup is under way (pending, running), or has left something (incomplete, abandoned).",
        "state",
        found.cleanups.items(),
    )
    yield GaugeMetricFamily(
        "kubemin_queue_oldest_task_age_seconds",
        "How long the oldest waiting task has waited, 0 if none does. It grows when no worker runs, or all are full.",
        found.oldest_waiting,
    )
    yield _by(
        "kubemin_queue_oldest_task_age_by_cluster_seconds",
        "The same by the task's cluster; where nothing waits there is none.",
        "cluster",
        found.oldest_by_cluster.items(),
    )
    yield _by(
        "kubemin_queue_oldest_task_age_by_namespace_seconds",
        "The same by the application's namespace, of the 20 that wait longest; where nothing waits there is none.",
        "namespace",
        found.oldest_by_namespace.items(),
    )
    leases = {"held": found.leases_held, "expired": found.leases_expired}
    yield _by(
        "kubemin_leases",
        "Tasks that a worker holds (held), or that wait to be taken over (expired).",
        "state",
        leases.items(),
    )


def _by(name: str, what: str, label: str, numbers: Iterable[tuple[str, float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=(label,))
    for value, number in numbers:
        family.add_metric((str(value),), number)
    return family
