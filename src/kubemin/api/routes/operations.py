"""What the whole of the tasks is at, for whoever runs the server."""

from fastapi import APIRouter

from kubemin.api.access import About, Asked, needs
from kubemin.api.deps import Given
from kubemin.api.envelope import Envelope
from kubemin.api.models.operations import IncompleteReply, Operations, QueueReply, WorkerReply
from kubemin.api.parameters import Exactly
from kubemin.identity.grants import Role
from kubemin.store import overview, presence

router = APIRouter(tags=["Tasks"])

_INCOMPLETE = 100


@router.get("/operations", summary="See workers, queue, and incomplete cleanups")
@needs(About.SEEN, Role.VIEWER)
async def get_operations(deps: Given, asked: Asked, cluster: Exactly = None) -> Envelope[Operations]:
    """Who works on how many tasks, what waits since when, and which cleanups need somebody.

    Workers are shown to who may see everything, of all clusters or of the one asked about; the rest as far as the
    caller may see the applications. With `cluster` only its tasks count, and who works on them.
    """
    sees_workers = asked.sight is None or (cluster is not None and asked.sees_all_of(cluster))
    async with deps.db.read() as tx:
        queues = await overview.queues(tx, asked.sight, cluster)
        why = {name: await presence.why_it_waits(tx, name) for name in {one.cluster for one in queues}}
        incomplete, total = await overview.incomplete(tx, _INCOMPLETE, asked.sight, cluster)
        found = Operations(
            now=await tx.now(),
            workers=[
                WorkerReply(
                    worker=one.worker,
                    tasks=one.tasks,
                    expired=one.expired,
                    since=one.since,
                    leased_until=one.leased_until,
                )
                for one in (await overview.workers(tx, cluster) if sees_workers else ())
            ],
            queues=[
                QueueReply(
                    cluster=one.cluster,
                    namespace=one.namespace,
                    tasks=one.tasks,
                    oldest=one.oldest,
                    waits_because=why[one.cluster],
                )
                for one in queues
            ],
            incomplete=[
                IncompleteReply(
                    task_id=task.id,
                    app_id=task.app_id,
                    name=task.app_name,
                    cluster=task.cluster,
                    status=task.status,
                    why=task.cleanup_why,
                    attempts=task.cleanup_attempts,
                    next_time=task.next_cleanup_at,
                    end_time=task.ended_at,
                )
                for task in incomplete
            ],
            incomplete_total=total,
        )
    return Envelope(data=found)
