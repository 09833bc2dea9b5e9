"""Plans as text, for people and for tests."""

from kubemin.plan.model import Job, Plan, Stage
from kubemin.spec.workflow import OnFailure


def describe(plan: Plan) -> str:
    """The ordered stages, one line a job or hold. Nothing of the manifests but kind, namespace and name is shown."""
    lines = [line for stage in plan.stages for line in _stage(stage)]
    return "".join(f"{line}\n" for line in lines) or "(nothing to deploy)\n"


def _stage(stage: Stage) -> list[str]:
    head = f"stage {stage.index + 1}: {stage.step}"
    if stage.jobs:
        count = len(stage.jobs)
        at_once = count if stage.concurrency is None else min(stage.concurrency, count)
        together = "" if count == 1 else " one by one" if at_once == 1 else f" {at_once} at once"
        jobs = f"{count} job{'' if count == 1 else 's'}"
        head += f" ({stage.mode}), priority {stage.priority}, {jobs}{together}"
    if stage.replaces is not None:
        head += f", if it changes the Pods of {stage.replaces}"
    if stage.timeout_seconds is not None:
        head += f", {stage.timeout_seconds:g} s at most"
    if stage.on_failure is OnFailure.CONTINUE:
        head += ", on failure continue"
    held = [f"  {stage.hold.seq:>3}  {stage.hold.waits}"] if stage.hold else []
    return [head, *(_job(job) for job in stage.jobs), *held]


def _job(job: Job) -> str:
    notes = [
        *([f"share {job.share}"] if job.share else []),
        *(["adopts"] if job.adopt else []),
        *(["fetches its content"] if job.fetch else []),
        *(["if there is none"] if job.if_absent else []),
        *([f"{job.portion.weight} % of the Pods"] if job.portion else []),
    ]
    return f"  {job.seq:>3}  {job.component}: {job.ref}" + (f"  [{', '.join(notes)}]" if notes else "")
