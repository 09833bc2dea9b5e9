"""Evidence: what the Pods of components that were not ready say, taken before a rollback removes them.

It never delays a rollback by more than its budget, and never changes how a task ends: what came in time is kept.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import structlog

from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.engine.journal.rows import Resource
from kubemin.engine.objects.masking import Mask, secret_values
from kubemin.engine.supervise.gathering import Gathering, Suspect
from kubemin.spec.objects import Manifest
from kubemin.spec.states import PAUSE_KIND, JobStatus, Purpose
from kubemin.store import Database, evidence, jobs
from kubemin.store.errors import StoreError
from kubemin.store.jobs import JobRow
from kubemin.store.tasks import Task

log = structlog.get_logger(__name__)

_FOR_STORING = 0.2  # of the seconds that a rollback waits
_NOT_READY = (JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELLED)


class TaskMask:
    """The mask of a task: for the secret values in its plan, and in what it found."""

    def __init__(self, planned: Iterable[Manifest], *, guess: bool = True) -> None:
        self._guess = guess
        self._planned = list(planned)
        self._found: list[Manifest] = []
        self._values: frozenset[str] = frozenset()
        self._mask: Mask | None = None

    def of(self, found: Sequence[Manifest]) -> Mask:
        """As of now. It is built when it is first asked for, and again only for another secret value."""
        if self._mask is None or found != self._found:
            self._found = list(found)
            found = [one for one in found if "kind" in one]  # of some only the labels are kept
            values = frozenset(secret_values([*self._planned, *found], guess=self._guess))
            if self._mask is None or values != self._values:
                self._mask, self._values = Mask(values), values
        return self._mask


class EvidenceKeeper:
    """Keeps the evidence of one task, beside its rollback. Whatever becomes of it, the task ends as it would."""

    def __init__(self, task: Task, db: Database, cluster: Cluster, informers: Informers, seconds: float) -> None:
        """``seconds``: by how much the rollback waits at most, also for what is stored."""
        self._task = task
        self._db = db
        self._cluster = cluster
        self._informers = informers
        self._seconds = seconds
        self._keeping: asyncio.Task[None] | None = None

    async def keep(self, resources: Collection[Resource], mask: Callable[[], Mask]) -> None:
        """Store what the Pods say, before they go. Where that takes longer than may be waited, it goes on beside."""
        applied = [row for row in resources if row.purpose is Purpose.APPLY]
        if self._task.cleanup_attempts or any(row.state.settled for row in applied):
            return  # something was rolled back: what is there by now may be another task's
        ends = asyncio.get_running_loop().time() + self._seconds
        self._keeping = asyncio.create_task(self._keep(mask(), ends))
        await asyncio.wait({self._keeping}, timeout=self._seconds)

    async def close(self) -> None:
        """Wait for what is still being stored: a statement is never torn, and the database does not close before."""
        if self._keeping is not None:
            await asyncio.wait({self._keeping})

    async def _keep(self, mask: Mask, ends: float) -> None:
        task = self._task
        try:
            async with self._db.read() as tx:
                if await evidence.components_of(tx, task.id):
                    return
                suspects = list(suspects_among(await jobs.of_task(tx, task.id)))
            left = ends - asyncio.get_running_loop().time() - _FOR_STORING * self._seconds
            if left <= 0:  # the rollback is about to begin: what is gathered now may show its work
                log.warning("evidence was not kept", task=task.id, error="no time was left")
                return
            found = await Gathering(self._cluster, self._informers, task.app_id, mask).run(suspects, left)
            if found:
                async with self._db.begin("evidence") as tx:
                    await evidence.add(tx, task.id, found)
        except StoreError as error:
            log.warning("evidence was not kept", task=task.id, error=str(error))
        except Exception:
            # Pods say what they like: a fault of ours in reading it is logged, and costs nobody the rollback.
            log.exception("evidence was not kept", task=task.id)


def suspects_among(jobs: Collection[JobRow]) -> Iterator[Suspect]:
    """The components with a job that began and did not complete: first those that failed by themselves."""
    ran = [job for job in jobs if job.started_at is not None and job.kind != PAUSE_KIND]
    begun = [job for job in ran if job.status in _NOT_READY]
    seen: set[Suspect] = set()
    for job in sorted(begun, key=lambda job: (job.status is JobStatus.CANCELLED, job.seq)):
        suspect = Suspect(job.component, job.namespace)
        if suspect not in seen:
            seen.add(suspect)
            yield suspect
