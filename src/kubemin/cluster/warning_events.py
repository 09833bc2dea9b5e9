"""Which objects of a namespace have warning events. All callers within a second share one request."""

import asyncio

from kubemin.cluster.client import Cluster
from kubemin.cluster.errors import ClusterError
from kubemin.cluster.object_events import CONTROLLER

_FRESH_SECONDS = 1.0
"""A result is used again for so many seconds."""


class WarningEvents:
    """Lists the warnings of a namespace, once for all callers: a thousand jobs that wait cost one request."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._requests: dict[str, tuple[float, asyncio.Task[frozenset[str]]]] = {}

    async def about(self, namespace: str) -> frozenset[str]:
        """The uids of the objects that have warnings; empty if events cannot be read."""
        now = asyncio.get_running_loop().time()
        sent_at, request = self._requests.get(namespace, (0.0, None))
        if request is None or (request.done() and now - sent_at >= _FRESH_SECONDS):
            request = asyncio.create_task(self._list(namespace))
            self._requests[namespace] = now, request
        return await asyncio.shield(request)

    async def _list(self, namespace: str) -> frozenset[str]:
        try:
            events = (await self._cluster.list("Event", namespace, fields="type=Warning")).items
        except ClusterError:
            return frozenset()
        theirs = (event for event in events if event.get("reportingComponent") != CONTROLLER)  # not what we told
        return frozenset(str((event.get("involvedObject") or {}).get("uid")) for event in theirs)

    async def aclose(self) -> None:
        """Cancel the requests that are under way."""
        request = [task for _, task in self._requests.values()]
        for task in request:
            task.cancel()
        await asyncio.gather(*request, return_exceptions=True)
