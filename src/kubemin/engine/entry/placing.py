"""Which objects of an application belong to the whole cluster, where only the cluster knows that."""

import asyncio
from collections.abc import Mapping
from typing import Any

from kubemin.cluster import Cluster, ClusterError
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.spec.unread_manifests import marked_as_cluster_scoped, unplaced_kinds, with_documents


class Placing:
    """Asks the cluster about kinds that neither `kubemin.spec.kinds` nor the application itself tells of."""

    def __init__(self, cluster: Cluster, compute_thread: ComputeThread) -> None:
        self._cluster = cluster
        self._compute_thread = compute_thread

    async def placed(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The unread application with "" as the namespace of each object that belongs to the whole cluster.

        Where the cluster cannot be asked, or has no such kind, objects count as namespaced; the run finds out.
        """
        read, kinds = await self._compute_thread.do_if_large(lambda: _with_kinds(data), data)
        found = await asyncio.gather(*map(self._belongs_to_all, kinds))
        whole = {kind for kind, belongs in zip(kinds, found, strict=True) if belongs}
        return marked_as_cluster_scoped(read, whole) if whole else data

    async def _belongs_to_all(self, kind: str) -> bool:
        try:
            return not (await self._cluster.served(kind)).namespaced
        except ClusterError:
            return False


def _with_kinds(data: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    read = with_documents(data)
    return read, sorted(unplaced_kinds(read))
