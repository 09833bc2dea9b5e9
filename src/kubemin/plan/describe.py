"""Plans as text, for people and for tests."""

from kubemin.plan.model import Job, Plan, Stage


def describe(plan: Plan) -> str:
    """The ordered stages, one line a job. Nothing of the manifests but kind, namespace and name is shown."""
    lines = [line for stage in plan.stages for line in (_stage(stage), *(_job(job) for job in stage.jobs))]
    return "".join(f"{line}\n" for line in lines) or "(nothing to deploy)\n"


def _stage(stage: Stage) -> str:
    count = len(stage.jobs)
    at_once = count if stage.concurrency is None else min(stage.concurrency, count)
    together = "" if count == 1 else " one by one" if at_once == 1 else f" {at_once} at once"
    jobs = f"{count} job{'' if count == 1 else 's'}"
    return f"stage {stage.index + 1}: {stage.step} ({stage.mode}), priority {stage.priority}, {jobs}{together}"


def _job(job: Job) -> str:
    notes = [
        *([f"share {job.share}"] if job.share else []),
        *(["adopts"] if job.adopt else []),
        *(["fetches its content"] if job.fetch else []),
        *(f"requires {ref}" for ref in job.requires),
    ]
    return f"  {job.seq:>3}  {job.component}: {job.ref}" + (f"  [{', '.join(notes)}]" if notes else "")
