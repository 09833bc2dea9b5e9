"""Which objects of an application belong to the whole cluster, where only the cluster knows that."""

import asyncio
from collections.abc import Mapping
from typing import Any

from kubemin.cluster import Cluster, ClusterError
from kubemin.spec.manifests import marked_as_cluster_scoped, unplaced_kinds


class Placing:
    """Asks the cluster about kinds that neither `kubemin.spec.kinds` nor the application itself tells of."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def placed(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The unread application with "" as the namespace of each object that belongs to the whole cluster.

        Where the cluster cannot be asked, or has no such kind, objects count as namespaced; the run finds out.
        """
        kinds = sorted(unplaced_kinds(data))
        found = await asyncio.gather(*map(self._belongs_to_all, kinds))
        whole = {kind for kind, belongs in zip(kinds, found, strict=True) if belongs}
        return marked_as_cluster_scoped(data, whole) if whole else data

    async def _belongs_to_all(self, kind: str) -> bool:
        try:
            return not (await self._cluster.served(kind)).namespaced
        except ClusterError:
            return False
