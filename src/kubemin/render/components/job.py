"""``job``: a batch Job, which runs once to its end."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from kubemin.render.components.pods import build_pod, with_objects
from kubemin.render.context import Context
from kubemin.render.model import Rendered

BACKOFF_LIMIT = 3


def render(context: Context) -> Iterator[Rendered]:
    """The objects of a job. Its ports are the container's; a Service for them would outlive their use.

    A Job's spec never changes, so one that differs has another name: it runs beside the former one, which goes once all
    is done (design R11), and is untouched if it comes to a rollback.
    """
    pod = build_pod(context)
    spec = {"backoffLimit": BACKOFF_LIMIT, "template": pod.template(context, restartPolicy="Never")}
    yield from with_objects(context.manifest("Job", context.name("Job", _digest(spec)), {"spec": spec}), pod, context)


def _digest(spec: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:8]
