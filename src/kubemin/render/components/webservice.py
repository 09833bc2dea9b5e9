"""``webservice``: a Deployment, and a Service if there are ports."""

from collections.abc import Iterator

from kubemin.render.components.pods import build_pod, replicas, service, with_objects
from kubemin.render.context import Context
from kubemin.render.model import Rendered
from kubemin.spec.states import Way


def render(context: Context) -> Iterator[Rendered]:
    """The objects of a webservice."""
    component = context.component
    pod = build_pod(context)
    spec = {
        **replicas(component),
        **({"strategy": {"type": "Recreate"}} if component.way is Way.RECREATE else {}),
        "selector": {"matchLabels": context.selector()},
        "template": pod.template(context),
    }
    if component.has_service:
        yield context.rendered(service(context))
    workload = context.manifest("Deployment", context.name("Deployment"), {"spec": spec})
    yield from with_objects(workload, pod, context)
