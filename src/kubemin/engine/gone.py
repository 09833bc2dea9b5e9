"""Looking at one object, and waiting until it is gone (design R5)."""

from kubemin.cluster import Cluster
from kubemin.cluster.errors import NotFound, ServerError, Throttled, Unreachable
from kubemin.engine.backoff import Backoff
from kubemin.spec.objects import Manifest, ObjectRef


async def look_at(cluster: Cluster, ref: ObjectRef) -> Manifest | None:
    """The object as the server has it now; None where there is none. Raises `ClusterError`."""
    try:
        return await cluster.get(ref)
    except NotFound:
        return None


async def until_gone(cluster: Cluster, ref: ObjectRef, uid: str) -> None:
    """Wait until that very object is absent; another of the same name does not count. Never gives up by itself.

    Asks, rather than watches: what is removed need not carry our labels, and only the server's word counts here.
    """
    backoff = Backoff(first=0.05, most=1.0)
    while True:
        try:
            look = await look_at(cluster, ref)
        except (Unreachable, ServerError, Throttled) as error:
            await backoff.pause(error)
            continue
        if look is None or look["metadata"]["uid"] != uid:
            return
        await backoff.pause()
