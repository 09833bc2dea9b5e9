"""What would become of the objects that an application is to let go of, told before anything is done (design R11)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from kubemin.cluster import Cluster
from kubemin.engine.cleanup.letting_go import LettingGo
from kubemin.engine.deploy.dry_runs import JobPreview
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.claims import (
    PVC,
    goes_with_its_claims,
    is_in_use,
    is_of_store,
    other_user_of,
    shrinks_with_its_claims,
    template_claims,
)
from kubemin.engine.objects.live import get_or_none
from kubemin.plan import Job
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Purpose

_USED_AGAIN = "uses the volume claim that was kept, with its data"


@dataclass(frozen=True)
class Parting:
    """What would be deleted, what released, what would pass to other applications, which volume claims be kept."""

    removes: tuple[ObjectRef, ...] = ()
    releases: tuple[ObjectRef, ...] = ()
    passes: tuple[ObjectRef, ...] = ()
    keeps: tuple[ObjectRef, ...] = ()


async def parting(
    cluster: Cluster,
    app_id: str,
    rows: Sequence[Resource],
    how: LettingGo,
    *,
    used: Collection[str],
    jobs: Collection[Job] = (),
) -> Parting:
    """What becomes of these rows, and of the claims of StatefulSets that go, or that ``jobs`` scale down.

    ``used``: the uids of what other applications use. Raises `ClusterError`.
    """
    passes = tuple(sorted(row.ref for row in rows if row.uid in used))
    rows = [row for row in rows if row.uid not in used]
    removes = [row.ref for row in rows if row.purpose is Purpose.REMOVE]
    claims = {ref for ref in removes if ref.kind == PVC}
    stores = [ref for ref in removes if ref.kind == "StatefulSet"]
    claims |= {ObjectRef.of(claim) for claim in await template_claims(cluster, app_id, stores)}
    going = await _going_with_their_stores(cluster, claims, stores)
    for job in jobs:
        if job.ref.kind == "StatefulSet" and (live := await get_or_none(cluster, job.ref)) is not None:
            left = await _left_by(cluster, app_id, job, live, every=how.delete_volumes)
            claims |= left
            going |= left if shrinks_with_its_claims(live) else set()
    if how.delete_volumes:
        going = {ref for ref in claims if await other_user_of(cluster, ref, app_id) is None}
    others = {ref for ref in removes if ref.kind != PVC}
    return Parting(
        removes=tuple(sorted(others | going)),
        releases=tuple(sorted(row.ref for row in rows if row.purpose is Purpose.RELEASE)),
        passes=passes,
        keeps=tuple(sorted(claims - going)),
    )


async def _going_with_their_stores(
    cluster: Cluster, claims: Collection[ObjectRef], stores: Collection[ObjectRef]
) -> set[ObjectRef]:
    """The claims that the cluster itself deletes with their StatefulSet."""
    going = set[ObjectRef]()
    for store in stores:
        live = await get_or_none(cluster, store)
        if live is not None and goes_with_its_claims(live):
            going |= {ref for ref in claims if ref.namespace == store.namespace and is_of_store(ref.name, [store.name])}
    return going


async def _left_by(cluster: Cluster, app_id: str, job: Job, live: Manifest, *, every: bool) -> set[ObjectRef]:
    """The claims that the StatefulSet does not use as it is to be, and uses now, or with ``every`` may have used."""
    found = {ObjectRef.of(claim) for claim in await template_claims(cluster, app_id, [job.ref])}
    unused = {ref for ref in found if not is_in_use(ref.name, job.manifest)}
    return unused if every else {ref for ref in unused if is_in_use(ref.name, live)}


async def with_kept_claims(
    cluster: Cluster, app_id: str, jobs: Collection[Job], found: Mapping[int, JobPreview], kept: Collection[ObjectRef]
) -> dict[int, JobPreview]:
    """The previews of jobs, which also say whose data is found again. Raises `ClusterError`."""
    notes: dict[int, tuple[str, ...]] = {}
    new = [job for job in jobs if job.ref.kind == "StatefulSet" and found[job.seq].verb == "create"]
    claims = await template_claims(cluster, app_id, [job.ref for job in new])
    for job in new:
        mine = [one for one in map(ObjectRef.of, claims) if is_of_store(one.name, [job.ref.name])]
        notes[job.seq] = tuple(f"{_USED_AGAIN}: {ref}" for ref in mine if ref.namespace == job.ref.namespace)
    notes |= {job.seq: (_USED_AGAIN,) for job in jobs if job.ref in kept and found[job.seq].verb != "create"}
    return {
        seq: replace(one, changes=(*one.changes, *notes.get(seq, ()))) if one.verb != "refused" else one
        for seq, one in found.items()
    }
