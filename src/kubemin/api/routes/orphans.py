"""Objects that no task accounts for."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from kubemin.api.access import About, Asked, needs
from kubemin.api.auditing import noted
from kubemin.api.deps import Given
from kubemin.api.envelope import Envelope
from kubemin.api.models.tasks import OrphanList, OrphanReply
from kubemin.api.openapi import errors
from kubemin.api.parameters import DeleteVolumes
from kubemin.engine.entry.orphans import Orphan
from kubemin.identity.grants import Role
from kubemin.spec.names import DEFAULT_CLUSTER

router = APIRouter(tags=["Tasks"])

Uid = Annotated[str, Field(pattern="^[0-9a-f-]{36}$")]
Cluster = Annotated[
    str, Query(max_length=63, pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", description="The cluster to look at.")
]


@router.get("/orphans", summary="List orphans", responses=errors(404))
@needs(About.CLUSTER, Role.VIEWER)
async def list_orphans(deps: Given, asked: Asked, cluster: Cluster = DEFAULT_CLUSTER) -> Envelope[OrphanList]:
    """Objects of a cluster that carry a task's label but that no task or application accounts for."""
    return Envelope(data=_list(await deps.of_cluster(cluster, asked.asker, is_asked_for=True).orphans.find()))


@router.delete("/orphans", summary="Delete orphans", responses=errors(404))
@needs(About.CLUSTER, Role.ADMIN)
async def delete_orphans(
    request: Request,
    deps: Given,
    asked: Asked,
    cluster: Cluster = DEFAULT_CLUSTER,
    delete_volumes: DeleteVolumes = False,
    uid: Annotated[
        list[Uid] | None, Query(description="Delete no others than those of these uids: what a list has shown.")
    ] = None,
) -> Envelope[OrphanList]:
    """Deletes them, but for what changed hands meanwhile; one that was not deleted says why in `error`.

    To a server with an empty or another database everything that was ever deployed is an orphan, also what runs well.
    """
    said = noted(request.scope)
    said.cluster = said.target = cluster
    return Envelope(
        data=_list(
            await deps.of_cluster(cluster, asked.asker, is_asked_for=True).orphans.delete(
                volumes=delete_volumes, only=uid
            )
        )
    )


def _list(found: Sequence[Orphan]) -> OrphanList:
    return OrphanList(
        orphans=[
            OrphanReply(
                kind=one.ref.kind,
                namespace=one.ref.namespace,
                name=one.ref.name,
                uid=one.uid,
                task_id=one.task_id,
                why=one.why,
                error=one.error,
            )
            for one in found
        ]
    )
