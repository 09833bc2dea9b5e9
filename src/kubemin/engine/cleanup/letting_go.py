"""Which objects an application is to let go of, and how (design R11)."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial

import structlog

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError, Forbidden
from kubemin.engine.backoff import retry_reads
from kubemin.engine.cleanup.holders import held_for_others
from kubemin.engine.cleanup.removal import removal_of
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.claims import PVC, is_in_use, is_of_store, shrinks_with_its_claims, template_claims
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.marks import labels_only
from kubemin.engine.objects.namespace_content import CONTENT, NAMESPACE
from kubemin.engine.objects.ownership import task_of, terminating, token_of
from kubemin.engine.objects.rollout import ordinals
from kubemin.spec.labels import MANAGED_BY, MANAGER
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import Purpose
from kubemin.store import Tx, fold, holdings, jobs, shares
from kubemin.store.fold import Holding

log = structlog.get_logger(__name__)

_CLAIMS_GO = "its persistentVolumeClaimRetentionPolicy deletes the volume claims of the Pods that it no longer has"


@dataclass(frozen=True, slots=True)
class LettingGo:
    """``release_all``: nothing is deleted. ``delete_volumes``: data is. ``name_kept``: what was kept is named again."""

    release_all: bool = False
    delete_volumes: bool = False
    name_kept: bool = False


async def objects_to_let_go(
    tx: Tx,
    app_id: str,
    how: LettingGo,
    *,
    but: Collection[ObjectRef] = (),
    used: Collection[str] = (),
    left: Collection[str] = (),
    ending: str | None = None,
) -> list[Resource]:
    """What the application has in the cluster, as rows to remove or to release; ``but`` what it is to have still.

    ``used``: the uids of what it goes on using for components of its own. That may have passed to it, under a name that
    none of them has. ``left``: components that stay as they are, with all that was brought for them last. What the task
    ``ending`` made counts too: it made some objects for its way only (`plan/strategies.py`).
    """
    stores = [(ref.namespace, ref.name) for ref in but if ref.kind == "StatefulSet"]

    def goes(held: Holding) -> bool:
        if held.ref in but or held.uid in used:
            return False
        if held.template and how.release_all:
            return False  # it goes with its StatefulSet, whose templates keep their labels
        if held.template and any(
            held.ref.namespace == namespace and is_of_store(held.ref.name, [name]) for namespace, name in stores
        ):
            return False
        return not held.kept or how.delete_volumes or how.name_kept

    going = [held for held in await holdings.holdings(tx, app_id, ending) if goes(held)]
    if left:
        brought_for = await jobs.components_of(tx, [held.by for held in going if held.by is not None])
        going = [held for held in going if held.by is None or brought_for.get(held.by) not in left]
    before = await holdings.manifests_before(tx, [held.adopted for held in going if held.adopted is not None])
    return [_row(held, how, before.get(held.adopted) if held.adopted else None) for held in going]


async def only_passed(tx: Tx, app_id: str, uids: Collection[str]) -> list[Resource]:
    """Those of these objects that the application has only as they were passed to it, as rows to let go of.

    No run that completed has brought them, or uses them.
    """
    used = await shares.used_by(tx, app_id)
    going = [
        one for one in await holdings.holdings(tx, app_id) if one.by is None and one.uid in uids and one.uid not in used
    ]
    before = await holdings.manifests_before(tx, [held.adopted for held in going if held.adopted is not None])
    return [_row(held, LettingGo(), before.get(held.adopted) if held.adopted else None) for held in going]


def _row(held: Holding, how: LettingGo, before: Manifest | None) -> Resource:
    release = how.release_all or held.adopted is not None
    row = Resource(
        seq=0,
        job_seq=0,
        ref=held.ref,
        purpose=Purpose.RELEASE if release else Purpose.REMOVE,
        uid=held.uid,
        dependents={} if release else {kind: uids for kind, uids in held.dependents.items() if kind != PVC},
        priority=held.priority,
    )
    if held.adopted is not None:
        row.adopted = True
        if before is None:  # it cannot be opened just now: the removal looks once more
            row.dependents = fold.kept_at(held.adopted)
        else:
            row.before = labels_only(before)
    return row


async def claims_without_pods(journal: Journal, cluster: Cluster, app_id: str, *, every: bool) -> list[Resource]:
    """The volume claims that a task's StatefulSets no longer use since it scaled them down, as rows to remove.

    With ``every`` also those that were left from before. Where the cluster deletes them, as somebody has set it, the
    row of the StatefulSet says so instead. Raises `ClusterError`.
    """
    stores = [row for row in journal.resources.values() if _may_leave_claims(row, every=every)]
    if not stores:
        return []
    found = []
    claims = await retry_reads(lambda: template_claims(cluster, app_id, [store.ref for store in stores]))
    for store in stores:
        live = await retry_reads(partial(get_or_none, cluster, store.ref))
        if live is None:
            continue
        if shrinks_with_its_claims(live) and not every:
            journal.settle(store, store.state, _CLAIMS_GO)
            continue
        found += [
            removal_of(claim)
            for claim in claims
            if is_of_store(claim["metadata"]["name"], [store.ref.name])
            and claim["metadata"]["namespace"] == store.ref.namespace
            and not is_in_use(claim["metadata"]["name"], live)
        ]
    return found


def _may_leave_claims(row: Resource, *, every: bool) -> bool:
    if row.ref.kind != "StatefulSet" or row.purpose is not Purpose.APPLY:
        return False
    was, now = (len(ordinals(one)) for one in (row.before or {}, row.applied or {}))
    return every or (row.before is not None and was > now)


async def namespaces_to_remove(journal: Journal, cluster: Cluster, names: Collection[str]) -> list[Resource]:
    """Those of these namespaces that are nobody's any more, as rows to remove; the task took objects out of them.

    A task made each, its application has let go of it, and nothing is in it. Whoever takes the last object out of it
    looks so, each after its own are gone: so of several that leave it at once the last one finds it empty. What cannot
    be looked at stays: it is an orphan then.
    """
    going = {row.ref.name for row in journal.resources.values() if row.ref.kind == NAMESPACE and row.purpose.lets_go}
    names = {*names} - going - {""}  # "": objects of the whole cluster
    if not names:
        return []
    try:
        labelled = await retry_reads(partial(cluster.list, NAMESPACE, labels=f"{MANAGED_BY}={MANAGER}"))
    except Forbidden:  # who may not list them may not remove them either
        return []
    except ClusterError as error:
        log.warning("namespaces are not looked at", why=error.message)
        return []
    rows: list[Resource] = []
    for live in labelled.items:
        if live["metadata"]["name"] in names:
            try:
                row = await retry_reads(partial(_row_of_namespace, journal, cluster, live))
            except ClusterError as error:
                log.warning("a namespace is not looked at", namespace=live["metadata"]["name"], why=error.message)
            else:
                rows += [] if row is None else [row]
    return rows


async def _row_of_namespace(journal: Journal, cluster: Cluster, live: Manifest) -> Resource | None:
    token = None if terminating(live) else token_of(live)
    if token is None:
        return None
    made = await journal.made_namespace(live["metadata"]["uid"])
    if made is None or not made.let_go or task_of(token) not in made.writers:
        return None
    if await held_for_others(journal, cluster, ObjectRef.of(live), made.dependents.get(CONTENT, ())):
        return None
    return replace(removal_of(live), dependents=made.dependents)
