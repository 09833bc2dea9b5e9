"""Pre-flight: what is there already is looked at, and every manifest goes through a server-side dry run.

What admission, quota or schema would refuse, and what is a stranger's (`adoption`), stops the task before it touched
anything. The same tells what a run would do (``dryRun``). It goes the way of the write (`write`): only what is absent
is created, what is there is changed, and nothing is asked about what is not to be written (`unchanged`).
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from kubemin.cluster import Cluster
from kubemin.cluster.errors import (
    AlreadyExists,
    ClusterError,
    Conflict,
    Forbidden,
    LostVersion,
    NotFound,
    ServerError,
    Terminating,
    VersionNotServed,
)
from kubemin.cluster.reasons import code_of
from kubemin.engine.backoff import PATIENCE, Backoff
from kubemin.engine.deploy.adoption import Adoption, left_as_it_is
from kubemin.engine.deploy.definitions import Definitions
from kubemin.engine.deploy.dry_runs import (
    JobPreview,
    after_its_role,
    changes,
    former_jobs,
    in_a_coming_namespace,
    made_anew,
)
from kubemin.engine.deploy.merged import remains
from kubemin.engine.deploy.replacing import unneeded
from kubemin.engine.deploy.replicas import Autoscalers
from kubemin.engine.deploy.sharing import shared_by_others
from kubemin.engine.deploy.targets import refuse_taken_target
from kubemin.engine.deploy.unchanged import Unchanged
from kubemin.engine.errors import JobFailed, without_group
from kubemin.engine.objects.bindings import lacking_role
from kubemin.engine.objects.immutable import with_advice
from kubemin.engine.objects.live import Snapshot, get_or_none, read_many
from kubemin.engine.objects.ownership import application_of, terminating
from kubemin.plan import Job, Plan
from kubemin.spec.manifests import scopes
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import ShareStrategy

_CONCURRENCY = 32
_TRIES = 5
_UNREAD: Manifest = {}
_NO_DRY_RUN = "does not support dry run"

_SHARED = JobPreview("skip", ("shared: left to others",))


ReportTrouble = Callable[[int, str], None]
"""Takes, for people, why a job's forecast is not there yet."""


@dataclass(frozen=True)
class Inquiry:
    """Asks the cluster about jobs, without a write.

    ``snapshot`` shows what is there already, of what `read` was asked for; the rest is read when it is needed.
    """

    cluster: Cluster
    acting: Cluster
    """As whoever asks has it: their rights decide what they are told of the objects, and what would be refused."""
    adoption: Adoption
    autoscalers: Autoscalers
    unchanged: Unchanged
    snapshot: Snapshot
    take_over: bool = False
    """Whether what others have set in the objects goes."""
    guess: bool = True
    """Whether variables that only look like secrets are masked."""
    spared: Collection[int] = ()
    """Jobs whose refusal does not stop the run: their step may fail."""
    trouble: ReportTrouble = lambda _, __: None
    has_none: Callable[[str, str], bool] = lambda _, __: False
    """Whether, as far as is known, the application of an id has no object of a kind."""

    @cached_property
    def _definitions(self) -> Definitions:
        return Definitions(self.cluster)

    async def read(self, jobs: Iterable[Job]) -> None:
        """Read what is there already of what the jobs are to write. Raises `ClusterError`.

        What may not be read is left out: the pre-flight reads it once more, and names each of them.
        """
        asked = {job.ref: job for job in jobs if job.share is not ShareStrategy.IGNORE}
        app_id = next((named for job in asked.values() if (named := application_of(job.manifest))), "")
        found = await read_many(
            self.acting,
            asked,
            app_id,
            lambda ref, message: self.trouble(asked[ref].seq, message),
            self.has_none,
            leave_out=(Forbidden,),
        )
        self.snapshot.update(found)
        await self.unchanged.learn(found.values())

    async def unneeded(self, plan: Plan, coming: Collection[str] = ()) -> dict[int, str]:
        """The jobs and holds of strategies that have nothing to replace, by ``seq``, and why. Raises `ClusterError`."""
        return await unneeded(
            plan, self.snapshot, self.acting, self.autoscalers, self.unchanged, coming, take_over=self.take_over
        )

    async def preflight(self, jobs: Sequence[Job], coming: Collection[str] = ()) -> dict[int, JobPreview]:
        """What each job would do, as `preview_jobs`. Raises `JobFailed` that names everything refused."""
        found = await self.preview_jobs(jobs, coming)
        refused = {seq: preview for seq, preview in found.items() if preview.verb == "refused"}
        _refuse(preview for seq, preview in refused.items() if seq not in self.spared)
        return found

    async def refuse_strangers(self, jobs: Iterable[Job], _: Collection[str] = ()) -> None:
        """Raise `JobFailed` where the snapshot shows a stranger's object; nothing else is asked of the cluster."""
        refused: list[JobPreview] = []
        for job in jobs:
            live = self.snapshot.get(job.ref)
            left = job.seq in self.spared or job.if_absent
            if live is None or left or terminating(live) or await self._is_left_to_others(job):
                continue
            try:
                await self.adoption.of(job)(live)
            except JobFailed as error:
                refused.append(JobPreview("refused", (error.cause,), error.code))
        _refuse(refused)

    async def preview_jobs(self, jobs: Sequence[Job], coming: Collection[str] = ()) -> dict[int, JobPreview]:
        """What each job would do, by its ``seq``; one that would fail is ``refused``, and says why.

        Namespaces in ``coming`` are not there yet: of what is to be in them only the schema can be asked about. Raises
        `ClusterError` where the server cannot be asked.
        """
        slots = asyncio.Semaphore(_CONCURRENCY)
        made = {job.ref for job in jobs if job.share is not ShareStrategy.IGNORE}
        defined = set(scopes([job.manifest for job in jobs]))
        spaces = [ref for ref in made if ref.kind == "Namespace"]
        coming = {*coming, *(ref.name for ref in spaces if self.snapshot.get(ref, _UNREAD) is None)}

        async def ask(job: Job) -> JobPreview:
            async with slots:
                try:
                    if job.ref.kind in defined and not await self._is_served(job.ref):
                        return await self._before_its_definition(job)
                    if job.ref.namespace in coming:
                        return await in_a_coming_namespace(self.cluster, job)
                    return _SHARED if await self._is_left_to_others(job) else await self._preview(job)
                except JobFailed as error:
                    if lacking_role(job.manifest, error.__cause__) in made:
                        return await after_its_role(self.acting, job)
                    return JobPreview("refused", (error.cause,), error.code)

        with without_group(ClusterError):
            async with asyncio.TaskGroup() as group:
                asked = {job.seq: group.create_task(ask(job)) for job in jobs}
        return {seq: task.result() for seq, task in asked.items()}

    async def _is_served(self, ref: ObjectRef) -> bool:
        try:
            await self.cluster.served(ref.kind, ref.version)
        except (NotFound, ServerError):
            return False
        return True

    async def _before_its_definition(self, job: Job) -> JobPreview:
        """Its definition, or the version of that in which it is written, comes before it: nothing can be asked yet."""
        live = self.snapshot.get(job.ref)
        if live is None or terminating(live):
            return JobPreview("create")
        if not job.if_absent:
            await self.adoption.of(job)(live)
        return JobPreview("write")

    async def _is_left_to_others(self, job: Job) -> bool:
        if job.share is ShareStrategy.DEFAULT:
            return bool(await shared_by_others(self.cluster, job))
        return job.share is ShareStrategy.IGNORE

    async def _preview(self, job: Job) -> JobPreview:
        backoff = Backoff()
        patience = asyncio.get_running_loop().time() + PATIENCE
        known = job.ref in self.snapshot
        live = self.snapshot.get(job.ref)
        tries = 0
        while tries < _TRIES:
            try:
                if not known:
                    live = await get_or_none(self.acting, job.ref)
                known = False
                await refuse_taken_target(self.cluster, job.manifest)
                if live is None or terminating(live):
                    found = await self._create(job)
                else:
                    found = await self._change(job, live)
                if found is not None:
                    return found
                tries += 1  # it is another by now: once more
                await backoff.pause()
            except ClusterError as error:
                if _NO_DRY_RUN in error.message:
                    return JobPreview("write")  # an admission webhook that cannot be asked without doing it
                if isinstance(error, LostVersion) and not tries:
                    tries += 1  # once more, with what is known of its kind by now
                    continue
                if not error.retryable:
                    raise JobFailed(with_advice(job.ref, error), code_of(error)) from error
                if asyncio.get_running_loop().time() > patience:
                    raise
                self.trouble(job.seq, error.message)
                await backoff.pause(error)
        return JobPreview("change")  # it changes all the time; the write reads it again anyway

    async def _create(self, job: Job) -> JobPreview | None:
        """None where an object of that name is there, whatever the POST was refused for (trap 30)."""
        try:
            answer = await self.acting.create(job.manifest, dry_run=True)
            warnings = tuple(remains(job.manifest, answer))
        except Terminating:
            warnings = ()
        except AlreadyExists:
            return None
        except ClusterError as error:
            if error.retryable or _NO_DRY_RUN in error.message:
                raise
            now = await get_or_none(self.cluster, job.ref)
            if now is None:
                raise
            return JobPreview("write") if terminating(now) else None
        return JobPreview("create", await former_jobs(self.cluster, job), warnings=warnings)

    async def _change(self, job: Job, live: Manifest) -> JobPreview | None:
        """None where another object of that name, or none, is there by now."""
        if job.if_absent:
            left = left_as_it_is(job.manifest, live)
            return JobPreview("skip", (str(left),), warnings=left.warnings)
        managed = await self.adoption.of(job)(live)
        if job.is_made_anew and not managed:
            return await made_anew(self.acting, job, live)
        if (said := await self.unchanged.look(job, job.manifest, live)) is not None:
            return JobPreview("same", warnings=tuple(said))
        try:
            changed, warnings = await changes(
                self.acting,
                self.autoscalers,
                self._definitions,
                job,
                live,
                take_over=self.take_over,
                guess=self.guess,
            )
        except Conflict:
            return None
        except NotFound as error:
            if isinstance(error, VersionNotServed) or lacking_role(job.manifest, error) is not None:
                raise  # another version, or the role of a binding, is not there; the object is
            return None
        if managed:
            return JobPreview("adopt", (managed, *changed), warnings=warnings)
        if not changed:
            self.unchanged.asked(job, live)
        return JobPreview("change" if changed else "same", changed, warnings=warnings)


def _refuse(previews: Iterable[JobPreview]) -> None:
    if refused := sorted(previews, key=str):
        said = "; ".join(dict.fromkeys(str(one) for one in refused))  # of a namespace all say the same
        code = next((one.code for one in refused if one.code is not None), ReasonCode.INVALID)  # the first that is said
        raise JobFailed(f"refused before anything was written: {said}", code)
