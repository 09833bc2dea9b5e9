"""As whom a task goes forward, and whether they may delete what it is to let go of.

What a completed task lets go of is removed by KubeMin's own rights, as that goes on until it is done, also when the
caller's rights are gone. So it is asked before the first write whether the caller may.
"""

import asyncio
from collections.abc import Collection
from functools import partial

from kubemin.cluster import Cluster
from kubemin.cluster.errors import ClusterError, Conflict, Forbidden, Invalid, NotFound
from kubemin.engine.backoff import retry_reads
from kubemin.engine.errors import JobFailed
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.claims import PVC, template_claims
from kubemin.spec.acting import Identity
from kubemin.spec.objects import ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import Purpose
from kubemin.store.tasks import Task

_AT_ONCE = 16


def acting_for(task: Task, cluster: Cluster) -> Cluster:
    """The cluster as whoever asked for the task has it. It stays so on every worker, whatever the settings say now."""
    return cluster.acting_as(None if task.acting_as is None else Identity.read(task.acting_as))


def refuse_nobody(task: Task, cluster: Cluster) -> None:
    """Raise `JobFailed` where it is to be done as whoever asked, and the task does not say who did."""
    if cluster.naming is not None and task.acting_as is None:
        raise JobFailed(
            f"in cluster {cluster.name} it is done as whoever asks (KUBEMIN_IMPERSONATION), and this task does not say "
            "who that is, as it was asked for before that was so: ask for it again",
            ReasonCode.RIGHTS,
        )


async def check_letting_go(
    acting: Cluster, cluster: Cluster, app_id: str, rows: Collection[Resource], *, delete_volumes: bool
) -> None:
    """Raise `JobFailed` that names what the caller may not let go of. Asks nothing where nobody is acted as.

    A dry run tells it: of a DELETE, or, of what is released, of a patch without content. Raises `ClusterError`.
    """
    if not acting.acts:
        return
    wanted = {
        row.ref: row for row in rows if row.ref.kind != PVC or delete_volumes or row.purpose is not Purpose.REMOVE
    }
    uids = {ref: row.uid or "" for ref, row in wanted.items()}
    deletes = {ref for ref, row in wanted.items() if row.purpose is Purpose.REMOVE}
    stores = [ref for ref in deletes if ref.kind == "StatefulSet"]
    if delete_volumes and stores:
        for claim in await retry_reads(lambda: template_claims(cluster, app_id, stores)):
            ref = ObjectRef.of(claim)
            uids[ref] = claim["metadata"]["uid"]
            deletes.add(ref)
    slots = asyncio.Semaphore(_AT_ONCE)

    async def refusal(ref: ObjectRef) -> str | None:
        async with slots:
            try:
                await retry_reads(partial(_ask, acting, ref, uids[ref] if ref in deletes else None))
            except Forbidden as error:
                return error.message
            except (NotFound, Conflict, Invalid):
                pass  # gone, or another by now; or a webhook that takes no dry run
        return None

    try:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(refusal(ref)) for ref in sorted(uids)]
    except* ClusterError as errors:
        raise errors.exceptions[0] from None
    if refused := [said for one in asked if (said := one.result()) is not None]:
        raise JobFailed(f"refused before anything was removed: {'; '.join(refused)}", ReasonCode.RIGHTS)


async def _ask(acting: Cluster, ref: ObjectRef, uid: str | None) -> None:
    if uid is None:
        await acting.patch(ref, {}, dry_run=True)
    else:
        await acting.delete(ref, uid=uid, dry_run=True)
