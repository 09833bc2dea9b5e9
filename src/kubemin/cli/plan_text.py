"""Plans as text, for people and for tests."""

from kubemin.cli.by_code import hold
from kubemin.cli.language import tr, trn
from kubemin.plan.model import Job, Plan, Stage
from kubemin.spec.workflow import OnFailure


def describe(plan: Plan) -> str:
    """The ordered stages, one line a job or hold. Nothing of the manifests but kind, namespace and name is shown."""
    lines = [line for stage in plan.stages for line in _stage(stage)]
    return "".join(f"{line}\n" for line in lines) or f"({tr('nothing to deploy')})\n"


def _stage(stage: Stage) -> list[str]:
    head = tr("stage {number}: {step}", number=stage.index + 1, step=stage.step)
    if stage.jobs:
        count = len(stage.jobs)
        at_once = count if stage.concurrency is None else min(stage.concurrency, count)
        if stage.jobs[0].hook is None:
            head = tr("{stage} ({mode}), priority {priority}", stage=head, mode=stage.mode, priority=stage.priority)
        else:
            head = tr("{what} ({more})", what=head, more=stage.mode)
        head += tr(", ") + trn("{count} job", "{count} jobs", count)
        if count > 1:
            head += tr(" one by one") if at_once == 1 else tr(" {count} at once", count=at_once)
    if stage.replaces is not None:
        head += tr(", if it changes the Pods of {component}", component=stage.replaces)
    if stage.timeout_seconds is not None:
        head += tr(", {seconds} s at most", seconds=f"{stage.timeout_seconds:g}")
    if stage.on_failure is OnFailure.CONTINUE:
        head += tr(", on failure continue")
    held = [f"  {stage.hold.seq:>3}  {hold(stage.hold.waits)}"] if stage.hold else []
    return [head, *(_job(job) for job in stage.jobs), *held]


def _job(job: Job) -> str:
    notes = [
        *([tr("share {share}", share=job.share)] if job.share else []),
        *([tr("adopts")] if job.adopt else []),
        *([tr("fetches its content")] if job.fetch else []),
        *([tr("if there is none")] if job.if_absent else []),
        *([job.hook.said] if job.hook else []),
        *([tr("{percent} % of the Pods", percent=job.portion.weight)] if job.portion else []),
    ]
    return f"  {job.seq:>3}  {job.component}: {job.ref}" + (f"  [{', '.join(notes)}]" if notes else "")
