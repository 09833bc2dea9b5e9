"""Definitions of custom resources, as they are in the cluster: each is read once in a run."""

import asyncio
from contextlib import suppress

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError
from kubemin.spec.kinds import DEFINITION, KINDS
from kubemin.spec.objects import Manifest


class Definitions:
    """Reads them where somebody asks."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._read: dict[str, Manifest | None] = {}
        self._turn = asyncio.Lock()

    async def of(self, kind: str) -> Manifest | None:
        """The definition of a kind; None where there is none, or it cannot be read."""
        if kind in KINDS:
            return None
        async with self._turn:
            if kind not in self._read:
                self._read[kind] = await self._look(kind)
            return self._read[kind]

    async def _look(self, kind: str) -> Manifest | None:
        with suppress(ClusterError):
            served = await self._cluster.served(kind)
            name = f"metadata.name={served.plural}.{served.group}"
            return next(iter((await self._cluster.list(DEFINITION, fields=name)).items), None)
        return None
