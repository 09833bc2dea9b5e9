"""Whether a Namespace or a definition, whose deletion takes along what is in it, may go (design R10)."""

from collections.abc import Collection

from kubemin.cluster import Cluster
from kubemin.engine.journal.journal import Journal
from kubemin.engine.objects.namespace_content import NAMESPACE, foreign_objects
from kubemin.spec.objects import ObjectRef


async def held_for_others(journal: Journal, cluster: Cluster, holder: ObjectRef, known: Collection[str]) -> list[str]:
    """What it holds of others, and who is about to bring something into it. Raises `ClusterError`, `StoreError`.

    ``known``: uids of what was in it at first. The tasks are asked for first: what one brings that ends meanwhile, the
    cluster shows.
    """
    if holder.kind == NAMESPACE and (task_id := await journal.at_work_in(holder.name)) is not None:
        return [f"what task {task_id} brings"]
    return await foreign_objects(cluster, holder, known)
