"""The forward part of a deploy: what is there is looked at and asked about, then come the steps (design §2)."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from kubemin.engine.deploy.dry_runs import JobPreview
from kubemin.engine.deploy.job import JobContext
from kubemin.engine.deploy.namespaces import already_requested, missing
from kubemin.engine.deploy.namespaces import create as create_namespaces
from kubemin.engine.deploy.preflight import Inquiry
from kubemin.engine.deploy.sharing import left_to_others
from kubemin.engine.deploy.steps import FAILED, Steps
from kubemin.engine.deploy.unchanged import Unchanged
from kubemin.engine.errors import JobFailed, TimedOut
from kubemin.engine.journal.tracker import CleanupTracker
from kubemin.plan import Plan
from kubemin.spec.objects import ObjectRef
from kubemin.spec.reason_codes import ReasonCode
from kubemin.spec.states import JobStatus
from kubemin.spec.workflow import OnFailure
from kubemin.store.jobs import JobRow
from kubemin.telemetry.tracing import span

_NAMED = 5
"""How many jobs a timeout names."""


async def deploy(plan: Plan, former: Mapping[int, JobRow], context: JobContext) -> None:
    """Look and ask first (pre-flight), then run all stages, but for the jobs that ended under a ``former`` worker.

    Raises the first failure as `StatusError`; `TimedOut` where the whole takes longer than the options allow.
    """
    options = context.options
    done = {seq for seq, row in former.items() if row.status in (JobStatus.COMPLETED, JobStatus.SKIPPED)}
    failed = {seq: row for seq, row in former.items() if row.status in FAILED}
    waits: dict[int, str] = {}
    try:
        async with asyncio.timeout(options.timeout_seconds), context.activity.limit:
            coming = await missing(context.cluster, plan) if options.create_namespace else []
            begun = bool(context.journal.resources)  # by a predecessor, which has asked
            todo = [job for job in plan.jobs if job.seq not in former and not context.journal.wrote(job.ref)]
            unchanged = Unchanged(context.autoscalers, context.journal.last_writes, options.take_over)
            inquiry = Inquiry(
                context.cluster,
                context.acting,
                context.adoption,
                context.autoscalers,
                unchanged,
                {},
                take_over=options.take_over,
                guess=context.settings.guess_secrets,
                spared=_may_fail(plan),
                trouble=waits.__setitem__,
                has_none=context.has_none,
            )
            await inquiry.read(job for job in todo if job.ref.namespace not in coming)
            if options.expects is not None and not begun:
                _refuse_changed(options.expects.differs_from_live(todo, inquiry.snapshot))
            skipped = {} if begun else {**_hooks_of_others(plan, context), **await inquiry.unneeded(plan, coming)}
            if options.dry_run:
                _tell(await inquiry.preflight([job for job in plan.jobs if job.seq not in skipped], coming), context)
                _skip(skipped, context)
                return
            _skip(skipped, context)  # committed with the first write at the latest, for a successor
            done |= skipped.keys()
            todo = [job for job in todo if job.seq not in skipped]
            ask = inquiry.preflight if options.preflight and not begun else inquiry.refuse_strangers
            with span("pre-flight", {"kubemin.jobs": len(todo)}):
                await ask(todo, coming)
            waits.clear()
            tracker = CleanupTracker(context.journal, context.cluster, 0, context.clean, acting=context.acting)
            await create_namespaces(tracker, sorted({*coming, *already_requested(context.journal)}))
            if coming:  # what is in them by now, and what their own admission and quota say, could not be asked before
                inside = [job for job in todo if job.ref.namespace in coming]
                await inquiry.read(inside)
                await ask(inside)
                waits.clear()
            done |= await _left_to_others(plan, former, context, waits)
            steps = Steps(context, inquiry.snapshot, unchanged, waits, done, failed)
            for stages in plan.parts:
                await steps.run(stages)
    except TimeoutError:
        refs = {job.seq: job.ref for job in plan.jobs}
        named = "; ".join(_named(refs.get(seq), message) for seq, message in sorted(waits.items())[:_NAMED])
        waited = named and f"; it waited for {named}"
        if context.activity.limit.expired():
            quiet = f"nothing moved for {context.activity.seconds:g} s{waited}"
            raise TimedOut(quiet, ReasonCode.NO_ACTIVITY) from None
        raise TimedOut(f"the task was not complete within {options.timeout_seconds:g} s{waited}") from None


def _hooks_of_others(plan: Plan, context: JobContext) -> dict[int, str]:
    """The hooks that are not of this run, and why."""
    return {job.seq: why for job in plan.jobs if (why := context.why_not(job)) is not None}


def _refuse_changed(changes: Sequence[str]) -> None:
    if changes:
        said = "; ".join(changes[:_NAMED]) + (f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else "")
        raise JobFailed(f"refused before anything was written, as since the plan {said}", ReasonCode.PLAN_CHANGED)


def _named(ref: ObjectRef | None, message: str) -> str:
    """What is said of an object, with its name once; of a hold, which has none, what it waits for."""
    if ref is None:
        return message
    message = message.removeprefix(f"{ref.kind} {ref.name}: ").rstrip(".")
    return message if str(ref) in message else f"{ref}: {message}"


def _tell(preview_jobs: Mapping[int, JobPreview], context: JobContext) -> None:
    """A dry run's result: what each job would have done."""
    for seq, forecast in sorted(preview_jobs.items()):
        context.journal.job(seq, JobStatus.SKIPPED, str(forecast))


def _skip(skipped: Mapping[int, str], context: JobContext) -> None:
    """Note what is not needed, and why."""
    for seq, why in skipped.items():
        context.journal.job(seq, JobStatus.SKIPPED, why)


def _may_fail(plan: Plan) -> set[int]:
    """The jobs that may fail without the task's failing: those of steps that are to ``continue``."""
    return {job.seq for stage in plan.stages if stage.on_failure is OnFailure.CONTINUE for job in stage.jobs}


async def _left_to_others(plan: Plan, former: Collection[int], context: JobContext, waits: dict[int, str]) -> set[int]:
    """The jobs that are skipped, because another application has what they would share."""

    def report(seq: int, message: str) -> None:
        waits[seq] = message
        context.journal.job(seq, JobStatus.PREPARE, message)
        context.activity.moved()

    jobs = [job for job in plan.jobs if job.share and job.seq not in former]
    left = await left_to_others(context.journal, context.cluster, jobs, context.settings.job_timeout_seconds, report)
    for seq in left:
        context.journal.job(seq, JobStatus.SKIPPED, "shared: left to others")
    waits.clear()
    return left
