"""Whether whoever asked for it may let go of objects, where it is done as them.

What a completed task lets go of is removed by KubeMin's own rights, as that goes on until it is done, also when the
caller's rights are gone. So it is asked before the first write whether the caller may.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from kubemin.cluster import Cluster
from kubemin.cluster.errors import CallerForbidden, ClusterError, Conflict, Invalid, NotFound
from kubemin.engine.backoff import retry_reads
from kubemin.engine.errors import without_group
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.claims import PVC, template_claims
from kubemin.engine.objects.live import get_or_none
from kubemin.spec.objects import ObjectRef
from kubemin.spec.states import Purpose

_AT_ONCE = 16


async def check_letting_go(
    acting: Cluster, cluster: Cluster, app_id: str, rows: Collection[Resource], *, delete_volumes: bool
) -> None:
    """Raise `CallerForbidden` that names all of the rows' objects of which the caller may not let go.

    Dry runs tell it: of a DELETE or, of what is released, of a PUT of what is there. Where ``acting`` acts as nobody,
    nothing is asked. Raises `ClusterError`.
    """
    if not acting.acts:
        return
    releases = [row.ref for row in rows if row.purpose is not Purpose.REMOVE]
    removes = [row for row in rows if row.purpose is Purpose.REMOVE and (delete_volumes or row.ref.kind != PVC)]
    uids = {row.ref: row.uid or "" for row in removes}
    stores = [ref for ref in uids if ref.kind == "StatefulSet"]
    if delete_volumes and stores:
        claims = await retry_reads(lambda: template_claims(cluster, app_id, stores))
        uids |= {ObjectRef.of(claim): claim["metadata"]["uid"] for claim in claims}
    slots = asyncio.Semaphore(_AT_ONCE)

    async def release(ref: ObjectRef) -> None:
        if (live := await get_or_none(cluster, ref)) is not None:
            await acting.replace(live, dry_run=True)

    async def remove(ref: ObjectRef) -> None:
        await acting.delete(ref, uid=uids[ref], dry_run=True)

    async def refusal(ask: Callable[[], Awaitable[None]]) -> str | None:
        async with slots:
            try:
                await retry_reads(ask)
            except CallerForbidden as error:
                return error.message
            except (NotFound, Conflict, Invalid):
                pass  # gone, or another by now; or a webhook that takes no dry run
        return None

    asks = [partial(remove, ref) for ref in sorted(uids)] + [partial(release, ref) for ref in sorted(releases)]
    with without_group(ClusterError):
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(refusal(ask)) for ask in asks]
    if refused := [said for one in asked if (said := one.result()) is not None]:
        raise CallerForbidden("; ".join(refused), status=403, reason="Forbidden")
