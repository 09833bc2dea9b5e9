"""A server that knows two clusters, of which the second does not answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from kubemin.api.deps import Deps
from kubemin.cluster import Cluster
from kubemin.dispatch import LocalDoorbell
from kubemin.engine import TaskService
from kubemin.engine.entry.cluster_services import ClusterServices
from kubemin.signals import LocalSignals
from kubemin.spec.limits import Limits
from kubesim.server import SimServer
from tests.waiting import PATIENCE

LIMITS = Limits(clusters=frozenset({"default", "edge"}))


@asynccontextmanager
async def knowing_two(deps: Deps) -> AsyncIterator[Deps]:
    """The parts of such a server: ``default``, and ``edge``, which is away."""
    async with SimServer(speed=50) as sim:
        urls = {"default": sim.url, "edge": "http://127.0.0.1:9"}
        found = {
            name: await Cluster.connect(kubeconfig=None, context=None, url=url, timeout=PATIENCE, name=name)
            for name, url in urls.items()
        }
        service = TaskService(deps.db, LocalSignals(), LocalDoorbell(), LIMITS)
        clusters = {name: ClusterServices(deps.db, one, LIMITS) for name, one in found.items()}
        yield replace(deps, clusters=clusters, service=service, limits=LIMITS)
        for one in found.values():
            await one.aclose()
