"""Looking at one object, and waiting until it is gone (design R5)."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

from kubemin.cluster import Cluster
from kubemin.cluster.errors import (
    Closed,
    ClusterError,
    NotFound,
    ServerError,
    Throttled,
    Unauthorized,
    Unreachable,
)
from kubemin.cluster.informers import Informers
from kubemin.engine.backoff import Backoff
from kubemin.spec.kinds import kind_of
from kubemin.spec.labels import APP_ID
from kubemin.spec.objects import Manifest, ObjectRef


async def get_or_none(cluster: Cluster, ref: ObjectRef) -> Manifest | None:
    """The object as the server has it now; None where there is none. Raises `ClusterError`."""
    try:
        return await cluster.get(ref)
    except NotFound:
        return None


_MANY = 4


async def get_many(cluster: Cluster, refs: Iterable[ObjectRef], app_id: str) -> dict[ObjectRef, Manifest]:
    """What one request for a kind, instead of one for an object, shows of an application's objects.

    What is not found may be there all the same: without the application's label, or because nobody could be asked.
    """
    collections = Counter((ref.kind, ref.namespace) for ref in refs if not kind_of(ref.kind).large)
    found: dict[ObjectRef, Manifest] = {}

    async def live(kind: str, namespace: str) -> None:
        with contextlib.suppress(ClusterError):
            for item in (await cluster.list(kind, namespace or None, labels=f"{APP_ID}={app_id}")).items:
                found[ObjectRef.of(item)] = item

    await asyncio.gather(*(live(*collection) for collection, number in collections.items() if number >= _MANY))
    return found


_SOON = 5
"""Looks after which what is still there takes longer than is usual."""

_LONG = 1.0
"""Seconds for which the watch alone is relied on."""


async def until_gone(
    cluster: Cluster,
    ref: ObjectRef,
    uid: str,
    lasts: Callable[[Manifest], Awaitable[None]] | None = None,
    informers: Informers | None = None,
) -> None:
    """Wait until that very object is absent; another of the same name does not count. Never gives up by itself.

    ``lasts`` gets the object at each look once it takes long.

    The watch only says when it is worth asking: what is removed need not carry our labels, and only the server's word
    counts here.
    """
    backoff = Backoff(first=0.05, most=1.0)
    for tried in itertools.count(1):
        in_sight = informers is not None and await _stays_in_sight(informers, ref, uid)
        try:
            live = await get_or_none(cluster, ref)
        except (Unreachable, ServerError, Throttled) as error:
            await backoff.pause(error)
            continue
        if live is None or live["metadata"]["uid"] != uid:
            return
        if lasts is not None and (in_sight or tried > _SOON):
            await lasts(live)
        if not in_sight:
            await backoff.pause()


async def _stays_in_sight(informers: Informers, ref: ObjectRef, uid: str) -> bool:
    """Wait a while for the watch, if there is one, to see the object go; whether it is still there by that."""
    if not informers.synced(ref.kind):
        return False
    try:
        async with asyncio.timeout(_LONG):
            await informers.until(
                ref.kind,
                ref.namespace,
                ref.name,
                lambda now: True if now is None or now["metadata"]["uid"] != uid else None,
            )
    except TimeoutError:
        return True
    except (Closed, Unauthorized):
        pass  # the next request says so
    return False
