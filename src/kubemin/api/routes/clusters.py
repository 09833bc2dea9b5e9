"""The clusters that the server knows."""

import asyncio

from fastapi import APIRouter

from kubemin.api.access import About, Asked, needs
from kubemin.api.deps import Deps, Given
from kubemin.api.envelope import Envelope
from kubemin.api.models.clusters import ClusterList, ClusterReply, ClusterWorker
from kubemin.cluster import ClusterError
from kubemin.identity.grants import Role
from kubemin.store import presence

router = APIRouter(tags=["Tasks"])

_ANSWER_SECONDS = 3


@router.get("/clusters", summary="List clusters")
@needs(About.SEEN, Role.VIEWER)
async def list_clusters(deps: Given, asked: Asked) -> Envelope[ClusterList]:
    """Those that the server knows, and others that have tasks or workers. Each is asked now, all at once.

    Those in which the caller may see something, with the tasks that they may see; workers are shown to who may see
    everything of a cluster.
    """
    async with deps.db.read() as tx:
        served = await presence.served(tx)
        tasks = await presence.tasks_by_cluster(tx, asked.sight)
    every = {*deps.clusters, *tasks, *(one.cluster for one in served)}
    names = sorted(name for name in every if asked.sees_cluster(name))
    seen = await asyncio.gather(*(_asked(deps, name) for name in names))
    return Envelope(
        data=ClusterList(
            clusters=[
                ClusterReply(
                    name=name,
                    known=name in deps.clusters,
                    reachable=not message,
                    message=message,
                    version=version,
                    workers=[
                        ClusterWorker(worker=one.worker, away=one.away)
                        for one in served
                        if one.cluster == name and asked.sees_all_of(name)
                    ],
                    **tasks.get(name, presence.NO_TASKS)._asdict(),
                )
                for name, (version, message) in zip(names, seen, strict=True)
            ]
        )
    )


async def _asked(deps: Deps, name: str) -> tuple[str, str]:
    """The cluster's version, and why it does not answer."""
    if name not in deps.clusters:
        return "", "this server does not know it"
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await deps.clusters[name].version(), ""
    except ClusterError as error:
        return "", error.message
    except TimeoutError:
        return "", f"no answer within {_ANSWER_SECONDS} s"
