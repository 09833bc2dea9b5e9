"""Objects that applications of a namespace share (trait ``share``, strategy ``default``): made once, kept while used.

A task that finds nothing to share takes a lock, which it holds until its cleanup is over, and makes the object. So what
others rely on is complete. One that writes over what others have (strategy ``force``) takes it too: what it found is
then what is to be put back. A task that leaves the object to another application first records that it uses that very
object, and then asks whether somebody is about to delete it. A task that deletes one first records its write, and then
asks whether somebody uses it. Of two that do so at the same time, at least one sees the other.
"""

import asyncio
from collections.abc import Callable, Collection

from kubemin.cluster import Cluster
from kubemin.engine.backoff import Backoff, retry_reads
from kubemin.engine.errors import TimedOut
from kubemin.engine.journal.journal import Journal
from kubemin.engine.objects.ownership import application_of, controlled, terminating
from kubemin.plan import Job
from kubemin.spec.labels import SHARE_NAME
from kubemin.spec.objects import Manifest
from kubemin.spec.states import ShareStrategy

_LONGEST_PAUSE = 1.0


async def left_to_others(
    journal: Journal, cluster: Cluster, jobs: Collection[Job], seconds: float, report: Callable[[int, str], None]
) -> set[int]:
    """The jobs, by ``seq``, whose object another application has and keeps; the other jobs are for this task to do.

    Waits while another task may make or delete such an object; ``report`` says so. It is asked before the task writes
    anything, and in an order that is the same for all tasks, so that no two tasks wait for each other. Raises
    `ClusterError`, `TimedOut`.
    """
    found = {job.seq for job in jobs if job.share is ShareStrategy.IGNORE}
    locking = (ShareStrategy.DEFAULT, ShareStrategy.FORCE)
    open_ones = [job for job in jobs if job.share in locking and not journal.applies(job.ref, job.seq)]
    for job in sorted(open_ones, key=lambda job: (_lock(job), job.seq)):
        try:
            async with asyncio.timeout(seconds):
                if await _is_left(journal, cluster, job, report):
                    found.add(job.seq)
        except TimeoutError:
            raise TimedOut(f"whether {job.ref} is shared was not clear within {seconds:g} s") from None
    return found


async def _is_left(journal: Journal, cluster: Cluster, job: Job, report: Callable[[int, str], None]) -> bool:
    backoff = Backoff(most=_LONGEST_PAUSE)
    while True:
        holder = None
        leaves = job.share is ShareStrategy.DEFAULT
        for live in await shared_by_others(cluster, job) if leaves else ():
            holder = await journal.undecided(live)
            if holder is None:
                await journal.use(job.ref, job.seq, live)
                holder = await journal.undecided(live)
                if holder is None:
                    return True
        if holder is None:
            holder = await journal.take_share(_lock(job))
            if holder is None and not (leaves and await shared_by_others(cluster, job)):
                return False
        if holder is not None:
            report(job.seq, f"waits for task {holder}, which may make or remove what both share")
        await backoff.pause()


async def shared_by_others(cluster: Cluster, job: Job) -> list[Manifest]:
    """What other applications share that the job would, the oldest first. Raises `ClusterError`."""
    selector = f"{SHARE_NAME}={_share_name(job)}"
    found = await retry_reads(lambda: cluster.list(job.ref.kind, job.ref.namespace or None, labels=selector))
    own = application_of(job.manifest)
    others = [obj for obj in found.items if application_of(obj) != own and not (terminating(obj) or controlled(obj))]
    return sorted(others, key=lambda obj: (obj["metadata"]["creationTimestamp"], obj["metadata"]["name"]))


def _lock(job: Job) -> str:
    return f"{job.ref.kind}/{job.ref.namespace}/{_share_name(job)}"


def _share_name(job: Job) -> str:
    return str(job.manifest["metadata"].get("labels", {}).get(SHARE_NAME, ""))
