"""``cronjob``: a CronJob, which makes a Job whenever its schedule says so."""

from collections.abc import Iterator

from kubemin.render.components.job import job_spec
from kubemin.render.components.pods import build_pod, with_objects
from kubemin.render.context import Context
from kubemin.render.model import Rendered
from kubemin.spec.objects import Manifest


def render(context: Context) -> Iterator[Rendered]:
    """The objects of a cronjob. Unlike that of a Job its spec can change, so it keeps its name."""
    properties = context.component.properties
    pod = build_pod(context)
    said = {
        "timeZone": properties.time_zone or None,
        "concurrencyPolicy": properties.concurrency_policy,
        "suspend": properties.suspend,
        "startingDeadlineSeconds": properties.starting_deadline_seconds,
        "successfulJobsHistoryLimit": properties.successful_jobs_history_limit,
        "failedJobsHistoryLimit": properties.failed_jobs_history_limit,
    }
    spec: Manifest = {"schedule": properties.schedule, **{key: one for key, one in said.items() if one is not None}}
    spec["jobTemplate"] = {"metadata": {"labels": context.pod_labels()}, "spec": job_spec(pod, context)}
    yield from with_objects(context.manifest("CronJob", context.name("CronJob"), {"spec": spec}), pod, context)
