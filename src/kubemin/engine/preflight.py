"""Pre-flight: every manifest goes through a server-side dry run before the first write.

What admission, quota or schema would refuse, and what another application owns, stops the task before it touched
anything. The same look tells what a run would do (``dryRun``).
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kubemin.cluster import Cluster
from kubemin.cluster.errors import AlreadyExists, ClusterError, Conflict, Invalid, NotFound, Terminating
from kubemin.engine.backoff import Backoff
from kubemin.engine.errors import JobFailed
from kubemin.engine.foresee import foreseen
from kubemin.engine.gone import look_at
from kubemin.engine.immutable import grown, told
from kubemin.engine.merge import differences
from kubemin.engine.ownership import adopt_created
from kubemin.engine.showing import shown
from kubemin.engine.write import leftovers, refuse_foreign, replaceable, without_foreign_replicas
from kubemin.plan import Job
from kubemin.spec.labels import CLAIM, TASK_ID
from kubemin.spec.objects import Manifest

_CONCURRENCY = 32
_TRIES = 5
_NO_DRY_RUN = "does not support dry run"


@dataclass(frozen=True)
class Forecast:
    """What a job would do: ``create``, ``change``, ``replace`` or nothing (``same``), with the changed fields.

    ``write``: the API server cannot tell.
    """

    verb: str
    changes: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.verb == "same":
            return "no change"
        return f"would {self.verb}" + (": " + "\n".join(self.changes) if self.changes else "")


async def preflight(cluster: Cluster, jobs: Sequence[Job], coming: Collection[str]) -> dict[int, Forecast]:
    """Ask the API server about every job's manifest at once; by job.

    Namespaces in ``coming`` are not there yet, so nothing in them can be asked about. Raises `JobFailed` that names
    everything refused; `ClusterError` where the server cannot be asked.
    """
    slots = asyncio.Semaphore(_CONCURRENCY)
    refused: list[str] = []
    found: dict[int, Forecast] = {}

    async def ask(job: Job) -> None:
        async with slots:
            try:
                found[job.seq] = await _forecast(cluster, job)
            except JobFailed as error:
                refused.append(error.cause)

    async with asyncio.TaskGroup() as group:
        for job in jobs:
            if job.ref.namespace in coming or job.share is not None:
                found[job.seq] = Forecast("create")
            else:
                group.create_task(ask(job))
    if refused:
        raise JobFailed("refused before anything was written: " + "; ".join(sorted(refused)))
    return found


async def _forecast(cluster: Cluster, job: Job) -> Forecast:
    backoff = Backoff()
    for attempt in range(1, _TRIES + 1):
        try:
            try:
                await cluster.create(job.manifest, dry_run=True)
            except AlreadyExists:
                look = await look_at(cluster, job.ref)
                try:
                    if look is not None:
                        return await _change(cluster, job, look)
                except (Conflict, NotFound):
                    pass  # it is another by now: once more
                await backoff.pause()
                continue
            except Terminating:
                pass
            return Forecast("create")
        except ClusterError as error:
            if _NO_DRY_RUN in error.message:
                return Forecast("write")  # an admission webhook that cannot be asked without doing it
            if not error.retryable:
                raise JobFailed(told(job.ref, error)) from error
            if attempt == _TRIES:
                raise
            await backoff.pause(error)
    return Forecast("change")  # it changes all the time: the write will look again


async def _change(cluster: Cluster, job: Job, look: Manifest) -> Forecast:
    refuse_foreign(job.manifest, look)
    wanted = without_foreign_replicas(job.manifest, look)
    if job.fetch is not None:  # fetched when it is written: until then, what is there
        there = (look.get("data") or {}).get(job.fetch.key, "")
        wanted = {**wanted, "data": {**wanted.get("data", {}), job.fetch.key: there}}
    try:
        if adopt_created(look) is None:
            metadata = {**wanted["metadata"], "uid": look["metadata"]["uid"]}
            answer = await cluster.apply({**wanted, "metadata": metadata}, dry_run=True)
        else:
            answer = await cluster.replace(foreseen(look, wanted), dry_run=True)
    except Invalid:
        if replaceable(wanted, look):
            return Forecast("replace", (f"a {job.ref.kind}'s spec cannot be changed: deletes the one there is",))
        raise
    if left := leftovers(wanted, answer):
        raise JobFailed(f"{job.ref} was there before and keeps {', '.join(left)}, which the application does not have")
    changes = [
        shown(path, old, new, secret=job.ref.kind == "Secret")
        for path, old, new in differences(_unmarked(look), _unmarked(answer))
    ]
    if grown(look, answer):
        changes.append("a claim never shrinks: this cannot be taken back")
    return Forecast("change" if changes else "same", tuple(changes))


def _unmarked(obj: Manifest) -> Manifest:
    """Without the marks that each write brings."""
    meta = dict(obj["metadata"])
    for field, mark in (("annotations", CLAIM), ("labels", TASK_ID)):
        meta[field] = {key: value for key, value in (meta.get(field) or {}).items() if key != mark}
    return {**obj, "metadata": meta}
