"""Tells of objects by Kubernetes Events, beside all else: what cannot be told is dropped, and holds up nothing."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal

import orjson
from prometheus_client import CollectorRegistry, Counter

from kubemin.cluster.client import Cluster
from kubemin.cluster.errors import ClusterError
from kubemin.cluster.requests import Request
from kubemin.spec.kinds import kind_of
from kubemin.spec.labels import MANAGER
from kubemin.spec.objects import ObjectRef
from kubemin.telemetry.tracing import detached

CONTROLLER = "kubemin.io/kubemin"
"""Who tells, as events have it."""
_WAITING = 1000
_NOTE_BYTES = 1000
"""The API server takes 1,024."""
_NAME, _INSTANCE = 230, 128


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """What is told of an object. ``about``: what it is told of once only, such as a task's end."""

    ref: ObjectRef
    uid: str
    type: Literal["Normal", "Warning"]
    action: str
    reason: str
    note: str
    about: str

    @property
    def name(self) -> str:
        """The same for the same object, end and reason: the API server refuses a second one."""
        digest = sha256(f"{self.about}/{self.uid}/{self.reason}".encode()).hexdigest()[:16]
        return f"{self.ref.name[:_NAME]}.{digest}"


def counter_of_events(registry: CollectorRegistry) -> Counter:
    """Counts what became of events, of all clusters of a process."""
    told = Counter(
        "kubemin_worker_kubernetes_events",
        "Kubernetes Events about objects: sent; known, as they were told before; or dropped, as too many waited or"
        " the API server did not take them.",
        ("outcome",),
        registry=registry,
    )
    for outcome in ("sent", "known", "dropped"):
        told.labels(outcome)
    return told


class ObjectEvents:
    """Sends them one after the other. `tell` never waits and never fails."""

    def __init__(self, cluster: Cluster, instance: str, told: Counter) -> None:
        """``instance`` names this process in the events; ``told`` is the `counter_of_events` of the process."""
        self._cluster = cluster
        self._instance = instance[:_INSTANCE]
        self._queue: asyncio.Queue[ObjectEvent] = asyncio.Queue(_WAITING)
        self._sending: asyncio.Task[None] | None = None
        self._told = told

    def tell(self, event: ObjectEvent) -> None:
        """Have it sent, if there is room."""
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self._told.labels("dropped").inc()
            return
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all(), name="events", context=detached())

    async def aclose(self) -> None:
        """Drop what waits."""
        if self._sending is not None:
            self._sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sending

    async def _send_all(self) -> None:
        while True:
            outcome = await self._send(await self._queue.get())
            self._told.labels(outcome).inc()

    async def _send(self, event: ObjectEvent) -> str:
        try:
            answer = await self._cluster.raw(self._request(event))
        except ClusterError:
            return "dropped"
        if answer.status == 409:
            return "known"
        return "sent" if 200 <= answer.status < 300 else "dropped"

    def _request(self, event: ObjectEvent) -> Request:
        ref = event.ref
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": event.name, "namespace": ref.namespace},
            "eventTime": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
            "action": event.action,
            "reason": event.reason,
            "type": event.type,
            "regarding": {
                "apiVersion": kind_of(ref.kind).api_version,
                "kind": ref.kind,
                "namespace": ref.namespace,
                "name": ref.name,
                "uid": event.uid,
            },
            "note": event.note.encode()[:_NOTE_BYTES].decode(errors="ignore"),
        }
        path = f"/apis/events.k8s.io/v1/namespaces/{ref.namespace}/events"
        return Request(
            "create", "POST", path, f"Event/{ref.namespace}", (("fieldManager", MANAGER),), orjson.dumps(body)
        )
