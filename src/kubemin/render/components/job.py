"""``job``: a batch Job, which runs once to its end."""

from collections.abc import Iterator

from kubemin.render.components.pods import build_pod, with_objects
from kubemin.render.context import Context
from kubemin.render.model import Rendered
from kubemin.spec.names import batch_job_name

BACKOFF_LIMIT = 3


def render(context: Context) -> Iterator[Rendered]:
    """The objects of a job. Its ports are the container's; a Service for them would outlive their use."""
    pod = build_pod(context)
    spec = {"backoffLimit": BACKOFF_LIMIT, "template": pod.template(context, restartPolicy="Never")}
    workload = context.manifest("Job", batch_job_name(context.component.name, context.app_id), {"spec": spec})
    yield from with_objects(workload, pod, context)
