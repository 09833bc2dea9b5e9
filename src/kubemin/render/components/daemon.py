"""``daemon``: a DaemonSet, a Pod on each node; and a Service if there are ports."""

from collections.abc import Iterator

from kubemin.render.components.pods import build_pod, service, with_objects
from kubemin.render.context import Context
from kubemin.render.model import Rendered


def render(context: Context) -> Iterator[Rendered]:
    """The objects of a daemon."""
    pod = build_pod(context)
    spec = {"selector": {"matchLabels": context.selector()}, "template": pod.template(context)}
    if context.component.has_service:
        yield context.rendered(service(context))
    yield from with_objects(context.manifest("DaemonSet", context.name("DaemonSet"), {"spec": spec}), pod, context)
