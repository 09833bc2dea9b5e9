"""``job``: a batch Job, which runs once to its end."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from kubemin.render.components.pods import build_pod, with_objects
from kubemin.render.context import Context
from kubemin.render.model import Rendered
from kubemin.render.pod import Pod
from kubemin.spec.jobs import BACKOFF_LIMIT
from kubemin.spec.objects import Manifest


def render(context: Context) -> Iterator[Rendered]:
    """The objects of a job. Its ports are the container's; a Service for them would outlive their use.

    A Job's spec never changes, so one that differs has another name: it runs beside the former one, which goes once all
    is done (design R11), and is untouched if it comes to a rollback.
    """
    pod = build_pod(context)
    spec = job_spec(pod, context)
    yield from with_objects(context.manifest("Job", context.name("Job", _digest(spec)), {"spec": spec}), pod, context)


def job_spec(pod: Pod, context: Context) -> Manifest:
    """The spec of a Job with this Pod."""
    properties = context.component.properties
    limit = properties.backoff_limit
    spec: Manifest = {"backoffLimit": BACKOFF_LIMIT if limit is None else limit}
    if properties.active_deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = properties.active_deadline_seconds
    return {**spec, "template": pod.template(context, restartPolicy=properties.restart_policy or "Never")}


def _digest(spec: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:8]
