"""Looking at one object, and waiting until it is gone (design R5)."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

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
from kubemin.engine.backoff import Backoff, retry_reads
from kubemin.engine.errors import without_group
from kubemin.spec.kinds import kind_of
from kubemin.spec.labels import APP_ID
from kubemin.spec.objects import Manifest, ObjectRef


async def get_or_none(cluster: Cluster, ref: ObjectRef) -> Manifest | None:
    """The object as the server has it now; None where there is none. Raises `ClusterError`."""
    try:
        return await cluster.get(ref)
    except NotFound:
        return None


Snapshot = dict[ObjectRef, Manifest | None]
"""Objects as they were read before a run, or None where there was none. What is missing here was not read."""

_MANY = 4
_AT_ONCE = 32


async def read_many(
    cluster: Cluster,
    refs: Iterable[ObjectRef],
    app_id: str,
    trouble: Callable[[ObjectRef, str], None] = lambda _, __: None,
    has_none: Callable[[str, str], bool] = lambda _, __: False,
    *,
    leave_out: Sequence[type[ClusterError]] = (),
) -> Snapshot:
    """Each of these objects as it is now, or None. ``trouble`` takes, for people, why one is not known yet.

    One whose reading raises one of ``leave_out`` is not in the result.

    ``has_none``: whether an application seems to have no object of a kind. Then these are not listed, and what is there
    all the same is read one by one.

    Few requests: the objects with the application's label come by one LIST a kind. For the others, one request for the
    names of a kind tells which of them do not exist; what does exist is read one by one. Where a namespace has more
    objects of a kind than fit a page of a list, each name is asked for instead. Raises `ClusterError`.
    """
    wanted = list(dict.fromkeys(refs))
    found: Snapshot = {}
    slots = asyncio.Semaphore(_AT_ONCE)

    async def read(ref: ObjectRef) -> None:
        async with slots:
            with contextlib.suppress(*leave_out):
                found[ref] = await retry_reads(partial(get_or_none, cluster, ref), partial(trouble, ref))

    async def look(kind: str, namespace: str, some: Collection[ObjectRef]) -> None:
        names = await _names(cluster, kind, namespace) if len(some) >= _MANY else None
        for ref in some:
            if names is not None and ref.name not in names:
                found[ref] = None
            else:
                group.create_task(read(ref))

    found |= await get_many(cluster, (ref for ref in wanted if not has_none(ref.kind, app_id)), app_id)
    collections: dict[tuple[str, str], list[ObjectRef]] = {}
    for ref in wanted:
        if ref not in found:
            collections.setdefault((ref.kind, ref.namespace), []).append(ref)
    with without_group(ClusterError):
        async with asyncio.TaskGroup() as group:
            for (kind, namespace), some in collections.items():
                group.create_task(look(kind, namespace, some))
    return {ref: found[ref] for ref in wanted if ref in found}


async def _names(cluster: Cluster, kind: str, namespace: str) -> Collection[str] | None:
    """The names of what there is of a kind; None where they are too many for one request, or nobody could be asked."""
    try:
        await cluster.served(kind)
    except NotFound:
        return ()
    except ClusterError:
        return None
    with contextlib.suppress(ClusterError):
        return await cluster.names(kind, namespace)
    return None


async def get_many(cluster: Cluster, refs: Iterable[ObjectRef], app_id: str) -> Snapshot:
    """What one request for a kind, instead of one for an object, shows of an application's objects.

    None where the cluster does not serve the kind. What is not in it may be there all the same: without the
    application's label, or because nobody could be asked.
    """
    collections: dict[tuple[str, str, str], list[ObjectRef]] = {}
    for ref in refs:
        if not kind_of(ref.kind).large:
            collections.setdefault((ref.kind, ref.namespace, ref.version), []).append(ref)
    found: Snapshot = {}

    async def live(kind: str, namespace: str, version: str, some: Collection[ObjectRef]) -> None:
        with contextlib.suppress(ClusterError):
            try:
                await cluster.served(kind)
            except NotFound:  # then there is no object of it
                found.update(dict.fromkeys(some))
                return
            labels = f"{APP_ID}={app_id}"
            for item in (await cluster.list(kind, namespace or None, labels=labels, version=version)).items:
                found[ObjectRef.of(item)] = item

    await asyncio.gather(*(live(*one, some) for one, some in collections.items() if len(some) >= _MANY))
    return found


_SOON = 5
"""Looks after which what is still there takes longer than is usual."""

_LONG = 5.0
"""Seconds for which a watch alone is relied on: it may be broken without anybody knowing."""


async def until_gone(
    cluster: Cluster,
    ref: ObjectRef,
    uid: str,
    lasts: Callable[[Manifest], None] = lambda _: None,
    informers: Informers | None = None,
) -> None:
    """Wait until that very object is absent; another of the same name does not count. Never gives up by itself.

    ``lasts`` gets the object as it changes while it is there, or at each look once it takes long.

    The watch only says when it is worth asking: what is removed need not carry our labels, and only the server's word
    counts here.
    """
    backoff = Backoff(first=0.05, most=1.0)
    for tried in itertools.count(1):
        in_sight = informers is not None and await _stays_in_sight(informers, ref, uid, lasts)
        try:
            live = await get_or_none(cluster, ref)
        except (Unreachable, ServerError, Throttled) as error:
            await backoff.pause(error)
            continue
        if live is None or live["metadata"]["uid"] != uid:
            return
        if in_sight or tried > _SOON:
            lasts(live)
        if not in_sight:
            await backoff.pause()


async def _stays_in_sight(informers: Informers, ref: ObjectRef, uid: str, lasts: Callable[[Manifest], None]) -> bool:
    """Wait a while for the watch, if there is one, to see the object go; whether it is still there by that."""
    if not informers.current(ref.kind):
        return False

    def is_gone(now: Manifest | None) -> bool | None:
        if now is None or now["metadata"]["uid"] != uid:
            return True
        lasts(now)
        return None

    try:
        async with asyncio.timeout(_LONG):
            await informers.until(ref.kind, ref.namespace, ref.name, is_gone, kind_of(ref.kind).told_by)
    except TimeoutError:
        return True
    except (Closed, Unauthorized):
        pass  # the next request says so
    return False
