"""Versions that a definition has no more, and managedFields still speak of.

The API server converts an object into each version that its managedFields name. Where the definition has lost one, it
refuses each apply with a 500, and each other write wipes all managedFields (kubernetes/kubernetes#111937, #136919).
"""

from kubemin.cluster import Cluster
from kubemin.spec.kinds import KINDS, kind_name
from kubemin.spec.objects import Manifest


async def lost_versions(cluster: Cluster, live: Manifest) -> list[str]:
    """The API versions in the object's managedFields that its kind has no more. Raises `ClusterError`."""
    kind, own = kind_name(live), live["apiVersion"]
    if kind in KINDS:
        return []
    group = own.rpartition("/")[0]
    named = {str(entry.get("apiVersion")) for entry in live["metadata"].get("managedFields") or []} - {own}
    found = [one for one in sorted(named) if one.rpartition("/")[0] == group]
    return [one for one in found if not await cluster.defines(kind, one.rpartition("/")[2])]
