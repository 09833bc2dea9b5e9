"""Looking at one object, and waiting until it is gone (design R5)."""

import itertools
from collections.abc import Awaitable, Callable

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


_SOON = 5
"""Looks after which what is still there takes longer than is usual."""


async def until_gone(
    cluster: Cluster, ref: ObjectRef, uid: str, lasts: Callable[[Manifest], Awaitable[None]] | None = None
) -> None:
    """Wait until that very object is absent; another of the same name does not count. Never gives up by itself.

    ``lasts`` gets the object at each look once it takes long.

    Asks, rather than watches: what is removed need not carry our labels, and only the server's word counts here.
    """
    backoff = Backoff(first=0.05, most=1.0)
    for tried in itertools.count(1):
        try:
            look = await look_at(cluster, ref)
        except (Unreachable, ServerError, Throttled) as error:
            await backoff.pause(error)
            continue
        if look is None or look["metadata"]["uid"] != uid:
            return
        if lasts is not None and tried > _SOON:
            await lasts(look)
        await backoff.pause()
