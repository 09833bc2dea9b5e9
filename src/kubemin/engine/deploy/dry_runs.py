"""What a dry run shows of one job: what it would do, which fields would change, and what has to be asked otherwise."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal

from kubemin.cluster import Cluster
from kubemin.cluster.errors import AlreadyExists, ClusterError, Conflict, Invalid, NotFound, Terminating
from kubemin.cluster.reasons import code_of
from kubemin.engine.deploy.definitions import Definitions
from kubemin.engine.deploy.merged import remains, replacement
from kubemin.engine.deploy.predict import predict_apply
from kubemin.engine.deploy.replicas import Autoscalers
from kubemin.engine.errors import JobFailed
from kubemin.engine.objects.diff import Hidden, differences, format_difference
from kubemin.engine.objects.immutable import with_advice
from kubemin.engine.objects.live import get_or_none
from kubemin.engine.objects.lost_versions import lost_versions
from kubemin.engine.objects.one_way import never_back, rules_against
from kubemin.engine.objects.ownership import (
    controlled,
    convert_create_to_apply,
    in_present_version,
    scaled_by_others,
)
from kubemin.engine.objects.undeclared import send_declared
from kubemin.plan import Job
from kubemin.spec.labels import APP_ID, NAME, TASK_ID, WRITE_TOKEN
from kubemin.spec.objects import Manifest, ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.warnings import with_warnings

NEVER_BACK = "and a rollback does not bring it back: it would run again"
_ANY_NAMESPACE = "default"
_BY_POLICY = "denied"
"""In the message of whatever a webhook or an admission policy refuses."""


Verb = Literal["create", "change", "same", "adopt", "write", "skip", "refused"]


@dataclass(frozen=True)
class JobPreview:
    """What a job would do: ``create``, ``change`` or nothing (``same``), with the changed fields.

    ``adopt``: take over a stranger's object; first who manages it, then the changed fields. ``write``: the API server
    cannot tell. ``skip``: what is there is left as it is, or to others who share it. ``refused``: it would fail, and
    ``code`` says with what.
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


async def in_a_coming_namespace(cluster: Cluster, job: Job) -> JobPreview:
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


async def after_its_role(cluster: Cluster, job: Job) -> JobPreview:
    """A binding whose role comes before it, and is not stored by a dry run: that asks what the role may hold."""
    return JobPreview("create" if await get_or_none(cluster, job.ref) is None else "write")


async def made_anew(cluster: Cluster, job: Job, live: Manifest) -> JobPreview:
    """A hook that a former run has left: the API server looks at a new one before it sees that the name is taken."""
    if cluster.acts:
        with suppress(NotFound, Conflict):
            await cluster.delete(job.ref, uid=live["metadata"]["uid"], dry_run=True)
    with suppress(AlreadyExists, Terminating):
        await cluster.create(job.manifest, dry_run=True)
    return JobPreview("create", (f"{job.ref} of a former run is deleted first, {NEVER_BACK}",))


async def former_jobs(cluster: Cluster, job: Job) -> tuple[str, ...]:
    """The component's former Jobs, which a new one is made beside: a Job's spec never changes."""
    labels = job.manifest["metadata"].get("labels", {})
    if job.ref.kind != "Job" or not {APP_ID, NAME} <= labels.keys():
        return ()
    listed = await cluster.list("Job", job.ref.namespace, labels=f"{APP_ID}={labels[APP_ID]},{NAME}={labels[NAME]}")
    return tuple(
        f"a Job's spec cannot be changed: {ObjectRef.of(former)} is removed once all is done"
        for former in listed.items
        if ObjectRef.of(former) != job.ref and not controlled(former)
    )


async def changes(
    cluster: Cluster,
    autoscalers: Autoscalers,
    definitions: Definitions,
    job: Job,
    live: Manifest,
    *,
    take_over: bool,
    guess: bool,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the write would change, a line a field; and what would be otherwise than in the manifest."""
    wanted, left = await _wanted(autoscalers, job, live)
    answer = await _answer(cluster, wanted, live, take_over=take_over)
    hidden = Hidden(job.ref.kind, live, answer, guess=guess)
    differ = differences(unmarked(live), unmarked(answer))
    changed = [
        format_difference(path, old, new, hidden)
        + (" (somebody scaled it)" if path == "spec.replicas" and scaled_by_others(live) else "")
        for path, old, new in differ
    ]
    changed += never_back(live, answer)
    if differ and (definition := await definitions.of(job.ref.kind)) is not None:
        version = answer["apiVersion"].rpartition("/")[2]
        changed += rules_against(definition, version, [path for path, _, _ in differ])
    return tuple(changed), (*([left] if left else []), *remains(wanted, answer))


async def written(
    cluster: Cluster, autoscalers: Autoscalers, job: Job, live: Manifest, *, take_over: bool = False
) -> Manifest:
    """The object as the job would make it of what is there. Raises `ClusterError`."""
    wanted, _ = await _wanted(autoscalers, job, live)
    try:
        return await _answer(cluster, wanted, live, take_over=take_over)
    except Invalid:  # what cannot be changed is shown all the same
        return predict_apply(live, wanted)


async def _wanted(autoscalers: Autoscalers, job: Job, live: Manifest) -> tuple[Manifest, str]:
    wanted, left = await autoscalers.fitted(job.manifest, live)
    if job.fetch is not None:  # fetched when it is written: until then, what is there
        there = (live.get("data") or {}).get(job.fetch.key, "")
        wanted = {**wanted, "data": {**wanted.get("data", {}), job.fetch.key: there}}
    return wanted, left


async def _answer(cluster: Cluster, wanted: Manifest, live: Manifest, *, take_over: bool) -> Manifest:
    """The object as the write would make it."""
    if lost := await lost_versions(cluster, live):
        live = {**live, "metadata": {**live["metadata"], "managedFields": in_present_version(live, lost)}}
    if (body := replacement(wanted, live, take_over=take_over)) is not None:
        return await cluster.replace(body, dry_run=True)
    if not lost and convert_create_to_apply(live) is None:
        metadata = {**wanted["metadata"], "uid": live["metadata"]["uid"]}
        return await send_declared({**wanted, "metadata": metadata}, partial(cluster.apply, dry_run=True))
    return await cluster.replace(predict_apply(live, wanted), dry_run=True)


def unmarked(obj: Manifest) -> Manifest:
    """Without the marks that each write brings."""
    meta = dict(obj["metadata"])
    for field, mark in (("annotations", WRITE_TOKEN), ("labels", TASK_ID)):
        meta[field] = {key: value for key, value in (meta.get(field) or {}).items() if key != mark}
    return {**obj, "metadata": meta}
