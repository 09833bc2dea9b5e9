"""Pre-flight: what is there already is looked at, and every manifest goes through a server-side dry run.

What admission, quota or schema would refuse, and what is a stranger's (`adoption`), stops the task before it touched
anything. The same tells what a run would do (``dryRun``). It goes the way of the write (`write`): only what is absent
is created, what is there is changed.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from kubemin.cluster import Cluster
from kubemin.cluster.errors import AlreadyExists, ClusterError, Conflict, Invalid, NotFound, Terminating
from kubemin.cluster.reasons import code_of
from kubemin.engine.backoff import PATIENCE, Backoff
from kubemin.engine.deploy.adoption import Adoption
from kubemin.engine.deploy.merged import remains, without_others
from kubemin.engine.deploy.predict import predict_apply
from kubemin.engine.deploy.replicas import Autoscalers
from kubemin.engine.deploy.sharing import shared_by_others
from kubemin.engine.errors import JobFailed
from kubemin.engine.objects.bindings import lacking_role
from kubemin.engine.objects.diff import differences, format_difference
from kubemin.engine.objects.immutable import is_pvc_expansion, with_advice
from kubemin.engine.objects.live import Snapshot, get_or_none, read_many
from kubemin.engine.objects.ownership import application_of, convert_create_to_apply, scaled_by_others, terminating
from kubemin.plan import Job
from kubemin.spec.kinds import kind_of
from kubemin.spec.labels import APP_ID, NAME, TASK_ID, WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import ShareStrategy
from kubemin.spec.warnings import with_warnings

_CONCURRENCY = 32
_TRIES = 5
_NO_DRY_RUN = "does not support dry run"
_ANY_NAMESPACE = "default"
_BY_POLICY = "denied"
"""In the message of whatever a webhook or an admission policy refuses."""


Verb = Literal["create", "change", "same", "adopt", "write", "skip", "refused"]


@dataclass(frozen=True)
class JobPreview:
    """What a job would do: ``create``, ``change`` or nothing (``same``), with the changed fields.

    ``adopt``: take over a stranger's object; first who manages it, then the changed fields. ``write``: the API server
    cannot tell. ``skip``: it is shared, and left to others. ``refused``: it would fail, and ``code`` says with what.
    """

    verb: Verb
    changes: tuple[str, ...] = ()
    code: ReasonCode | None = None
    warnings: tuple[str, ...] = ()
    """What would be otherwise than in the manifest: fields of others that stay, and what the server drops."""

    def __str__(self) -> str:
        return with_warnings(self._said(), self.warnings)

    def _said(self) -> str:
        if self.verb == "same":
            return "no change"
        if self.verb in ("skip", "refused"):
            return "\n".join(self.changes)
        return f"would {self.verb}" + (": " + "\n".join(self.changes) if self.changes else "")


_SHARED = JobPreview("skip", ("shared: left to others",))


ReportTrouble = Callable[[int, str], None]
"""Takes, for people, why a job's forecast is not there yet."""


@dataclass(frozen=True)
class Inquiry:
    """Asks the cluster about jobs, without a write.

    ``snapshot`` shows what is there already, of what `read` was asked for; the rest is read when it is needed.
    """

    cluster: Cluster
    adoption: Adoption
    autoscalers: Autoscalers
    snapshot: Snapshot
    take_over: bool = False
    """Whether what others have set in the objects goes."""
    trouble: ReportTrouble = lambda _, __: None

    async def read(self, jobs: Iterable[Job]) -> None:
        """Read what is there already of what the jobs are to write. Raises `ClusterError`."""
        asked = {job.ref: job for job in jobs if job.share is not ShareStrategy.IGNORE}
        app_id = next((named for job in asked.values() if (named := application_of(job.manifest))), "")
        found = await read_many(self.cluster, asked, app_id, lambda ref, message: self.trouble(asked[ref].seq, message))
        self.snapshot.update(found)

    async def preflight(self, jobs: Sequence[Job], coming: Collection[str] = ()) -> dict[int, JobPreview]:
        """What each job would do, as `preview_jobs`. Raises `JobFailed` that names everything refused."""
        found = await self.preview_jobs(jobs, coming)
        _refuse(preview for preview in found.values() if preview.verb == "refused")
        return found

    async def refuse_strangers(self, jobs: Iterable[Job], _: Collection[str] = ()) -> None:
        """Raise `JobFailed` where the snapshot shows a stranger's object; nothing else is asked of the cluster."""
        refused: list[JobPreview] = []
        for job in jobs:
            live = self.snapshot.get(job.ref)
            if live is None or terminating(live) or await self._is_left_to_others(job):
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

        async def ask(job: Job) -> JobPreview:
            async with slots:
                try:
                    if job.ref.namespace in coming:
                        return await _in_a_coming_namespace(self.cluster, job)
                    return _SHARED if await self._is_left_to_others(job) else await self._preview(job)
                except JobFailed as error:
                    if lacking_role(job.manifest, error.__cause__) in made:
                        return await _after_its_role(self.cluster, job)
                    return JobPreview("refused", (error.cause,), error.code)

        try:
            async with asyncio.TaskGroup() as group:
                asked = {job.seq: group.create_task(ask(job)) for job in jobs}
        except* ClusterError as errors:
            raise errors.exceptions[0] from None
        return {seq: task.result() for seq, task in asked.items()}

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
                    live = await get_or_none(self.cluster, job.ref)
                known = False
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
            answer = await self.cluster.create(job.manifest, dry_run=True)
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
        return JobPreview("create", await _former_jobs(self.cluster, job), warnings=warnings)

    async def _change(self, job: Job, live: Manifest) -> JobPreview | None:
        """None where another object of that name, or none, is there by now."""
        managed = await self.adoption.of(job)(live)
        try:
            changes, warnings = await self._changes(job, live)
        except Conflict:
            return None
        except NotFound as error:
            if lacking_role(job.manifest, error) is not None:  # the role is not there; the binding is
                raise
            return None
        if managed:
            return JobPreview("adopt", (managed, *changes), warnings=warnings)
        return JobPreview("change" if changes else "same", changes, warnings=warnings)

    async def _changes(self, job: Job, live: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the write would change, a line a field; and what would be otherwise than in the manifest."""
        wanted, left = await self.autoscalers.leave_replicas(job.manifest, live)
        if job.fetch is not None:  # fetched when it is written: until then, what is there
            there = (live.get("data") or {}).get(job.fetch.key, "")
            wanted = {**wanted, "data": {**wanted.get("data", {}), job.fetch.key: there}}
        answer = await self._answer(wanted, live)
        secret = kind_of(job.ref.kind).secret
        changes = [
            format_difference(path, old, new, secret=secret)
            + (" (somebody scaled it)" if path == "spec.replicas" and scaled_by_others(live) else "")
            for path, old, new in differences(_unmarked(live), _unmarked(answer))
        ]
        if is_pvc_expansion(live, answer):
            changes.append("a volume claim never shrinks: this cannot be taken back")
        return tuple(changes), (*([left] if left else []), *remains(wanted, answer))

    async def _answer(self, wanted: Manifest, live: Manifest) -> Manifest:
        """The object as the write would make it."""
        if self.take_over and (body := without_others(wanted, live)) is not None:
            return await self.cluster.replace(body, dry_run=True)
        if convert_create_to_apply(live) is None:
            metadata = {**wanted["metadata"], "uid": live["metadata"]["uid"]}
            return await self.cluster.apply({**wanted, "metadata": metadata}, dry_run=True)
        return await self.cluster.replace(predict_apply(live, wanted), dry_run=True)


def _refuse(previews: Iterable[JobPreview]) -> None:
    if refused := sorted(previews, key=str):
        said = "; ".join(str(one) for one in refused)
        code = next((one.code for one in refused if one.code is not None), ReasonCode.INVALID)  # the first that is said
        raise JobFailed(f"refused before anything was written: {said}", code)


async def _in_a_coming_namespace(cluster: Cluster, job: Job) -> JobPreview:
    """Ask in a namespace that is there, since the job's own is not: a manifest that no namespace would take is refused.

    What that namespace's own policies and quotas say is not about this job, and is passed over.
    """
    metadata = {**job.manifest["metadata"], "namespace": _ANY_NAMESPACE}
    try:
        await cluster.create({**job.manifest, "metadata": metadata}, dry_run=True)
    except Invalid as error:
        if _BY_POLICY not in error.message:
            raise JobFailed(with_advice(job.ref, error), code_of(error)) from error
    except ClusterError:
        pass
    return JobPreview("create")


async def _after_its_role(cluster: Cluster, job: Job) -> JobPreview:
    """A binding whose role comes before it, and is not stored by a dry run: that asks what the role may hold."""
    return JobPreview("create" if await get_or_none(cluster, job.ref) is None else "write")


async def _former_jobs(cluster: Cluster, job: Job) -> tuple[str, ...]:
    """The component's former Jobs, which a new one is made beside: a Job's spec never changes."""
    labels = job.manifest["metadata"].get("labels", {})
    if job.ref.kind != "Job" or not {APP_ID, NAME} <= labels.keys():
        return ()
    listed = await cluster.list("Job", job.ref.namespace, labels=f"{APP_ID}={labels[APP_ID]},{NAME}={labels[NAME]}")
    return tuple(
        f"a Job's spec cannot be changed: {ObjectRef.of(former)} is removed once all is done"
        for former in listed.items
        if ObjectRef.of(former) != job.ref
    )


def _unmarked(obj: Manifest) -> Manifest:
    """Without the marks that each write brings."""
    meta = dict(obj["metadata"])
    for field, mark in (("annotations", WRITE_TOKEN), ("labels", TASK_ID)):
        meta[field] = {key: value for key, value in (meta.get(field) or {}).items() if key != mark}
    return {**obj, "metadata": meta}
