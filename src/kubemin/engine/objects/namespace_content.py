"""What a Namespace of ours holds, and whether it may go again (design R10)."""

from collections.abc import Collection

from kubemin.cluster import Cluster
from kubemin.cluster.namespace_content import namespace_content

CONTENT = "*"
"""Key in a Namespace's dependents: the uids of everything that was in it right after it was made."""

_OF_EVERY_NAMESPACE = ("ServiceAccount/default", "ConfigMap/kube-root-ca.crt")
"""Made by controllers in every namespace, a moment after it."""


async def foreign_objects(cluster: Cluster, name: str, known: Collection[str]) -> list[str]:
    """What is in the namespace, without what was there at first and what controllers made. Raises `ClusterError`.

    By the time that the namespace goes, everything of ours is gone already.
    """
    return sorted(
        item.name
        for item in await namespace_content(cluster, name)
        if item.uid not in known and not item.controlled and item.name not in _OF_EVERY_NAMESPACE
    )
