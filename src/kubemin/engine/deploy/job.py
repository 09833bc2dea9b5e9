"""One job: bring one object to what its manifest says, and wait until it is ready."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial

from kubemin.cluster import Cluster
from kubemin.cluster.informers import Informers
from kubemin.engine.deploy.activity import Activity
from kubemin.engine.deploy.adoption import Adoption
from kubemin.engine.deploy.fetch import Fetcher
from kubemin.engine.deploy.promotions import Promotions
from kubemin.engine.deploy.ready import Count, Report, until_ready
from kubemin.engine.deploy.replacing import with_portion
from kubemin.engine.deploy.replicas import Autoscalers
from kubemin.engine.deploy.rights import refuse_rights_of_others
from kubemin.engine.deploy.rules import Rules
from kubemin.engine.deploy.unchanged import Unchanged
from kubemin.engine.deploy.write import ObjectWriter
from kubemin.engine.errors import IsThere, TimedOut
from kubemin.engine.journal.journal import Journal
from kubemin.engine.journal.rows import Resource
from kubemin.engine.journal.tracker import Clean, CleanupTracker, with_cleanup_tracker
from kubemin.engine.objects.lists import Lister
from kubemin.engine.objects.live import Snapshot
from kubemin.engine.objects.masking import Mask
from kubemin.engine.options import ExecOptions
from kubemin.plan import Job
from kubemin.settings.engine import EngineSettings
from kubemin.spec.kinds import DEFINITION
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.states import JobStatus
from kubemin.spec.warnings import with_warnings


@dataclass(frozen=True)
class JobContext:
    """What every job of a task is given."""

    journal: Journal
    cluster: Cluster
    acting: Cluster
    """The same as whoever asked for the task has it: what goes forward is sent, and asked about, by it."""
    informers: Informers
    fetcher: Fetcher
    rules: Rules
    clean: Clean
    put_back: Callable[[Collection[ObjectRef]], Awaitable[list[Resource]]]
    """Rolls back what the task did to these objects; returns what is left."""
    make_room: Callable[[int, Manifest], Awaitable[None]]
    """Deletes an object of a former run, for the job that makes it anew. Raises `JobFailed`."""
    why_not: Callable[[Job], str | None]
    """Why the run leaves a job out, for people: a hook of other runs."""
    promotions: Promotions
    settings: EngineSettings
    options: ExecOptions
    activity: Activity
    mask: Callable[[], Mask]
    """For the Secrets that are known by now."""
    autoscalers: Autoscalers
    lists: Lister
    job_ended: Callable[[str, JobStatus, float], None]
    """Counts a job: its kind, how it ended, and the seconds that it took."""

    @property
    def adoption(self) -> Adoption:
        """As the task says which strangers' objects it takes over, else the settings."""
        asked = self.options.adopt
        adopt = self.settings.adopt if asked is None else asked
        return Adoption(self.journal.application_name, adopt, self.settings.allow_rbac_names)

    def has_none(self, kind: str, app_id: str) -> bool:
        """Whether the watch of a kind, if there is one, shows nothing of the application."""
        return self.informers.current(kind) and not self.informers.of_application(kind, app_id)

    def hopeless_after_seconds(self, job: Job) -> float:
        """As the job's component says, else the task, else the settings."""
        said = (job.hopeless_after, self.options.hopeless_after_seconds)
        return next((seconds for seconds in said if seconds is not None), self.settings.hopeless_after_seconds)


async def run_job(job: Job, context: JobContext, snapshot: Snapshot, unchanged: Unchanged, report: Report) -> None:
    """Run one job to its end and commit its status; ``report`` takes progress for people.

    ``snapshot`` shows what was there when the task began; ``unchanged`` tells what need not be written.

    Raises `JobFailed` or `TimedOut`, which the task's runner commits.
    """
    journal = context.journal
    journal.job_begins(job.seq)
    context.activity.moved()
    tracker = CleanupTracker(journal, context.cluster, job.seq, context.clean, job.priority, acting=context.acting)
    waits = ""
    seconds = context.settings.job_timeout_seconds

    def note(message: str, count: Count | None = None, *, suspended: bool = False, restarts: bool = False) -> None:
        nonlocal waits
        context.activity.suspend(job.seq, suspended=suspended)
        if suspended is not (limit.when() is None) and not limit.expired():  # what is held back on purpose is not late
            limit.reschedule(None if suspended else asyncio.get_running_loop().time() + seconds)
        context.activity.waits(job.seq, message, count, restarts=restarts)
        if message != waits:
            report(message, count)
        waits = message

    limit = asyncio.timeout(seconds)
    with with_cleanup_tracker(tracker):
        try:
            async with limit:
                manifest = await context.fetcher.fill(job.manifest, job.fetch)
                manifest = await with_portion(context.cluster, manifest, job.portion)
                await refuse_rights_of_others(context.cluster, journal, manifest, context.settings)
                writer = ObjectWriter(
                    tracker,
                    manifest,
                    note,
                    context.adoption.of(job),
                    context.autoscalers,
                    snapshot,
                    lists=context.lists,
                    take_over=context.options.take_over,
                    only_if_absent=job.if_absent,
                    unchanged=partial(unchanged.look, job, manifest),
                    make_room=partial(context.make_room, job.seq) if job.is_made_anew else None,
                    last_seen=context.informers.last_seen,
                )
                obj = await writer.run()
                ready = await until_ready(
                    context.cluster,
                    context.informers,
                    obj,
                    hopeless_after=context.hopeless_after_seconds(job),
                    report=note,
                    moved=context.activity.moved,
                    mask=context.mask,
                    judge=partial(context.rules.verdict, job.readiness) if job.readiness else None,
                )
                if job.ref.kind in (DEFINITION, "APIService"):
                    context.cluster.more_is_served()  # else objects of its kinds would wait until it is asked again
        except IsThere as left:
            journal.job(job.seq, JobStatus.COMPLETED, with_warnings(str(left), left.warnings))
            context.activity.moved()
            return
        except TimeoutError:
            detail = f": {waits}" if waits else ""
            raise TimedOut(f"{job.ref} was not ready within {seconds:g} s{detail}") from None
    # Said in any case: what it waited for before is over.
    info, count = (ready.message, (ready.ready, ready.desired)) if ready else (writer.said, None)
    journal.job(job.seq, JobStatus.COMPLETED, with_warnings(info, writer.warnings), count=count)
    context.activity.suspend(job.seq, suspended=False)
    context.activity.moved()
